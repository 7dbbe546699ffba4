package kernel

import (
	"unsafe"

	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/kernel/vfs"
	"github.com/restep/restep/sim/kernel/waitq"
)

// Limits of inotify, as /proc/sys/fs/inotify has them where nobody changed
// them: instances of one user, watches of one user, notices in one queue.
const (
	maxNotifiers = 128
	maxWatches   = 1 << 20
	maxNotices   = 16384
)

// notifier is an inotify instance: watches on inodes of the machine's disk, and
// a queue of what happened to them (inotify(7)).
type notifier struct {
	fileBase
	d       *disk
	lastWD  int32
	watches []watch // by descriptor
	queue   []notice
	readers waitq.Queue
	calls   waitq.Queue
}

// watch is one inode that an instance watches.
type watch struct {
	wd    int32
	inode *vfs.Inode
	mask  uint32
}

// notice is one event that waits to be read.
type notice struct {
	wd           int32
	mask, cookie uint32
	name         string
}

// size is how many bytes the notice takes: head and name, the latter filled up
// with zeros (fs/notify/inotify/inotify_user.c:round_event_name_len).
func (n *notice) size() int {
	if n.name == "" {
		return abi.InotifyEventSize
	}
	return abi.InotifyEventSize + (len(n.name)+abi.InotifyEventSize)&^(abi.InotifyEventSize-1)
}

// find returns the place of a watch in the list.
func (in *notifier) find(n *vfs.Inode) int {
	for i := range in.watches {
		if in.watches[i].inode == n {
			return i
		}
	}
	return -1
}

// tell queues an event for watch i if it is watched for.
func (in *notifier) tell(i int, mask, cookie uint32, name string) {
	if i < 0 || in.watches[i].mask&mask&abi.IN_ALL_EVENTS == 0 {
		return
	}
	w := in.watches[i]
	in.add(notice{w.wd, mask, cookie, name})
	if w.mask&abi.IN_ONESHOT != 0 {
		in.drop(i)
	}
}

// add queues a notice. One that equals the last says nothing new
// (inotify_fsnotify.c:event_compare); the one that finds no room says so.
func (in *notifier) add(n notice) {
	if l := len(in.queue); l > 0 && n.mask&abi.IN_IGNORED == 0 {
		last := &in.queue[l-1]
		if last.wd == n.wd && last.mask == n.mask && last.name == n.name {
			return
		}
	}
	if len(in.queue) >= maxNotices {
		if in.queue[len(in.queue)-1].mask == abi.IN_Q_OVERFLOW {
			return
		}
		n = notice{wd: -1, mask: abi.IN_Q_OVERFLOW}
	}
	in.queue = append(in.queue, n)
	in.readers.Wake(ModeRead, in.d.m.k.host.Wake)
	in.calls.Release(in.d.m.k.host.Ready)
}

// drop ends watch i.
func (in *notifier) drop(i int) {
	wd := in.watches[i].wd
	in.watches = append(in.watches[:i:i], in.watches[i+1:]...)
	in.add(notice{wd: wd, mask: abi.IN_IGNORED})
}

// Await implements waiter.
func (in *notifier) Await(caller uintptr) { in.calls.Add(caller) }

// Read gives as many whole notices as fit; EINVAL if not even one does.
func (in *notifier) Read(_ *Task, p []byte) (int, abi.Errno) {
	if len(in.queue) == 0 {
		return 0, abi.EAGAIN
	}
	done, taken := 0, 0
	for taken < len(in.queue) {
		n := &in.queue[taken]
		size := n.size()
		if done+size > len(p) {
			break
		}
		b := p[done : done+size]
		clear(b)
		head := abi.InotifyEvent{WD: n.wd, Mask: n.mask, Cookie: n.cookie, Len: uint32(size - abi.InotifyEventSize)}
		copy(b, (*[abi.InotifyEventSize]byte)(unsafe.Pointer(&head))[:])
		copy(b[abi.InotifyEventSize:], n.name)
		done += size
		taken++
	}
	if taken == 0 {
		return 0, abi.EINVAL
	}
	if in.queue = in.queue[taken:]; len(in.queue) == 0 {
		in.queue = nil
	}
	return done, abi.OK
}

// Seek does nothing (fs/read_write.c:noop_llseek).
func (in *notifier) Seek(*Task, int64, int) (int64, abi.Errno) { return 0, abi.OK }

func (in *notifier) Write(*Task, []byte) (int, abi.Errno) { return 0, abi.EBADF }

