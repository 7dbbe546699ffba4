package kernel

import (
	"unsafe"

	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/kernel/socket"
)

// nameFamily is the family in a struct sockaddr, -1 when it is too short.
func nameFamily(raw []byte) int {
	if len(raw) < 2 {
		return -1
	}
	return int(raw[0]) | int(raw[1])<<8
}

// sysSendto is sendto(2). SIGPIPE is never sent: the Go runtime ignores it for
// sockets.
func sysSendto(t *Task, a *Args) (uintptr, abi.Errno) {
	s, errno := t.sock(a[0])
	if errno != abi.OK {
		return 0, errno
	}
	p, errno := mem(a[1], a[2])
	if errno != abi.OK {
		return 0, errno
	}
	m := &t.k.net.out
	*m = outMessage{data: p, flags: int(a[3])}
	if a[4] != 0 {
		if m.to, errno = readName(a[4], a[5]); errno != abi.OK {
			m.forget()
			return 0, errno
		}
	}
	n, errno := s.send(t, m)
	m.forget()
	return uintptr(n), t.waitSocket(s, errno, m.flags, true)
}

// sysRecvfrom is recvfrom(2).
func sysRecvfrom(t *Task, a *Args) (uintptr, abi.Errno) {
	s, errno := t.sock(a[0])
	if errno != abi.OK {
		return 0, errno
	}
	p, errno := mem(a[1], a[2])
	if errno != abi.OK {
		return 0, errno
	}
	m := &t.k.net.in
	*m = inMessage{buf: p, flags: int(a[3])}
	errno = s.receive(t, m)
	m.buf = nil // it may be on a stack
	if errno := t.waitSocket(s, errno, m.flags, false); errno != abi.OK {
		return 0, errno
	}
	if a[4] != 0 {
		if m.named {
			errno = m.from.put(a[4], a[5])
		} else {
			errno = storeInt(a[5], 0)
		}
		if errno != abi.OK {
			return 0, errno
		}
	}
	return uintptr(m.length()), abi.OK
}

// forget drops the pointers into the program's memory. They may be into a
// goroutine's stack, and the collector ends the program that has such a pointer
// in its heap when the stack has moved or gone.
func (m *outMessage) forget() { m.data, m.to = nil, nil }

// length is what a call that receives answers: MSG_TRUNC asks for the whole
// length of a datagram.
func (m *inMessage) length() int {
	if m.flags&abi.MSG_TRUNC != 0 && m.total > m.n {
		return m.total
	}
	return m.n
}

// iovMax is the most buffers in one call, readv(2) IOV_MAX.
const iovMax = 1024

// message is what sendmsg(2) and recvmsg(2) point to, and its buffers as one:
// see gather.
func message(p uintptr, want bool) (h *abi.Msghdr, iov []abi.Iovec, data []byte, errno abi.Errno) {
	if p == 0 {
		return nil, nil, nil, abi.EFAULT
	}
	h = (*abi.Msghdr)(pointer(p))
	switch {
	case h.Iovlen > iovMax:
		return nil, nil, nil, abi.EMSGSIZE
	case h.Iovlen > 0 && h.Iov == 0:
		return nil, nil, nil, abi.EFAULT
	case h.Iovlen > 0:
		iov = unsafe.Slice((*abi.Iovec)(pointer(h.Iov)), h.Iovlen)
	}
	data, errno = gather(iov, want)
	return h, iov, data, errno
}

// gather is the size of all buffers together, and one buffer of that size:
// the only one itself or, if want, a copy of their bytes.
func gather(iov []abi.Iovec, want bool) ([]byte, abi.Errno) {
	size := 0
	for i := range iov {
		if _, errno := mem(iov[i].Base, uintptr(iov[i].Len)); errno != abi.OK {
			return nil, errno
		}
		size += int(iov[i].Len)
	}
	if size < 0 || size > 1<<31-4096 {
		return nil, abi.EINVAL
	}
	if len(iov) == 1 {
		return mem(iov[0].Base, uintptr(iov[0].Len))
	}
	all := make([]byte, size)
	if want {
		rest := all
		for i := range iov {
			b, _ := mem(iov[i].Base, uintptr(iov[i].Len))
			rest = rest[copy(rest, b):]
		}
	}
	return all, abi.OK
}

// sysSendmsg is sendmsg(2).
func sysSendmsg(t *Task, a *Args) (uintptr, abi.Errno) {
	s, errno := t.sock(a[0])
	if errno != abi.OK {
		return 0, errno
	}
	return t.sendmsg(s, a[1], int(a[2]))
}

