package kernel

import (
	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/kernel/socket"
)

// Calls that wait for a socket which is not O_NONBLOCK, as those of programs
// do that use package syscall by hand. Those of package net never wait here.

// blockedCall is a call that waits for anything to happen to a socket, at most
// until a time; 0 is for ever.
type blockedCall struct {
	caller uintptr
	b      *socketBase
	until  Nanos
}

// waitSocket lets a call wait that would wait on Linux. It returns the error of
// the call.
func (t *Task) waitSocket(s netSocket, errno abi.Errno, flags int, write bool) abi.Errno {
	if t.caller == 0 {
		return errno
	}
	k, b := t.k, s.base()
	if errno != abi.EAGAIN || flags&(abi.MSG_DONTWAIT|abi.MSG_ERRQUEUE) != 0 || s.Flags()&abi.O_NONBLOCK != 0 {
		k.unblock(t.caller)
		return errno
	}
	for _, c := range k.blocked {
		if c.caller == t.caller {
			if c.until != 0 && k.now() >= c.until {
				k.unblock(t.caller)
				return errno
			}
			return abi.ERESTARTSYS
		}
	}
	timeout := b.opt.timeout[0]
	if write {
		timeout = b.opt.timeout[1]
	}
	if timeout < 0 {
		return errno
	}
	c := blockedCall{caller: t.caller, b: b}
	if timeout > 0 {
		c.until = k.now() + timeout
		caller := t.caller
		k.at(c.until, func() { k.host.Ready(caller) })
	}
	k.blocked = append(k.blocked, c)
	return abi.ERESTARTSYS
}

// unblock forgets that a caller waits for a socket.
func (k *Kernel) unblock(caller uintptr) {
	for i := range k.blocked {
		if k.blocked[i].caller == caller {
			k.blocked = append(k.blocked[:i], k.blocked[i+1:]...)
			return
		}
	}
}

// readyBlocked lets the calls that wait for b try again.
func (b *socketBase) readyBlocked() {
	k := b.stack.net.k
	for i := range k.blocked {
		if k.blocked[i].b == b {
			k.host.Ready(k.blocked[i].caller)
		}
	}
}

// lingering is a close(2) that waits for the peer.
type lingering struct {
	caller uintptr
	conn   *socket.Conn
	until  Nanos
}

// closeLingering is close(2) of descriptor n, which waits when it is the last
// one of a connection with SO_LINGER and a time, O_NONBLOCK or not
// (net/ipv4/af_inet.c:inet_release, net/core/stream.c:sk_stream_wait_close).
func (t *Task) closeLingering(n int) abi.Errno {
	k := t.k
	for i := range k.lingering {
		if l := k.lingering[i]; l.caller == t.caller {
			if l.conn.Lingers() && k.now() < l.until {
				return abi.ERESTARTSYS
			}
			k.stopLingering(t.caller)
			return abi.OK
		}
	}
	f, _ := t.proc.fds.get(n)
	s, ok := f.(*tcpSocket)
	if !ok || t.caller == 0 || s.conn == nil || s.opt.linger[0] == 0 || s.opt.linger[1] <= 0 || t.proc.fds.slots[n].file.refs > 1 {
		return t.close(n)
	}
	errno := t.close(n)
	if errno != abi.OK || !s.conn.Lingers() {
		return errno
	}
	caller := t.caller
	l := lingering{caller, s.conn, k.now() + Nanos(s.opt.linger[1])*1e9}
	k.lingering = append(k.lingering, l)
	s.conn.WhenSettled(func() { k.host.Ready(caller) })
	k.at(l.until, func() { k.host.Ready(caller) })
	return abi.ERESTARTSYS
}

// stopLingering forgets a close(2) that waits.
func (k *Kernel) stopLingering(caller uintptr) {
	for i := range k.lingering {
		if k.lingering[i].caller == caller {
			k.lingering[i].conn.WhenSettled(nil)
			k.lingering = append(k.lingering[:i], k.lingering[i+1:]...)
			return
		}
	}
}

// setTimeout is SO_RCVTIMEO and SO_SNDTIMEO with a struct timeval: zero is for
// ever, a negative one not at all (net/core/sock.c:sock_set_timeout).
func (b *socketBase) setTimeout(which int, p []byte) abi.Errno {
	if len(p) < 16 {
		return abi.EINVAL
	}
	sec, usec := int64At(p), int64At(p[8:])
	switch {
	case usec < 0 || usec >= 1e6:
		return abi.EDOM
	case sec < 0:
		b.opt.timeout[which] = -1
	case sec > 1<<32: // MAX_SCHEDULE_TIMEOUT is for ever
		b.opt.timeout[which] = 0
	default:
		b.opt.timeout[which] = Nanos(sec*1e9 + usec*1e3)
	}
	return abi.OK
}

// putTimeout is getsockopt(2) of such a time, 16 bytes.
func (b *socketBase) putTimeout(which int, p []byte) {
	d := max(b.opt.timeout[which], 0)
	for i := range 8 {
		p[i], p[8+i] = byte(int64(d)/1e9>>(8*i)), byte(int64(d)%1e9/1e3>>(8*i))
	}
}

func int64At(p []byte) (v int64) {
	for i := 7; i >= 0; i-- {
		v = v<<8 | int64(p[i])
	}
	return v
}
