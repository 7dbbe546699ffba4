package sim

import (
	"errors"
	"fmt"
	"time"
)

// The functions below wait in simulated time, which costs none of yours, by
// looking again after 1 ms, 2 ms, 4 ms and so on up to a second.

// WaitLimit is how much simulated time they wait at most.
const WaitLimit = 5 * time.Minute

// ErrWait is in the error of a wait that took longer than WaitLimit.
var ErrWait = errors.New("waited in vain for " + WaitLimit.String() + " of simulated time")

// WaitFor waits until cond reports true.
func WaitFor(cond func() bool) error {
	need("WaitFor")
	return wait(func() error {
		if cond() {
			return nil
		}
		return errNotYet
	})
}

var errNotYet = errors.New("the condition is false")

// WaitUntilSucceeds waits until f returns no error. After WaitLimit it returns
// f's last error, wrapped with ErrWait.
func WaitUntilSucceeds(f func() error) error {
	need("WaitUntilSucceeds")
	return wait(f)
}

// WaitUntilFails waits until f returns an error.
func WaitUntilFails(f func() error) error {
	need("WaitUntilFails")
	return wait(func() error {
		if f() != nil {
			return nil
		}
		return errors.New("it still succeeds")
	})
}

func wait(f func() error) error {
	for pause, passed := time.Millisecond, time.Duration(0); ; {
		err := f()
		if err == nil {
			return nil
		}
		if passed >= WaitLimit {
			return fmt.Errorf("%w: %w", ErrWait, err)
		}
		time.Sleep(pause)
		passed += pause
		if pause *= 2; pause > time.Second {
			pause = time.Second
		}
	}
}

// WaitForPort waits until a process of the machine accepts TCP connections at
// a port.
func (m Machine) WaitForPort(port int) error {
	m.check("WaitForPort")
	return wait(func() error {
		if _, n := simOp(opListens, m.id, "", "", int64(port)); n == 0 {
			return fmt.Errorf("nothing on %s listens at port %d", m.Label(), port)
		}
		return nil
	})
}

// WaitForFile waits until there is something at an absolute path of the
// machine.
func (m Machine) WaitForFile(path string) error {
	m.check("WaitForFile")
	return wait(func() error {
		if _, n := simOp(opExists, m.id, path, "", 0); n == 0 {
			return fmt.Errorf("there is no %s on %s", path, m.Label())
		}
		return nil
	})
}

// WaitForLog waits until the machine has written a line that holds text to its
// standard output or standard error, and returns the first one of the last
// 64 KiB.
func (m Machine) WaitForLog(text string) (line string, err error) {
	m.check("WaitForLog")
	err = wait(func() error {
		var n int64
		if line, n = simOp(opFindLog, m.id, text, "", 0); n < 0 {
			return fmt.Errorf("%s has logged no %q", m.Label(), text)
		}
		return nil
	})
	return line, err
}