func (t *Task) sendmsg(s netSocket, p uintptr, flags int) (uintptr, abi.Errno) {
	m := &t.k.net.out
	h, _, data, errno := message(p, true)
	if errno != abi.OK {
		return 0, errno
	}
	*m = outMessage{flags: flags, data: data}
	if h.Name != 0 && h.Namelen != 0 {
		if m.to, errno = readName(h.Name, uintptr(min(h.Namelen, abi.SizeofSockaddrMax))); errno != abi.OK {
			m.forget()
			return 0, errno
		}
	}
	control, errno := mem(h.Control, uintptr(h.Controllen))
	if errno == abi.OK {
		errno = t.readControl(s.base(), control, &m.anc)
	}
	n := 0
	if errno == abi.OK {
		n, errno = s.send(t, m)
		errno = t.waitSocket(s, errno, flags, true)
	}
	m.forget()
	m.anc.drop(t) // what was not sent
	return uintptr(n), errno
}

// parseControl calls each for every piece of ancillary data in b. EINVAL when
// a header does not fit; include/linux/socket.h:CMSG_OK.
func parseControl(b []byte, each func(level, kind int32, data []byte) abi.Errno) abi.Errno {
	for len(b) >= abi.SizeofCmsghdr {
		size := uint64(0)
		for i := 7; i >= 0; i-- {
			size = size<<8 | uint64(b[i])
		}
		if size < abi.SizeofCmsghdr || size > uint64(len(b)) {
			return abi.EINVAL
		}
		if errno := each(int32At(b[8:]), int32At(b[12:]), b[abi.SizeofCmsghdr:size]); errno != abi.OK {
			return errno
		}
		b = b[min((size+7)&^7, uint64(len(b))):]
	}
	return abi.OK
}

// readControl reads ancillary data for a socket; net/core/scm.c:__scm_send,
// net/ipv4/ip_sockglue.c:ip_cmsg_send. The descriptors that it took are held
// even when it fails.
func (t *Task) readControl(s *socketBase, b []byte, anc *ancillary) abi.Errno {
	return parseControl(b, func(level, kind int32, data []byte) abi.Errno {
		switch {
		case s.family == abi.AF_UNIX && level == abi.SOL_SOCKET && kind == abi.SCM_RIGHTS:
			return t.readRights(data, anc)
		case s.family == abi.AF_UNIX && level == abi.SOL_SOCKET && kind == abi.SCM_CREDENTIALS:
			if len(data) != abi.SizeofUcred {
				return abi.EINVAL
			}
			c := abi.Ucred{Pid: int32At(data), UID: uint32(int32At(data[4:])), GID: uint32(int32At(data[8:]))}
			if t.m.find(int(c.Pid)) == nil {
				return abi.ESRCH // root may give any process that exists
			}
			anc.cred, anc.hasCred = c, true
		case s.family == abi.AF_UNIX && level == abi.SOL_SOCKET:
			return abi.EINVAL
		case level == abi.IPPROTO_IP && kind == abi.IP_PKTINFO && s.family == abi.AF_INET:
			if len(data) < abi.SizeofInPktinfo {
				return abi.EINVAL
			}
			anc.source, anc.hasInfo = socket.V4(data[4], data[5], data[6], data[7]), true
		case level == abi.IPPROTO_IPV6 && kind == abi.IPV6_PKTINFO && s.family == abi.AF_INET6:
			if len(data) < abi.SizeofIn6Pktinfo {
				return abi.EINVAL
			}
			anc.source, anc.hasInfo = socket.IP(data[:16]), true
		case s.kind == abi.SOCK_DGRAM:
			return anc.readService(s, level, kind, data)
		}
		return abi.OK
	})
}

// readService reads the type of service and UDP_SEGMENT;
// net/ipv6/datagram.c:ip6_datagram_send_ctl, net/ipv4/udp.c:__udp_cmsg_send.
func (anc *ancillary) readService(s *socketBase, level, kind int32, data []byte) abi.Errno {
	v := -1
	switch {
	case level == abi.IPPROTO_UDP && kind == abi.UDP_SEGMENT:
		if len(data) != 2 {
			return abi.EINVAL
		}
		anc.segment = uint16(data[0]) | uint16(data[1])<<8
		return abi.OK
	case level == abi.IPPROTO_IP && kind == abi.IP_TOS && len(data) == 1:
		v = int(data[0])
	case level == abi.IPPROTO_IP && kind == abi.IP_TOS && len(data) == 4:
		v = int(int32At(data))
	case level == abi.IPPROTO_IPV6 && kind == abi.IPV6_TCLASS && s.family == abi.AF_INET6 && len(data) == 4:
		if v = int(int32At(data)); v == -1 {
			return abi.OK // the socket's own
		}
	case level == abi.IPPROTO_IP && kind == abi.IP_TOS, level == abi.IPPROTO_IPV6 && kind == abi.IPV6_TCLASS && s.family == abi.AF_INET6:
	default:
		return abi.OK
	}
	if v < 0 || v > 255 {
		return abi.EINVAL
	}
	anc.tos, anc.hasTOS = uint8(v), true
	return abi.OK
}

