package hits

import (
	"cmp"
	"fmt"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"github.com/restep/restep/lsp/source"
	"github.com/restep/restep/replay/runs"
	"github.com/restep/restep/replay/text"
	"github.com/restep/restep/sim/steplog"
)

// Kind is what made a step at a line.
type Kind uint8

const (
	Log     Kind = iota // a line was written to a log or an output, or sim.Mark called
	Go                  // a go statement
	Machine             // a machine was booted, stopped, killed, crashed or restarted
)

const (
	// Shown is how many hits of a line are kept with what they said, at each end.
	Shown      = 20
	maxHits    = 1 << 20 // hits of one log that are kept
	maxMessage = 300     // bytes of a message that are kept
)

// Hit is one step at a line.
type Hit struct {
	Step      uint64
	Goroutine uint32 // that made it; 0 = none
	Started   uint32 // goroutine that a go statement started
	Machine   steplog.MachineID
}

// Detail is a hit with what it said.
type Detail struct {
	Step    uint64
	TimeNs  int64  // simulated, since Unix epoch
	Who     string // machine/goroutine, as the log says it
	Message string // raw, cut to a limit
}

// Line is what one line of the source did in a run.
type Line struct {
	File   string // path on this host
	Number int    // from 1
	Func   string // symbol of the function
	Kind   Kind
	Event  string // for Machine: name of the first step's kind
	Count  uint64
	Hits   []Hit // by rising step; without those in the middle that were over a limit
	First  []Detail
	Last   []Detail // behind First; by rising step
}

// Run is the index of a run's log.
type Run struct {
	runs.Result
	Problem string // damage of the log, "" = none

	machines []steplog.Machine
	lines    map[string][]*Line // by file, by rising line
	bases    map[string]*Base
}

// Lines returns the lines of a file, by rising number.
func (r *Run) Lines(file string) []*Line { return r.lines[file] }

// Base returns the file as it was when it was built, nil when that is not known.
func (r *Run) Base(file string) *Base { return r.bases[file] }

// Who names a machine and goroutine, raw: "server/21", "server" for goroutine 0.
func (r *Run) Who(m steplog.MachineID, goroutine uint32) string {
	label := "machine-?"
	if i, ok := slices.BinarySearchFunc(r.machines, m, func(d steplog.Machine, id steplog.MachineID) int { return int(d.ID) - int(id) }); ok {
		label = r.machines[i].Label
	}
	return who(label, goroutine)
}

// kinds are the steps that belong to a line of the user's code.
var kinds = map[steplog.Kind]Kind{
	steplog.KindLog: Log, steplog.KindMark: Log,
	steplog.KindGo:   Go,
	steplog.KindBoot: Machine, steplog.KindStop: Machine, steplog.KindKill: Machine,
	steplog.KindCrash: Machine, steplog.KindRestart: Machine,
}

// lineKey names a line of one kind.
type lineKey struct {
	file string
	line int
	kind Kind
}

// owner tells the frames that are the user's.
type owner struct {
	src   text.Source
	roots source.Roots
	base  func(file string) *Base // as it was built; nil when that is not known
}

// indexer builds a Run.
type indexer struct {
	run    *Run
	reader *steplog.Reader
	*owner
	keys   map[lineKey]*Line
	stacks [3]map[uint32][]*Line // by kind and stack id; empty for none of the user's
	frames []steplog.Frame
	buffer []byte
	kept   int
}

