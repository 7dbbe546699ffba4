package kernel

import (
	"slices"
	"strconv"
	"strings"

	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/kernel/vfs"
)

// identityEntries are the calls about the user and the groups of the process.
var identityEntries = []Entry{
	{Nr: abi.SYS_GETUID, Name: "getuid", Support: Full, fn: sysGetuid, quiet: true},
	{Nr: abi.SYS_GETEUID, Name: "geteuid", Support: Full, fn: sysGeteuid, quiet: true},
	{Nr: abi.SYS_GETGID, Name: "getgid", Support: Full, fn: sysGetgid, quiet: true},
	{Nr: abi.SYS_GETEGID, Name: "getegid", Support: Full, fn: sysGetegid, quiet: true},
	{Nr: abi.SYS_GETRESUID, Name: "getresuid", Support: Full, fn: sysGetresuid, quiet: true},
	{Nr: abi.SYS_GETRESGID, Name: "getresgid", Support: Full, fn: sysGetresgid, quiet: true},
	{Nr: abi.SYS_GETGROUPS, Name: "getgroups", Support: Full, fn: sysGetgroups, quiet: true},
	{Nr: abi.SYS_SETUID, Name: "setuid", Support: Full, fn: sysSetuid, sig: "n"},
	{Nr: abi.SYS_SETGID, Name: "setgid", Support: Full, fn: sysSetgid, sig: "n"},
	{Nr: abi.SYS_SETREUID, Name: "setreuid", Support: Full, fn: sysSetreuid, sig: "nn"},
	{Nr: abi.SYS_SETREGID, Name: "setregid", Support: Full, fn: sysSetregid, sig: "nn"},
	{Nr: abi.SYS_SETRESUID, Name: "setresuid", Support: Full, fn: sysSetresuid, sig: "nnn"},
	{Nr: abi.SYS_SETRESGID, Name: "setresgid", Support: Full, fn: sysSetresgid, sig: "nnn"},
	{Nr: abi.SYS_SETFSUID, Name: "setfsuid", Support: Full, fn: sysSetfsuid, sig: "n"},
	{Nr: abi.SYS_SETFSGID, Name: "setfsgid", Support: Full, fn: sysSetfsgid, sig: "n"},
	{Nr: abi.SYS_SETGROUPS, Name: "setgroups", Support: Full, fn: sysSetgroups, sig: "n"},
}

// ids are the three ids of a process of one kind (credentials(7)).
type ids struct{ real, effective, saved uint32 }

func (i *ids) has(id uint32) bool { return id == i.real || id == i.effective || id == i.saved }

// identity is who a process is. Capabilities are not simulated but in one
// respect: the effective user 0 has them all, others none.
type identity struct {
	uid, gid ids
	// fs is who it is to files: the effective ids, unless setfsuid(2) was
	// called. The groups are never changed in place, for children share them.
	fs vfs.Cred
	// keepCaps and noNewPrivs are flags of prctl(2) that change nothing here: no
	// file gives privileges, and those kept would have to be raised by capset(2).
	keepCaps, noNewPrivs bool
}

// noID in an argument leaves an id alone.
const noID = ^uint32(0)

// user is a fresh identity.
func user(uid, gid uint32) identity {
	return identity{uid: ids{uid, uid, uid}, gid: ids{gid, gid, gid}, fs: vfs.Cred{UID: uid, GID: gid}}
}

// privileged reports whether the process has the capabilities of root.
func (id *identity) privileged() bool { return id.uid.effective == 0 }

// maySignal is kernel/signal.c:kill_ok_by_cred.
func (id *identity) maySignal(to *identity) bool {
	e, r := id.uid.effective, id.uid.real
	return id.privileged() || e == to.uid.saved || e == to.uid.real || r == to.uid.saved || r == to.uid.real
}

// asReal calls f while the process accesses files with its real ids, as
// access(2) does.
func (id *identity) asReal(f func() (uintptr, abi.Errno)) (uintptr, abi.Errno) {
	was := id.fs
	id.fs.UID, id.fs.GID = id.uid.real, id.gid.real
	r, errno := f()
	id.fs = was
	return r, errno
}

