//go:build linux && (amd64 || arm64)

package main

import (
	"context"

	"github.com/restep/restep/replay/inputs"
	"github.com/restep/restep/replay/program"
)

// pendingInputs is the list of what a binary was made of, which is taken while
// its tests run.
type pendingInputs struct {
	done chan struct{}
	name string // in the store; "" = not known
}

// takeInputs starts to take the list. A build that is known has its sources
// listed already, and only the files beside the tests are read.
func takeInputs(ctx context.Context, t *subject) *pendingInputs {
	p := &pendingInputs{done: make(chan struct{})}
	spec := program.InputsSpec(t.bin, version(), t.cfg.tags, t.cfg.build, nil)
	go func() {
		defer close(p.done)
		m := knownInputs(t)
		var err error
		if m != nil {
			err = inputs.TakeData(spec, m)
		} else {
			m, err = inputs.Take(ctx, spec)
		}
		if err != nil {
			return // it only makes later messages less precise
		}
		if b, err := m.Encode(); err == nil {
			p.name, _ = t.store.AddInputs(t.bin.BuildID, b)
		}
	}()
	return p
}

// knownInputs is the list of an earlier call with the same build, nil when
// there is none.
func knownInputs(t *subject) *inputs.Manifest {
	b, err := t.store.InputsOf(t.bin.BuildID)
	if err != nil {
		return nil
	}
	m, err := inputs.Decode(b)
	if err != nil || m.Build != t.bin.BuildID || m.Partial {
		return nil
	}
	return m
}

// stored waits for the list and returns its name in the store.
func (p *pendingInputs) stored() string {
	<-p.done
	return p.name
}
