package sim_test

import (
	"fmt"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// importPolicy says who may import whom. To import something new, argue with
// the reason first; never change a line just to make the test pass.
//
// Paths are relative to the module, except those of the standard library and
// of other modules. "x/..." is x and all below it. A line is one of
//
//	NAME = patterns
//	patterns imports only patterns -- reason
//	patterns never imports patterns -- reason
//	patterns never reaches patterns -- reason
//	patterns is the only importer of patterns -- reason
//	tests of patterns imports only patterns -- reason
//
// The first "imports only" that matches a package holds, and each package
// below sim/ needs one. It binds no tests, for which there is a line of their
// own. "never imports" binds tests too. "never reaches" forbids it through
// other packages of this module as well, not to tests. "later" in front lets a
// line speak of what does not exist yet. Files named embed.go are exempt: they
// are not injected.
const importPolicy = `
LEAN = cmp errors iter math/bits slices sort strings strconv unicode/utf8 hash/crc32 container/heap unsafe
INJECTED = sim/kernel/... sim/sched sim/steplog

# Injected packages lie below syscall in the program under test: what reaches
# syscall there is an import cycle.
sim/sched      imports only NONE -- the runtime itself imports it
sim/steplog    imports only LEAN -- it is bytes in, bytes out, and knows nothing of the simulation
sim/kernel/abi imports only NONE -- it is numbers and layouts; everything in the kernel stands on it
sim/kernel/waitq imports only NONE -- it is a leaf: queues know no files, sockets or machines
sim/kernel/vfs    imports only LEAN sim/kernel/abi sim/kernel/waitq -- the kernel is above it
sim/kernel/socket imports only LEAN sim/kernel/abi sim/kernel/waitq -- files and machines are above it
sim/kernel     imports only LEAN INJECTED -- it does no input or output; the host side is above it
tests of INJECTED imports only STD INJECTED -- the kernel's tests drive the kernel, not the tool

# What users import.
sim            imports only STD -- the injected packages would be a second copy with state of its own, and a user's build must stay light

# The host side of the simulation.
sim/conform    imports only STD sim/kernel/... sim/sched -- one body for Linux and for the simulated kernel
sim/programs   imports only STD -- it is programs under test, seen from outside
sim/zygote     imports only STD -- it starts processes and knows no builds, logs or debuggers
sim/stdlib     imports only STD -- it is a user of the command
sim/realworld  imports only STD -- it is a user of the command; what it runs are modules of their own
sim/bench/host imports only STD -- benchmarks of other folders stand on it, too
sim/bench      imports only STD sim/bench/host sim/inject sim/steplog sim/zygote -- it measures as an outsider does, and runs the command for the rest
sim/inject     imports only STD INJECTED sim/inject/internal/... -- a build has no opinion on runs
sim/inject/... imports only STD sim/inject/internal/... -- generators need no more
INJECTED       never reaches sim/inject sim/zygote -- the program under test does not hold its own builder

# Replaying, debugging, editing.
replay         imports only STD sim/steplog -- an engine is tied to its target by an interface
replay/runs    never reaches github.com/google/go-dap github.com/go-delve/... dap/... lsp/... -- plain data out: every front end reads it
replay/text    never reaches sim/inject sim/zygote -- rendering needs the log alone
replay/...     never reaches github.com/go-delve/... -- replay declares Target, dap/target implements it
replay/...     never imports dap/... lsp/... cmd/... -- front ends stand on replay
dap/target     is the only importer of github.com/go-delve/... -- a new Delve is one package's work
dap/...        never imports lsp/... sim/kernel/... sim/sched cmd/... -- the kernel lives in the program, seen through the log and the debugger
dap/bench  imports only STD dap sim/bench/host -- it measures as an editor does
dap/processes  never reaches github.com/go-delve/... replay/... sim/... -- real programs have no steps, and each has a debugger in a process of its own
lsp/...  never imports dap/... sim/kernel/... sim/sched cmd/... -- the kernel lives in the program, seen through the log
lsp/...  never reaches github.com/go-delve/... -- editing needs no debugger
sim/...        never imports replay/... dap/... lsp/... -- the simulation knows nothing of its readers
`

const testsOf = "tests of "

type importRule struct {
	from, to []string
	verb     string
	reason   string
	tests    bool // it is about test files
	later    bool // it speaks of what is not there yet
	line     int
}

var importVerbs = []string{"imports only", "never imports", "never reaches", "is the only importer of"}

func parsePolicy(text string) ([]importRule, error) {
	sets := map[string][]string{"STD": {"STD"}, "NONE": {}}
	expand := func(words string) (out []string) {
		for _, w := range strings.Fields(words) {
			if set, ok := sets[w]; ok {
				out = append(out, set...)
			} else {
				out = append(out, w)
			}
		}
		return out
	}
	var rules []importRule
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if name, words, ok := strings.Cut(line, " = "); ok {
			sets[name] = expand(words)
			continue
		}
		rule := importRule{line: i}
		var ok bool
		if line, rule.reason, ok = strings.Cut(line, " -- "); !ok {
			return nil, fmt.Errorf("policy line %d gives no reason: %s", i, line)
		}
		line, rule.later = strings.CutPrefix(line, "later ")
		line, rule.tests = strings.CutPrefix(line, testsOf)
		for _, verb := range importVerbs {
			if from, to, ok := strings.Cut(line, " "+verb+" "); ok {
				rule.verb, rule.from, rule.to = verb, expand(from), expand(to)
			}
		}
		if rule.verb == "" || len(rule.from) == 0 {
			return nil, fmt.Errorf("policy line %d is not understood: %s", i, line)
		}
		rules = append(rules, rule)
	}
	return rules, nil
}

