package lsp

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"go.lsp.dev/protocol"

	"github.com/restep/restep/lsp/hits"
	"github.com/restep/restep/replay/text"
)

// Hover returns a table of the steps that a line made.
func (s *server) Hover(ctx context.Context, params *protocol.HoverParams) (*protocol.Hover, error) {
	snap := s.snapshotOf(ctx)
	d := snap.document(params.TextDocument.URI)
	if d == nil {
		return nil, nil
	}
	states := s.runsOf(ctx, snap, d)
	line := d.text.GoLineAt(d.text.Offset(position(params.Position), snap.encoding))
	places := d.join(states).at(line)
	if len(places) == 0 {
		return nil, ctx.Err()
	}
	var tables []string
	for i := range places {
		tables = append(tables, table(&places[i]))
	}
	content := &protocol.MarkupContent{Kind: protocol.MarkupKindPlainText, Value: strings.Join(tables, "\n")}
	if snap.features.markdown {
		content = &protocol.MarkupContent{Kind: protocol.MarkupKindMarkdown, Value: fenced(content.Value)}
	}
	span := d.lineSpan(line, snap.encoding)
	return &protocol.Hover{Contents: content, Range: &span}, ctx.Err()
}

// table lists the first and last hits of a place, below a line that says of
// which run. It is plain text: columns are made with spaces, and nothing in it
// has a meaning in markdown once it is in a code block.
func table(p *place) string {
	var b strings.Builder
	noun := "step"
	if p.hits.Count != 1 {
		noun = "steps"
	}
	fmt.Fprintf(&b, "%d %s of %s, seed %d: %s\n", p.hits.Count, noun, label(p.run.Test), p.run.Seed, p.run.Result.Result)
	if p.stale {
		b.WriteString("this line was edited since; it may not be the one that made them\n")
	}
	rows := append(append([]hits.Detail{}, p.hits.First...), p.hits.Last...)
	stepWidth, whoWidth := 0, 0
	for _, r := range rows {
		stepWidth = max(stepWidth, len(stepText(r.Step)))
		whoWidth = max(whoWidth, len([]rune(label(r.Who))))
	}
	left := p.hits.Count - uint64(len(rows))
	for i, r := range rows {
		if i == len(p.hits.First) && left > 0 {
			b.WriteString("... " + strconv.FormatUint(left, 10) + " more\n")
		}
		message, rest, _ := strings.Cut(strings.TrimRight(r.Message, "\r\n"), "\n")
		if rest != "" {
			message += " ..."
		}
		who := label(r.Who)
		row := fmt.Sprintf("%*s  %s  %s%s  %s", stepWidth, stepText(r.Step), time.Unix(0, r.TimeNs).UTC().Format("15:04:05.000"),
			who, strings.Repeat(" ", whoWidth-len([]rune(who))), text.Escape(message))
		b.WriteString(strings.TrimRight(row, " ") + "\n")
	}
	return b.String()
}
