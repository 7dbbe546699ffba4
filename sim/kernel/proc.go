package kernel

import (
	"strconv"

	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/kernel/vfs"
)

// The part of proc(5) that programs ask for to find out about themselves and
// the machine. /proc/self is whoever makes the call.

// procSelf is the directory behind /proc/self, which is a link to the process's
// number, which is one to this; listings leave it out.
const procSelf = "/proc/.self"

// procText is a file of /proc that a function makes.
type procText struct {
	path string
	text func(k *Kernel, p *Process) string
}

var procTexts = [...]procText{
	{procSelf + "/cmdline", procCmdline},
	{procSelf + "/environ", func(_ *Kernel, p *Process) string { return joinNUL(p.environment()) }},
	{procSelf + "/status", procStatus},
	{procSelf + "/stat", procStat},
	{procSelf + "/maps", procMaps},
	{procSelf + "/comm", func(_ *Kernel, p *Process) string { return p.comm() + "\n" }},
	{procSelf + "/limits", procLimits},
	{procSelf + "/cgroup", func(*Kernel, *Process) string { return "0::/\n" }},
	{procSelf + "/mountinfo", func(*Kernel, *Process) string {
		return "1 1 8:1 / / rw,noatime shared:1 - ext4 /dev/sda1 rw\n"
	}},
	{procSelf + "/mounts", func(*Kernel, *Process) string { return "/dev/sda1 / ext4 rw,noatime 0 0\n" }},
	{"/proc/uptime", procUptime},
	{"/proc/meminfo", func(*Kernel, *Process) string {
		return "MemTotal:       16777216 kB\nMemFree:        12582912 kB\nMemAvailable:   12582912 kB\n"
	}},
	{"/proc/loadavg", func(*Kernel, *Process) string { return "0.00 0.00 0.00 1/1 1\n" }},
}

// procLinks are the symbolic links of /proc/self.
var procLinks = [...]procText{
	{procSelf + "/exe", func(_ *Kernel, p *Process) string { return p.exe() }},
	{procSelf + "/cwd", func(k *Kernel, p *Process) string {
		t := Task{k: k, m: p.m, proc: p}
		path, _ := t.cwd().Path()
		return path
	}},
	{procSelf + "/root", func(*Kernel, *Process) string { return "/" }},
}

// makeProc puts /proc onto a new disk.
func (d *disk) makeProc() {
	k := d.m.k
	for _, f := range append(procTexts[:], procNetTexts[:]...) {
		n, errno := d.fs.Install(f.path, 0o444, "")
		assert(errno == abi.OK, "cannot make "+f.path)
		n.Generate(d.textOf(k, f.text))
	}
	self := procText{"/proc/self", func(_ *Kernel, p *Process) string { return strconv.Itoa(p.pid) }}
	for _, f := range append(procLinks[:], self) {
		n, errno := d.fs.Symlink(d.place(f.path), "/")
		assert(errno == abi.OK, "cannot make "+f.path)
		n.Generate(d.textOf(k, f.text))
	}
	_, errno := d.fs.Symlink(d.place("/proc/net"), "self/net")
	assert(errno == abi.OK, "cannot make /proc/net")
	fds, errno := d.fs.MkdirAll(procSelf + "/fd")
	assert(errno == abi.OK, "cannot make the directory of descriptors")
	fds.SetLinks(fdLinks{k})
	proc, errno := d.fs.MkdirAll("/proc")
	assert(errno == abi.OK, "cannot make /proc")
	proc.SetLinks(pidLinks{k})
}

func (d *disk) textOf(k *Kernel, text func(*Kernel, *Process) string) func() string {
	return func() string {
		if k.caller == nil {
			return "" // nobody's call: the test looks from outside
		}
		return text(k, k.caller)
	}
}

// pidLinks are the names of processes in /proc.
type pidLinks struct{ k *Kernel }

func (l pidLinks) Names() []string {
	if l.k.caller == nil {
		return nil
	}
	return []string{strconv.Itoa(l.k.caller.pid)}
}

func (l pidLinks) Target(name string) (string, bool) {
	return procSelf, l.k.caller != nil && name == strconv.Itoa(l.k.caller.pid)
}

// fdLinks are the names in /proc/self/fd.
type fdLinks struct{ k *Kernel }

func (l fdLinks) Names() (names []string) {
	if l.k.caller == nil {
		return nil
	}
	for fd, slot := range l.k.caller.fds.slots {
		if slot.file != nil {
			names = append(names, strconv.Itoa(fd))
		}
	}
	return names
}

func (l fdLinks) Target(name string) (string, bool) {
	fd, err := strconv.Atoi(name)
	if err != nil || l.k.caller == nil {
		return "", false
	}
	f, errno := l.k.caller.fds.get(fd)
	if errno != abi.OK {
		return "", false
	}
	return pathOf(f), true
}

// pathOf is what /proc/self/fd shows of a file.
func pathOf(f File) string {
	if d := onDisk(f); d != nil && d.dir != nil {
		if d.name == "" {
			path, _ := d.dir.Path()
			return path
		}
		path, _ := d.dir.Path()
		if path == "/" {
			path = ""
		}
		if !d.inode.Linked() {
			return path + "/" + d.name + " (deleted)"
		}
		return path + "/" + d.name
	}
	var st abi.Stat
	f.Stat(nil, &st)
	kind := "anon_inode:"
	switch st.Mode & abi.S_IFMT {
	case abi.S_IFIFO:
		kind = "pipe:"
	case abi.S_IFSOCK:
		kind = "socket:"
	case abi.S_IFCHR:
		return "/dev/null"
	}
	return kind + "[" + strconv.FormatUint(st.Ino, 10) + "]"
}

