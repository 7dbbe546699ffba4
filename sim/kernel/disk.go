package kernel

import (
	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/kernel/vfs"
)

// disk is what a machine stores: it outlives processes and, as far as it was
// synced, power failures.
type disk struct {
	m  *Machine
	fs *vfs.FS
	// lastFile numbers the open file descriptions, which own locks.
	lastFile uint64
	// fifos are the named pipes that are open.
	fifos []namedPipe
	// notifiers are the inotify instances of the machine, lastMove the newest
	// cookie of a rename.
	notifiers []*notifier
	lastMove  uint32
	// faults are what the test made the disk fail at.
	faults []diskFault
	// lost is what the last power failure may have left.
	lost *vfs.Crash
}

// Device numbers as stat(2) tells them (abi.Makedev): 8:1 is the disk, 0:13
// the pipes; major 1 are the memory devices (drivers/char/mem.c).
const (
	diskDev      = 8<<8 | 1
	pipeDev      = 13
	memMajor     = 1
	minorNull    = 3
	minorZero    = 5
	minorFull    = 7
	minorRandom  = 8
	minorURandom = 9
)

// initialFile is a file of every new machine.
type initialFile struct {
	path string
	perm uint32
	text vfs.Text
}

// initialFiles are those that do not differ between machines. The name server
// is the machine's own (net_dns.go).
var initialFiles = []initialFile{
	{"/etc/hosts", 0o644, "127.0.0.1 localhost\n"},
	{"/etc/resolv.conf", 0o644, "nameserver 127.0.0.53\noptions edns0 trust-ad\n"},
	{"/etc/nsswitch.conf", 0o644, "passwd: files\ngroup: files\nhosts: files dns\n"},
	{"/etc/passwd", 0o644, "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"},
	{"/etc/group", 0o644, "root:x:0:\nnogroup:x:65534:\n"},
	{"/etc/services", 0o644, services},
	{"/proc/sys/net/core/somaxconn", 0o644, "4096\n"},
	{"/proc/sys/fs/pipe-max-size", 0o644, "1048576\n"},
	{"/proc/sys/kernel/ostype", 0o444, "Linux\n"},
	{"/proc/sys/kernel/osrelease", 0o444, "6.12.0\n"},
}

// services are names of ports, services(5).
const services = "ssh 22/tcp\nsmtp 25/tcp\ndomain 53/tcp\ndomain 53/udp\nhttp 80/tcp\npop3 110/tcp\nntp 123/udp\n" +
	"imap2 143/tcp\nsnmp 161/udp\nldap 389/tcp\nhttps 443/tcp\nsyslog 514/udp\npostgresql 5432/tcp\n"

var initialDirs = []struct {
	path string
	perm uint32
}{
	{"/tmp", 0o1777}, {"/var/tmp", 0o1777}, {"/root", 0o700}, {"/home", 0o755},
	{"/etc", 0o755}, {"/dev", 0o755}, {procSelf, 0o555}, {procSelf + "/net", 0o555},
	{"/proc/sys/net/core", 0o555}, {"/proc/sys/fs", 0o555}, {"/proc/sys/kernel", 0o555}, {"/usr/bin", 0o755},
}

var initialDevices = []struct {
	path  string
	minor uint32
}{
	{"/dev/null", minorNull}, {"/dev/zero", minorZero}, {"/dev/full", minorFull},
	{"/dev/random", minorRandom}, {"/dev/urandom", minorURandom},
}

// newDisk makes the disk of a new machine with its initial tree.
func newDisk(m *Machine) *disk {
	d := &disk{m: m}
	d.fs = vfs.New(d.config())
	for _, dir := range initialDirs {
		n, errno := d.fs.MkdirAll(dir.path)
		assert(errno == abi.OK, "cannot make "+dir.path)
		n.Chmod(dir.perm)
	}
	for _, f := range initialFiles {
		d.install(f)
	}
	d.install(initialFile{"/etc/hostname", 0o644, vfs.Text(m.hostname + "\n")})
	for _, dev := range initialDevices {
		p := d.place(dev.path)
		_, errno := d.fs.Mknod(p, abi.S_IFCHR|0o666, abi.Makedev(memMajor, dev.minor))
		assert(errno == abi.OK, "cannot make "+dev.path)
	}
	d.makeProc()
	errno := d.fs.Mount()
	assert(errno == abi.OK, "cannot show the real directories")
	if m.id == Main && m.k.cwd != "" {
		_, errno := d.fs.MkdirAll(m.k.cwd)
		assert(errno == abi.OK, "cannot make the working directory "+m.k.cwd)
	}
	d.fs.Seal()
	return d
}

func (d *disk) config() vfs.Config {
	m := d.m
	cfg := vfs.Config{Now: func() int64 { return int64(m.wallTime()) }, Wake: m.k.host.Ready}
	if m.id == Main {
		cfg.Lower = m.k.host.Under
	}
	return cfg
}

func (d *disk) install(f initialFile) {
	_, errno := d.fs.Install(f.path, f.perm, f.text)
	assert(errno == abi.OK, "cannot make "+f.path)
}

func (d *disk) place(path string) vfs.Place {
	p, errno := d.fs.Walk(d.fs.Root(), path, 0)
	assert(errno == abi.OK && p.Inode == nil, "no place for "+path)
	return p
}

// powerOff loses everything that was not synced.
func (d *disk) powerOff() {
	d.fifos, d.lost, d.notifiers = nil, nil, nil
	if d.fs.Pending() {
		d.lost = d.fs.Freeze()
	}
	d.fs.PowerOff()
}

// processEnded has nothing left to do: closing its descriptors has released
// the locks of the process, and the page cache stays.
func (d *disk) processEnded(*Process) {}

// nextFile numbers a new open file description.
func (d *disk) nextFile() uint64 {
	d.lastFile++
	return d.lastFile
}

// fillStat puts what is known of an inode into a struct stat.
func fillStat(st *abi.Stat, in *vfs.Info) {
	*st = abi.Stat{
		Dev: diskDev, Ino: in.Ino, Nlink: abi.LinkCount(in.Nlink), Mode: in.Mode, UID: in.UID, GID: in.GID,
		Rdev: in.Rdev, Size: in.Size, Blksize: 4096, Blocks: in.Blocks,
		Atim: abi.TimespecOf(in.Atime), Mtim: abi.TimespecOf(in.Mtime), Ctim: abi.TimespecOf(in.Ctime),
	}
}

// fillStatx does the same for struct statx.
func fillStatx(sx *abi.Statx, st *abi.Stat, btime int64) {
	*sx = abi.Statx{
		Mask: abi.STATX_BASIC, Blksize: uint32(st.Blksize), Nlink: uint32(st.Nlink),
		UID: st.UID, GID: st.GID, Mode: uint16(st.Mode), Ino: st.Ino, Size: uint64(st.Size),
		Blocks: uint64(st.Blocks), Atime: statxTime(st.Atim), Ctime: statxTime(st.Ctim),
		Mtime: statxTime(st.Mtim), RdevMajor: abi.Major(st.Rdev), RdevMinor: abi.Minor(st.Rdev),
		DevMajor: abi.Major(st.Dev), DevMinor: abi.Minor(st.Dev), MntID: 1,
	}
	if btime != 0 {
		sx.Mask |= abi.STATX_BTIME
		sx.Btime = statxTime(abi.TimespecOf(btime))
	}
}

func statxTime(t abi.Timespec) abi.StatxTime {
	return abi.StatxTime{Sec: t.Sec, Nsec: uint32(t.Nsec)}
}
