package dap

import (
	"context"
	"strings"
	"unicode"
	"unicode/utf16"

	"github.com/google/go-dap"

	"github.com/restep/restep/dap/target"
)

// maxCompletions bounds one answer.
const maxCompletions = 500

// onCompletions completes what is typed in the debug console: variables,
// fields, machines behind an @.
func (s *session) onCompletions(_ context.Context, m dap.Message) error {
	req := m.(*dap.CompletionsRequest)
	text := lineBefore(req.Arguments.Text, req.Arguments.Line, req.Arguments.Column)
	word, before := splitWord(text)
	var items []dap.CompletionItem
	add := func(names []target.Name, kind dap.CompletionItemType) {
		for _, n := range names {
			if strings.HasPrefix(n.Name, word) && len(items) < maxCompletions {
				items = append(items, dap.CompletionItem{
					Label: n.Name, Detail: n.Type, Type: kind, Length: len(utf16.Encode([]rune(word))),
					Start: req.Arguments.Column - len(utf16.Encode([]rune(word))),
				})
			}
		}
	}
	owner, ok := s.frameOwner(req.Arguments.FrameId)
	if !ok {
		owner = frameOwner{goroutine: -1}
	}
	switch {
	case strings.HasSuffix(before, "@"):
		add(s.machineNames(), "reference")
	case strings.HasSuffix(before, "."):
		operand := lastOperand(before[:len(before)-1])
		fields, err := s.target.Fields(owner.goroutine, owner.index, operand)
		if err != nil { // no value of that name; a package, perhaps
			fields, err = s.target.Package(strings.Trim(operand, `"`))
			if err != nil {
				fields = nil
			}
		}
		add(fields, "field")
	default:
		if local, pkg, err := s.target.Locals(owner.goroutine, owner.index); err == nil {
			add(local, "variable")
			add(pkg, "variable")
		}
		if strings.TrimSpace(before) == "" {
			add([]target.Name{{Name: "call"}, {Name: "dlv"}}, "keyword")
		}
	}
	answer := &dap.CompletionsResponse{Response: response(&req.Request)}
	answer.Body.Targets = append([]dap.CompletionItem{}, items...)
	s.out.send(answer)
	return nil
}

// machineNames are the labels of the run's machines, and * for all.
func (s *session) machineNames() []target.Name {
	names := []target.Name{{Name: "*", Type: "all machines"}}
	for _, m := range s.engine.Log().Machines() {
		names = append(names, target.Name{Name: m.Label, Type: "machine"})
	}
	return names
}

// lineBefore is the part of a line of a text that lies before a column. Lines
// and columns count from 1, columns in UTF-16 code units; line 0 is the first.
func lineBefore(text string, line, column int) string {
	for ; line > 1 && text != ""; line-- {
		_, text, _ = strings.Cut(text, "\n")
	}
	text, _, _ = strings.Cut(text, "\n")
	units := utf16.Encode([]rune(text))
	if column < 1 {
		column = 1
	}
	return string(utf16.Decode(units[:min(column-1, len(units))]))
}

// splitWord takes the identifier, or label of a machine, at the end off.
func splitWord(text string) (word, before string) {
	i := len(text)
	for i > 0 {
		r := rune(text[i-1])
		if r < 0x80 && r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			break
		}
		i--
	}
	// A label may have dashes and dots in it.
	if at := strings.LastIndexByte(text, '@'); at >= 0 && !strings.ContainsAny(text[at:], " \t()") {
		i = at + 1
	}
	return text[i:], text[:i]
}

// lastOperand is the operand at the end of a text: names, selectors, indexes,
// balanced brackets and quoted package paths.
func lastOperand(text string) string {
	depth, quoted := 0, false
	i := len(text)
	for i > 0 {
		c := text[i-1]
		switch {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == ']' || c == ')':
			depth++
		case c == '[' || c == '(':
			if depth--; depth < 0 {
				return text[i:]
			}
		case depth > 0, c == '.', c == '_', c >= 0x80, c >= '0' && c <= '9', c|0x20 >= 'a' && c|0x20 <= 'z':
		default:
			return text[i:]
		}
		i--
	}
	return text
}

// frameOwner says whose frame a frame id is.
func (s *session) frameOwner(id int) (frameOwner, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.frames[id]
	return o, ok
}
