package runs

import (
	"math"
	"strconv"
	"strings"

	"github.com/restep/restep/sim/steplog"
)

// maxTraceback is how much of the runtime's stacks is looked at, in bytes.
const maxTraceback = 1 << 20

// stackOf is one goroutine of a traceback.
type stackOf struct {
	machine   string
	goroutine uint32
	runs      bool // it was running; others wait
	frames    []steplog.Frame
}

// placeIn gives a failure that no code of the user's has recorded its place:
// that of the goroutine which runs, or of the one that waits in the test's
// function, or of the first in the user's code. traceback is what the runtime
// prints of all goroutines.
func (j *judge) placeIn(f *Failure, traceback string) {
	best, rank := stackOf{}, 0
	var place steplog.Frame
	for _, s := range stacks(traceback) {
		at, ok := j.src.Place(s.frames)
		if !ok {
			continue
		}
		n := 1
		switch {
		case s.runs:
			n = 3
		case s.in(j.r.Header().Test):
			n = 2
		}
		if n > rank {
			best, rank, place = s, n, at
		}
	}
	if rank == 0 {
		return
	}
	f.Elsewhere = true
	f.Machine, f.Goroutine, f.File, f.Line = best.machine, best.goroutine, place.File, place.Line
}

// in reports a goroutine that is in a test's function.
func (s *stackOf) in(test string) bool {
	for _, f := range s.frames {
		if strings.HasSuffix(f.Func, "."+test) {
			return true
		}
	}
	return false
}

// stacks reads "machine M, goroutine N [wait]:" or "machine M, goroutine N
// runs:" and the frames that follow, as the patched runtime prints them
// (runtime/traceback.go, goroutineheader and traceback2 of go1.26): a line with
// the function and its arguments, one with a tab, the file and its line.
func stacks(traceback string) []stackOf {
	var list []stackOf
	fn := ""
	for line := range strings.Lines(traceback) {
		line = strings.TrimRight(line, "\n")
		if s, ok := stackHead(line); ok {
			list, fn = append(list, s), ""
			continue
		}
		if len(list) == 0 {
			continue
		}
		s := &list[len(list)-1]
		at, isPlace := strings.CutPrefix(line, "\t")
		switch {
		case isPlace && fn != "":
			at, _, _ = strings.Cut(at, " +0x")
			i := strings.LastIndexByte(at, ':')
			if n, err := strconv.Atoi(at[i+1:]); i > 0 && err == nil {
				s.frames = append(s.frames, steplog.Frame{Func: fn, File: at[:i], Line: n})
			}
			fn = ""
		case isPlace, strings.HasPrefix(line, "created by "):
			fn = ""
		default:
			fn = line
			if i := strings.LastIndexByte(line, '('); i > 0 {
				fn = line[:i]
			}
		}
	}
	return list
}

func stackHead(line string) (s stackOf, ok bool) {
	line, ok = strings.CutPrefix(line, "machine ")
	i := strings.LastIndex(line, ", goroutine ")
	if !ok || i < 0 {
		return s, false
	}
	number, state, found := strings.Cut(line[i+len(", goroutine "):], " ")
	n, err := strconv.ParseUint(number, 10, 64)
	if err != nil || !found || !strings.HasSuffix(state, ":") {
		return s, false
	}
	s = stackOf{machine: line[:i], runs: state == "runs:"}
	if n <= math.MaxUint32 { // else it is one of the runtime's own
		s.goroutine = uint32(n)
	}
	return s, true
}
