package kernel

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"testing"
	"unsafe"

	"github.com/restep/restep/sim/kernel/abi"
)

// openAll opens one descriptor of each kind on machine 1.
func openAll(w *netWorld) []int {
	fds := []int{0, 1}
	for _, s := range [][3]int{
		{abi.AF_INET, abi.SOCK_STREAM, 0}, {abi.AF_INET6, abi.SOCK_STREAM, 0}, {abi.AF_INET, abi.SOCK_DGRAM, 0},
		{abi.AF_INET6, abi.SOCK_DGRAM, 0}, {abi.AF_UNIX, abi.SOCK_STREAM, 0}, {abi.AF_UNIX, abi.SOCK_DGRAM, 0},
		{abi.AF_NETLINK, abi.SOCK_RAW, 0}, {abi.AF_INET, abi.SOCK_RAW, abi.IPPROTO_ICMP}, {abi.AF_INET6, abi.SOCK_RAW, abi.IPPROTO_ICMPV6},
	} {
		fds = append(fds, w.must(1, abi.SYS_SOCKET, s[0], s[1]|abi.SOCK_NONBLOCK, s[2]))
	}
	pipe := &[2]int32{}
	w.must(1, abi.SYS_PIPE2, unsafe.Pointer(pipe), abi.O_NONBLOCK)
	fds = append(fds, int(pipe[0]), int(pipe[1]))
	for _, path := range []string{"/tmp/f\x00", "/dev/null\x00", "/dev/zero\x00", "/proc/self/status\x00", "/tmp\x00"} {
		p := []byte(path)
		flags := abi.O_RDWR | abi.O_CREAT
		if path == "/tmp\x00" || path[:5] == "/proc" {
			flags = abi.O_RDONLY
		}
		fds = append(fds, w.must(1, abi.SYS_OPENAT, abi.AT_FDCWD, unsafe.Pointer(&p[0]), flags, 0o600))
	}
	return fds
}

// FuzzOptions sets any option of any socket to any bytes and asks for it: the
// answer is no longer than asked for, and a socket goes on to work.
func FuzzOptions(f *testing.F) {
	f.Add(uint16(abi.SOL_SOCKET), uint16(abi.SO_RCVTIMEO), []byte{1, 0, 0, 0, 0, 0, 0, 0, 0x40, 0x42, 0xf, 0, 0, 0, 0, 0}, uint8(16))
	f.Add(uint16(abi.SOL_SOCKET), uint16(abi.SO_LINGER), []byte{1, 0, 0, 0, 255, 255, 255, 255}, uint8(8))
	f.Add(uint16(abi.SOL_SOCKET), uint16(abi.SO_SNDBUF), []byte{255, 255, 255, 127}, uint8(4))
	f.Add(uint16(abi.IPPROTO_TCP), uint16(18), []byte{0, 0, 0, 128}, uint8(3))
	f.Add(uint16(abi.IPPROTO_TCP), uint16(13), []byte("cubic"), uint8(16))
	f.Add(uint16(abi.IPPROTO_IP), uint16(35), []byte{224, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0}, uint8(12))
	f.Add(uint16(abi.IPPROTO_IPV6), uint16(20), append([]byte{0xff, 2, 15: 9}, 0, 0, 0, 0), uint8(20))
	f.Add(uint16(abi.IPPROTO_IPV6), uint16(abi.IPV6_V6ONLY), []byte{1}, uint8(0))
	f.Fuzz(func(t *testing.T, level, name uint16, value []byte, room uint8) {
		w := newNetWorld(t, 1)
		var pin runtime.Pinner // the kernel is given addresses as numbers
		defer pin.Unpin()
		value = append(value, 0)[:len(value)]
		pin.Pin(unsafe.SliceData(value))
		for _, fd := range openAll(w) {
			_, set := w.call(1, abi.SYS_SETSOCKOPT, fd, int(level), int(name), unsafe.Pointer(unsafe.SliceData(value)), len(value))
			back := make([]byte, int(room)+1)
			back[room] = 0xa5
			n := int32(room)
			pin.Pin(&back[0])
			pin.Pin(&n)
			_, get := w.call(1, abi.SYS_GETSOCKOPT, fd, int(level), int(name), unsafe.Pointer(&back[0]), unsafe.Pointer(&n))
			if back[room] != 0xa5 || get == abi.OK && (n < 0 || n > int32(room)) {
				t.Fatalf("descriptor %d: set errno %d, get errno %d, %d of %d bytes", fd, set, get, n, room)
			}
		}
		u := w.must(1, abi.SYS_SOCKET, abi.AF_INET, abi.SOCK_DGRAM|abi.SOCK_NONBLOCK, 0)
		w.must(1, abi.SYS_BIND, u, unsafe.Pointer(sockaddrIn([4]byte{}, 0)), 16)
	})
}

