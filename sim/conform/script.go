package conform

import (
	"fmt"
	"strconv"
	"strings"
)

// Case is one scenario of a script.
type Case struct {
	Name  string
	Root  bool   // needs root on Linux
	Skip  string // why the simulated kernel is known to differ
	Lines []Line
}

// Line is one line of a script. Words is empty for comments and blank lines.
type Line struct {
	Text   string
	Number int
	Words  []string
	Want   string // the answer in the file
}

// Parse reads a script. file is only for messages.
func Parse(file, text string) (head []string, cases []Case, err error) {
	for i, l := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		number := i + 1
		if name, ok := strings.CutPrefix(l, "--- "); ok {
			c := Case{Name: name}
			if base, ok := strings.CutSuffix(name, " [root]"); ok {
				c.Name, c.Root = base, true
			}
			cases = append(cases, c)
			continue
		}
		if len(cases) == 0 {
			head = append(head, l)
			continue
		}
		c := &cases[len(cases)-1]
		if want, ok := strings.CutPrefix(l, "=> "); ok {
			if n := len(c.Lines); n == 0 || len(c.Lines[n-1].Words) == 0 {
				return nil, nil, fmt.Errorf("%s:%d: an answer without a call before it", file, number)
			}
			c.Lines[len(c.Lines)-1].Want = want
			continue
		}
		if reason, ok := strings.CutPrefix(l, "skip sim: "); ok {
			c.Skip = reason
		}
		line := Line{Text: l, Number: number}
		if l != "" && l[0] != '#' && !strings.HasPrefix(l, "skip ") {
			if line.Words, err = split(l); err != nil {
				return nil, nil, fmt.Errorf("%s:%d: %v", file, number, err)
			}
		}
		c.Lines = append(c.Lines, line)
	}
	return head, cases, nil
}

// split cuts a line into words. A word in Go quotes may hold blanks, and one
// followed by *N stands for N copies in a row.
func split(l string) ([]string, error) {
	var words []string
	for l = strings.TrimLeft(l, " "); l != ""; l = strings.TrimLeft(l, " ") {
		if l[0] != '"' {
			word, rest, _ := strings.Cut(l, " ")
			words, l = append(words, word), rest
			continue
		}
		quoted, err := strconv.QuotedPrefix(l)
		if err != nil {
			return nil, fmt.Errorf("quote that does not end in %s", l)
		}
		word, _ := strconv.Unquote(quoted)
		l = l[len(quoted):]
		if rest, ok := strings.CutPrefix(l, "*"); ok {
			times, after, _ := strings.Cut(rest, " ")
			n, err := strconv.Atoi(times)
			if err != nil {
				return nil, fmt.Errorf("%q is not a number of copies", times)
			}
			word, l = strings.Repeat(word, n), after
		}
		words = append(words, word)
	}
	return words, nil
}

// Format writes a script with new answers: got[i][j] belongs to line j of
// case i, "" keeps what the file has.
func Format(head []string, cases []Case, got [][]string) string {
	var b strings.Builder
	for _, l := range head {
		fmt.Fprintln(&b, l)
	}
	for i, c := range cases {
		name := c.Name
		if c.Root {
			name += " [root]"
		}
		fmt.Fprintln(&b, "---", name)
		for j, l := range c.Lines {
			fmt.Fprintln(&b, l.Text)
			answer := l.Want
			if got[i] != nil && got[i][j] != "" {
				answer = got[i][j]
			}
			if answer != "" {
				fmt.Fprintln(&b, "=>", answer)
			}
		}
	}
	return b.String()
}
