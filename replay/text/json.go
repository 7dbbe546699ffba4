package text

import (
	"time"

	"github.com/restep/restep/sim/steplog"
)

// Step is one step as JSON, for scripts and editors. Path is the user's file:
// absolute when the module's folder is known.
type Step struct {
	Step      uint64         `json:"step"`
	Tick      uint64         `json:"tick"`
	Time      string         `json:"time"` // simulated, RFC 3339, UTC, nanoseconds
	Machine   string         `json:"machine"`
	Goroutine uint32         `json:"goroutine"`
	Kind      string         `json:"kind"`
	Text      string         `json:"text"`
	Path      string         `json:"path,omitempty"`
	Line      int            `json:"line,omitempty"`
	Fields    map[string]any `json:"fields,omitempty"` // by tag name
	Stack     []Frame        `json:"stack,omitempty"`  // innermost first
}

// Frame is one frame of a call stack as JSON.
type Frame struct {
	Func string `json:"func"`
	Path string `json:"path"`
	Line int    `json:"line"`
}

// Export returns a step as plain data that shares no memory with the log.
func Export(r *steplog.Reader, src Source, s *steplog.Step, stacks bool) Step {
	frames := r.Stack(s.StackID, nil)
	out := Step{
		Step: s.Number, Tick: s.Tick, Time: time.Unix(0, s.TimeNs).UTC().Format(time.RFC3339Nano),
		Goroutine: s.Goroutine, Kind: s.Kind.String(), Text: string(AppendDescription(nil, r, s)),
	}
	if m, ok := r.Machine(s.Machine); ok {
		out.Machine = m.Label
	}
	if f, ok := src.PlaceOf(s, frames); ok {
		out.Path, out.Line = src.Path(f.File), f.Line
	}
	for _, f := range s.Fields {
		if f.Tag == steplog.TagMessage {
			continue // an offset into the raw text, which is not shown
		}
		if out.Fields == nil {
			out.Fields = map[string]any{}
		}
		out.Fields[f.Tag.String()] = fieldValue(f)
	}
	if stacks {
		for _, f := range frames {
			out.Stack = append(out.Stack, Frame{f.Func, src.Path(f.File), f.Line})
		}
	}
	return out
}

func fieldValue(f steplog.Field) any {
	switch f.Tag.Form() {
	case steplog.FormUint:
		return f.Num
	case steplog.FormInt:
		return f.Int()
	}
	return f.Value()
}