// set changes ids as kernel/sys.c:__sys_setuid does (one is given), and
// __sys_setreuid (two) and __sys_setresuid (three).
func (i *ids) set(privileged bool, v ...uint32) abi.Errno {
	allowed := func(id uint32) bool { return id == noID || privileged || i.has(id) }
	switch {
	case len(v) == 1:
		switch id := v[0]; {
		case id == noID:
			return abi.EINVAL
		case privileged:
			*i = ids{id, id, id}
		case id == i.real || id == i.saved:
			i.effective = id
		default:
			return abi.EPERM
		}
		return abi.OK
	case len(v) == 2:
		if !allowed(v[1]) || v[0] != noID && !privileged && v[0] != i.real && v[0] != i.effective {
			return abi.EPERM
		}
		old := i.real
		i.take(v[0], v[1], noID)
		if v[0] != noID || v[1] != noID && v[1] != old {
			i.saved = i.effective
		}
		return abi.OK
	}
	if !allowed(v[0]) || !allowed(v[1]) || !allowed(v[2]) {
		return abi.EPERM
	}
	i.take(v[0], v[1], v[2])
	return abi.OK
}

func (i *ids) take(real, effective, saved uint32) {
	for _, c := range [...]struct {
		to *uint32
		id uint32
	}{{&i.real, real}, {&i.effective, effective}, {&i.saved, saved}} {
		if c.id != noID {
			*c.to = c.id
		}
	}
}

func (t *Task) setUID(v ...uint32) (uintptr, abi.Errno) {
	id := &t.proc.who
	errno := id.uid.set(id.privileged(), v...)
	if errno == abi.OK {
		id.fs.UID = id.uid.effective
	}
	return 0, errno
}

func (t *Task) setGID(v ...uint32) (uintptr, abi.Errno) {
	id := &t.proc.who
	errno := id.gid.set(id.privileged(), v...)
	if errno == abi.OK {
		id.fs.GID = id.gid.effective
	}
	return 0, errno
}

func sysGetuid(t *Task, _ *Args) (uintptr, abi.Errno) { return uintptr(t.proc.who.uid.real), abi.OK }
func sysGeteuid(t *Task, _ *Args) (uintptr, abi.Errno) {
	return uintptr(t.proc.who.uid.effective), abi.OK
}
func sysGetgid(t *Task, _ *Args) (uintptr, abi.Errno) { return uintptr(t.proc.who.gid.real), abi.OK }
func sysGetegid(t *Task, _ *Args) (uintptr, abi.Errno) {
	return uintptr(t.proc.who.gid.effective), abi.OK
}

func sysGetresuid(t *Task, a *Args) (uintptr, abi.Errno) { return putIDs(&t.proc.who.uid, a) }
func sysGetresgid(t *Task, a *Args) (uintptr, abi.Errno) { return putIDs(&t.proc.who.gid, a) }

func putIDs(i *ids, a *Args) (uintptr, abi.Errno) {
	for n, id := range [...]uint32{i.real, i.effective, i.saved} {
		if errno := put32(a[n], int32(id)); errno != abi.OK {
			return 0, errno
		}
	}
	return 0, abi.OK
}

func sysSetuid(t *Task, a *Args) (uintptr, abi.Errno) { return t.setUID(uint32(a[0])) }
func sysSetgid(t *Task, a *Args) (uintptr, abi.Errno) { return t.setGID(uint32(a[0])) }
func sysSetreuid(t *Task, a *Args) (uintptr, abi.Errno) {
	return t.setUID(uint32(a[0]), uint32(a[1]))
}
func sysSetregid(t *Task, a *Args) (uintptr, abi.Errno) {
	return t.setGID(uint32(a[0]), uint32(a[1]))
}
func sysSetresuid(t *Task, a *Args) (uintptr, abi.Errno) {
	return t.setUID(uint32(a[0]), uint32(a[1]), uint32(a[2]))
}
func sysSetresgid(t *Task, a *Args) (uintptr, abi.Errno) {
	return t.setGID(uint32(a[0]), uint32(a[1]), uint32(a[2]))
}

