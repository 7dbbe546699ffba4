package kernel

import (
	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/kernel/socket"
)

// Every machine has two network devices.
const (
	deviceLo  = 1
	deviceEth = 2
)

var deviceNames = [...]string{deviceLo: "lo", deviceEth: "eth0"}

// device is the one that has an address or that leads to it.
func (s *netStack) device(ip socket.IP) int {
	if ip.Loopback() {
		return deviceLo
	}
	return deviceEth
}

// netlinkSocket answers the questions of rtnetlink(7) that list links and
// addresses: what net.Interfaces and its kin ask. Every other request gets
// EOPNOTSUPP. Source: net/core/rtnetlink.c, net/ipv4/devinet.c.
type netlinkSocket struct {
	socketBase
	pid   uint32
	queue [][]byte
}

func newNetlink(t *Task, kind int, flags uint32) *netlinkSocket {
	return &netlinkSocket{socketBase: newBase(t.m.stack, abi.AF_NETLINK, kind, abi.NETLINK_ROUTE, flags)}
}

func (f *netlinkSocket) bind(t *Task, n *sockName) abi.Errno {
	f.pid = n.pid
	f.autobind(t)
	return abi.OK
}

// autobind takes the process's id as port id, netlink(7).
func (f *netlinkSocket) autobind(t *Task) {
	if f.pid == 0 {
		f.pid = uint32(t.proc.pid)
	}
}

func (f *netlinkSocket) listen(*Task, int) abi.Errno              { return abi.EOPNOTSUPP }
func (f *netlinkSocket) accept(*Task) (netSocket, abi.Errno)      { return nil, abi.EOPNOTSUPP }
func (f *netlinkSocket) connect(t *Task, _ *sockName) abi.Errno   { f.autobind(t); return abi.OK }
func (f *netlinkSocket) disconnect(*Task) abi.Errno               { return abi.OK }
func (f *netlinkSocket) local() sockName                          { return sockName{family: abi.AF_NETLINK, pid: f.pid} }
func (f *netlinkSocket) peer() (sockName, abi.Errno)              { return sockName{family: abi.AF_NETLINK}, abi.OK }
func (f *netlinkSocket) shutdown(int) abi.Errno                   { return abi.EOPNOTSUPP }
func (f *netlinkSocket) takeError() abi.Errno                     { return abi.OK }
func (f *netlinkSocket) optionsChanged()                          {}
func (f *netlinkSocket) PollOpen(pd uintptr) abi.Errno            { return f.open(pd, len(f.queue) > 0, true) }
func (f *netlinkSocket) Release(*Task) abi.Errno                  { f.poll.Clear(); f.queue = nil; return abi.OK }
func (f *netlinkSocket) Read(t *Task, p []byte) (int, abi.Errno)  { return readMessage(t, f, p) }
func (f *netlinkSocket) Write(t *Task, p []byte) (int, abi.Errno) { return writeMessage(t, f, p) }

// send takes requests and queues the answers at once.
func (f *netlinkSocket) send(t *Task, m *outMessage) (int, abi.Errno) {
	f.autobind(t)
	for b := m.data; len(b) >= abi.SizeofNlmsghdr; {
		size := int(uint32(int32At(b)))
		if size < abi.SizeofNlmsghdr || size > len(b) {
			break
		}
		f.answer(b[:size])
		b = b[min((size+3)&^3, len(b)):]
	}
	f.Notify(socket.Readable)
	return len(m.data), abi.OK
}

func (f *netlinkSocket) answer(request []byte) {
	kind := int(request[4]) | int(request[5])<<8
	flags := int(request[6]) | int(request[7])<<8
	family := 0
	if len(request) > abi.SizeofNlmsghdr {
		family = int(request[abi.SizeofNlmsghdr])
	}
	w := nlWriter{seq: request[8:12], pid: f.pid}
	switch {
	case kind == abi.RTM_GETLINK && flags&abi.NLM_F_DUMP == abi.NLM_F_DUMP:
		f.stack.links(&w)
	case kind == abi.RTM_GETADDR && flags&abi.NLM_F_DUMP == abi.NLM_F_DUMP:
		f.stack.addresses(&w, family)
	default:
		w.begin(abi.NLMSG_ERROR, 0)
		w.u32(-int32(abi.EOPNOTSUPP))
		w.b = append(w.b, request[:abi.SizeofNlmsghdr]...)
		w.end()
		f.queue = append(f.queue, w.b)
		return
	}
	f.queue = append(f.queue, w.b)
	w.b = nil
	w.begin(abi.NLMSG_DONE, abi.NLM_F_MULTI)
	w.u32(0)
	w.end()
	f.queue = append(f.queue, w.b)
}

