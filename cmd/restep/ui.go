package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/restep/restep/replay/text"
)

// Rules: one fact per line, lower case, no full stop, at most 80 columns of our
// own words; prefix "restep: " on the first line, hints indented by two. Paths
// are file:line so that editors link them. Nothing of the program under test
// is printed without text.Escape. Colours only on a terminal and not with
// NO_COLOR; a progress line only on a terminal.

// Exit codes.
const (
	exitOK        = 0
	exitFailed    = 1
	exitUsage     = 2
	exitInterrupt = 130
)

// ui is where a command prints.
type ui struct {
	out      io.Writer // buffered standard output
	err      io.Writer
	outTerm  bool // standard output is a terminal that wants colours
	errTerm  bool // a progress line may be shown
	mu       sync.Mutex
	progress int // bytes of the progress line that is shown
}

func newUI() *ui {
	u := &ui{out: os.Stdout, err: os.Stderr}
	plain := os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb"
	u.outTerm = isTerminal(os.Stdout) && !plain
	u.errTerm = isTerminal(os.Stderr) && os.Getenv("TERM") != "dumb"
	return u
}

// print writes to standard output, in place of the progress line.
func (u *ui) print(b []byte) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.clear()
	_, _ = u.out.Write(b)
}

// flush brings buffered output to its reader.
func (u *ui) flush() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if b, ok := u.out.(interface{ Flush() error }); ok {
		_ = b.Flush()
	}
}

func (u *ui) printf(format string, args ...any) { u.print(fmt.Appendf(nil, format, args...)) }

// say tells the user something, with hints what to do.
func (u *ui) say(message string, hints ...string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.clear()
	fmt.Fprintf(u.err, "restep: %s\n", escapeLines(message))
	for _, h := range hints {
		fmt.Fprintf(u.err, "  %s\n", escapeLines(h))
	}
}

// fail is say for a command that gives up; it returns the exit code.
func (u *ui) fail(code int, message string, hints ...string) int {
	u.say(message, hints...)
	return code
}

// raw prints what another tool said, as it said it, escaped.
func (u *ui) raw(s string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.clear()
	fmt.Fprintf(u.err, "%s\n", escapeLines(strings.TrimRight(s, "\n")))
}

// statusWidth is the number of columns of a progress line.
const statusWidth = 79

// status shows a line that the next output replaces; "" takes it away.
func (u *ui) status(line string) {
	if !u.errTerm {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.clear()
	line = text.Escape(line)
	b := cutWidth([]byte(line), statusWidth)
	_, _ = u.err.Write(b)
	u.progress = utf8.RuneCount(b)
}

// building shows what a build does, until stop: on a terminal a line that tells
// how long it has been at it; elsewhere only what is done but once, for that
// takes a minute in which nothing else is said.
func (u *ui) building() (say func(what string), stop func()) {
	if !u.errTerm {
		said := ""
		return func(what string) {
			if what, _, _ = strings.Cut(what, ": "); strings.Contains(what, "once") && what != said {
				said = what
				u.say(what)
			}
		}, func() {}
	}
	said, quit, ended := make(chan string), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		defer u.status("")
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		var at work
		for {
			select {
			case <-quit:
				return
			case what := <-said:
				at.next(what, time.Now())
			case <-tick.C:
			}
			u.status(at.line(time.Now()))
		}
	}()
	return func(what string) { said <- what }, func() { close(quit); <-ended }
}

// work is what a build is at, as it says it itself: "what", and then perhaps
// "what: how far it is".
type work struct {
	what, far string
	since     time.Time
}

// next takes what a build says.
func (w *work) next(said string, now time.Time) {
	what, far, _ := strings.Cut(said, ": ")
	if what != w.what {
		w.what, w.since = what, now
	}
	w.far = far
}

// line fits on a terminal of 80 columns: what is done is cut, not how far.
func (w *work) line(now time.Time) string {
	if w.what == "" {
		return ""
	}
	end := ""
	if w.far != "" {
		end = ": " + w.far
	}
	if n := int(now.Sub(w.since).Seconds()); n > 0 {
		end += fmt.Sprintf(" (%ds)", n)
	}
	return string(cutWidth([]byte("restep: "+w.what), statusWidth-len(end))) + end
}

func (u *ui) clear() {
	if u.progress > 0 {
		fmt.Fprint(u.err, "\r", strings.Repeat(" ", u.progress), "\r")
		u.progress = 0
	}
}

// quoteArg quotes an argument for a POSIX shell.
func quoteArg(s string) string {
	if s == "" || strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=,+@%", r))
	}) {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	return s
}

func quoteArgs(args []string) string {
	quoted := make([]string, len(args))
	for i, a := range args {
		quoted[i] = quoteArg(a)
	}
	return strings.Join(quoted, " ")
}

// isTest reports an argument that can only be the name of a test: people write
// it where a package is due.
func isTest(arg string) bool {
	for _, prefix := range []string{"Test", "Benchmark", "Fuzz", "Example"} {
		rest, ok := strings.CutPrefix(arg, prefix)
		if !ok || rest == "" || rest[0] >= 'a' && rest[0] <= 'z' || strings.ContainsAny(rest, "./\\") {
			continue
		}
		_, err := os.Stat(arg)
		return err != nil // a folder of this name wants ./ before it, too; go says so
	}
	return false
}

// nearPath shortens a path below the working directory.
func nearPath(path string) string {
	wd, err := os.Getwd()
	if err != nil || !filepath.IsAbs(path) {
		return path
	}
	if rel, err := filepath.Rel(wd, path); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return path
}

// plural writes "1 test", "3 tests".
func plural[N int | uint64](n N, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

// escapeLines escapes a text but keeps its lines.
func escapeLines(s string) []byte {
	var b []byte
	start := 0
	for i := range len(s) {
		if s[i] == '\n' {
			b = append(text.AppendEscaped(b, s[start:i]), '\n')
			start = i + 1
		}
	}
	return text.AppendEscaped(b, s[start:])
}

// firstLine is the first line of a text, escaped.
func firstLine(s string) string {
	line, _, more := strings.Cut(strings.TrimSpace(s), "\n")
	if more {
		line += " ..."
	}
	return text.Escape(line)
}