// index opens a log and reads it. What goes wrong comes back as the run's
// problem, also the fault that a mapped file gives when it is cut short.
func index(open func() (*runs.Log, error), result runs.Result, owner *owner) (run *Run) {
	run = &Run{Result: result, lines: map[string][]*Line{}}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if problem := recover(); problem != nil {
			run = &Run{Result: result, Problem: "the step log changed while it was read; run the test again"}
		}
	}()
	log, err := open()
	if err != nil {
		return &Run{Result: result, Problem: err.Error()}
	}
	defer log.Close()
	x := indexer{run: run, reader: log.Reader, owner: owner, keys: map[lineKey]*Line{}}
	for i := range x.stacks {
		x.stacks[i] = map[uint32][]*Line{}
	}
	run.machines = slices.Clone(log.Machines())
	for i := range run.machines { // strings of the reader are copies; addresses are not needed
		run.machines[i] = steplog.Machine{ID: run.machines[i].ID, Label: run.machines[i].Label}
	}
	filter := steplog.Filter{}
	for k := range kinds {
		filter.Kinds = append(filter.Kinds, k)
	}
	cur := log.Cursor(filter)
	for cur.Next() {
		x.step(cur.Step())
	}
	if err := cur.Err(); err != nil {
		run.Problem = err.Error()
	} else if p := log.Problems(); len(p) > 0 {
		run.Problem = p[0].Error()
	} else if n := log.Steps(); n < result.Steps {
		run.Problem = fmt.Sprintf("it was cut short: it has %d of %d steps; run the test again", n, result.Steps)
	}
	x.sort()
	return run
}

// sort gives the run its lines.
func (x *indexer) sort() {
	lines := x.run.lines
	for key, l := range x.keys {
		lines[key.file] = append(lines[key.file], l)
	}
	for _, list := range lines {
		slices.SortFunc(list, func(a, b *Line) int {
			return cmp.Or(cmp.Compare(a.Number, b.Number), cmp.Compare(a.Kind, b.Kind))
		})
	}
}

// step adds a step to its lines, if it is of one.
func (x *indexer) step(s *steplog.Step) {
	kind := kinds[s.Kind]
	if s.StackID == 0 {
		return
	}
	lines, known := x.stacks[kind][s.StackID]
	if !known {
		lines = x.places(kind, s)
		x.stacks[kind][s.StackID] = lines
	}
	for _, l := range lines {
		x.hit(l, s)
	}
}

func (x *indexer) hit(l *Line, s *steplog.Step) {
	l.Count++
	h := Hit{Step: s.Number, Goroutine: s.Goroutine, Machine: s.Machine}
	if f, ok := s.Field(steplog.TagGoroutine); ok && l.Kind == Go {
		h.Started = uint32(f.Num)
	}
	if x.kept < maxHits {
		x.kept++
		l.Hits = append(l.Hits, h)
	} else if n := len(l.Hits); n > 1 {
		l.Hits[n-1] = h // the last one is always there, and the first one
	} else {
		l.Hits = append(l.Hits, h)
	}
	x.detail(l, s)
}

// detail keeps what a step said if it is one of the first, or of the last so
// far.
func (x *indexer) detail(l *Line, s *steplog.Step) {
	x.buffer = text.AppendDescription(x.buffer[:0], x.reader, s)
	message := x.buffer
	if len(message) > maxMessage {
		message = append(message[:maxMessage:maxMessage], "..."...)
	}
	m, _ := x.reader.Machine(s.Machine)
	d := Detail{s.Number, s.TimeNs, who(m.Label, s.Goroutine), string(message)}
	switch {
	case len(l.First) < Shown:
		l.First = append(l.First, d)
	case len(l.Last) < Shown:
		l.Last = append(l.Last, d)
	default:
		copy(l.Last, l.Last[1:])
		l.Last[Shown-1] = d
	}
}

func who(label string, goroutine uint32) string {
	if goroutine == 0 {
		return label
	}
	return label + "/" + strconv.FormatUint(uint64(goroutine), 10)
}

