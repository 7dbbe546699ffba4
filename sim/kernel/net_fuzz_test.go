package kernel

import (
	"bytes"
	"runtime"
	"testing"
	"unsafe"

	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/kernel/socket"
)

// FuzzSockaddr reads any bytes as an address of each family. What was
// understood is written and read back the same.
func FuzzSockaddr(f *testing.F) {
	f.Add([]byte{abi.AF_INET, 0, 0, 80, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Add([]byte{abi.AF_UNIX, 0, 0, 'a', 0, 'b'})
	f.Add([]byte("\x01\x00/tmp/sock\x00rest"))
	f.Add(append([]byte{abi.AF_INET6, 0, 1, 2, 0, 0, 0, 0}, make([]byte, 20)...))
	f.Add([]byte{abi.AF_NETLINK, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, family := range []int{abi.AF_INET, abi.AF_INET6, abi.AF_UNIX, abi.AF_NETLINK, abi.AF_UNSPEC, 99} {
			n, errno := parseName(family, raw)
			if errno != abi.OK {
				continue
			}
			_ = n.String()
			var out [abi.SizeofSockaddrMax]byte
			size := n.encode(&out)
			if size < 2 || size > abi.SizeofSockaddrUn+1 {
				t.Fatalf("%+v takes %d bytes", n, size)
			}
			if family == abi.AF_UNIX && size > abi.SizeofSockaddrUn {
				continue // a path of 108 bytes has its NUL outside, as on Linux
			}
			if again, errno := parseName(int(n.family), out[:size]); errno != abi.OK || again != n {
				t.Fatalf("%+v reads back as %+v, errno %d", n, again, errno)
			}
		}
	})
}

// FuzzDNS sends any bytes to the name server. Every answer is one to the
// question, and no longer than allowed.
func FuzzDNS(f *testing.F) {
	f.Add(ask("main", dnsA, true))
	f.Add(ask("many.example.com", dnsTXT, false))
	f.Add(ask("2.0.0.11.in-addr.arpa", dnsPTR, true))
	f.Add([]byte{0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		w := newNetWorld(t, 1)
		w.k.SetDNS("many.example.com", []string{`TXT "a"`, "A 10.0.0.1", "CNAME main"})
		q, ok := parseDNSQuery(b)
		s := w.k.Machine(1).stack
		before := append([]byte(nil), b...)
		w.k.net.dns.query(s, &datagram{
			from: s, src: socket.Addr{IP: socket.V4(127, 0, 0, 1), Port: 1000}, dst: socket.Addr{IP: dnsIP(), Port: dnsPort}, data: b,
		})
		if !bytes.Equal(b, before) {
			t.Fatal("the question was changed")
		}
		if !ok {
			return
		}
		answers, rcode := w.k.net.dns.answer(q.name, q.kind)
		out := q.reply(b, answers, rcode)
		if len(out) > q.size || !bytes.Equal(out[:2], b[:2]) || !bytes.Equal(out[dnsHeader:q.end], b[dnsHeader:q.end]) || out[2]&0x80 == 0 {
			t.Fatalf("question %x, answer %x", b, out)
		}
	})
}

// FuzzControl passes any bytes as ancillary data. Descriptors neither leak nor
// get lost.
func FuzzControl(f *testing.F) {
	f.Add([]byte{20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0}, uint8(64))
	f.Add([]byte{28, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, uint8(17))
	f.Add([]byte{255, 255, 255, 255, 255, 255, 255, 255, 1, 0, 0, 0, 1, 0, 0, 0}, uint8(0))
	f.Fuzz(func(t *testing.T, control []byte, room uint8) {
		w := newNetWorld(t, 1)
		fds := &[2]int32{}
		w.must(1, abi.SYS_SOCKETPAIR, abi.AF_UNIX, abi.SOCK_STREAM|abi.SOCK_NONBLOCK, 0, unsafe.Pointer(fds))
		a, b := int(fds[0]), int(fds[1])
		if room&1 != 0 {
			w.setopt(1, b, abi.SOL_SOCKET, abi.SO_PASSCRED, 1)
		}
		var pin runtime.Pinner // the kernel is given addresses as numbers
		defer pin.Unpin()
		data := append(make([]byte, 0, 4), "data"...) // the answer overwrites it
		pin.Pin(&data[0])
		iov := &abi.Iovec{Base: uintptr(unsafe.Pointer(&data[0])), Len: 4}
		h := &abi.Msghdr{Iov: uintptr(unsafe.Pointer(iov)), Iovlen: 1, Controllen: uint64(len(control))}
		pin.Pin(iov)
		if len(control) > 0 {
			pin.Pin(&control[0])
			h.Control = uintptr(unsafe.Pointer(&control[0]))
		}
		in := w.k.Machine(1).proc.fds.slots
		refs := 0
		for i := range in {
			refs += in[i].file.refs
		}
		_, sent := w.call(1, abi.SYS_SENDMSG, a, unsafe.Pointer(h), 0)
		back := make([]byte, int(room)+1)
		pin.Pin(&back[0])
		h = &abi.Msghdr{Iov: uintptr(unsafe.Pointer(iov)), Iovlen: 1, Control: uintptr(unsafe.Pointer(&back[0])), Controllen: uint64(room)}
		n, got := w.call(1, abi.SYS_RECVMSG, b, unsafe.Pointer(h), 0)
		if sent == abi.OK && (n != 4 || got != abi.OK || h.Controllen > uint64(room)) || sent != abi.OK && got != abi.EAGAIN {
			t.Fatalf("sent with errno %d, received %d, errno %d, %d of %d bytes of control", sent, n, got, h.Controllen, room)
		}
		now, open := 0, 0
		seen := map[*openFile]bool{}
		for _, s := range w.k.Machine(1).proc.fds.slots {
			if s.file == nil {
				continue
			}
			open++
			if !seen[s.file] {
				seen[s.file] = true
				now += s.file.refs
			}
		}
		if now != open || len(seen) != len(in) {
			t.Fatalf("%d references from %d descriptors, %d files of %d", now, open, len(seen), len(in))
		}
	})
}
