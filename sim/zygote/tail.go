//go:build linux

package zygote

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
)

// tail keeps the first and the last bytes of what is written to a pipe. What a
// process wrote before it ended is there as soon as the end is known: whoever
// asks reads what is left in the pipe himself.
type tail struct {
	pipe *os.File
	raw  syscall.RawConn

	mu          sync.Mutex // guards reading the pipe, too
	first, last []byte
	lost        int
}

const tailSize = 32 << 10

// newTail returns the tail of a new pipe and the end to write to.
func newTail() (t *tail, w *os.File, err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, fmt.Errorf("pipe for the zygote: %w", err)
	}
	t = &tail{pipe: r}
	if t.raw, err = r.SyscallConn(); err != nil {
		r.Close()
		w.Close()
		return nil, nil, fmt.Errorf("pipe for the zygote: %w", err)
	}
	go func() {
		for open := true; open; {
			if t.raw.Read(func(fd uintptr) (done bool) {
				done, open = t.drain(int(fd))
				return done
			}) != nil {
				return // closed
			}
		}
	}()
	return t, w, nil
}

// drain reads what is there. done is false when there was nothing, open when
// nobody can write any more.
func (t *tail) drain(fd int) (done, open bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var buf [4096]byte
	for {
		n, err := syscall.Read(fd, buf[:])
		switch {
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EAGAIN):
			return done, true
		case err != nil || n == 0:
			return true, false
		default:
			t.add(buf[:n])
			done = true
		}
	}
}

func (t *tail) add(p []byte) {
	room := min(tailSize-len(t.first), len(p))
	t.first = append(t.first, p[:room]...)
	t.last = append(t.last, p[room:]...)
	if over := len(t.last) - tailSize; over > 0 {
		t.last = append(t.last[:0], t.last[over:]...)
		t.lost += over
	}
}

func (t *tail) close() { t.pipe.Close() }

func (t *tail) String() string {
	// After close there is nothing more to read.
	_ = t.raw.Control(func(fd uintptr) { t.drain(int(fd)) })
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lost > 0 {
		return fmt.Sprintf("%s\n... %d bytes left out ...\n%s", t.first, t.lost, t.last)
	}
	return string(t.first) + string(t.last)
}

// quote is the text as an addition to an error.
func (t *tail) quote() string {
	if s := t.String(); s != "" {
		return ":\n" + s
	}
	return ""
}
