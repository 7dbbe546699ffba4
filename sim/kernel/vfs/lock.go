package vfs

import "github.com/restep/restep/sim/kernel/abi"

// LockEOF is the End of a lock that reaches to the end of the file, however
// far it grows.
const LockEOF = int64(1<<63 - 1)

// Lock is a record lock on the bytes Start to End, both included. Owner is a
// process or an open file description; Pid is what F_GETLK reports, -1 for a
// description (fcntl(2), "Open file description locks").
type Lock struct {
	Owner      uint64
	Pid        int32
	Write      bool
	Start, End int64
}

func (l *Lock) overlaps(o *Lock) bool { return l.Start <= o.End && o.Start <= l.End }

// Conflict returns the first lock of another owner that stands against l.
func (n *Inode) Conflict(l Lock) (Lock, bool) {
	for _, o := range n.live().locks {
		if o.Owner != l.Owner && o.overlaps(&l) && (o.Write || l.Write) {
			return o, true
		}
	}
	return Lock{}, false
}

// Held returns the first lock that l's owner has on the bytes of l.
func (n *Inode) Held(l Lock) (Lock, bool) {
	for _, o := range n.live().locks {
		if o.Owner == l.Owner && o.overlaps(&l) {
			return o, true
		}
	}
	return Lock{}, false
}

// SetLock places l, replacing what its owner holds on the same bytes.
// EAGAIN when another owner's lock stands against it.
func (n *Inode) SetLock(l Lock) abi.Errno {
	if _, ok := n.Conflict(l); ok {
		return abi.EAGAIN
	}
	n.unlock(l)
	v := n.live()
	// Neighbours of the same kind become one lock (fs/locks.c:posix_lock_inode).
	kept := v.locks[:0]
	for _, o := range v.locks {
		if o.Owner == l.Owner && o.Write == l.Write && (touches(&o, &l) || touches(&l, &o)) {
			l.Start, l.End = min(l.Start, o.Start), max(l.End, o.End)
			continue
		}
		kept = append(kept, o)
	}
	i := 0
	for i < len(kept) && kept[i].Start <= l.Start {
		i++
	}
	kept = append(kept, Lock{})
	copy(kept[i+1:], kept[i:])
	kept[i] = l
	v.locks = kept
	n.wakeWaiters() // a write lock may have become a read lock
	return abi.OK
}

// touches reports whether b begins just behind a.
func touches(a, b *Lock) bool { return a.End != LockEOF && a.End+1 == b.Start }

// Unlock gives up what l's owner holds on the bytes of l and lets those try
// again who wait for a lock.
func (n *Inode) Unlock(l Lock) {
	n.unlock(l)
	n.wakeWaiters()
}

func (n *Inode) unlock(l Lock) {
	v := n.live()
	kept := make([]Lock, 0, len(v.locks)+1)
	for _, o := range v.locks {
		if o.Owner != l.Owner || !o.overlaps(&l) {
			kept = append(kept, o)
			continue
		}
		if o.Start < l.Start {
			left := o
			left.End = l.Start - 1
			kept = append(kept, left)
		}
		if o.End > l.End {
			right := o
			right.Start = l.End + 1
			kept = append(kept, right)
		}
	}
	v.locks = kept
}

// UnlockAll gives up every record lock of an owner.
func (n *Inode) UnlockAll(owner uint64) {
	if len(n.live().locks) > 0 {
		n.Unlock(Lock{Owner: owner, End: LockEOF})
	}
}

// Flock places a lock on the whole file for an open file description
// (flock(2)). EAGAIN when another one's lock stands against it; a lock that
// was to be converted is lost then, as on Linux
// (fs/locks.c:flock_lock_inode).
func (n *Inode) Flock(owner uint64, write bool) abi.Errno {
	v := n.live()
	for _, o := range v.flock {
		if o.Owner == owner && o.Write == write {
			return abi.OK
		}
	}
	if n.funlock(owner) {
		n.wakeWaiters()
	}
	for _, o := range v.flock {
		if o.Write || write {
			return abi.EAGAIN
		}
	}
	v.flock = append(v.flock, Lock{Owner: owner, Write: write})
	return abi.OK
}

// Funlock gives up the lock that Flock placed.
func (n *Inode) Funlock(owner uint64) {
	if n.funlock(owner) {
		n.wakeWaiters()
	}
}

func (n *Inode) funlock(owner uint64) bool {
	v := n.live()
	for i, o := range v.flock {
		if o.Owner == owner {
			v.flock = append(v.flock[:i], v.flock[i+1:]...)
			return true
		}
	}
	return false
}

// wait is a process that waits for a record lock of another one.
type wait struct {
	token       uintptr
	owner, upon uint64
}

// AwaitLock notes that the call known as token wants to try again when a lock
// on n is given up.
func (n *Inode) AwaitLock(token uintptr) {
	v := n.live()
	for _, w := range v.waiters {
		if w == token {
			return
		}
	}
	v.waiters = append(v.waiters, token)
}

// wakeWaiters lets all that wait try again, as Linux does; who gets the lock
// is decided by the order in which they run.
func (n *Inode) wakeWaiters() {
	v := n.live()
	waiters := v.waiters
	v.waiters = nil
	for _, token := range waiters {
		n.fs.wake(token)
	}
}

// AwaitRecordLock is AwaitLock for a process's record lock l, which stands
// behind one of upon. EDEADLK when upon waits, over any number of others, for
// a lock of l's owner (fs/locks.c:posix_locks_deadlock, which looks at
// processes only, not at open file descriptions).
func (n *Inode) AwaitRecordLock(token uintptr, owner, upon uint64) abi.Errno {
	fs := n.fs
	for next, hops := upon, 0; hops <= len(fs.waits); hops++ {
		if next == owner {
			return abi.EDEADLK
		}
		i := 0
		for i < len(fs.waits) && fs.waits[i].owner != next {
			i++
		}
		if i == len(fs.waits) {
			break
		}
		next = fs.waits[i].upon
	}
	fs.waits = append(fs.waits, wait{token, owner, upon})
	n.AwaitLock(token)
	return abi.OK
}

// StopWaiting forgets that the call known as token waits for a record lock:
// it tries again or has died.
func (fs *FS) StopWaiting(token uintptr) {
	for i := range fs.waits {
		if fs.waits[i].token == token {
			fs.waits = append(fs.waits[:i], fs.waits[i+1:]...)
			return
		}
	}
}
