package lsp

import (
	"context"
	"maps"
	"sync"
	"time"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/restep/restep/lsp/hits"
	"github.com/restep/restep/lsp/source"
)

// addFolder takes a folder into the workspace.
func (s *snapshot) addFolder(u uri.URI) {
	if name, ok := filePath(u); ok {
		s.folders[name] = true
	}
}

// DidChangeWorkspaceFolders takes folders in and out.
func (s *server) DidChangeWorkspaceFolders(_ context.Context, params *protocol.DidChangeWorkspaceFoldersParams) error {
	s.change(false, func(next *snapshot) {
		for _, f := range params.Event.Removed {
			if name, ok := filePath(f.URI); ok {
				delete(next.folders, name)
			}
		}
		for _, f := range params.Event.Added {
			next.addFolder(f.URI)
		}
	})
	s.watch()
	return nil
}

// wanted returns the modules whose runs matter: those of the workspace's
// folders and those of open documents.
func (s *snapshot) wanted() map[string]source.Module {
	modules := map[string]source.Module{}
	for folder := range s.folders {
		if m, ok := source.FindModule(folder); ok {
			modules[m.Dir] = m
		}
	}
	for _, d := range s.docs {
		if d.inModule {
			modules[d.module.Dir] = d.module
		}
	}
	return modules
}

// watched is a module whose runs are watched.
type watched struct {
	stop  context.CancelFunc
	ready chan struct{} // closed when its runs are known for the first time
	runs  *hits.Module
}

// readyLimit is how long a request waits for the runs to be known, when it
// comes first. Later ones are announced.
const readyLimit = time.Second

// stateOf returns the runs of a document's module, nil when there are none. A
// request that came before they were read waits a little.
func (s *server) stateOf(ctx context.Context, snap *snapshot, d *document) *hits.State {
	if state := snap.state(d); state != nil || !d.inModule {
		return state
	}
	s.mu.Lock()
	w := s.watching[d.module.Dir]
	s.mu.Unlock()
	if w == nil {
		return nil
	}
	limit := time.NewTimer(readyLimit)
	defer limit.Stop()
	select {
	case <-w.ready:
	case <-limit.C:
	case <-ctx.Done():
	}
	return s.snapshot().state(d)
}

// watch starts and stops watching modules as the snapshot wants it.
func (s *server) watch() {
	wanted := s.snapshot().wanted()
	s.mu.Lock()
	if s.phase == shutDown || s.closing {
		s.mu.Unlock()
		return
	}
	gone := maps.Clone(s.watching)
	var begin []func()
	for dir, m := range wanted {
		delete(gone, dir)
		if s.watching[dir] != nil {
			continue
		}
		ctx, cancel := context.WithCancel(s.ctx)
		w := &watched{cancel, make(chan struct{}), hits.NewModule(m)}
		s.watching[dir] = w
		begin = append(begin, func() { s.background(func() { s.watchModule(ctx, m, w) }) })
	}
	for dir, w := range gone {
		w.stop()
		delete(s.watching, dir)
	}
	s.mu.Unlock()
	for _, f := range begin {
		f()
	}
	if len(gone) > 0 {
		s.change(false, func(next *snapshot) {
			for dir := range gone {
				delete(next.modules, dir)
			}
		})
	}
}

// watchModule publishes the runs of a module until it is not wanted any more.
func (s *server) watchModule(ctx context.Context, m source.Module, w *watched) {
	ready := sync.OnceFunc(func() { close(w.ready) })
	w.runs.Publish = func(state *hits.State) {
		s.change(true, func(next *snapshot) {
			if ctx.Err() == nil { // else a later watch of the module may be on
				next.modules[m.Dir] = state
			}
		})
		ready()
	}
	w.runs.Complain = func(what string) { s.log(protocol.MessageTypeWarning, what) }
	w.runs.Watch(ctx)
}

// prefer shows the run of a test with a seed rather than a newer one.
func (s *server) prefer(dir string, t hits.Test, seed uint64) {
	s.mu.Lock()
	w := s.watching[dir]
	s.mu.Unlock()
	if w != nil {
		w.runs.Prefer(t, seed)
	}
}