// FuzzNetlink sends any bytes as a request of rtnetlink(7). What comes back are
// whole messages.
func FuzzNetlink(f *testing.F) {
	request := func(kind uint16, flags uint16, body ...byte) []byte {
		b := binary.LittleEndian.AppendUint32(nil, uint32(16+len(body)))
		b = binary.LittleEndian.AppendUint16(b, kind)
		b = binary.LittleEndian.AppendUint16(b, flags)
		return append(binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(b, 1), 0), body...)
	}
	f.Add(request(18, 0x301, 0))                                           // RTM_GETLINK, a dump
	f.Add(request(22, 0x301, 0))                                           // RTM_GETADDR
	f.Add(append(request(18, 0x301, 0, 0, 0, 0), request(22, 0x301)...))   // two in one
	f.Add(request(26, 0x301, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))          // RTM_GETROUTE
	f.Add(request(16, 5, make([]byte, 16)...))                             // RTM_NEWLINK
	f.Add([]byte{255, 255, 255, 255, 18, 0, 1, 3, 0, 0, 0, 0, 0, 0, 0, 0}) // longer than it is
	f.Add([]byte{3, 0, 0, 0, 18, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 1<<16 {
			t.Skip("longer than a socket takes")
		}
		w := newNetWorld(t, 1)
		w.k.Machine(1).AddAddr([16]byte{0xfd, 15: 1})
		fd := w.must(1, abi.SYS_SOCKET, abi.AF_NETLINK, abi.SOCK_RAW|abi.SOCK_NONBLOCK, abi.NETLINK_ROUTE)
		b = append(b, 0)[:len(b)]
		w.call(1, abi.SYS_SENDTO, fd, unsafe.Pointer(unsafe.SliceData(b)), len(b), 0, 0, 0)
		for range 10_000 {
			in := make([]byte, 1<<15)
			n, errno := w.call(1, abi.SYS_RECVFROM, fd, unsafe.Pointer(&in[0]), len(in), 0, 0, 0)
			if errno == abi.EAGAIN {
				return
			}
			if errno != abi.OK {
				t.Fatalf("receive: errno %d", errno)
			}
			for in = in[:n]; len(in) > 0; {
				if len(in) < 16 {
					t.Fatalf("%d bytes behind the last message: % x", len(in), in)
				}
				size := int(binary.LittleEndian.Uint32(in))
				if size < 16 || size > len(in) {
					t.Fatalf("a message of %d bytes in %d", size, len(in))
				}
				in = in[min((size+3)&^3, len(in)):]
			}
		}
		t.Fatal("the answer has no end")
	})
}

// FuzzIoctl makes any ioctl(2) on every kind of descriptor.
func FuzzIoctl(f *testing.F) {
	for _, req := range []uint32{abi.FIONREAD, abi.FIONBIO, abi.TCGETS, 0x5451, 0x5450, 0x5413, 0x8912, 0x8913, 0x8927, 0x894c, 0x40047602} {
		f.Add(req, []byte("eth0"))
		f.Add(req, []byte{255, 255, 255, 255, 255, 255, 255, 255})
	}
	f.Fuzz(func(t *testing.T, req uint32, arg []byte) {
		w := newNetWorld(t, 1)
		var buf [256]byte
		copy(buf[:], arg)
		var pin runtime.Pinner
		defer pin.Unpin()
		pin.Pin(&buf)
		for _, fd := range openAll(w) {
			w.call(1, abi.SYS_IOCTL, fd, int(req), unsafe.Pointer(&buf))
			w.call(1, abi.SYS_IOCTL, fd, int(req), 0)
		}
	})
}

// FuzzIovec writes and reads with any lengths of buffers; what is read is what
// was written.
func FuzzIovec(f *testing.F) {
	f.Add([]byte{3, 0, 0, 5}, uint16(0), int64(0))
	f.Add([]byte{255, 255, 255}, uint16(2000), int64(1<<40))
	f.Add([]byte{0}, uint16(1024), int64(-1))
	f.Add([]byte{1}, uint16(1025), int64(4095))
	f.Fuzz(func(t *testing.T, lens []byte, count uint16, off int64) {
		w := newNetWorld(t, 1)
		if len(lens) == 0 {
			lens = []byte{0}
		}
		path := []byte("/tmp/f\x00")
		fd := w.must(1, abi.SYS_OPENAT, abi.AT_FDCWD, unsafe.Pointer(&path[0]), abi.O_RDWR|abi.O_CREAT, 0o600)
		var pin runtime.Pinner
		defer pin.Unpin()
		out, in := make([]byte, 256), make([]byte, 1<<20)
		for i := range out {
			out[i] = byte(i + 1)
		}
		pin.Pin(&out[0])
		pin.Pin(&in[0])
		n := int(count) % 1100
		iov, back := make([]abi.Iovec, n+1), make([]abi.Iovec, n+1)
		pin.Pin(&iov[0])
		pin.Pin(&back[0])
		var want []byte
		at := 0
		for i := range n {
			size := int(lens[i%len(lens)])
			iov[i] = abi.Iovec{Base: uintptr(unsafe.Pointer(&out[0])), Len: uintptr(size)}
			back[i] = abi.Iovec{Base: uintptr(unsafe.Pointer(&in[at])), Len: uintptr(size)}
			if size == 0 {
				iov[i].Base, back[i].Base = 0, 0
			}
			want = append(want, out[:size]...)
			at += size
		}
		off %= 1 << 45
		wrote, errno := w.call(1, abi.SYS_PWRITEV, fd, unsafe.Pointer(&iov[0]), n, int(off), 0)
		switch {
		case n > 1024 || off < 0:
			if errno != abi.EINVAL {
				t.Fatalf("%d buffers at %d: errno %d", n, off, errno)
			}
			return
		case errno != abi.OK:
			if errno != abi.EFBIG || len(want) == 0 {
				t.Fatalf("%d bytes at %d: errno %d", len(want), off, errno)
			}
			return
		}
		got, errno := w.call(1, abi.SYS_PREADV, fd, unsafe.Pointer(&back[0]), n, int(off), 0)
		if errno != abi.OK || got != wrote || !bytes.Equal(in[:got], want[:got]) {
			t.Fatalf("%d of %d bytes written at %d, %d read, errno %d", wrote, len(want), off, got, errno)
		}
	})
}