// sysSetfsuid and sysSetfsgid answer the id from before, whether or not it was
// changed (setfsuid(2)).
func sysSetfsuid(t *Task, a *Args) (uintptr, abi.Errno) {
	id := &t.proc.who
	return uintptr(id.setFS(&id.fs.UID, &id.uid, uint32(a[0]))), abi.OK
}

func sysSetfsgid(t *Task, a *Args) (uintptr, abi.Errno) {
	id := &t.proc.who
	return uintptr(id.setFS(&id.fs.GID, &id.gid, uint32(a[0]))), abi.OK
}

func (id *identity) setFS(fs *uint32, of *ids, v uint32) (old uint32) {
	old = *fs
	if v != noID && (v == old || of.has(v) || id.privileged()) {
		*fs = v
	}
	return old
}

// maxGroups is NGROUPS_MAX.
const maxGroups = 65536

// sysGetgroups implements getgroups(2).
func sysGetgroups(t *Task, a *Args) (uintptr, abi.Errno) {
	groups := t.proc.who.fs.Groups
	size := int32(a[0])
	switch {
	case size < 0, size != 0 && int(size) < len(groups):
		return 0, abi.EINVAL
	case size == 0:
		return uintptr(len(groups)), abi.OK
	}
	b, errno := mem(a[1], uintptr(4*len(groups)))
	if errno != abi.OK {
		return 0, errno
	}
	for i, g := range groups {
		putInt32(b[4*i:], int32(g))
	}
	return uintptr(len(groups)), abi.OK
}

// sysSetgroups implements setgroups(2), for root.
func sysSetgroups(t *Task, a *Args) (uintptr, abi.Errno) {
	switch {
	case !t.proc.who.privileged():
		return 0, abi.EPERM
	case uint32(a[0]) > maxGroups:
		return 0, abi.EINVAL
	}
	b, errno := mem(a[1], uintptr(4*uint32(a[0])))
	if errno != abi.OK {
		return 0, errno
	}
	groups := make([]uint32, uint32(a[0]))
	for i := range groups {
		if groups[i] = uint32(int32At(b[4*i:])); groups[i] == noID {
			return 0, abi.EINVAL
		}
	}
	slices.Sort(groups) // kernel/groups.c:groups_sort
	t.proc.who.fs.Groups = groups
	return 0, abi.OK
}

// text is the line of /proc/pid/status about these ids and the one for files.
func (i *ids) text(fs uint32) string {
	b := []byte(nil)
	for _, id := range [...]uint32{i.real, i.effective, i.saved, fs} {
		b = strconv.AppendUint(append(b, '\t'), uint64(id), 10)
	}
	return string(b)
}

// groups is the line about supplementary groups, each with a blank behind it.
func (id *identity) groups() string {
	b := []byte(nil)
	for _, g := range id.fs.Groups {
		b = append(strconv.AppendUint(b, uint64(g), 10), ' ')
	}
	return string(b)
}

// setUser makes a user of /etc/passwd, or numbers, the one that the machine's
// first process is from the next boot on. The answer is an error text.
func (m *Machine) setUser(spec string) string {
	u, g, both := strings.Cut(spec, ":")
	uid, err := strconv.ParseUint(u, 10, 32)
	gid := uint64(0)
	if err == nil && both {
		gid, err = strconv.ParseUint(g, 10, 32)
	}
	if err == nil && uid != uint64(noID) && gid != uint64(noID) {
		m.user = user(uint32(uid), uint32(gid))
		return ""
	}
	text, _ := m.disk.readFile("/etc/passwd")
	for text != "" {
		var line string
		line, text, _ = strings.Cut(text, "\n")
		f := strings.Split(line, ":")
		if len(f) < 4 || f[0] != spec || spec == "" {
			continue
		}
		uid, err1 := strconv.ParseUint(f[2], 10, 32)
		gid, err2 := strconv.ParseUint(f[3], 10, 32)
		if err1 == nil && err2 == nil {
			m.user = user(uint32(uid), uint32(gid))
			return ""
		}
	}
	return strconv.Quote(spec) + " is neither a name in /etc/passwd of the machine nor \"uid\" or \"uid:gid\""
}
