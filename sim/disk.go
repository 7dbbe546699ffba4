package sim

import (
	"io/fs"
	"syscall"
)

// DiskState is a disk that a power failure of a machine may leave. It is a
// small comparable value; the zero DiskState is none.
type DiskState struct {
	machine uint32
	number  int64
}

// CrashStates lists the disks that a power failure may leave: if the machine
// runs, one at this moment; if it is off, the crash that ended it. What was
// synced is on all of them. Of the rest each change of a name, each file's
// size with its attributes and each page of 4 KiB may or may not have got
// there, in any order, and of a page only the first sectors of 512 bytes.
//
// No two of them differ in times only. limit bounds their number; the ones
// that tell most come first: nothing survived, everything did, each thing
// alone, each thing missing, prefixes in time, torn pages, then random ones
// drawn by the seed.
//
// The next call for the same machine makes the states of this one invalid.
func (m Machine) CrashStates(limit int) []DiskState {
	m.check("CrashStates")
	if limit <= 0 {
		return nil
	}
	_, n := simOp(opCrashStates, m.id, "", "", int64(limit))
	states := make([]DiskState, n&(1<<32-1))
	for i := range states {
		states[i] = DiskState{m.id, n>>32<<32 | int64(i)}
	}
	return states
}

// String says in words what survived the power failure.
func (s DiskState) String() string {
	if s == (DiskState{}) {
		return "no disk"
	}
	text, n := simOp(opCrashText, s.machine, "", "", s.number)
	if n < 0 {
		return "a disk that is out of date"
	}
	return text
}

// adopt gives a machine that has never run the disk of a state.
func (m Machine) adopt(s DiskState) {
	if _, n := simOp(opUseCrash, m.id, "", "", int64(s.machine)<<48|s.number); n < 0 {
		panic("sim.NewMachine: MachineConfig.Disk.From is out of date: CrashStates was called again for its machine")
	}
}

// RestartWithPartialDisk boots a machine that is off after a crash, with a
// disk on which some of what was not synced has survived: one that CrashStates
// may list, drawn by the seed. Restart keeps none of it. A machine that runs
// crashes first.
func (m Machine) RestartWithPartialDisk() {
	m.check("RestartWithPartialDisk")
	m.notMain("RestartWithPartialDisk")
	if simAlive(m.id) {
		simCrash(m.id)
	}
	simOp(opPartialDisk, m.id, "", "", 0)
	simBoot(m.id)
}

// DiskOp is an operation that a disk may fail at.
type DiskOp int

// The operations: reading and writing bytes of files, and making them durable.
const (
	DiskRead DiskOp = iota
	DiskWrite
	DiskSync
)

// DiskFault makes operations of a machine's disk fail.
type DiskFault struct {
	// Op is what fails.
	Op DiskOp
	// Path names the file concerned, which must exist; "" means every file.
	Path string
	// Err is what the operations fail with; 0 is EIO.
	Err syscall.Errno
	// Count is how many operations fail, 0 means one.
	Count int
}

// FailDisk makes the next operations that f describes fail. An error says that
// there is no such file.
func (m Machine) FailDisk(f DiskFault) error {
	m.check("FailDisk")
	const eio = 5
	if f.Err == 0 {
		f.Err = eio
	}
	if f.Count <= 0 {
		f.Count = 1
	}
	v := int64(f.Op) | int64(f.Err)<<8 | int64(f.Count)<<32
	_, n := simOp(opFailDisk, m.id, f.Path, "", v)
	return pathError("faildisk", f.Path, n)
}

// SetDiskSize changes how many bytes of files the machine's disk holds before
// writes fail with ENOSPC; 0 is a disk that never fills.
func (m Machine) SetDiskSize(bytes int64) {
	m.check("SetDiskSize")
	if bytes < 0 {
		bytes = 0
	}
	simOp(opDiskSize, m.id, "", "", bytes)
}

// FreeSpace is how many bytes are left on the machine's disk, -1 for a disk
// that never fills.
func (m Machine) FreeSpace() int64 {
	m.check("FreeSpace")
	_, n := simOp(opFreeSpace, m.id, "", "", 0)
	return n
}

// ReadFile returns what is in a file of the machine, which may be off. The
// path is absolute; errors are as from os.ReadFile.
func (m Machine) ReadFile(path string) ([]byte, error) {
	m.check("ReadFile")
	text, n := simOp(opReadFile, m.id, path, "", 0)
	if err := pathError("open", path, n); err != nil {
		return nil, err
	}
	return []byte(text), nil
}

// WriteFile puts a file onto the machine's disk, which may be off, with all
// directories above it, as if written and synced; programs that watch it with
// inotify are told. What it makes belongs to MachineConfig.User. The path is
// absolute; errors are as from os.WriteFile.
func (m Machine) WriteFile(path string, data []byte, perm fs.FileMode) error {
	m.check("WriteFile")
	_, n := simOp(opWriteFile, m.id, path, string(data), int64(perm.Perm()))
	return pathError("open", path, n)
}

func pathError(op, path string, errno int64) error {
	if errno == 0 {
		return nil
	}
	return &fs.PathError{Op: op, Path: path, Err: syscall.Errno(errno)}
}
