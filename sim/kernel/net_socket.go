package kernel

import (
	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/kernel/socket"
	"github.com/restep/restep/sim/kernel/waitq"
)

// netSocket is what the socket system calls ask of a socket, beyond File.
type netSocket interface {
	File
	base() *socketBase
	bind(t *Task, n *sockName) abi.Errno
	listen(t *Task, backlog int) abi.Errno
	accept(t *Task) (netSocket, abi.Errno)
	connect(t *Task, n *sockName) abi.Errno
	// disconnect is connect(2) with AF_UNSPEC.
	disconnect(t *Task) abi.Errno
	local() sockName
	peer() (sockName, abi.Errno)
	// send answers how many bytes it took.
	send(t *Task, m *outMessage) (int, abi.Errno)
	receive(t *Task, m *inMessage) abi.Errno
	shutdown(how int) abi.Errno
	takeError() abi.Errno
	// bound reports whether the socket has a port.
	bound() bool
	// optionsChanged is called after an option of base() was set.
	optionsChanged()
}

// outMessage is what send(2) and its kin hand to a socket.
type outMessage struct {
	data []byte
	// to is the struct sockaddr that the call gave, nil for none.
	to    []byte
	flags int // MSG_...
	anc   ancillary
}

// inMessage is what recv(2) and its kin want and get.
type inMessage struct {
	buf   []byte
	flags int
	n     int
	total int // length of the message before it was cut to fit buf
	// from is the sender, if named.
	from  sockName
	named bool
	out   int32 // MSG_... flags for the program
	// anc is the ancillary data, if the call can take any (wants).
	anc   ancillary
	wants bool
}

// ancillary is data of cmsg(3) in the kernel's form.
type ancillary struct {
	rights  []*openFile // SCM_RIGHTS: each holds a reference
	cred    abi.Ucred   // SCM_CREDENTIALS
	hasCred bool
	// source is IP_PKTINFO or IPV6_PKTINFO: where a datagram is sent from or
	// was sent to.
	source  socket.IP
	hasInfo bool
	// hasTTL is IP_TTL or IPV6_HOPLIMIT; tos is IP_TOS or IPV6_TCLASS.
	hasTTL, hasTOS bool
	tos            uint8
	// v4 says that a received datagram came over IPv4, hasMapped that its
	// IPv6 socket wants IPV6_PKTINFO of it, too.
	v4, hasMapped bool
	// segment is UDP_SEGMENT: send messages of at most so many bytes.
	segment uint16
}

// socketBase is what all kinds of sockets have.
type socketBase struct {
	fileBase
	stack  *netStack
	poll   waitq.Queue
	family int // AF_...
	kind   int // SOCK_STREAM, SOCK_DGRAM or SOCK_SEQPACKET
	proto  int
	ino    uint64
	opts   socket.Options
	opt    sockOptions
}

func newBase(s *netStack, family, kind, proto int, flags uint32) socketBase {
	return socketBase{
		fileBase: fileBase{flags: abi.O_RDWR | flags}, stack: s, family: family, kind: kind,
		proto: proto, ino: s.net.nextIno(), opts: socket.DefaultOptions(),
	}
}

func (b *socketBase) base() *socketBase { return b }
func (b *socketBase) bound() bool       { return false }

// Stat tells that it is a socket; net/socket.c:sock_alloc.
func (b *socketBase) Stat(_ *Task, st *abi.Stat) abi.Errno {
	*st = abi.Stat{Dev: 8, Ino: b.ino, Nlink: 1, Mode: abi.S_IFSOCK | 0o777, Blksize: 4096}
	return abi.OK
}

// PollClose ends the registration of pd.
func (b *socketBase) PollClose(pd uintptr) { b.poll.Remove(pd) }

// Notify wakes whoever polls the socket: socket.Owner.
func (b *socketBase) Notify(r socket.Ready) {
	b.readyBlocked()
	if b.poll.Empty() {
		return
	}
	if mode := pollMode(r&socket.Readable != 0, r&socket.Writable != 0); mode != 0 {
		b.poll.Wake(mode, b.stack.net.k.host.Wake)
	}
}

func pollMode(read, write bool) Mode {
	var mode Mode
	if read {
		mode += ModeRead
	}
	if write {
		mode += ModeWrite
	}
	return mode
}

// open registers pd and reports the present state.
func (b *socketBase) open(pd uintptr, read, write bool) abi.Errno {
	b.poll.Add(pd)
	if mode := pollMode(read, write); mode != 0 {
		b.stack.net.k.host.Wake(pd, mode)
	}
	return abi.OK
}

// nonblock is ioctl FIONBIO.
func (b *socketBase) nonblock(arg uintptr) (uintptr, abi.Errno) {
	p, errno := mem(arg, 4)
	if errno != abi.OK {
		return 0, errno
	}
	b.flags &^= abi.O_NONBLOCK
	if p[0]|p[1]|p[2]|p[3] != 0 {
		b.flags |= abi.O_NONBLOCK
	}
	return 0, abi.OK
}

// nextIno numbers sockets for fstat(2).
func (n *network) nextIno() uint64 {
	n.inodes++
	return n.inodes
}

// onlyV6 reports whether IPV6_V6ONLY forbids ip.
func (b *socketBase) onlyV6(ip socket.IP) bool {
	return b.family == abi.AF_INET6 && b.opt.v6Only && ip.Is4()
}

// wildcard is the address of a socket that was not bound.
func (b *socketBase) wildcard() socket.IP {
	if b.family == abi.AF_INET {
		return socket.V4(0, 0, 0, 0)
	}
	return socket.IP{}
}
