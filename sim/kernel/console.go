package kernel

import (
	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/steplog"
)

// console is the character device behind descriptors 0, 1 and 2 of a process.
// What is written to it becomes log steps; reading finds the end of file.
type console struct {
	fileBase
	m  *Machine
	fd int32
}

func newConsole(m *Machine, fd int32) *console {
	flags := uint32(abi.O_RDONLY)
	if fd != 0 {
		flags = abi.O_WRONLY
	}
	return &console{fileBase: fileBase{flags: flags}, m: m, fd: fd}
}

// Read finds the end of the file, as /dev/null does.
func (c *console) Read(*Task, []byte) (int, abi.Errno) { return 0, abi.OK }

// Write makes one step of what is written: a step of kind test for the lines
// that package testing marks with ^V (test2json's framing), else a log line.
func (c *console) Write(t *Task, p []byte) (int, abi.Errno) {
	if c.fd == 0 {
		return 0, abi.EBADF
	}
	if len(p) == 0 {
		return 0, abi.OK
	}
	c.m.log.append(p, true)
	ev := Event{Kind: steplog.KindLog, Machine: c.m.id, Text: p, FD: c.fd, Nr: -1}
	if t.proc.id == ProcessID(Main) && p[0] == testFraming {
		ev.Kind = steplog.KindTest
		ev.Text = p[1:]
	}
	t.k.record(&ev)
	return len(p), abi.OK
}

// testFraming is the byte in front of the lines of package testing under
// -test.v=test2json.
const testFraming = 0x16

// Stat shows a terminal-less character device like /dev/null.
func (c *console) Stat(t *Task, st *abi.Stat) abi.Errno {
	*st = abi.Stat{Mode: abi.S_IFCHR | 0o620, Nlink: 1, Rdev: 1<<8 | 3, Blksize: 4096, Ino: uint64(3 + c.fd)}
	return abi.OK
}
