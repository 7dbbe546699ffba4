package processes

import (
	"bytes"
	"strings"

	"github.com/google/go-dap"
)

// maxLine bounds a line of output that is kept until its end comes.
const maxLine = 64 << 10

// lines puts the name of its process before each line of one stream.
type lines struct {
	part []byte // of a line whose end has not come
}

// add returns the lines that a piece of output completes.
func (l *lines) add(text []byte) []string {
	l.part = append(l.part, text...)
	var out []string
	for {
		end, next := bytes.IndexByte(l.part, '\n'), 1
		if end < 0 {
			if end, next = maxLine, 0; len(l.part) < maxLine {
				return out
			}
		}
		out = append(out, strings.TrimSuffix(string(l.part[:end]), "\r"))
		l.part = l.part[end+next:]
	}
}

// rest returns what has come of a line without an end.
func (l *lines) rest() []string {
	if len(l.part) == 0 {
		return nil
	}
	out := []string{string(l.part)}
	l.part = nil
	return out
}

// onOutput passes output on, line by line.
func (s *Session) onOutput(p *proc, stderr bool, text []byte) {
	stream, category := &p.stdout, "stdout"
	if stderr {
		stream, category = &p.stderr, "stderr"
	}
	s.show(p, category, stream.add(text))
	if !p.logged && p.spec.Ready != nil && p.spec.Ready.log != nil && p.spec.Ready.log.Match(stream.part) {
		p.logged = true // a line that waits for an answer
		s.checkReady(p)
	}
}

// flush passes on the last lines, which have no end.
func (s *Session) flush(p *proc) {
	s.show(p, "stdout", p.stdout.rest())
	s.show(p, "stderr", p.stderr.rest())
}

func (s *Session) show(p *proc, category string, list []string) {
	if len(list) == 0 {
		return
	}
	var b strings.Builder
	for _, line := range list {
		b.WriteString(p.spec.Name + " | " + line + "\n")
		if r := p.spec.Ready; r != nil && r.log != nil && !p.logged && r.log.MatchString(line) {
			p.logged = true
		}
	}
	s.output(category, b.String())
	s.checkReady(p)
}

// output tells the client something.
func (s *Session) output(category, text string) {
	e := &dap.OutputEvent{Event: event("output")}
	e.Body = dap.OutputEventBody{Category: category, Output: text}
	s.opt.Send(e)
}

// console tells the user something in restep's own name.
func (s *Session) console(text string) { s.output("console", "restep: "+text+"\n") }

// noise is what Delve tells users that does not help them here.
func noise(text string) bool {
	return strings.HasPrefix(text, "Type 'dlv help'") || strings.HasPrefix(text, "Detaching") ||
		strings.HasPrefix(text, "Process ") && strings.Contains(text, "has exited with status")
}
