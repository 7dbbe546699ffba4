package kernel

import (
	"strconv"

	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/kernel/vfs"
	"github.com/restep/restep/sim/sched"
	"github.com/restep/restep/sim/steplog"
)

// Op is something that package sim asks about a machine, or does to it, from
// outside: no system call of the machine's own process.
type Op uint8

// The operations. Package sim has the same numbers (sim/op.go).
const (
	OpReadFile    Op = iota // a path: the bytes; n is the errno
	OpWriteFile             // a path, b bytes, v permissions: made with all directories above, synced; n is the errno
	OpExists                // a path: n is 1 or 0
	OpListens               // v port: n is 1 when a TCP socket listens there
	OpFindLog               // a text, v from where: the line, n where it ends, -1 for none
	OpDiskSize              // v bytes, 0 for a disk that never fills
	OpFailDisk              // a path or "", v: operation, errno << 8, count << 32; n is the errno
	OpCrashStates           // v how many at most: n is how many, above them the number of the first one
	OpCrashText             // v number: what survived, in words; n is -1 when the number is out of date
	OpUseCrash              // v number, its machine << 48: this machine's disk becomes that one; n is -1 when it is out of date
	OpPartialDisk           // the machine, which is off, gets one of the disks that its last crash may have left
	OpRemove                // the machine, which is off, leaves the world
	OpClock                 // a: wall, offset, since, rate, as decimal numbers
	OpExitCode              // n: exit code of the last process, -1 after a power failure
	OpFDLimit               // v: RLIMIT_NOFILE from the next boot on
	OpProcess               // a: command line, b: environment, both NUL-terminated strings
	OpFreeSpace             // n: bytes left on the disk, -1 for a disk that never fills
	OpAddProgram            // a name, v number of a program: every machine gets /usr/bin/name
	OpNumber                // n: the machine's id, -1 for one that was removed
	OpUser                  // a user as "name", "uid" or "uid:gid", from the next boot on: n is 0, or -1 and the text says why
)

// Do carries out an operation on m. What text and n mean is said at each Op.
func (m *Machine) Do(op Op, a, b string, v int64) (text string, n int64) {
	m.k.caller = m.proc
	switch op {
	case OpReadFile:
		text, errno := m.disk.readFile(a)
		return text, int64(errno)
	case OpWriteFile:
		return "", int64(m.disk.writeFile(&m.user, a, b, uint32(v)))
	case OpExists:
		_, errno := m.disk.fs.Resolve(m.disk.fs.Root(), a, vfs.Follow)
		return "", boolean(errno == abi.OK)
	case OpListens:
		return "", boolean(m.listens(int(v)))
	case OpFindLog:
		return m.log.find(a, v)
	case OpDiskSize:
		m.disk.fs.SetLimit(v)
	case OpFailDisk:
		return "", int64(m.failDisk(a, diskOp(v&255), abi.Errno(v>>8&0xffff), v>>32))
	case OpCrashStates:
		return "", m.crashStates(int(v))
	case OpCrashText:
		s := m.crashState(v)
		if s == nil {
			return "", -1
		}
		return m.crash.Describe(s), 0
	case OpUseCrash:
		return "", m.useCrash(m.k.owner(ProcessID(v>>48)), v&(1<<48-1))
	case OpPartialDisk:
		m.partialDisk()
	case OpRemove:
		m.remove()
	case OpClock:
		m.clock.set(a)
	case OpExitCode:
		return "", int64(m.exitCode)
	case OpFDLimit:
		m.fdLimit = int(v)
	case OpProcess:
		m.args, m.env = splitNUL(a), splitNUL(b)
	case OpAddProgram:
		m.k.addProgram(a, int(v))
	case OpNumber:
		return "", int64(m.id)
	case OpUser:
		if text := m.setUser(a); text != "" {
			return text, -1
		}
	case OpFreeSpace:
		limit, used := m.disk.fs.Space()
		if limit == 0 {
			return "", -1
		}
		return "", max(0, limit-used) * abi.PageSize
	}
	return "", 0
}

