//go:build linux && (amd64 || arm64)

package main

import (
	"context"

	"github.com/restep/restep/replay/program"
	"github.com/restep/restep/replay/runs"
	"github.com/restep/restep/sim/steplog"
)

// canDebug says that this system runs simulations.
const canDebug = true

// make makes both runs, of the program as it is now.
func (c *diffConfig) make(ctx context.Context, u *ui, q runs.Query, seedA, seedB uint64) (a, b *recording, err error) {
	pkg := c.arg
	if pkg == "" {
		pkg = q.Package
	}
	if pkg == "" {
		pkg = "."
	}
	variant := uint64(0)
	if c.variant != nil {
		variant = *c.variant
	}
	spec := program.Spec{Package: pkg, Test: q.Test, Version: version(), Variant: &variant}
	spec.Seed = seedA
	if a, err = load(ctx, u, spec); err != nil {
		return nil, nil, err
	}
	h := a.Header()
	spec.Seed, spec.Like = seedB, &h
	if b, err = load(ctx, u, spec); err != nil {
		return nil, nil, err
	}
	if !sameWorld(a.Header(), b.Header()) {
		// A file was saved in between.
		spec.Seed = seedA
		a, err = load(ctx, u, spec)
	}
	return a, b, err
}

// makeLike makes the run with another seed in the world of a recorded one.
func makeLike(ctx context.Context, u *ui, h steplog.Header, seed uint64) (*recording, error) {
	return load(ctx, u, program.Spec{Package: h.Package, Test: h.Test, Seed: seed, Variant: &h.Variant, Like: &h, Version: version()})
}

// load builds the program, and finds or makes the run.
func load(ctx context.Context, u *ui, spec program.Spec) (*recording, error) {
	building, built := u.building()
	spec.Progress = building
	prog, err := program.Load(ctx, spec)
	built()
	if err != nil {
		return nil, err
	}
	prog.Close() // the log stays
	return &recording{Log: &runs.Log{Reader: prog.Log}, src: prog.Source}, nil
}

// failMake says why runs could not be opened or made.
func failMake(ctx context.Context, u *ui, err error) int { return failDebug(ctx, u, err) }
