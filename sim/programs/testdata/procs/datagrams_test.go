package procs

import (
	"encoding/binary"
	"errors"
	"net"
	"syscall"
	"testing"
	"unsafe"
)

const (
	udpSegment    = 103 // UDP_SEGMENT, udp(7)
	mtuProbe      = 3   // IP_PMTUDISC_PROBE
	ipv4RecvTTL   = 12  // IP_RECVTTL
	ipv6RecvLimit = 51  // IPV6_RECVHOPLIMIT
)

// cmsg is one piece of ancillary data.
func cmsg(level, kind int, data []byte) []byte {
	b := make([]byte, syscall.CmsgSpace(len(data)))
	h := (*syscall.Cmsghdr)(unsafe.Pointer(&b[0]))
	h.Level, h.Type = int32(level), int32(kind)
	h.SetLen(syscall.CmsgLen(len(data)))
	copy(b[syscall.CmsgLen(0):], data)
	return b
}

func int32Bytes(v int32) []byte { return binary.NativeEndian.AppendUint32(nil, uint32(v)) }

// errnoOf is an error without the ports of its addresses.
func errnoOf(err error) error {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return err
}

// options sets options of a socket and logs what each says.
func options(t *testing.T, c *net.UDPConn, list ...[3]int) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Control(func(fd uintptr) {
		for _, o := range list {
			err := syscall.SetsockoptInt(int(fd), o[0], o[1], o[2])
			v, after := syscall.GetsockoptInt(int(fd), o[0], o[1])
			t.Logf("option %v: %v, then %d, %v", o, err, v, after)
		}
	}); err != nil {
		t.Fatal(err)
	}
}

// ask makes a socket say all it can about what arrives.
var ask = [][3]int{
	{syscall.IPPROTO_IP, syscall.IP_RECVTOS, 1}, {syscall.IPPROTO_IP, ipv4RecvTTL, 1}, {syscall.IPPROTO_IP, syscall.IP_PKTINFO, 1},
	{syscall.IPPROTO_IPV6, syscall.IPV6_RECVTCLASS, 1}, {syscall.IPPROTO_IPV6, ipv6RecvLimit, 1}, {syscall.IPPROTO_IPV6, syscall.IPV6_RECVPKTINFO, 1},
}

// receive logs one message and what came with it; the number of a device is
// left out.
func receive(t *testing.T, c *net.UDPConn) {
	t.Helper()
	data, oob := make([]byte, 100), make([]byte, 500)
	n, size, flags, _, err := c.ReadMsgUDP(data, oob)
	if err != nil {
		t.Fatal(err)
	}
	list, err := syscall.ParseSocketControlMessage(oob[:size])
	t.Logf("%q flags %#x, %d bytes of ancillary data, %v", data[:n], flags, size, err)
	for _, m := range list {
		if m.Header.Level == syscall.IPPROTO_IPV6 && m.Header.Type == syscall.IPV6_PKTINFO {
			clear(m.Data[16:])
		} else if m.Header.Level == syscall.IPPROTO_IP && m.Header.Type == syscall.IP_PKTINFO {
			clear(m.Data[:4])
		}
		t.Logf("  level %d type %d: % x", m.Header.Level, m.Header.Type, m.Data)
	}
}

// TestTypeOfService: a datagram carries the type of service that a socket or a
// message has, the bits of ECN included, over both versions of IP.
func TestTypeOfService(t *testing.T) {
	for _, test := range []struct{ network, listen, send, to string }{
		{"udp4", "127.0.0.1:0", "udp4", "127.0.0.1"},
		{"udp6", "[::1]:0", "udp6", "::1"},
		{"udp", "[::]:0", "udp4", "127.0.0.1"},
		{"udp", "[::]:0", "udp", "127.0.0.1"},
		{"udp", "[::]:0", "udp6", "::1"},
	} {
		t.Log(test)
		addr, err := net.ResolveUDPAddr(test.network, test.listen)
		if err != nil {
			t.Fatal(err)
		}
		in, err := net.ListenUDP(test.network, addr)
		if err != nil {
			t.Fatal(err)
		}
		out, err := net.ListenUDP(test.send, nil)
		if err != nil {
			t.Fatal(err)
		}
		to := &net.UDPAddr{IP: net.ParseIP(test.to), Port: in.LocalAddr().(*net.UDPAddr).Port}
		send := func(text string, oob []byte) {
			t.Helper()
			n, _, err := out.WriteMsgUDP([]byte(text), oob, to)
			t.Log("send", text, n, errnoOf(err))
		}
		send("before", nil)
		receive(t, in)
		options(t, in, ask...)
		send("plain", nil)
		receive(t, in)
		options(t, out, [3]int{syscall.IPPROTO_IP, syscall.IP_TOS, 0x2e}, [3]int{syscall.IPPROTO_IPV6, syscall.IPV6_TCLASS, 0x17})
		send("option", nil)
		receive(t, in)
		kind := [2]int{syscall.IPPROTO_IP, syscall.IP_TOS}
		if in4 := net.ParseIP(test.to).To4(); in4 == nil {
			kind = [2]int{syscall.IPPROTO_IPV6, syscall.IPV6_TCLASS}
		}
		send("message", cmsg(kind[0], kind[1], int32Bytes(3)))
		receive(t, in)
		send("too much", cmsg(kind[0], kind[1], int32Bytes(256)))
		send("too little", cmsg(kind[0], kind[1], int32Bytes(-2)))
		send("wrong size", cmsg(kind[0], kind[1], []byte{1, 2}))
		if kind[0] == syscall.IPPROTO_IP {
			send("one byte", cmsg(kind[0], kind[1], []byte{2}))
			receive(t, in)
		}
		in.Close()
		out.Close()
	}
}

// TestSegments: UDP_SEGMENT makes one call send many datagrams.
func TestSegments(t *testing.T) {
	in, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := net.DialUDP("udp4", nil, in.LocalAddr().(*net.UDPAddr))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	send := func(text string, size ...byte) {
		t.Helper()
		var oob []byte
		if size != nil {
			oob = cmsg(syscall.IPPROTO_UDP, udpSegment, size)
		}
		n, _, err := out.WriteMsgUDP([]byte(text), oob, nil)
		t.Logf("send %.20q %d %v", text, n, errnoOf(err))
	}
	three := func() {
		for range 3 {
			receive(t, in)
		}
	}
	send("abcdefgh", 3, 0)
	three()
	send("whole", 5, 0)
	receive(t, in)
	send("also whole", 0, 1)
	receive(t, in)
	send("two bytes", 1)
	send(string(make([]byte, 129)), 1, 0)
	options(t, out, [3]int{syscall.IPPROTO_UDP, udpSegment, 2}, [3]int{syscall.IPPROTO_UDP, udpSegment, -1}, [3]int{syscall.IPPROTO_UDP, udpSegment, 1 << 16}, [3]int{syscall.IPPROTO_UDP, 9999, 1})
	send("12345")
	three()
	options(t, out, [3]int{syscall.IPPROTO_UDP, udpSegment, 0}, [3]int{syscall.IPPROTO_IP, syscall.IP_MTU_DISCOVER, mtuProbe},
		[3]int{syscall.SOL_SOCKET, syscall.SO_RCVBUF, 10_000})
	send("one")
	receive(t, in)
}
