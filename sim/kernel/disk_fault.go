package kernel

import (
	"strconv"

	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/kernel/vfs"
	"github.com/restep/restep/sim/steplog"
)

// diskOp is what a disk may be made to fail at.
type diskOp uint8

// The operations.
const (
	diskRead diskOp = iota
	diskWrite
	diskSync
)

var diskOpNames = [...]string{"read", "write", "sync"}

// diskFault makes the next operations of one kind fail.
type diskFault struct {
	op    diskOp
	inode *vfs.Inode // the file concerned, nil for every regular file
	errno abi.Errno
	count int64 // how many are to fail yet
}

// fail answers the error that an operation on a file is to fail with, OK when
// it may go on, and makes a step of it.
func (d *disk) fail(op diskOp, n *vfs.Inode) abi.Errno {
	for i := range d.faults {
		f := &d.faults[i]
		if f.op != op || f.inode != nil && f.inode != n {
			continue
		}
		errno := f.errno
		if f.count--; f.count == 0 {
			d.faults = append(d.faults[:i], d.faults[i+1:]...)
		}
		d.m.k.record(&Event{
			Kind: steplog.KindFault, Machine: d.m.id, FD: -1, Nr: -1, Errno: errno,
			Text: []byte("disk " + diskOpNames[op] + " fails, errno " + strconv.Itoa(int(errno))),
		})
		return errno
	}
	return abi.OK
}

// sync makes a file durable (vfs.FS.Sync). After an error the bytes stay
// unsynced and a later sync tries again; Linux would forget them, which a
// program cannot rely on either (fsync(2), NOTES).
func (d *disk) sync(n *vfs.Inode, dataOnly bool) abi.Errno {
	if len(d.faults) > 0 {
		if errno := d.fail(diskSync, n); errno != abi.OK {
			return errno
		}
	}
	d.fs.Sync(n, dataOnly)
	return abi.OK
}