func (f *netlinkSocket) receive(_ *Task, m *inMessage) abi.Errno {
	if len(f.queue) == 0 {
		return abi.EAGAIN
	}
	m.n, m.total = copy(m.buf, f.queue[0]), len(f.queue[0])
	m.from, m.named = sockName{family: abi.AF_NETLINK}, true
	if m.flags&abi.MSG_PEEK == 0 {
		f.queue = f.queue[1:]
	}
	return abi.OK
}

// nlWriter writes netlink messages one behind the other.
type nlWriter struct {
	b     []byte
	start int // of the message that is being written
	seq   []byte
	pid   uint32
}

func (w *nlWriter) u32(v int32) { w.b = append(w.b, byte(v), byte(v>>8), byte(v>>16), byte(v>>24)) }

func (w *nlWriter) begin(kind, flags int) {
	w.start = len(w.b)
	w.b = append(w.b, 0, 0, 0, 0, byte(kind), byte(kind>>8), byte(flags), byte(flags>>8))
	w.b = append(w.b, w.seq...)
	w.u32(int32(w.pid))
}

func (w *nlWriter) end() { putInt32(w.b[w.start:], int32(len(w.b)-w.start)) }

// attr writes a struct rtattr.
func (w *nlWriter) attr(kind int, data ...byte) {
	n := 4 + len(data)
	w.b = append(w.b, byte(n), byte(n>>8), byte(kind), byte(kind>>8))
	w.b = append(w.b, data...)
	for len(w.b)%4 != 0 {
		w.b = append(w.b, 0)
	}
}

func (w *nlWriter) attrText(kind int, s string) { w.attr(kind, append([]byte(s), 0)...) }

// links writes one RTM_NEWLINK for each device.
func (s *netStack) links(w *nlWriter) {
	for device := deviceLo; device <= deviceEth; device++ {
		hardware, flags, state := abi.ARPHRD_LOOPBACK, abi.IFF_LOOPBACK, abi.IF_OPER_UNKNOWN
		address, all, mtu := make([]byte, 6), make([]byte, 6), 65536
		if device == deviceEth {
			hardware, flags, state = abi.ARPHRD_ETHER, abi.IFF_BROADCAST|abi.IFF_MULTICAST, abi.IF_OPER_UP
			address = []byte{2, 0, 0, 0, byte(s.m.id >> 8), byte(s.m.id)}
			all = []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
			mtu = 1500
		}
		w.begin(abi.RTM_NEWLINK, abi.NLM_F_MULTI)
		w.b = append(w.b, abi.AF_UNSPEC, 0, byte(hardware), byte(hardware>>8))
		w.u32(int32(device))
		w.u32(int32(flags | abi.IFF_UP | abi.IFF_RUNNING | abi.IFF_LOWER_UP))
		w.u32(0)
		w.attrText(abi.IFLA_IFNAME, deviceNames[device])
		w.attr(abi.IFLA_OPERSTATE, byte(state))
		w.attr(abi.IFLA_MTU, byte(mtu), byte(mtu>>8), byte(mtu>>16), 0)
		w.attr(abi.IFLA_ADDRESS, address...)
		w.attr(abi.IFLA_BROADCAST, all...)
		w.end()
	}
}

// addresses writes one RTM_NEWADDR for each address, IPv4 ones first.
func (s *netStack) addresses(w *nlWriter, family int) {
	own := append([]socket.IP{socket.V4(127, 0, 0, 1), socket.Loopback6()}, s.ips...)
	for _, v4 := range [...]bool{true, false} {
		of := abi.AF_INET6
		if v4 {
			of = abi.AF_INET
		}
		if family != abi.AF_UNSPEC && family != of {
			continue
		}
		for _, ip := range own {
			if ip.Is4() == v4 {
				s.address(w, ip)
			}
		}
	}
}

func (s *netStack) address(w *nlWriter, ip socket.IP) {
	device, scope := s.device(ip), abi.RT_SCOPE_UNIVERSE
	if device == deviceLo {
		scope = abi.RT_SCOPE_HOST
	}
	w.begin(abi.RTM_NEWADDR, abi.NLM_F_MULTI)
	if !ip.Is4() {
		w.b = append(w.b, abi.AF_INET6, byte(prefixBits(ip)), 0, byte(scope))
		w.u32(int32(device))
		w.attr(abi.IFA_ADDRESS, ip[:]...)
		w.end()
		return
	}
	v4 := ip.As4()
	w.b = append(w.b, abi.AF_INET, byte(prefixBits(ip)), 0, byte(scope))
	w.u32(int32(device))
	w.attr(abi.IFA_ADDRESS, v4[:]...)
	w.attr(abi.IFA_LOCAL, v4[:]...)
	if device == deviceEth {
		for i := prefixBits(ip) / 8; i < 4; i++ {
			v4[i] = 0xff
		}
		w.attr(abi.IFA_BROADCAST, v4[:]...)
	}
	w.attrText(abi.IFA_LABEL, deviceNames[device])
	w.end()
}
