package lsp

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/restep/restep/lsp/hits"
	"github.com/restep/restep/lsp/source"
	"github.com/restep/restep/replay/moment"
)

// Names of commands. Lenses and hints carry them; the extension knows them too.
const (
	runTest         = "restep.runTest"
	runTestWithSeed = "restep.runTestWithSeed"
	explore         = "restep.explore"
	debugTest       = "restep.debug"
	goToStep        = "restep.goToStep"
	showRun         = "restep.showRun"
	previousHit     = "restep.previousHit"
	nextHit         = "restep.nextHit"
	copyLink        = "restep.copyLink"
)

// arguments is the one argument of every command.
type arguments struct {
	URI     string  `json:"uri"`
	Package string  `json:"package"`
	Test    string  `json:"test"`
	Seed    *number `json:"seed,omitempty"`
	Seeds   string  `json:"seeds,omitempty"` // as restep test -seeds takes them
	Step    number  `json:"step,omitempty"`
	Line    int     `json:"line,omitempty"` // from 1, of the document
	Link    string  `json:"link,omitempty"` // to the step
}

// argumentEncoder makes the arguments of many hints and lenses of a document:
// all but the last two are the same for all places of a run.
type argumentEncoder struct {
	*document
	run    *hits.Run
	prefix []byte
}

// list returns the arguments for a step of a place.
func (e *argumentEncoder) list(p *place, step uint64) []protocol.LSPAny {
	if e.run != p.run {
		e.run = p.run
		all := arguments{URI: string(e.uri), Package: p.run.Package, Test: p.run.Test, Seed: seed(p.run.Seed)}.list()
		e.prefix = bytes.TrimSuffix(all[0], []byte("}"))
	}
	b := append(make([]byte, 0, len(e.prefix)+48), e.prefix...)
	b = number(step).append(append(b, `,"step":`...))
	b = strconv.AppendInt(append(b, `,"line":`...), int64(p.line), 10)
	return []protocol.LSPAny{append(b, '}')}
}

// list is the arguments as JSON.
func (a arguments) list() []protocol.LSPAny {
	b, err := json.Marshal(a)
	if err != nil {
		return nil // strings and numbers cannot fail
	}
	return []protocol.LSPAny{b}
}

// commandFunc runs a command and returns what becomes JSON.
type commandFunc func(s *server, ctx context.Context, c *call) (any, error)

// commands are what clients may ask for by name.
var commands = map[string]commandFunc{
	runTest:         (*server).onRunTest,
	runTestWithSeed: (*server).onRunTestWithSeed,
	explore:         (*server).onExplore,
	debugTest:       (*server).onDebug,
	goToStep:        (*server).onDebug,
	showRun:         (*server).onShowRun,
	previousHit:     (*server).onHit,
	nextHit:         (*server).onHit,
	copyLink:        (*server).onCopyLink,
}

// call is one use of a command.
type call struct {
	arguments
	snap  *snapshot
	doc   *document
	dir   string // of the package
	root  string // of the module, without symbolic links
	token protocol.ProgressToken
}

// ExecuteCommand runs one of the commands.
func (s *server) ExecuteCommand(ctx context.Context, params *protocol.ExecuteCommandParams) (protocol.LSPAny, error) {
	if params.Command == debuggedAt && len(params.Arguments) == 1 {
		return nil, s.onDebuggedAt(params.Arguments[0])
	}
	f := commands[params.Command]
	if f == nil {
		return nil, jsonrpc2.Errorf(jsonrpc2.InvalidParams, "there is no command %s", label(params.Command))
	}
	c := &call{snap: s.snapshotOf(ctx), token: params.WorkDoneToken}
	if len(params.Arguments) != 1 {
		return nil, jsonrpc2.Errorf(jsonrpc2.InvalidParams, "%s takes one object {uri, package, test, seed, step}", params.Command)
	}
	if err := json.Unmarshal(params.Arguments[0], &c.arguments); err != nil {
		return nil, jsonrpc2.Errorf(jsonrpc2.InvalidParams, "the argument of %s: %v", params.Command, err)
	}
	if err := c.check(); err != nil {
		return nil, jsonrpc2.Errorf(jsonrpc2.InvalidParams, "%s: %v", params.Command, err)
	}
	result, err := f(s, ctx, c)
	if err != nil {
		return nil, err
	}
	return json.Marshal(result)
}

