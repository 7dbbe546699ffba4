package lsp

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	"go.lsp.dev/protocol"
)

// Which tests have lenses.
const (
	testsAuto = "auto" // those that can reach package sim or have been run
	testsAll  = "all"
	testsOff  = "off"
)

// config is what a user may set.
type config struct {
	tests      string
	hints      map[string]bool // by kind; missing = on
	lenses     map[string]bool
	buildFlags []string          // of go build, for runs and debuggers
	env        map[string]string // that tests see
}

func defaultConfig() config { return config{tests: testsAuto} }

// settings is config as JSON. What is missing or wrong changes nothing.
type settings struct {
	Tests      string             `json:"tests"`
	Hints      map[string]bool    `json:"hints"`
	Lenses     map[string]bool    `json:"lenses"`
	BuildFlags *[]string          `json:"buildFlags"`
	Env        *map[string]string `json:"env"`
}

// with returns the configuration with settings, which may be in a section
// "restep" or bare.
func (c config) with(raw []byte) config {
	var section struct {
		Restep json.RawMessage `json:"restep"`
	}
	if json.Unmarshal(raw, &section) == nil && len(section.Restep) > 0 {
		raw = section.Restep
	}
	var s settings
	if json.Unmarshal(raw, &s) != nil {
		return c
	}
	switch s.Tests {
	case testsAuto, testsAll, testsOff:
		c.tests = s.Tests
	}
	c.hints, c.lenses = merged(c.hints, s.Hints), merged(c.lenses, s.Lenses)
	if s.BuildFlags != nil {
		c.buildFlags = *s.BuildFlags
	}
	if s.Env != nil {
		c.env = *s.Env
	}
	return c
}

// testFlags are the flags of restep test that the settings stand for.
func (c *config) testFlags() []string {
	var flags []string
	for _, name := range slices.Sorted(maps.Keys(c.env)) {
		flags = append(flags, "-env", name+"="+c.env[name])
	}
	return append(flags, c.buildFlags...)
}

func merged(old, new map[string]bool) map[string]bool {
	if len(new) == 0 {
		return old
	}
	m := map[string]bool{}
	maps.Copy(m, old)
	maps.Copy(m, new)
	return m
}

// on reports whether a kind is not switched off.
func on(set map[string]bool, kind string) bool {
	value, known := set[kind]
	return value || !known
}

// DidChangeConfiguration takes the settings that the client pushes, or pulls
// them.
func (s *server) DidChangeConfiguration(_ context.Context, params *protocol.DidChangeConfigurationParams) error {
	s.change(true, func(next *snapshot) { next.config = next.config.with(params.Settings) })
	s.background(s.pullConfig)
	return nil
}

// pullConfig asks the client for the settings, if it can be asked.
func (s *server) pullConfig() {
	if !s.snapshot().features.pullsConfig {
		return
	}
	section := "restep"
	values, err := s.client.Configuration(s.ctx, &protocol.ConfigurationParams{Items: []protocol.ConfigurationItem{{Section: &section}}})
	if err != nil || len(values) != 1 {
		return // the defaults will do
	}
	s.change(true, func(next *snapshot) { next.config = next.config.with(values[0]) })
}
