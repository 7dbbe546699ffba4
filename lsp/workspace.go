package lsp

import (
	"context"
	"maps"
	"path/filepath"
	"slices"
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
		s.folders[name] = source.Real(name)
	}
}

// scan looks for modules below the folders that are new.
func (s *server) scan() {
	snap := s.snapshot()
	for name, real := range snap.folders {
		if _, known := snap.nested[name]; known {
			continue
		}
		s.background(func() {
			modules := source.Modules(s.ctx, real)
			s.change(false, func(next *snapshot) {
				if next.folders[name] == real {
					next.nested[name] = modules
				}
			})
			s.watch()
		})
	}
}

// given returns a path as the user would write it, who may have opened a
// folder by a symbolic link.
func (s *snapshot) given(name string) string {
	for _, folder := range slices.Sorted(maps.Keys(s.folders)) {
		if rel, err := filepath.Rel(s.folders[folder], name); err == nil && filepath.IsLocal(rel) {
			return filepath.Join(folder, rel)
		}
	}
	return name
}

// DidChangeWorkspaceFolders takes folders in and out.
func (s *server) DidChangeWorkspaceFolders(_ context.Context, params *protocol.DidChangeWorkspaceFoldersParams) error {
	s.change(false, func(next *snapshot) {
		for _, f := range params.Event.Removed {
			if name, ok := filePath(f.URI); ok {
				delete(next.folders, name)
				delete(next.nested, name)
			}
		}
		for _, f := range params.Event.Added {
			next.addFolder(f.URI)
		}
	})
	s.watch()
	s.scan()
	return nil
}

// maxModules bounds how many modules are watched.
const maxModules = 300

// wanted returns the modules whose runs matter: those of the workspace's
// folders and below them, those of open documents, and all of the same
// workspace of go, whose tests run each other's files.
func (s *snapshot) wanted() map[string]source.Module {
	modules := map[string]source.Module{}
	add := func(list ...source.Module) {
		for _, m := range list {
			if len(modules) < maxModules {
				modules[m.Dir] = m
			}
		}
	}
	for _, d := range s.docs {
		add(d.homes...)
	}
	for _, folder := range s.folders {
		if m, ok := source.FindModule(folder); ok {
			add(m)
		}
	}
	for _, m := range slices.Collect(maps.Values(modules)) {
		add(m.Roots().Members()...)
	}
	for _, folder := range slices.Sorted(maps.Keys(s.nested)) {
		add(s.nested[folder]...)
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

// runsOf returns the runs that a document's lines may be of. A request that
// came before they were read waits a little.
func (s *server) runsOf(ctx context.Context, snap *snapshot, d *document) []*hits.State {
	if !d.inModule {
		return nil
	}
	var missing []*watched
	s.mu.Lock()
	for dir, w := range s.watching {
		if snap.modules[dir] == nil {
			missing = append(missing, w)
		}
	}
	s.mu.Unlock()
	if len(missing) == 0 {
		return snap.states()
	}
	limit := time.NewTimer(readyLimit)
	defer limit.Stop()
	for _, w := range missing {
		select {
		case <-w.ready:
			continue
		case <-limit.C:
		case <-ctx.Done():
		}
		break
	}
	return s.snapshot().states()
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
