package lsp

import (
	"context"
	"fmt"
	"strings"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/restep/restep/replay/moment"
)

// linkFronts are how links to steps begin. A bare #412 is no link in a source:
// there it is somebody's issue.
var linkFronts = []string{"restep://v1/", "vscode://restep.restep/v1/"}

// maxLinks bounds how many links of a document are shown.
const maxLinks = 1000

// DocumentLink returns the links to steps that somebody wrote into a document,
// in a comment on a regression say.
func (s *server) DocumentLink(ctx context.Context, params *protocol.DocumentLinkParams) ([]protocol.DocumentLink, error) {
	snap := s.snapshotOf(ctx)
	links := []protocol.DocumentLink{}
	d := snap.document(params.TextDocument.URI)
	if d == nil {
		return links, nil
	}
	content := d.text.Content()
	for _, front := range linkFronts {
		for at := 0; len(links) < maxLinks; {
			i := strings.Index(content[at:], front)
			if i < 0 {
				break
			}
			start := at + i
			at = start + len(front)
			m, end := linkAt(content, start)
			if m == nil {
				continue
			}
			at = end
			target, tooltip := uri.URI(snap.features.linkPrefix+strings.TrimPrefix(m.String(), linkFronts[0])), "Go to "
			if m.Step > 0 {
				tooltip += stepText(m.Step) + " of "
			}
			tooltip += fmt.Sprintf("%s, seed %d", m.Test, m.Seed)
			links = append(links, protocol.DocumentLink{Range: d.span(start, end, snap.encoding), Target: &target, Tooltip: &tooltip})
		}
	}
	return links, ctx.Err()
}

// linkAt reads the link that begins at an offset and returns where it ends: at
// white space or a quote, without what closes a sentence. nil for none.
func linkAt(content string, start int) (m *moment.Moment, end int) {
	text := content[start:]
	if i := strings.IndexAny(text, " \t\r\n\"'`<>()[]{}\\|^"); i >= 0 {
		text = text[:i]
	}
	text = strings.TrimRight(text, ".,;:!?")
	parsed, err := moment.Parse(text)
	if err != nil {
		return nil, 0
	}
	return &parsed, start + len(text)
}