// matches reports whether one of the patterns covers an import path.
func matches(patterns []string, p string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		if prefix, ok := strings.CutSuffix(pattern, "/..."); ok {
			return p == prefix || strings.HasPrefix(p, prefix+"/")
		}
		return p == pattern || pattern == "STD" && isStd(p)
	})
}

// ownDirs are the top-level folders of the module that hold Go packages.
var ownDirs = []string{"cmd", "dap", "lsp", "replay", "sim"}

func isOwn(p string) bool {
	first, _, _ := strings.Cut(p, "/")
	return slices.Contains(ownDirs, first)
}

func isStd(p string) bool {
	first, _, _ := strings.Cut(p, "/")
	return !strings.Contains(first, ".") && !isOwn(p)
}

// edge is one import.
type edge struct {
	from, to string // paths as in the policy
	test     bool
	pos      token.Pos
}

func (tr *tree) edges() []edge {
	var all []edge
	for _, f := range tr.gos {
		if f.ignored() || path.Base(f.path) == "embed.go" && matches(injectedPackages, f.dir()) {
			continue
		}
		for _, spec := range f.syntax.Imports {
			to, _ := strconv.Unquote(spec.Path.Value)
			if to == modulePath {
				to = "."
			}
			all = append(all, edge{f.dir(), strings.TrimPrefix(to, modulePath+"/"), f.test, spec.Pos()})
		}
	}
	return all
}

// checkImports returns what breaks the rules, one line each.
func (tr *tree) checkImports(rules []importRule, edges []edge) (broken []string) {
	report := func(e edge, how string, r importRule) {
		broken = append(broken, fmt.Sprintf("%s: %s %s %s: %s", tr.pos(e.pos), e.from, how, e.to, r.reason))
	}
	for _, e := range edges {
		bound := false
		for _, r := range rules {
			from, to := matches(r.from, e.from), matches(r.to, e.to)
			switch r.verb {
			case "imports only":
				if !bound && from && r.tests == e.test {
					bound = true
					if !to && e.to != e.from {
						report(e, "imports", r)
					}
				}
			case "never imports":
				if from && to {
					report(e, "imports", r)
				}
			case "is the only importer of":
				if !from && to && !e.test {
					report(e, "imports", r)
				}
			case "never reaches":
				if from && !e.test {
					if via := reaches(edges, e.to, r.to); via != "" {
						e.to = via
						report(e, "reaches", r)
					}
				}
			}
		}
	}
	return broken
}

