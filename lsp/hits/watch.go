package hits

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/restep/restep/lsp/source"
	"github.com/restep/restep/replay/runs"
	"github.com/restep/restep/replay/text"
)

const (
	// interval is how often the index of runs is looked at: one stat(2).
	interval = 50 * time.Millisecond
	// maxRuns bounds how many logs are indexed, newest first.
	maxRuns = 200
)

// Module watches the runs of one Go module.
type Module struct {
	source.Module
	// Publish gets each new state, and Complain what is wrong with a log or the
	// folder, once for each. Both are called by Watch.
	Publish  func(*State)
	Complain func(string)

	roots    source.Roots
	seen     signature
	loaded   map[string]*Run // by log's name and time of the run
	bases    map[baseKey]*Base
	told     map[string]bool
	lastCost time.Duration

	mu        sync.Mutex
	preferred map[Test]preference
	poke      chan struct{} // capacity 1
}

// NewModule returns a module to watch.
func NewModule(m source.Module) *Module {
	return &Module{
		Module: m, loaded: map[string]*Run{}, bases: map[baseKey]*Base{}, told: map[string]bool{},
		preferred: map[Test]preference{}, poke: make(chan struct{}, 1),
	}
}

// Prefer shows the newest run of a test with a seed, until the test runs again.
// Any goroutine may call it.
func (m *Module) Prefer(t Test, seed uint64) {
	m.mu.Lock()
	m.preferred[t] = preference{seed, time.Now()}
	m.mu.Unlock()
	select {
	case m.poke <- struct{}{}:
	default:
	}
}

// signature tells whether an index is the one that was read.
type signature struct {
	dev, ino uint64
	size     int64
	mtime    int64
}

// Watch publishes the state now and after each change, until the context ends.
func (m *Module) Watch(ctx context.Context) {
	tick := time.NewTimer(0)
	defer tick.Stop()
	for first := true; ; first = false {
		poked := false
		select {
		case <-ctx.Done():
			return
		case <-m.poke:
			poked = true
		case <-tick.C:
		}
		start := time.Now()
		if m.changed() || first || poked {
			m.reload(ctx)
			m.lastCost = time.Since(start)
		}
		// A very long index must not keep a core busy while seeds are explored.
		tick.Reset(max(interval, min(2*m.lastCost, 2*time.Second)))
	}
}

// changed looks whether there is another index than the one that was read.
func (m *Module) changed() bool {
	now := m.look()
	if now == m.seen {
		return false
	}
	m.seen = now
	return true
}

func (m *Module) look() signature {
	info, err := os.Stat(filepath.Join(m.Dir, runs.Dir, "index"))
	if err != nil {
		store, err := runs.OpenRead(m.Dir) // the one in the temporary folder
		if err != nil {
			return signature{}
		}
		defer store.Close()
		if info, err = os.Stat(filepath.Join(store.Dir(), "index")); err != nil {
			return signature{}
		}
	}
	s := signature{size: info.Size(), mtime: info.ModTime().UnixNano()}
	s.dev, s.ino = inode(info)
	return s
}

// reload reads the index and the logs that are new in it.
func (m *Module) reload(ctx context.Context) {
	if roots := m.Module.Roots(); !slices.Equal(roots, m.roots) {
		m.roots, m.loaded = roots, map[string]*Run{}
	}
	state := &State{Module: m.Module, Roots: m.roots, ran: map[Test]bool{}}
	store, err := runs.OpenRead(m.Dir)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			m.complain(err.Error())
		}
		m.loaded = map[string]*Run{}
		m.Publish(state)
		return
	}
	defer store.Close()
	all, err := store.List()
	if err != nil {
		m.complain(err.Error())
	}
	m.mu.Lock()
	sum := summarize(all, m.preferred)
	m.mu.Unlock()
	state.ran = sum.ran
	loaded := map[string]*Run{}
	for i, r := range sum.shown[:min(len(sum.shown), maxRuns)] {
		if ctx.Err() != nil {
			return
		}
		key := r.Log + r.Time.String()
		run := m.loaded[key]
		if run == nil {
			run = m.load(store, r)
		}
		loaded[key] = run
		if run.lines != nil {
			state.Runs = append(state.Runs, run)
			if i < sum.wished {
				state.Wished = len(state.Runs)
			}
		}
	}
	m.loaded = loaded
	for _, r := range sum.failing {
		state.Failing = append(state.Failing, r.Result)
		if file, ok := m.roots.File(r.Failure.File); ok {
			addBase(m.bases, r.Build, file, r.built)
		}
	}
	m.forget(state)
	state.bases = maps.Clone(m.bases)
	m.Publish(state)
}

// load indexes one log.
func (m *Module) load(store *runs.Store, r dated) *Run {
	owner := owner{
		src:   text.Source{Module: m.Path, Package: r.Package},
		roots: m.roots,
		base:  func(file string) *Base { return addBase(m.bases, r.Build, file, r.built) },
	}
	run := index(func() (*runs.Log, error) { return store.Load(r.Log) }, r.Result, &owner)
	if run.Problem != "" {
		m.complain("step log " + store.Path(r.Log) + ": " + run.Problem)
	}
	run.bases = map[string]*Base{}
	for file := range run.lines {
		if b := addBase(m.bases, r.Build, file, r.built); b != nil {
			run.bases[file] = b
		}
	}
	return run
}

// forget drops the files of builds that no run is of any more.
func (m *Module) forget(state *State) {
	builds := map[string]bool{}
	for _, run := range m.loaded {
		builds[run.Build] = true
	}
	for _, r := range state.Failing {
		builds[r.Build] = true
	}
	maps.DeleteFunc(m.bases, func(key baseKey, _ *Base) bool { return !builds[key.build] })
}

func (m *Module) complain(what string) {
	if !m.told[what] && len(m.told) < 1000 {
		m.told[what] = true
		m.Complain(what)
	}
}