var (
	testName = regexp.MustCompile(`^(Test|Fuzz|Example)[\pL\pN_]*$`)
	seedList = regexp.MustCompile(`^[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*$`)
)

// check looks at arguments, which become arguments of a process, and finds the
// package's folder.
func (c *call) check() error {
	if !testName.MatchString(c.Test) {
		return fmt.Errorf("%q is no name of a test", c.Test)
	}
	if c.Seeds != "" && !seedList.MatchString(c.Seeds) {
		return fmt.Errorf("%q are no seeds; give for example 1-100", c.Seeds)
	}
	u, err := uri.Parse(c.URI)
	if err != nil {
		return err
	}
	name, ok := filePath(u)
	if !ok {
		return fmt.Errorf("%s is not a file on this host", c.URI)
	}
	d := c.snap.docs[name]
	if d == nil {
		d = newDocument(u, name, 0, "")
		if list := readDocument(map[string]diskFile{}, name); len(list) > 0 {
			d = list[0]
		}
	}
	c.doc = d
	if !d.inModule {
		return fmt.Errorf("%s is not in a Go module: there is no go.mod above it", name)
	}
	if c.Package == "" {
		c.Package = d.pkg()
	}
	if c.dir, c.root, ok = c.snap.folder(d, c.Package); !ok {
		return fmt.Errorf("package %s is not in module %s, nor in another one that is open", c.Package, d.module.Path)
	}
	return nil
}

// folder finds a package and its module, which need not be the one of the
// document: a line of one module shows steps of tests of another one. Of
// modules within each other the inner one has it.
func (s *snapshot) folder(d *document, pkg string) (dir, root string, ok bool) {
	best := ""
	look := func(m source.Module, real string) {
		if found, match := m.Folder(pkg); match && (!ok || len(m.Path) > len(best)) {
			best, dir, root, ok = m.Path, found, real, true
		}
	}
	look(d.module, d.homes[0].Dir)
	for _, state := range s.states() {
		look(state.Module, state.Module.Dir)
	}
	return dir, root, ok
}

// seedOr1 is the seed asked for.
func (c *call) seedOr1() number {
	if c.Seed == nil {
		return 1
	}
	return *c.Seed
}

func (s *server) onRunTest(ctx context.Context, c *call) (any, error) {
	seed := c.seedOr1()
	return s.runTests(ctx, c, "-seed="+strconv.FormatUint(uint64(seed), 10), fmt.Sprintf("seed %d", seed))
}

// onRunTestWithSeed draws a seed when none is given: a client that can ask its
// user for one does so before.
func (s *server) onRunTestWithSeed(ctx context.Context, c *call) (any, error) {
	if c.Seed == nil {
		var b [4]byte
		_, _ = rand.Read(b[:]) // never fails, see its documentation
		c.Seed = seed(uint64(binary.LittleEndian.Uint32(b[:])))
	}
	return s.onRunTest(ctx, c)
}

func (s *server) onExplore(ctx context.Context, c *call) (any, error) {
	if c.Seeds == "" {
		c.Seeds = exploredSeeds
	}
	return s.runTests(ctx, c, "-seeds="+c.Seeds, "seeds "+c.Seeds)
}

// launchConfiguration is what an editor gives to the debug adapter.
type launchConfiguration struct {
	Name    string `json:"name"`
	Type    string `json:"type"`
	Request string `json:"request"`
	Program string `json:"program"`
	Test    string `json:"test"`
	Seed    number `json:"seed"`
	Step    number `json:"step,omitempty"`

	BuildFlags []string          `json:"buildFlags,omitempty"`
	Env        map[string]string `json:"env,omitempty"`
}