func boolean(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func splitNUL(s string) (list []string) {
	for start, i := 0, 0; i < len(s); i++ {
		if s[i] == 0 {
			list = append(list, s[start:i])
			start = i + 1
		}
	}
	return list
}

func (d *disk) readFile(path string) (string, abi.Errno) {
	n, errno := d.fs.Resolve(d.fs.Root(), path, vfs.Follow)
	switch {
	case errno != abi.OK:
		return "", errno
	case n.IsDir():
		return "", abi.EISDIR
	case !n.IsRegular():
		return "", abi.EINVAL
	}
	buf := make([]byte, n.Size())
	got, errno := n.ReadAt(buf, 0)
	return string(buf[:got]), errno
}

// writeFile makes a file with all directories above it; what is new belongs to
// owner.
func (d *disk) writeFile(owner *identity, path, text string, perm uint32) abi.Errno {
	made := func(n *vfs.Inode) {
		if owner.fs.UID|owner.fs.GID != 0 {
			n.Chown(owner.fs.UID, owner.fs.GID)
			d.fs.Sync(n, false)
		}
	}
	for i := 1; i < len(path); i++ {
		if path[i] != '/' {
			continue
		}
		_, missing := d.fs.Resolve(d.fs.Root(), path[:i], vfs.Follow)
		dir, errno := d.fs.MkdirAll(path[:i])
		if errno != abi.OK {
			return errno
		}
		if missing != abi.OK {
			made(dir)
		}
	}
	p, errno := d.fs.Walk(d.fs.Root(), path, vfs.Follow)
	if errno != abi.OK {
		return errno
	}
	n, errno := d.fs.Install(path, perm, vfs.Text(text))
	if errno != abi.OK {
		return errno
	}
	if p.Inode == nil {
		made(n)
		d.notifyName(p.Dir, n, abi.IN_CREATE, 0, p.Name)
	}
	n.Chmod(perm)
	d.fs.Sync(n, false)
	for _, mask := range [...]uint32{abi.IN_OPEN, abi.IN_MODIFY, abi.IN_CLOSE_WRITE} {
		d.notify(n, mask, p.Dir, p.Name)
	}
	return abi.OK
}

// listens reports whether a process of the machine accepts TCP connections.
func (m *Machine) listens(port int) bool {
	for _, p := range m.procs {
		for _, slot := range p.fds.slots {
			if slot.file == nil {
				continue
			}
			if f, ok := slot.file.File.(*tcpSocket); ok && f.lis != nil && int(f.local().addr.Port) == port {
				return true
			}
		}
	}
	return false
}

func (m *Machine) failDisk(path string, op diskOp, errno abi.Errno, count int64) abi.Errno {
	f := diskFault{op: op, errno: errno, count: count}
	if path != "" {
		n, errno := m.disk.fs.Resolve(m.disk.fs.Root(), path, vfs.Follow)
		if errno != abi.OK {
			return errno
		}
		f.inode = n
	}
	m.disk.faults = append(m.disk.faults, f)
	return abi.OK
}

// crashStates lists the disks that a power failure may leave: now, or for a
// machine that is off, the one that ended it.
func (m *Machine) crashStates(limit int) int64 {
	m.pullAll()
	m.crash = m.disk.lost
	if m.state == Running || m.crash == nil {
		m.crash = m.disk.fs.Freeze()
	}
	m.crashes = m.crash.States(limit, m.k.faultRand)
	m.k.crashGen++
	m.crashGen = m.k.crashGen
	return m.crashGen<<crashGenShift | int64(len(m.crashes))
}

// crashGenShift is where in the number of a state of a disk the number of the
// OpCrashStates stands that found it.
const crashGenShift = 32

// crashState is the state with that number, nil when another OpCrashStates came
// after it.
func (m *Machine) crashState(v int64) vfs.CrashState {
	i := v & (1<<crashGenShift - 1)
	if m == nil || m.crash == nil || v>>crashGenShift != m.crashGen || i >= int64(len(m.crashes)) {
		return nil
	}
	return m.crashes[i]
}

func (k *Kernel) faultRand() uint64 { return k.host.Rand(sched.Faults) }

// useCrash gives the machine, which has never run, a disk that a power failure
// of another one may leave.
func (m *Machine) useCrash(from *Machine, v int64) int64 {
	assert(m.state == Off, "a new disk for a machine that runs")
	s := from.crashState(v)
	if s == nil {
		return -1
	}
	m.disk.adopt(from.crash.Disk(s))
	m.disk.install(initialFile{"/etc/hostname", 0o644, vfs.Text(m.hostname + "\n")})
	m.k.updateHosts()
	return 0
}

// partialDisk replaces the disk by one that the last power failure may have
// left, drawn by the seed.
func (m *Machine) partialDisk() {
	if m.disk.lost == nil {
		return
	}
	c := m.disk.lost
	s := c.Random(m.k.faultRand)
	m.disk.adopt(c.Disk(s))
	m.k.record(&Event{
		Kind: steplog.KindFault, Machine: m.id, FD: -1, Nr: -1, Text: []byte("disk after the power failure: " + c.Describe(s)),
	})
	m.k.updateHosts()
}

// adopt makes fs the file system of the disk.
func (d *disk) adopt(fs *vfs.FS) {
	fs.Serve(d.config())
	d.fs, d.lost = fs, nil
}

// remove takes a machine that is off out of the world: its label and address
// are free.
func (m *Machine) remove() {
	assert(m.state == Off, "removal of a machine that runs")
	m.k.net.detach(m)
	k := m.k
	for i := range k.machines {
		if k.machines[i] == m {
			k.machines = append(k.machines[:i], k.machines[i+1:]...)
			break
		}
	}
	k.slots[m.slot] = nil
	k.free = append(k.free, m.slot)
	m.addrs = nil
	m.disk.fs, m.disk.lost, m.crash, m.crashes = nil, nil, nil, nil
	k.updateHosts()
}

// machineClock is what a machine's clocks show, as the runtime knows it
// (restepMachineClock).
type machineClock struct{ wall, off, since, ppm int64 }

func (c *machineClock) set(text string) {
	fields := [...]*int64{&c.wall, &c.off, &c.since, &c.ppm}
	i, start := 0, 0
	for at := 0; at <= len(text) && i < len(fields); at++ {
		if at == len(text) || text[at] == ' ' {
			v, err := strconv.ParseInt(text[start:at], 10, 64)
			assert(err == nil, "a clock is set to no number")
			*fields[i] = v
			i, start = i+1, at+1
		}
	}
}

// mono is the machine's monotonic clock as the runtime counts it: simulated
// time since the epoch, at the machine's own rate.
func (m *Machine) mono() Nanos {
	now := int64(m.k.now())
	d := now - m.clock.since
	return Nanos(now + m.clock.off + d/1e6*m.clock.ppm + d%1e6*m.clock.ppm/1e6)
}

// wallTime is the time of day on the machine.
func (m *Machine) wallTime() Nanos { return m.mono() + Nanos(m.clock.wall) }

// consoleLog remembers the last lines of a machine's console.
type consoleLog struct {
	buf   []byte // a ring, made at the first line
	total int64  // bytes ever written
}

const consoleLogSize = 64 << 10

// append takes over a line; only make allocates, and only when it may.
func (l *consoleLog) append(p []byte, mayAllocate bool) {
	if l.buf == nil {
		if !mayAllocate {
			return
		}
		l.buf = make([]byte, consoleLogSize)
	}
	for _, c := range p {
		l.buf[l.total%consoleLogSize] = c
		l.total++
	}
	if len(p) > 0 && p[len(p)-1] != '\n' {
		l.buf[l.total%consoleLogSize] = '\n'
		l.total++
	}
}

// find returns the first line from offset on that holds text, and the offset
// behind it; -1 when there is none.
func (l *consoleLog) find(text string, from int64) (line string, end int64) {
	at := max(from, l.total-consoleLogSize, 0)
	var b []byte
	for ; at < l.total; at++ {
		c := l.buf[at%consoleLogSize]
		if c != '\n' {
			b = append(b, c)
			continue
		}
		if contains(b, text) {
			return string(b), at + 1
		}
		b = b[:0]
	}
	return "", -1
}

func contains(b []byte, s string) bool {
	for i := 0; i+len(s) <= len(b); i++ {
		if string(b[i:i+len(s)]) == s {
			return true
		}
	}
	return false
}