// FuzzTimes passes any bytes as times: of files, of waiting sockets, of clocks.
func FuzzTimes(f *testing.F) {
	f.Add(make([]byte, 32), uint16(0))
	f.Add(bytes.Repeat([]byte{255}, 32), uint16(abi.AT_SYMLINK_NOFOLLOW))
	omit := binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, 5), abi.UTIME_OMIT)
	f.Add(append(omit, binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, 1<<62), 999_999_999)...), uint16(0))
	f.Fuzz(func(t *testing.T, b []byte, flags uint16) {
		w := newNetWorld(t, 1)
		openAll(w)
		var raw [32]byte
		copy(raw[:], b)
		var pin runtime.Pinner
		defer pin.Unpin()
		pin.Pin(&raw)
		path, st := []byte("/tmp/f\x00"), &abi.Stat{}
		pin.Pin(&path[0])
		pin.Pin(st)
		_, errno := w.call(1, abi.SYS_UTIMENSAT, abi.AT_FDCWD, unsafe.Pointer(&path[0]), unsafe.Pointer(&raw), int(flags))
		w.must(1, abi.SYS_NEWFSTATAT, abi.AT_FDCWD, unsafe.Pointer(&path[0]), unsafe.Pointer(st), 0)
		for _, ts := range []abi.Timespec{st.Atim, st.Mtim} {
			if ts.Nsec < 0 || ts.Nsec >= 1e9 {
				t.Fatalf("utimensat of % x, errno %d: the file has the time %+v", raw, errno, ts)
			}
		}
		fd := w.socket(1)
		for _, name := range []int{abi.SO_RCVTIMEO, abi.SO_SNDTIMEO} {
			w.call(1, abi.SYS_SETSOCKOPT, fd, abi.SOL_SOCKET, name, unsafe.Pointer(&raw), 16)
			var back [16]byte
			n := int32(16)
			w.must(1, abi.SYS_GETSOCKOPT, fd, abi.SOL_SOCKET, name, unsafe.Pointer(&back), unsafe.Pointer(&n))
			if usec := int64(binary.LittleEndian.Uint64(back[8:])); usec < 0 || usec >= 1e6 {
				t.Fatalf("a time-out of %d µs from % x", usec, raw[:16])
			}
		}
		clock := int(int32(binary.LittleEndian.Uint32(raw[:])))
		w.call(1, abi.SYS_CLOCK_GETTIME, clock, unsafe.Pointer(&raw))
		w.call(1, abi.SYS_CLOCK_GETRES, clock, unsafe.Pointer(&raw))
	})
}

// FuzzRecords gives the name server any records. What it takes, it answers, and
// the answer is well formed.
func FuzzRecords(f *testing.F) {
	for _, s := range []string{
		"A 10.0.0.1", "AAAA fd00::1", "CNAME other.example.com", `TXT "some text"`, "MX 10 mail.example.com", "SRV 1 2 80 x.y",
		"NS ns.example.com", "PTR a.b", "A", "A 1.2.3", `TXT "` + string(bytes.Repeat([]byte("x"), 300)) + `"`, "CNAME ..", "\x00",
	} {
		f.Add("name.example.com", s)
	}
	f.Add("", "A 1.2.3.4")
	f.Add(string(bytes.Repeat([]byte("x."), 130)), "A 1.2.3.4")
	f.Fuzz(func(t *testing.T, name, record string) {
		w := newNetWorld(t, 1)
		if text := w.k.SetDNS(name, []string{record, "A 10.0.0.1", record}); text != "" {
			return
		}
		for _, kind := range []uint16{1, 2, 5, 12, 15, 16, 28, 33, 255} {
			question := ask("name.example.com", int(kind), true)
			q, ok := parseDNSQuery(question)
			if !ok {
				t.Fatal("the question is not understood")
			}
			answers, rcode := w.k.net.dns.answer(name, int(kind))
			out := q.reply(question, answers, rcode)
			if len(out) > q.size || len(out) < dnsHeader {
				t.Fatalf("%q %q: an answer of %d bytes, at most %d are taken", name, record, len(out), q.size)
			}
		}
	})
}