func (in *notifier) Stat(_ *Task, st *abi.Stat) abi.Errno {
	now := abi.TimespecOf(int64(in.d.m.k.now()))
	*st = abi.Stat{Dev: pipeDev, Ino: 1, Nlink: 1, Mode: 0o600, Blksize: 4096, Atim: now, Mtim: now, Ctim: now}
	return abi.OK
}

// Ioctl tells how many bytes there are to read.
func (in *notifier) Ioctl(_ *Task, req, arg uintptr) (uintptr, abi.Errno) {
	if req != abi.FIONREAD {
		return 0, abi.ENOTTY
	}
	n := 0
	for i := range in.queue {
		n += in.queue[i].size()
	}
	return 0, put32(arg, int32(n))
}

func (in *notifier) PollOpen(pd uintptr) abi.Errno {
	in.readers.Add(pd)
	if len(in.queue) > 0 {
		in.d.m.k.host.Wake(pd, ModeRead)
	}
	return abi.OK
}

func (in *notifier) PollClose(pd uintptr) { in.readers.Remove(pd) }

func (in *notifier) Release(*Task) abi.Errno {
	list := in.d.notifiers
	for i := range list {
		if list[i] == in {
			in.d.notifiers = append(list[:i:i], list[i+1:]...)
			break
		}
	}
	return abi.OK
}

// notify tells all who watch n, or the directory that holds it, what happened
// to it: the directory first (fs/notify/fsnotify.c:fsnotify_handle_event). dir
// and name are where it was opened, if that is known.
func (d *disk) notify(n *vfs.Inode, mask uint32, dir *vfs.Inode, name string) {
	if len(d.notifiers) == 0 {
		return
	}
	if n.IsDir() {
		mask |= abi.IN_ISDIR
	}
	for _, in := range d.notifiers {
		if i, name := in.parent(n, dir, name); i >= 0 {
			in.tell(i, mask, 0, name)
		}
		in.tell(in.find(n), mask, 0, "")
	}
}

// notifyFile tells what happened to an open file.
func (f *diskFile) notifyFile(mask uint32) {
	if len(f.d.notifiers) > 0 && f.flags&abi.O_PATH == 0 {
		f.d.notify(f.inode, mask, f.dir, f.name)
	}
}

// parent finds the watch on the directory that n is in, and its name there. A
// file without a name still belongs to where it was opened, but for
// IN_EXCL_UNLINK; one that was moved since is looked for.
func (in *notifier) parent(n, dir *vfs.Inode, name string) (int, string) {
	if dir != nil && name != "" {
		i := in.find(dir)
		switch {
		case dir.Child(name) == n:
			return i, name
		case n.Linked():
		case i >= 0 && in.watches[i].mask&abi.IN_EXCL_UNLINK == 0:
			return i, name
		default:
			return -1, ""
		}
	}
	for i := range in.watches {
		w := in.watches[i].inode
		if !w.IsDir() || n.IsDir() && n.Parent() != w || w == n {
			continue
		}
		if name := w.NameOf(n); name != "" {
			return i, name
		}
	}
	return -1, ""
}

// notifySelf tells those who watch n itself.
func (d *disk) notifySelf(n *vfs.Inode, mask uint32) {
	for _, in := range d.notifiers {
		in.tell(in.find(n), mask, 0, "")
	}
}

// notifyName tells those who watch dir what happened to the name of n there.
func (d *disk) notifyName(dir, n *vfs.Inode, mask, cookie uint32, name string) {
	if len(d.notifiers) > 0 && n.IsDir() {
		mask |= abi.IN_ISDIR
	}
	for _, in := range d.notifiers {
		in.tell(in.find(dir), mask, cookie, name)
	}
}

// notifyGone ends the watches on n if it has neither names nor users left.
func (d *disk) notifyGone(n *vfs.Inode) {
	if len(d.notifiers) == 0 || n.Linked() || n.InUse() {
		return
	}
	for _, in := range d.notifiers {
		in.tell(in.find(n), abi.IN_DELETE_SELF, 0, "")
		if i := in.find(n); i >= 0 {
			in.drop(i)
		}
	}
}

// notifyMove tells what a rename did: n went from one place to another, where
// old was until then, nil for nothing (include/linux/fsnotify.h:fsnotify_move).
func (d *disk) notifyMove(n *vfs.Inode, from, to *vfs.Place, old *vfs.Inode) {
	if len(d.notifiers) == 0 {
		return
	}
	d.lastMove++
	d.notifyName(from.Dir, n, abi.IN_MOVED_FROM, d.lastMove, from.Name)
	d.notifyName(to.Dir, n, abi.IN_MOVED_TO, d.lastMove, to.Name)
	if old != nil {
		d.notifySelf(old, abi.IN_ATTRIB)
	}
	d.notifySelf(n, abi.IN_MOVE_SELF)
}