// readRights takes references to the files behind descriptors (scm_fp_copy).
func (t *Task) readRights(data []byte, anc *ancillary) abi.Errno {
	if len(data)/4+len(anc.rights) > abi.SCM_MAX_FD {
		return abi.EINVAL
	}
	for ; len(data) >= 4; data = data[4:] {
		fd := int(int32At(data))
		if _, errno := t.proc.fds.get(fd); errno != abi.OK {
			return errno
		}
		of := t.proc.fds.slots[fd].file
		of.refs++
		anc.rights = append(anc.rights, of)
	}
	return abi.OK
}

// sysRecvmsg is recvmsg(2).
func sysRecvmsg(t *Task, a *Args) (uintptr, abi.Errno) {
	s, errno := t.sock(a[0])
	if errno != abi.OK {
		return 0, errno
	}
	return t.recvmsg(s, a[1], int(a[2]))
}

func (t *Task) recvmsg(s netSocket, p uintptr, flags int) (uintptr, abi.Errno) {
	m := &t.k.net.in
	h, iov, buf, errno := message(p, false)
	if errno != abi.OK {
		return 0, errno
	}
	control, errno := mem(h.Control, uintptr(h.Controllen))
	if errno != abi.OK {
		return 0, errno
	}
	*m = inMessage{flags: flags, buf: buf, wants: h.Controllen >= abi.SizeofCmsghdr}
	errno = s.receive(t, m)
	m.buf = nil // it may be on a stack
	if errno := t.waitSocket(s, errno, flags, false); errno != abi.OK {
		return 0, errno
	}
	if len(iov) > 1 {
		rest := buf[:m.n]
		for i := range iov {
			b, _ := mem(iov[i].Base, uintptr(iov[i].Len))
			rest = rest[copy(b, rest):]
		}
	}
	if m.total > m.n {
		m.out |= abi.MSG_TRUNC
	}
	if h.Name != 0 {
		room := int(int32(h.Namelen))
		h.Namelen = 0
		if m.named {
			size, errno := m.from.copyTo(h.Name, max(room, 0))
			if errno != abi.OK {
				return 0, errno
			}
			h.Namelen = uint32(size)
		}
	}
	w := controlWriter{room: control, full: len(control)}
	t.writeControl(s.base(), m, &w)
	h.Controllen = uint64(w.full - len(w.room))
	h.Flags = m.out | w.flags
	if flags&abi.MSG_CMSG_CLOEXEC != 0 {
		h.Flags |= abi.MSG_CMSG_CLOEXEC
	}
	return uintptr(m.length()), abi.OK
}

// controlWriter writes ancillary data into the program's buffer.
type controlWriter struct {
	room  []byte // what is left
	full  int
	flags int32 // MSG_CTRUNC
}

// put writes one piece, cut if it does not fit; net/core/scm.c:put_cmsg.
func (w *controlWriter) put(level, kind int32, data []byte) {
	if len(w.room) < abi.SizeofCmsghdr {
		w.flags |= abi.MSG_CTRUNC
		return
	}
	size := abi.SizeofCmsghdr + len(data)
	if size > len(w.room) {
		w.flags |= abi.MSG_CTRUNC
		size = len(w.room)
	}
	putInt32(w.room, int32(size))
	putInt32(w.room[4:], 0)
	putInt32(w.room[8:], level)
	putInt32(w.room[12:], kind)
	copy(w.room[abi.SizeofCmsghdr:size], data)
	w.room = w.room[min((size+7)&^7, len(w.room)):]
}

// writeControl hands ancillary data to the program (net/core/scm.c:scm_recv).
func (t *Task) writeControl(s *socketBase, m *inMessage, w *controlWriter) {
	var b [abi.SizeofIn6Pktinfo]byte
	if s.family == abi.AF_UNIX {
		if m.anc.hasCred {
			putInt32(b[:], m.anc.cred.Pid)
			putInt32(b[4:], int32(m.anc.cred.UID))
			putInt32(b[8:], int32(m.anc.cred.GID))
			w.put(abi.SOL_SOCKET, abi.SCM_CREDENTIALS, b[:abi.SizeofUcred])
		}
		t.writeRights(m, w)
		return
	}
	if m.anc.v4 {
		t.writeHeader4(s, m, w)
	} else {
		t.writeHeader6(s, m, w)
	}
}