// reaches returns the path by which a package reaches one that the patterns
// cover, over packages of this module, or "".
func reaches(edges []edge, from string, patterns []string) string {
	type node struct{ name, via string }
	seen := map[string]bool{from: true}
	for queue := []node{{from, from}}; len(queue) > 0; queue = queue[1:] {
		n := queue[0]
		if matches(patterns, n.name) {
			return n.via
		}
		for _, e := range edges {
			if e.from == n.name && !e.test && !seen[e.to] {
				seen[e.to] = true
				queue = append(queue, node{e.to, n.via + " -> " + e.to})
			}
		}
	}
	return ""
}

func TestImportPolicy(t *testing.T) {
	tr := repository(t)
	rules, err := parsePolicy(importPolicy)
	if err != nil {
		t.Fatal(err)
	}
	edges := tr.edges()
	for _, line := range tr.checkImports(rules, edges) {
		t.Error(line)
	}
	packages := map[string]bool{}
	for _, f := range tr.gos {
		if !f.ignored() && !tr.nested(f) {
			packages[f.dir()] = true
		}
	}
	// A rule about nothing is a misspelt one, or one that has lost its subject.
	for _, r := range rules {
		for _, pattern := range r.from {
			if !r.later && !coversAny(pattern, packages) {
				t.Errorf("policy line %d: there is no package %s: correct the line, or remove it", r.line, pattern)
			}
		}
	}
	for dir := range packages {
		if strings.HasPrefix(dir, "sim") && !slices.ContainsFunc(rules, func(r importRule) bool {
			return r.verb == "imports only" && !r.tests && matches(r.from, dir)
		}) {
			t.Errorf("package %s has no line \"imports only\": say in importPolicy what it may import", dir)
		}
	}
}

func coversAny(pattern string, packages map[string]bool) bool {
	for p := range packages {
		if matches([]string{pattern}, p) {
			return true
		}
	}
	return false
}

// TestImportPolicyFindsViolations breaks each kind of rule once.
func TestImportPolicyFindsViolations(t *testing.T) {
	rules, err := parsePolicy(importPolicy)
	if err != nil {
		t.Fatal(err)
	}
	const delve = "github.com/go-delve/delve/pkg/proc"
	tr := &tree{fset: token.NewFileSet()}
	for _, test := range []struct {
		edges []edge
		want  int
	}{
		{[]edge{{from: "sim/kernel", to: "sim/sched"}, {from: "sim/kernel", to: "sort"}}, 0},
		{[]edge{{from: "sim/kernel", to: "os"}}, 1},
		{[]edge{{from: "sim/kernel", to: "os", test: true}}, 0},
		{[]edge{{from: "sim/kernel", to: "sim/zygote", test: true}}, 1},
		{[]edge{{from: "sim/kernel/vfs", to: "sim/kernel"}}, 1},
		{[]edge{{from: "sim", to: "sim/sched"}}, 1},
		{[]edge{{from: "sim", to: "golang.org/x/sys/unix"}}, 1},
		{[]edge{{from: "replay/runs", to: "sim/steplog"}, {from: "dap/target", to: delve}}, 0},
		{[]edge{{from: "dap", to: delve}}, 1},
		{[]edge{{from: "dap", to: delve, test: true}}, 0},
		{[]edge{{from: "dap", to: "lsp/lens"}, {from: "lsp", to: "dap/target"}}, 2},
		// one line for the import, two for what the imported one reaches
		{[]edge{{from: "replay/runs", to: "dap/target"}, {from: "dap/target", to: delve}}, 3},
	} {
		if got := tr.checkImports(rules, test.edges); len(got) != test.want {
			t.Errorf("%v: %d lines, want %d: %q", test.edges, len(got), test.want, got)
		}
	}
	for _, bad := range []string{"sim imports only STD", "sim likes STD -- because"} {
		if _, err := parsePolicy(bad); err == nil {
			t.Errorf("%q is taken for a policy", bad)
		}
	}
}
