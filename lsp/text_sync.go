package lsp

import (
	"context"
	"fmt"

	"go.lsp.dev/protocol"

	"github.com/restep/restep/lsp/source"
)

// DidOpen takes a document that the client now owns.
func (s *server) DidOpen(_ context.Context, params *protocol.DidOpenTextDocumentParams) error {
	item := &params.TextDocument
	name, ok := filePath(item.URI)
	if !ok {
		return nil // a diff, an unsaved file: nothing was ever run of it
	}
	d := newDocument(item.URI, name, item.Version, item.Text)
	s.change(false, func(next *snapshot) { next.docs[name] = d })
	s.watch()
	return nil
}

// DidChange applies edits in their order, each to the result of the one before.
func (s *server) DidChange(_ context.Context, params *protocol.DidChangeTextDocumentParams) error {
	name, ok := filePath(params.TextDocument.URI)
	if !ok {
		return nil
	}
	snap := s.snapshot()
	d := snap.docs[name]
	if d == nil {
		return fmt.Errorf("%s is not open", name)
	}
	text, ids := d.text, d.ids
	for _, change := range params.ContentChanges {
		switch c := change.(type) {
		case *protocol.TextDocumentContentChangeWholeDocument:
			now := source.NewText(c.Text)
			text, ids = now, ids.Replace(text, now, d.history.nextID)
		case *protocol.TextDocumentContentChangePartial:
			edited, err := text.Edit(position(c.Range.Start), position(c.Range.End), snap.encoding, c.Text)
			if err != nil {
				// What the client has is not known any more: show nothing.
				s.change(true, func(next *snapshot) { delete(next.docs, name) })
				return fmt.Errorf("%s: %w; open it again", name, err)
			}
			ids = ids.Edit(text, edited, position(c.Range.Start), position(c.Range.End), snap.encoding, d.history.nextID)
			text = edited
		}
	}
	s.change(false, func(next *snapshot) { next.docs[name] = d.with(params.TextDocument.Version, text, ids) })
	return nil
}

// DidClose forgets a document; the file counts again.
func (s *server) DidClose(_ context.Context, params *protocol.DidCloseTextDocumentParams) error {
	if name, ok := filePath(params.TextDocument.URI); ok {
		s.change(false, func(next *snapshot) { delete(next.docs, name) })
		s.watch()
	}
	return nil
}

func position(p protocol.Position) source.Position {
	const most = 1 << 30 // a column may be as large as a client likes
	return source.Position{Line: int(min(p.Line, most)), Column: int(min(p.Character, most))}
}