// exe is the program that the process runs.
func (p *Process) exe() string {
	if p.path != "" {
		return p.path
	}
	if len(p.m.args) > 0 && len(p.m.args[0]) > 0 && p.m.args[0][0] == '/' {
		return p.m.args[0]
	}
	return "/usr/bin/" + p.m.label
}

// comm is the name of the process: the last part of its program's path, at most
// 15 bytes.
func (p *Process) comm() string {
	exe := p.exe()
	for i := len(exe) - 1; i >= 0; i-- {
		if exe[i] == '/' {
			exe = exe[i+1:]
			break
		}
	}
	return exe[:min(len(exe), 15)]
}

func joinNUL(list []string) string {
	var b []byte
	for _, s := range list {
		b = append(append(b, s...), 0)
	}
	return string(b)
}

func procCmdline(_ *Kernel, p *Process) string {
	args := p.arguments()
	if len(args) == 0 {
		return p.exe() + "\x00"
	}
	return joinNUL(args)
}

func procStatus(_ *Kernel, p *Process) string {
	pid, ppid := strconv.Itoa(p.pid), p.ppid()
	umask := "0" + strconv.FormatUint(uint64(p.umask), 8)
	text := "Name:\t" + p.comm() + "\nUmask:\t" + umask + "\nState:\tR (running)\nTgid:\t" + pid + "\nNgid:\t0\nPid:\t" + pid
	text += "\nPPid:\t" + ppid + "\nTracerPid:\t0\nUid:" + p.who.uid.text(p.who.fs.UID) + "\nGid:" + p.who.gid.text(p.who.fs.GID)
	text += "\nFDSize:\t" + strconv.Itoa(max(64, len(p.fds.slots))) + "\nGroups:\t" + p.who.groups()
	text += "\nVmPeak:\t  131072 kB\nVmSize:\t  131072 kB\nVmRSS:\t   16384 kB\nThreads:\t1\nSigIgn:\t" + hex16(p.ignored)
	return text + "\nSigCgt:\t" + hex16(p.handled) + "\nCpus_allowed:\tf\n"
}

func (p *Process) ppid() string {
	if p.parent == nil {
		return "1"
	}
	return strconv.Itoa(p.parent.pid)
}

func hex16(v uint64) string {
	s := strconv.FormatUint(v, 16)
	return "0000000000000000"[len(s):] + s
}

func procStat(_ *Kernel, p *Process) string {
	pid, pgid, sid := strconv.Itoa(p.pid), strconv.Itoa(p.pgid), strconv.Itoa(p.sid)
	return pid + " (" + p.comm() + ") R " + p.ppid() + " " + pgid + " " + sid + " 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 0 134217728 4096\n"
}

// procMaps shows the mappings that mmap(2) made.
func procMaps(k *Kernel, p *Process) string {
	b := append([]byte("00400000-00800000 r-xp 00000000 08:01 1 "), p.exe()...)
	b = append(b, '\n')
	for _, mp := range k.maps {
		if mp.p != p {
			continue
		}
		b = append(strconv.AppendUint(b, uint64(mp.start), 16), '-')
		b = append(strconv.AppendUint(b, uint64(mp.end), 16), ' ')
		for i, c := range [...]byte{'r', 'w', 'x'} {
			if mp.prot>>i&1 == 0 {
				c = '-'
			}
			b = append(b, c)
		}
		if mp.shared {
			b = append(b, "s "...)
		} else {
			b = append(b, "p "...)
		}
		off := strconv.FormatUint(uint64(mp.off), 16)
		b = append(b, "00000000"[min(8, len(off)):]...)
		b = append(b, off...)
		if mp.inode == nil {
			b = append(b, " 00:00 0\n"...)
			continue
		}
		b = strconv.AppendUint(append(b, " 08:01 "...), mp.inode.Ino(), 10)
		b = append(append(append(b, ' '), mp.path...), '\n')
	}
	return string(b)
}

func procLimits(_ *Kernel, p *Process) string {
	n := strconv.Itoa(p.fds.limit)
	return "Limit                     Soft Limit           Hard Limit           Units     \n" +
		"Max open files            " + pad(n, 21) + pad(n, 21) + "files     \n"
}

func pad(s string, n int) string {
	for len(s) < n {
		s += " "
	}
	return s
}

func procUptime(k *Kernel, p *Process) string {
	ms := int64(p.m.mono()-k.start) / 1e6
	s := strconv.FormatInt(ms/1000, 10) + "." + strconv.FormatInt(ms%1000/10+100, 10)[1:]
	return s + " " + s + "\n"
}

// openGenerated opens a virtual file: what it says at this moment.
func openGenerated(d *disk, n *vfs.Inode, flags uint32) (File, bool) {
	text, ok := n.Generated()
	if !ok {
		return nil, false
	}
	return &textFile{diskFile: *newDiskFile(d, n, flags), text: text}, true
}

// textFile is an open virtual file.
type textFile struct {
	diskFile
	text string
}

func (f *textFile) Read(t *Task, p []byte) (int, abi.Errno) {
	n, errno := f.Pread(t, p, f.pos)
	f.pos += int64(n)
	return n, errno
}

func (f *textFile) Pread(_ *Task, p []byte, off int64) (int, abi.Errno) {
	switch {
	case !f.readable():
		return 0, abi.EBADF
	case off < 0:
		return 0, abi.EINVAL
	case off >= int64(len(f.text)):
		return 0, abi.OK
	}
	return copy(p, f.text[off:]), abi.OK
}

func (f *textFile) Write(*Task, []byte) (int, abi.Errno)         { return 0, abi.EACCES }
func (f *textFile) Pwrite(*Task, []byte, int64) (int, abi.Errno) { return 0, abi.EACCES }
