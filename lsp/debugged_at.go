package lsp

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"go.lsp.dev/jsonrpc2"

	"github.com/restep/restep/lsp/hits"
)

// debuggedAt is a command of clients that debug runs, not of users: it tells
// where a debug session stands. Hints and lenses of that run then show, on each
// line, its last hit up to there. Its argument is
//
//	{"package": PATH, "test": NAME, "seed": N, "variant": "HEX", "step": N}
//
// variant may be missing: any one.
const debuggedAt = "restep.debuggedAt"

// whereabouts are where a debug session stands.
type whereabouts struct {
	Package string  `json:"package"`
	Test    string  `json:"test"` // its subtests, too
	Seed    number  `json:"seed"`
	Variant *string `json:"variant"`
	Step    number  `json:"step"`

	variant uint64
	when    int // counts what users have selected
}

// of reports whether the session is about a run.
func (p *whereabouts) of(run *hits.Run) bool {
	return p != nil && p.Package == run.Package && p.Test == run.Test && uint64(p.Seed) == run.Seed &&
		(p.Variant == nil || p.variant == run.Variant)
}

// onDebuggedAt takes the word of a client.
func (s *server) onDebuggedAt(arguments []byte) error {
	p := &whereabouts{}
	if err := json.Unmarshal(arguments, p); err != nil {
		return jsonrpc2.Errorf(jsonrpc2.InvalidParams, "the argument of %s: %v", debuggedAt, err)
	}
	p.Test, _, _ = strings.Cut(p.Test, "/")
	if p.Variant != nil {
		var err error
		if p.variant, err = strconv.ParseUint(*p.Variant, 16, 64); err != nil {
			return jsonrpc2.Errorf(jsonrpc2.InvalidParams, "%s: variant %q is no hexadecimal number", debuggedAt, *p.Variant)
		}
	}
	s.mu.Lock()
	s.choices++
	p.when = s.choices
	s.position = p
	s.refresh = true
	s.mu.Unlock()
	s.wake()
	return nil
}

// choice is a step that a user wants to see of a line.
type choice struct {
	step uint64
	when int // counts choices and positions
}

// choose lets a line show a step until a debug session goes elsewhere.
func (s *server) choose(key lineKey, step uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.selected) > 10_000 {
		clear(s.selected)
	}
	s.choices++
	s.selected[key] = choice{step, s.choices}
	s.refresh = true
}

// selection returns the index of the hit that is shown of a place: the one that
// a user has chosen, or the last one up to where a debug session stands, which
// of them came later; else the first.
func (s *server) selection(p *place) int {
	s.mu.Lock()
	chosen, ok := s.selected[p.key()]
	at := s.position
	s.mu.Unlock()
	list := p.hits.Hits
	find := func(step uint64) (int, bool) {
		return slices.BinarySearchFunc(list, step, func(h hits.Hit, step uint64) int {
			switch {
			case h.Step < step:
				return -1
			case h.Step > step:
				return 1
			}
			return 0
		})
	}
	if at.of(p.run) && (!ok || at.when > chosen.when) {
		i, exact := find(uint64(at.Step))
		if !exact {
			i--
		}
		return max(i, 0)
	}
	if i, exact := find(chosen.step); ok && exact {
		return i
	}
	return 0
}