// onShowRun shows the steps of the run with a seed, until the test runs again.
func (s *server) onShowRun(_ context.Context, c *call) (any, error) {
	s.prefer(c.root, hits.Test{Package: c.Package, Name: c.Test}, uint64(c.seedOr1()))
	return c.arguments, nil
}

// onDebug answers what to launch. The source then shows the steps of that run.
func (s *server) onDebug(ctx context.Context, c *call) (any, error) {
	if _, err := s.onShowRun(ctx, c); err != nil {
		return nil, err
	}
	s.show(protocol.MessageTypeInfo, "in "+c.dir+" run "+c.debugCommand())
	name := fmt.Sprintf("%s seed %d", c.Test, c.seedOr1())
	if c.Step > 0 {
		name += " " + stepText(uint64(c.Step))
	}
	return launchConfiguration{
		Name: name, Type: "restep", Request: "launch", Program: c.dir, Test: c.Test, Seed: c.seedOr1(), Step: c.Step,
		BuildFlags: c.snap.config.buildFlags, Env: c.snap.config.env,
	}, nil
}

// debugCommand is the command line that does the same as a debug adapter with
// the launch configuration, in the package's folder.
func (c *call) debugCommand() string {
	words := []string{"restep", "debug", "-test", c.Test, "-seed", strconv.FormatUint(uint64(c.seedOr1()), 10)}
	if c.Step > 0 {
		words = append(words, "-step", strconv.FormatUint(uint64(c.Step), 10))
	}
	for _, name := range slices.Sorted(maps.Keys(c.snap.config.env)) {
		words = append(words, "-env", name+"="+c.snap.config.env[name])
	}
	for _, flag := range c.snap.config.buildFlags {
		words = append(words, "-buildflag", flag)
	}
	words = append(words, ".")
	for i, w := range words {
		if strings.Trim(w, shellSafe) != "" {
			words[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
	}
	return strings.Join(words, " ")
}

// shellSafe are characters that a shell takes as they are.
const shellSafe = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_@%+=:,./-"

// onCopyLink shows a link: a server has no clipboard to put it into.
func (s *server) onCopyLink(_ context.Context, c *call) (any, error) {
	link := c.Link
	if link == "" {
		link = moment.Moment{Package: c.Package, Test: c.Test, Seed: uint64(c.seedOr1()), Step: uint64(c.Step)}.String()
	}
	m, err := moment.Parse(link)
	if err != nil {
		return nil, jsonrpc2.Errorf(jsonrpc2.InvalidParams, "%v", err)
	}
	s.show(protocol.MessageTypeInfo, m.String())
	return struct {
		Link string `json:"link"`
	}{m.String()}, nil
}

// onHit lets the lens of a line show another of its steps. The steps that ◀
// and ▶ lead to are in their arguments, so both are the same here.
func (s *server) onHit(ctx context.Context, c *call) (any, error) {
	u, err := uri.Parse(c.URI)
	if err != nil {
		return nil, jsonrpc2.Errorf(jsonrpc2.InvalidParams, "%v", err)
	}
	d := c.snap.document(u)
	if d == nil {
		return nil, jsonrpc2.Errorf(jsonrpc2.InvalidParams, "%s is not open", filepath.Base(c.URI))
	}
	for _, p := range d.join(s.runsOf(ctx, c.snap, d)).at(c.Line) {
		for _, h := range p.hits.Hits {
			if number(h.Step) != c.Step {
				continue
			}
			s.choose(p.key(), h.Step)
			s.wake()
			return c.arguments, nil
		}
	}
	return nil, jsonrpc2.Errorf(jsonrpc2.InvalidParams, "line %d has no step #%d now", c.Line, c.Step)
}
