package lsp

import (
	"context"
	"encoding/json"
	"strconv"

	"go.lsp.dev/protocol"

	"github.com/restep/restep/lsp/hits"
)

// hintFunc returns the label of a hint at a place, "" for none. step is the one
// of its hits that is selected.
type hintFunc func(p *place, selected int) string

// hintKinds are the kinds of hints.
var hintKinds = map[string]hintFunc{
	"logs":       logHint,
	"goroutines": goHint,
	"machines":   machineHint,
}

// InlayHint returns what stands behind the lines of a range.
func (s *server) InlayHint(ctx context.Context, params *protocol.InlayHintParams) ([]protocol.InlayHint, error) {
	snap := s.snapshotOf(ctx)
	d := snap.document(params.TextDocument.URI)
	hints := []protocol.InlayHint{}
	if d == nil {
		return hints, nil
	}
	view := d.join(s.runsOf(ctx, snap, d))
	encoder := argumentEncoder{document: d}
	for i := range view.places {
		p := &view.places[i]
		at := d.lineSpan(p.line, snap.encoding).End
		if at.Line < params.Range.Start.Line || at.Line > params.Range.End.Line {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		selected := s.selection(p)
		for kind, hint := range hintKinds {
			if label := hint(p, selected); label != "" && on(snap.config.hints, kind) {
				hints = append(hints, encoder.hint(p, selected, at, label))
			}
		}
	}
	return hints, nil
}

// hint makes a hint that goes to its step when it is clicked.
func (e *argumentEncoder) hint(p *place, selected int, at protocol.Position, label string) protocol.InlayHint {
	yes := true
	if p.stale {
		label = "stale: " + label
	}
	step := p.hits.Hits[selected].Step
	part := protocol.InlayHintLabelPart{Value: label, Command: protocol.Command{
		Title: "go to step #" + strconv.FormatUint(step, 10), Command: goToStep, Arguments: e.list(p, step),
	}}
	return protocol.InlayHint{Position: at, Label: protocol.InlayHintLabelPartSlice{part}, PaddingLeft: &yes}
}

// times is how often a line was hit, "" for once.
func times(n uint64) string {
	if n == 1 {
		return ""
	}
	return " ×" + strconv.FormatUint(n, 10)
}

func stepText(n uint64) string { return "#" + strconv.FormatUint(n, 10) }

// logHint reads "#104 server/21 ×2".
func logHint(p *place, selected int) string {
	if p.hits.Kind != hits.Log {
		return ""
	}
	h := p.hits.Hits[selected]
	return stepText(h.Step) + " " + label(p.run.Who(h.Machine, h.Goroutine)) + times(p.hits.Count)
}

// goHint reads "server/21 at #98 ×3": the goroutine that was started.
func goHint(p *place, selected int) string {
	if p.hits.Kind != hits.Go {
		return ""
	}
	h := p.hits.Hits[selected]
	return label(p.run.Who(h.Machine, h.Started)) + " at " + stepText(h.Step) + times(p.hits.Count)
}

// machineHint reads "#5 boot server ×2".
func machineHint(p *place, selected int) string {
	if p.hits.Kind != hits.Machine {
		return ""
	}
	h := p.hits.Hits[selected]
	return stepText(h.Step) + " " + p.hits.Event + " " + label(p.run.Who(h.Machine, 0)) + times(p.hits.Count)
}

// number is a number in JSON that JavaScript can hold: above 2^53 it is a
// string. Both are read.
type number uint64

const safeNumber = 1<<53 - 1

func (n number) append(b []byte) []byte {
	if n > safeNumber {
		return append(strconv.AppendUint(append(b, '"'), uint64(n), 10), '"')
	}
	return strconv.AppendUint(b, uint64(n), 10)
}

// MarshalJSON implements json.Marshaler.
func (n number) MarshalJSON() ([]byte, error) { return n.append(nil), nil }

// UnmarshalJSON implements json.Unmarshaler.
func (n *number) UnmarshalJSON(b []byte) error {
	var s string
	if string(b) == "null" {
		return nil // as encoding/json does it
	}
	if json.Unmarshal(b, &s) != nil {
		s = string(b)
	}
	v, err := strconv.ParseUint(s, 10, 64)
	*n = number(v)
	return err
}