// places finds the lines of a stack, none when it is not the user's. A go
// statement is where the runtime was called from; what a package of somebody
// else starts is not at a go statement of the user's. A function that logs for
// its caller shares its steps with the line that called it. What is printed of
// a log line names a place in the module under test: that one has it, too.
func (x *indexer) places(kind Kind, s *steplog.Step) (lines []*Line) {
	x.frames = x.reader.Stack(s.StackID, x.frames[:0])
	add := func(f steplog.Frame) {
		if file, own := x.own(f); own && x.has(file, f, kind) {
			if l := x.line(kind, file, f, s); !slices.Contains(lines, l) {
				lines = append(lines, l)
			}
		}
	}
	if kind == Go {
		if f, ok := caller(x.frames); ok {
			add(f)
		}
		return lines
	}
	at := x.next(0)
	if at < 0 {
		return nil
	}
	if add(x.frames[at]); len(lines) == 0 {
		return nil // a line directive, say: its caller is not the one that did it
	}
	for kind == Log && at >= 0 {
		if at = x.logsFor(at); at >= 0 {
			add(x.frames[at])
		}
	}
	if f, ok := x.src.Place(x.frames); ok {
		add(f)
	}
	return lines
}

// own returns the file of a frame that is the user's.
func (o *owner) own(f steplog.Frame) (file string, ok bool) {
	if text.Simulator(f) {
		return "", false
	}
	return o.roots.File(f.File)
}

// has reports whether a file has at a frame's line what the frame is of, as far
// as the file is known.
func (o *owner) has(file string, f steplog.Frame, kind Kind) bool {
	b := o.base(file)
	return b == nil || b.Has(&Line{Number: f.Line, Func: f.Func, Kind: kind})
}

// next returns the index of the first frame from one on that is the user's, -1
// for none.
func (x *indexer) next(from int) int {
	for i := from; i < len(x.frames); i++ {
		if _, own := x.own(x.frames[i]); own {
			return i
		}
	}
	return -1
}

// logsFor returns the index of the frame for which a frame logs, -1 for none:
// of its caller, if it passes on what it was given. A handler or writer of the
// user is called by the package that the line of the log call is of.
func (x *indexer) logsFor(at int) int {
	file, _ := x.own(x.frames[at])
	if b := x.base(file); b == nil || !b.file().Wraps(x.frames[at].Line) {
		return -1
	}
	next := x.next(at + 1)
	for i := at + 1; i < next; i++ {
		if !logs(x.frames[i].Func) {
			return -1
		}
	}
	return next
}

// loggers are packages, with those below them, whose functions call back what
// the user gave them to log with, on behalf of their caller.
var loggers = []string{
	"bufio", "fmt", "io", "log", "testing",
	"github.com/apex/log", "github.com/charmbracelet/log", "github.com/go-kit/log", "github.com/go-logr/logr",
	"github.com/golang/glog", "github.com/hashicorp/go-hclog", "github.com/inconshreveable/log15", "github.com/phuslu/log",
	"github.com/rs/zerolog", "github.com/sirupsen/logrus", "go.uber.org/zap", "k8s.io/klog",
}

// logs reports whether a function is one of these packages.
func logs(function string) bool {
	return slices.ContainsFunc(loggers, func(pkg string) bool {
		rest, ok := strings.CutPrefix(function, pkg)
		return ok && rest != "" && (rest[0] == '.' || rest[0] == '/')
	})
}

// line returns the entry of a frame's line.
func (x *indexer) line(kind Kind, file string, f steplog.Frame, s *steplog.Step) *Line {
	key := lineKey{file, f.Line, kind}
	l := x.keys[key]
	if l == nil {
		l = &Line{File: file, Number: f.Line, Func: f.Func, Kind: kind}
		if kind == Machine {
			l.Event = s.Kind.String()
		}
		x.keys[key] = l
	}
	return l
}

// goers are functions that are called instead of a go statement.
var goers = map[string]bool{"sync.(*WaitGroup).Go": true, "golang.org/x/sync/errgroup.(*Group).Go": true}

// caller returns the frame of a go statement, or of a call that stands for one:
// the first one outside of the runtime.
func caller(frames []steplog.Frame) (steplog.Frame, bool) {
	for _, f := range frames {
		if !strings.HasPrefix(f.Func, "runtime.") && !goers[f.Func] {
			return f, true
		}
	}
	return steplog.Frame{}, false
}
