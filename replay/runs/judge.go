package runs

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/restep/restep/replay/text"
	"github.com/restep/restep/sim/steplog"
)

// Results of runs.
const (
	Pass = "pass"
	Fail = "fail"
	Skip = "skip"
)

// Ending is what the host saw of a run's end.
type Ending struct {
	ExitCode int
	Signal   string        // "" unless a signal ended it
	TimedOut time.Duration // real time after which it was killed, 0 = it was not
	Problem  string        // what the simulator itself said, if it failed
	Memory   uint64        // bytes that the run could have, 0 = any number
}

// Failure is why a run failed and the step that shows it.
type Failure struct {
	Message   string `json:"message"` // raw, may be several lines
	Step      uint64 `json:"step,omitempty"`
	TimeNs    int64  `json:"time,omitempty"` // simulated, since Unix epoch
	Machine   string `json:"machine,omitempty"`
	Goroutine uint32 `json:"goroutine,omitempty"`
	File      string `json:"file,omitempty"` // as recorded, see text.Source
	Line      int    `json:"line,omitempty"`
	// Elsewhere: machine, goroutine and place are those of a goroutine that was
	// waiting, or running for too long, not of the one that made the step.
	Elsewhere bool `json:"elsewhere,omitempty"`
}

// Unsupported is a system call that is not simulated and that the run made.
type Unsupported struct {
	Name  string
	File  string // of the first call, as recorded; "" = unknown
	Line  int
	Step  uint64 // of the first call
	Count int
}

// Outcome is how a run ended.
type Outcome struct {
	Result      string   // Pass, Fail, Skip
	Failure     *Failure // set when Result is Fail
	Steps       uint64
	Checksum    uint32
	Simulated   time.Duration
	Unsupported []Unsupported // in order of their first step
	Damage      error         // first damage of the log, nil = none
	OutOfMemory bool          // it failed because it asked for more than Ending.Memory
}

// judge collects candidates for the reason of a failure while it walks.
type judge struct {
	r     *steplog.Reader
	src   text.Source
	cur   *steplog.Cursor
	out   Outcome
	told  *Failure        // what the program said: T.Error, a panic of the test
	hard  *Failure        // what fails the run whatever the exit code
	bare  *Failure        // a FAIL line of package testing
	room  *Failure        // the runtime got no more memory
	stuck bool            // hard is a deadlock, or the end of simulated time
	held  strings.Builder // then: the stacks that the runtime prints
	end   bool
	last  int64 // time of the latest step
}

// judged are the kinds that tell how a run went.
var judged = []steplog.Kind{
	steplog.KindLog, steplog.KindTest, steplog.KindPanic, steplog.KindExit, steplog.KindDeadlock,
	steplog.KindTimeout, steplog.KindUnsupported, steplog.KindEnd,
}

// mainMachine is the machine that the test itself runs on.
const mainMachine = 1

// Judge says how a run ended. It fails when the exit code is not 0, when it
// was killed, when nothing could run any more or simulated time was over, and
// when a machine ended by a panic or with an exit code that was not expected.
func Judge(r *steplog.Reader, src text.Source, e Ending) Outcome {
	j := judge{r: r, src: src, cur: r.Cursor(steplog.Filter{Kinds: judged})}
	j.out.Result, j.out.Steps, j.last = Pass, r.Steps(), r.Header().StartNs
	for j.cur.Next() {
		j.step(j.cur.Step())
	}
	if j.out.Damage = j.cur.Err(); j.out.Damage == nil && len(r.Problems()) > 0 {
		j.out.Damage = r.Problems()[0]
	}
	if s, err := r.Step(r.Steps()); err == nil {
		j.out.Checksum = s.Checksum
		j.last = max(j.last, s.TimeNs)
	}
	j.out.Simulated = time.Duration(j.last - r.Header().StartNs)
	if f := j.verdict(e); f != nil {
		j.out.Result, j.out.Failure = Fail, f
	}
	return j.out
}

// verdict returns why the run failed, nil when it did not.
func (j *judge) verdict(e Ending) *Failure {
	first := j.told
	if first == nil || j.hard != nil && j.hard.Step < first.Step {
		first = j.hard
	}
	switch {
	case e.TimedOut != 0:
		f := j.lastStep()
		f.Message = fmt.Sprintf("test timed out after %v of real time at step %d: the program never yields or is very slow",
			e.TimedOut, f.Step)
		if e.Problem != "" {
			f.Message += "\n" + e.Problem
			j.placeIn(f, e.Problem)
		}
		return f
	case j.room != nil && e.Memory != 0:
		j.out.OutOfMemory = true
		j.room.Message = fmt.Sprintf("out of memory: at step %d the run asked for more than the %s of -memory", j.room.Step, size(e.Memory))
		return j.room
	case e.Problem != "" && !j.end:
		f := j.lastStep()
		f.Message = "the simulation broke down: " + e.Problem
		return f
	case e.Signal != "" || !j.end:
		f := j.lastStep()
		f.Message = "the run ended without a last step"
		if e.Signal != "" {
			f.Message = "the run was ended by " + e.Signal
		}
		return f
	case j.hard != nil, e.ExitCode != 0 && first != nil:
		if first == j.hard && j.stuck && first.File == "" {
			j.placeIn(first, j.held.String())
		}
		return first
	case e.ExitCode != 0 && j.bare != nil:
		return j.bare
	case e.ExitCode != 0:
		f := j.lastStep()
		f.Message = fmt.Sprintf("exit code %d", e.ExitCode)
		return f
	}
	return nil
}

