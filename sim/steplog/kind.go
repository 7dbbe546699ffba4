package steplog

import "strconv"

// Kind says what a step is. Users filter by the names of [Kind.String].
// Numbers are part of the format: append, never reorder.
type Kind uint8

// The kinds of format version 1.
const (
	KindLog         Kind = 1 + iota // a line written to log, slog, testing.T, stdout or stderr
	KindGo                          // goroutine started
	KindGoExit                      // goroutine ended
	KindBoot                        // machine booted
	KindStop                        // machine asked to end (SIGTERM, then kill)
	KindKill                        // machine killed (SIGKILL)
	KindCrash                       // machine lost power
	KindRestart                     // machine started again
	KindPanic                       // machine ended by a panic
	KindExit                        // machine ended by exit
	KindSyscall                     // system call
	KindConnect                     // connection opened
	KindAccept                      // connection accepted
	KindClose                       // connection closed
	KindReset                       // connection reset
	KindSend                        // message sent
	KindDeliver                     // message delivered
	KindDrop                        // message dropped
	KindClock                       // the clock jumped to a timer
	KindFault                       // fault injected
	KindSignal                      // signal delivered
	KindMark                        // sim.Mark
	KindTest                        // test started, ended or failed
	KindDeadlock                    // nothing can ever run again
	KindTimeout                     // the test's time is over
	KindUnsupported                 // the program asked for what is not simulated
	KindEnd                         // last step of a complete log
)

// kindNames is indexed by Kind.
var kindNames = [...]string{
	"", "log", "go", "goexit", "boot", "stop", "kill", "crash", "restart", "panic", "exit",
	"syscall", "connect", "accept", "close", "reset", "send", "deliver", "drop", "clock",
	"fault", "signal", "mark", "test", "deadlock", "timeout", "unsupported", "end",
}

// String returns the kind's name, "kind-N" for one this version does not know.
func (k Kind) String() string {
	if k > 0 && int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "kind-" + strconv.Itoa(int(k))
}

// ParseKind is the inverse of [Kind.String].
func ParseKind(name string) (Kind, bool) {
	for i := 1; i < len(kindNames); i++ {
		if kindNames[i] == name {
			return Kind(i), true
		}
	}
	if len(name) > 5 && name[:5] == "kind-" {
		if n, err := strconv.ParseUint(name[5:], 10, 8); err == nil && n > 0 {
			return Kind(n), true
		}
	}
	return 0, false
}

// Kinds returns all kinds that this version knows, in the order of their numbers.
func Kinds() []Kind {
	all := make([]Kind, 0, len(kindNames)-1)
	for i := 1; i < len(kindNames); i++ {
		all = append(all, Kind(i))
	}
	return all
}