// writeHeader4 tells what the header of an IPv4 datagram said;
// net/ipv4/ip_sockglue.c:ip_cmsg_recv_offset.
func (t *Task) writeHeader4(s *socketBase, m *inMessage, w *controlWriter) {
	var b [abi.SizeofIn6Pktinfo]byte
	ip := m.anc.source
	if m.anc.hasMapped {
		copy(b[:], ip[:])
		putInt32(b[16:], int32(s.stack.device(ip)))
		w.put(abi.IPPROTO_IPV6, abi.IPV6_PKTINFO, b[:])
	}
	if m.anc.hasInfo {
		own := ip
		if !s.stack.Local(ip) {
			own = s.stack.ips[0] // of a multicast: the address of the device
		}
		local, to := own.As4(), ip.As4()
		putInt32(b[:], int32(s.stack.device(ip)))
		copy(b[4:], local[:])
		copy(b[8:], to[:])
		w.put(abi.IPPROTO_IP, abi.IP_PKTINFO, b[:abi.SizeofInPktinfo])
	}
	if m.anc.hasTTL {
		putInt32(b[:], 64)
		w.put(abi.IPPROTO_IP, abi.IP_TTL, b[:4])
	}
	if m.anc.hasTOS {
		b[0] = m.anc.tos
		w.put(abi.IPPROTO_IP, abi.IP_TOS, b[:1])
	}
}

// writeHeader6 is the same of IPv6;
// net/ipv6/datagram.c:ip6_datagram_recv_specific_ctl.
func (t *Task) writeHeader6(s *socketBase, m *inMessage, w *controlWriter) {
	var b [abi.SizeofIn6Pktinfo]byte
	if m.anc.hasInfo {
		copy(b[:], m.anc.source[:])
		putInt32(b[16:], int32(s.stack.device(m.anc.source)))
		w.put(abi.IPPROTO_IPV6, abi.IPV6_PKTINFO, b[:])
	}
	if m.anc.hasTTL {
		putInt32(b[:], 64)
		w.put(abi.IPPROTO_IPV6, abi.IPV6_HOPLIMIT, b[:4])
	}
	if m.anc.hasTOS {
		putInt32(b[:], int32(m.anc.tos))
		w.put(abi.IPPROTO_IPV6, abi.IPV6_TCLASS, b[:4])
	}
}

// writeRights opens descriptors for the files received, as many as there is
// room for; net/core/scm.c:scm_detach_fds.
func (t *Task) writeRights(m *inMessage, w *controlWriter) {
	if len(m.anc.rights) == 0 {
		return
	}
	room := max(len(w.room)-abi.SizeofCmsghdr, 0) / 4
	data := make([]byte, 0, 4*len(m.anc.rights))
	for i, of := range m.anc.rights {
		if i >= room {
			w.flags |= abi.MSG_CTRUNC
			of.drop(t)
			continue
		}
		fd, errno := t.proc.fds.installShared(of, 0, m.flags&abi.MSG_CMSG_CLOEXEC != 0)
		of.drop(t) // the table has a reference of its own now
		if errno != abi.OK {
			w.flags |= abi.MSG_CTRUNC
			room = 0
			continue
		}
		data = append(data, byte(fd), byte(fd>>8), byte(fd>>16), byte(fd>>24))
	}
	m.anc.rights = nil
	if len(data) > 0 {
		w.put(abi.SOL_SOCKET, abi.SCM_RIGHTS, data)
	}
}

// mmsgs are the headers of sendmmsg(2) and recvmmsg(2).
func mmsgs(a *Args) ([]abi.Mmsghdr, abi.Errno) {
	n := min(uint32(a[2]), iovMax)
	if n == 0 {
		return nil, abi.OK
	}
	if a[1] == 0 {
		return nil, abi.EFAULT
	}
	return unsafe.Slice((*abi.Mmsghdr)(pointer(a[1])), n), abi.OK
}

// sysSendmmsg is sendmmsg(2), sysRecvmmsg recvmmsg(2): an error counts only
// for the first message.
func sysSendmmsg(t *Task, a *Args) (uintptr, abi.Errno) { return t.many(a, t.sendmsg) }
func sysRecvmmsg(t *Task, a *Args) (uintptr, abi.Errno) { return t.many(a, t.recvmsg) }

func (t *Task) many(a *Args, call func(s netSocket, p uintptr, flags int) (uintptr, abi.Errno)) (uintptr, abi.Errno) {
	s, errno := t.sock(a[0])
	if errno != abi.OK {
		return 0, errno
	}
	hs, errno := mmsgs(a)
	if errno != abi.OK {
		return 0, errno
	}
	for i := range hs {
		n, errno := call(s, uintptr(unsafe.Pointer(&hs[i].Hdr)), int(a[3]))
		if errno != abi.OK {
			if i > 0 {
				t.k.unblock(t.caller) // it waits for the first message only
				return uintptr(i), abi.OK
			}
			return 0, errno
		}
		hs[i].Len = uint32(n)
	}
	return uintptr(len(hs)), abi.OK
}