// size writes 2GiB for 1<<31.
func size(n uint64) string {
	for _, u := range []struct {
		shift uint
		name  string
	}{{40, "TiB"}, {30, "GiB"}, {20, "MiB"}, {10, "KiB"}} {
		if n >= 1<<u.shift && n%(1<<u.shift) == 0 {
			return strconv.FormatUint(n>>u.shift, 10) + u.name
		}
	}
	return strconv.FormatUint(n, 10) + "B"
}

func (j *judge) lastStep() *Failure {
	s, err := j.r.Step(j.r.Steps())
	if err != nil {
		return &Failure{Step: j.r.Steps()}
	}
	return j.failure(&s, "")
}

// failure describes a step as the one that shows a failure.
func (j *judge) failure(s *steplog.Step, message string) *Failure {
	f := &Failure{Message: message, Step: s.Number, TimeNs: s.TimeNs, Goroutine: s.Goroutine}
	if m, ok := j.r.Machine(s.Machine); ok {
		f.Machine = m.Label
	}
	if frame, ok := j.src.Place(j.r.Stack(s.StackID, nil)); ok {
		f.File, f.Line = frame.File, frame.Line
	}
	return f
}

func (j *judge) step(s *steplog.Step) {
	j.last = max(j.last, s.TimeNs)
	switch s.Kind {
	case steplog.KindLog:
		if j.stuck && j.held.Len()+len(s.Text) < maxTraceback {
			if _, written := s.Field(steplog.TagFD); !written {
				j.held.WriteString(string(s.Message()) + "\n")
			}
		}
		if j.room == nil && outOfMemory(s) {
			j.room = j.failure(s, "")
		}
		if j.told == nil && j.fails(s) {
			j.told = j.failure(s, string(bytes.TrimSuffix(s.Message(), []byte("\n"))))
		}
	case steplog.KindTest:
		line := strings.TrimSpace(string(s.Text))
		if strings.HasPrefix(line, "--- SKIP: "+j.r.Header().Test+" ") {
			j.out.Result = Skip
		}
		if j.bare == nil && strings.HasPrefix(line, "--- FAIL: ") {
			j.bare = j.failure(s, bareMessage(line))
		}
	case steplog.KindPanic, steplog.KindExit:
		code, _ := s.Field(steplog.TagExitCode)
		if j.hard == nil && s.Machine != mainMachine && code.Int() != 0 && !expected(s) {
			m, _ := j.r.Machine(s.Machine)
			message := fmt.Sprintf("machine %s ended with exit code %d", m.Label, code.Int())
			if s.Kind == steplog.KindPanic {
				message = fmt.Sprintf("machine %s panicked: %s", m.Label, s.Text)
			}
			j.hard = j.failure(s, message)
		}
	case steplog.KindDeadlock, steplog.KindTimeout:
		if j.hard == nil {
			j.hard, j.stuck = j.failure(s, string(s.Text)), true
		}
	case steplog.KindUnsupported:
		j.unsupported(s)
	case steplog.KindEnd:
		j.end = true
	}
}

// bareMessage is the message of a test that failed without one of its own: an
// example's output follows its FAIL line.
func bareMessage(line string) string {
	_, rest, more := strings.Cut(line, "\n")
	if !more {
		return "marked as failed without a message"
	}
	return strings.Join(strings.Fields(rest), " ")
}

// fails reports a log step that is a failure of the test: an error of package
// testing, or what the runtime prints about a panic of machine main. Both come
// without a file descriptor; error lines of a logger have one.
func (j *judge) fails(s *steplog.Step) bool {
	if text.LevelOf(s) < 8 {
		return false
	}
	if _, written := s.Field(steplog.TagFD); written {
		return false
	}
	for _, f := range j.r.Stack(s.StackID, nil) {
		switch f.Func {
		case "testing.(*common).Error", "testing.(*common).Errorf", "testing.(*common).Fatal", "testing.(*common).Fatalf":
			return true
		}
	}
	return s.Machine == mainMachine && (bytes.HasPrefix(s.Text, []byte("panic: ")) || bytes.HasPrefix(s.Text, []byte("fatal error: ")))
}

// outOfMemory reports what the runtime prints when the host gives it no more
// memory (mem_linux.go, malloc.go, mheap.go and stack.go of go1.26 and go1.27).
func outOfMemory(s *steplog.Step) bool {
	if _, written := s.Field(steplog.TagFD); written || !bytes.HasPrefix(s.Text, []byte("fatal error: ")) {
		return false
	}
	return bytes.Contains(s.Text, []byte("out of memory")) || bytes.Contains(s.Text, []byte("cannot allocate memory"))
}

// expected reports that the test said the machine may end like this
// (sim.MachineConfig.MayExit).
func expected(s *steplog.Step) bool {
	f, ok := s.Field(steplog.TagReason)
	return ok && string(f.Bytes) == "expected"
}

func (j *judge) unsupported(s *steplog.Step) {
	name := string(s.Text)
	for i := range j.out.Unsupported {
		if j.out.Unsupported[i].Name == name {
			j.out.Unsupported[i].Count++
			return
		}
	}
	const limit = 512 // there are fewer system calls
	if len(j.out.Unsupported) == limit {
		return
	}
	u := Unsupported{Name: name, Step: s.Number, Count: 1}
	if frame, ok := j.src.Place(j.r.Stack(s.StackID, nil)); ok {
		u.File, u.Line = frame.File, frame.Line
	}
	j.out.Unsupported = append(j.out.Unsupported, u)
}
