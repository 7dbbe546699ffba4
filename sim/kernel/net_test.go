package kernel

import (
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/steplog"
)

const second Nanos = 1_000_000_000

// TestStory is the network's part of the example that every user meets first:
// a delayed request, a crash, and a request to the machine that came back.
func TestStory(t *testing.T) {
	w := newNetWorld(t, 2)
	server := w.k.Machine(2).Addr()
	c, s, _ := w.pair()
	if d := w.now - netStart; d > 100_000 {
		t.Errorf("opening a connection took %d ns", d)
	}
	w.send(1, c, "request 1")
	if p, _, _ := w.wait(2, s); p != "request 1" {
		t.Errorf("server got %q", p)
	}
	w.send(2, s, "answer 1")
	if p, _, _ := w.wait(1, c); p != "answer 1" {
		t.Errorf("client got %q", p)
	}
	if text := w.k.SetDelay("main", "m2", second); text != "" {
		t.Fatal(text)
	}
	w.send(1, c, "request 2")
	if _, _, d := w.wait(2, s); d != second {
		t.Errorf("request 2 took %d ns, want 1 s", d)
	}
	w.send(2, s, "answer 2")
	if _, _, d := w.wait(1, c); d != second {
		t.Errorf("answer 2 took %d ns, want 1 s", d)
	}
	w.k.SetDelay("main", "m2", 1000)

	m := w.k.Machine(2)
	m.Crash()
	w.run(second)
	if _, errno := w.recv(1, c); errno != abi.EAGAIN {
		t.Errorf("client noticed the crash at once: errno %d", errno)
	}
	m.Boot()
	l := w.listen(2, 80)
	w.send(1, c, "request 3")
	if _, errno, d := w.wait(1, c); errno != abi.ECONNRESET || d != 2000 {
		t.Errorf("old connection: errno %d after %d ns, want ECONNRESET after a round trip", errno, d)
	}
	w.must(1, abi.SYS_CLOSE, c)
	c = w.dial(1, server, 80)
	if errno, _ := w.finish(1, c); errno != abi.OK {
		t.Fatal(errno)
	}
	w.run(100_000)
	var raw [16]byte
	n := int32(16)
	s = w.must(2, abi.SYS_ACCEPT4, l, unsafe.Pointer(&raw), unsafe.Pointer(&n), 0)
	if raw != *sockaddrIn([4]byte{11, 0, 0, 1}, 10001) || n != 16 {
		t.Errorf("peer of the second connection is %v, want 11.0.0.1:10001", raw)
	}
	w.send(1, c, "request 3")
	if p, _, _ := w.wait(2, s); p != "request 3" {
		t.Errorf("server got %q", p)
	}
}

func TestKillClosesAndRefuses(t *testing.T) {
	w := newNetWorld(t, 2)
	c, _, _ := w.pair()
	m := w.k.Machine(2)
	m.End(steplog.KindKill, 9, "killed")
	if p, errno, _ := w.wait(1, c); p != "" || errno != abi.OK {
		t.Errorf("read %q, errno %d, want the end of the stream", p, errno)
	}
	w.send(1, c, "x")
	w.run(second)
	if _, errno := w.call(1, abi.SYS_WRITE, c, unsafe.Pointer(&[]byte("x")[0]), 1); errno != abi.EPIPE {
		t.Errorf("write after the reset: errno %d, want EPIPE", errno)
	}
	d := w.dial(1, m.Addr(), 80)
	if errno, _ := w.finish(1, d); errno != abi.ECONNREFUSED {
		t.Errorf("connect to a machine whose process is dead: errno %d, want ECONNREFUSED", errno)
	}
}

func TestConnectFailures(t *testing.T) {
	w := newNetWorld(t, 2)
	off, _ := w.k.NewMachine(MachineConfig{Label: "off"})
	for _, x := range []struct {
		what     string
		ip       [4]byte
		errno    abi.Errno
		min, max Nanos
	}{
		{"no listener", w.k.Machine(2).Addr(), abi.ECONNREFUSED, 2_000, 20_000},
		{"no such host", [4]byte{11, 7, 7, 7}, abi.EHOSTUNREACH, 3 * second, 3 * second},
		{"machine off", off.Addr(), abi.ETIMEDOUT, 131 * second, 131 * second},
		{"own machine", [4]byte{127, 0, 0, 1}, abi.ECONNREFUSED, 1_000, 4_000},
	} {
		fd := w.dial(1, x.ip, 80)
		errno, d := w.finish(1, fd)
		if errno != x.errno || d < x.min || d > x.max {
			t.Errorf("%s: errno %d after %d ns, want %d within %d to %d", x.what, errno, d, x.errno, x.min, x.max)
		}
	}
	fd := w.socket(1)
	group := unsafe.Pointer(sockaddrIn([4]byte{224, 0, 0, 1}, 1))
	if _, errno := w.call(1, abi.SYS_CONNECT, fd, group, 16); errno != abi.ENETUNREACH {
		t.Errorf("multicast: errno %d, want ENETUNREACH", errno)
	}
	got := 0
	for _, k := range w.kinds {
		if k == steplog.KindConnect {
			got++
		}
	}
	if got != 4 {
		t.Errorf("%d connect steps, want one for each attempt: 4", got)
	}
}

func TestPartition(t *testing.T) {
	w := newNetWorld(t, 3)
	c, s, _ := w.pair()
	if text := w.k.SetConnected("main", "11.0.0.2", false); text != "" {
		t.Fatal(text)
	}
	w.send(1, c, "through")
	w.run(10 * second)
	if p, errno := w.recv(2, s); errno != abi.EAGAIN {
		t.Fatalf("%q came through a cut link", p)
	}
	other := w.listen(3, 80)
	d := w.dial(1, w.k.Machine(3).Addr(), 80)
	if errno, _ := w.finish(1, d); errno != abi.OK {
		t.Errorf("the third machine cannot be reached: errno %d", errno)
	}
	w.acceptFrom(3, other)
	w.k.SetConnected("main", "m2", true)
	if p, _, _ := w.wait(2, s); p != "through" {
		t.Errorf("got %q after the link was mended", p)
	}
	w.run(300 * second)
	if w.k.NextEvent() != 0 {
		t.Errorf("events are left on silent connections, next at %d", w.k.NextEvent()-w.now)
	}
}

func TestPartitionLosesMessagesUnderWay(t *testing.T) {
	w := newNetWorld(t, 2)
	c, s, _ := w.pair()
	w.k.SetDelay("main", "m2", second)
	w.send(1, c, "x")
	w.run(second / 2)
	w.k.SetConnected("main", "m2", false)
	w.run(second)
	if _, errno := w.recv(2, s); errno != abi.EAGAIN {
		t.Error("a message arrived over a link that was cut under way")
	}
	if !slices.ContainsFunc(w.steps, func(s string) bool {
		return strings.Contains(s, " drop m2 \"the link was cut on the way\"") && strings.Contains(s, " 1B link1")
	}) {
		t.Errorf("no drop step:\n%s", strings.Join(w.steps, "\n"))
	}
}

func TestCrashedSenderStillDelivers(t *testing.T) {
	w := newNetWorld(t, 2)
	c, s, _ := w.pair()
	w.k.SetDelay("main", "m2", second)
	w.send(2, s, "last words")
	w.k.Machine(2).Crash()
	if p, _, d := w.wait(1, c); p != "last words" || d != second {
		t.Errorf("got %q after %d ns", p, d)
	}
	_, errno, d := w.wait(1, c)
	if errno != abi.ETIMEDOUT || d > 170*second {
		t.Errorf("keep-alive: errno %d after %d ns", errno, d)
	}
}

func TestFaultsNameWhatIsWrong(t *testing.T) {
	w := newNetWorld(t, 2)
	for _, text := range []string{
		w.k.SetDelay("main", "nobody", 1), w.k.SetDelay("main", "m2", -1),
		w.k.SetConnected("main", "main", false), w.k.SetConnected("nobody", "m2", true),
	} {
		if !strings.Contains(text, "nobody") && !strings.Contains(text, "main") || !strings.HasPrefix(text, "cannot ") {
			t.Errorf("text %q does not say what failed and for whom", text)
		}
	}
	w.k.SetDelay("main", "m2", 1_500_000)
	last := w.steps[len(w.steps)-1]
	if !strings.Contains(last, `fault m1 "delay main - m2 1500µs"`) && !strings.Contains(last, "1500\\u00b5s") {
		t.Errorf("step is %s", last)
	}
}

func TestStepsOfOneExchange(t *testing.T) {
	w := newNetWorld(t, 2)
	c, s, _ := w.pair()
	w.send(1, c, "hello")
	w.wait(2, s)
	w.must(2, abi.SYS_CLOSE, s)
	w.run(second)
	w.must(1, abi.SYS_CLOSE, c)
	w.run(second)
	want := []string{
		"connect m1 11.0.0.1:10000 11.0.0.2:80 conn1 0B link2",
		"accept m2 11.0.0.2:80 11.0.0.1:10000 conn1 0B link1",
		"send m1 11.0.0.1:10000 11.0.0.2:80 conn1 5B link2",
		"deliver m2 11.0.0.2:80 11.0.0.1:10000 conn1 5B link1",
		"close m2 11.0.0.2:80 11.0.0.1:10000 conn1 0B link1",
		"close m1 11.0.0.1:10000 11.0.0.2:80 conn1 0B link2",
		"close m1 11.0.0.1:10000 11.0.0.2:80 conn1 0B link2",
		"close m2 11.0.0.2:80 11.0.0.1:10000 conn1 0B link1",
	}
	var got []string
	for _, s := range w.steps {
		f := strings.Fields(s)
		if f[1] == "syscall" || f[1] == "boot" {
			continue
		}
		n := len(f)
		got = append(got, strings.Join(append([]string{f[1], f[2]}, f[n-5:]...), " "))
	}
	if !slices.Equal(got, want) {
		t.Errorf("steps:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestSameSeedSameSteps(t *testing.T) {
	body := func(seed uint64) []string {
		w := newSeededWorld(t, 4, seed)
		c, s, l := w.pair()
		for i := range 20 {
			w.send(1, c, strings.Repeat("x", i*1000+1))
			w.dial(3, w.k.Machine(2).Addr(), 80)
			w.wait(2, s)
		}
		w.acceptFrom(2, l)
		w.k.SetConnected("m2", "m3", false)
		w.k.Machine(4).Crash()
		w.run(1000 * second)
		w.k.Machine(2).End(steplog.KindExit, 0, "exit")
		w.run(1000 * second)
		return w.steps
	}
	a, b := body(7), body(7)
	if !slices.Equal(a, b) {
		t.Error("two runs of one seed differ")
	}
	if slices.Equal(a, body(8)) {
		t.Error("another seed changes nothing: delays are not drawn")
	}
}

func TestManyConnections(t *testing.T) {
	w := newNetWorld(t, 2)
	l := w.listen(2, 80)
	w.keep = false
	for i := range 70_000 { // more than there are ephemeral ports
		c := w.dial(1, w.k.Machine(2).Addr(), 80)
		w.run(100_000)
		s, errno := w.call(2, abi.SYS_ACCEPT4, l, 0, 0, abi.SOCK_NONBLOCK)
		if errno != abi.OK {
			t.Fatalf("accept %d: errno %d", i, errno)
		}
		w.must(1, abi.SYS_CLOSE, c)
		w.run(100_000)
		w.must(2, abi.SYS_CLOSE, s)
		w.run(100_000)
	}
	for id := MachineID(1); id <= 2; id++ {
		if n := w.k.Machine(id).stack.tcp.Conns(); n != 0 {
			t.Errorf("machine %d has %d connections left", id, n)
		}
	}
}

func TestUDP(t *testing.T) {
	w := newNetWorld(t, 2)
	open := func(id MachineID) int {
		return w.must(id, abi.SYS_SOCKET, abi.AF_INET, abi.SOCK_DGRAM, 0)
	}
	s := open(2)
	w.must(2, abi.SYS_BIND, s, unsafe.Pointer(sockaddrIn([4]byte{}, 53)), 16)
	c := open(1)
	p := []byte("question")
	to := unsafe.Pointer(sockaddrIn(w.k.Machine(2).Addr(), 53))
	w.must(1, abi.SYS_SENDTO, c, unsafe.Pointer(&p[0]), len(p), 0, to, 16)
	w.must(1, abi.SYS_SENDTO, c, unsafe.Pointer(&p[0]), 0, 0, to, 16)
	w.run(second)
	var from [16]byte
	n := int32(16)
	buf := make([]byte, 4)
	got := w.must(2, abi.SYS_RECVFROM, s, unsafe.Pointer(&buf[0]), 4, abi.MSG_TRUNC,
		unsafe.Pointer(&from), unsafe.Pointer(&n))
	if got != 8 || string(buf) != "ques" || from != *sockaddrIn([4]byte{11, 0, 0, 1}, 10000) {
		t.Errorf("got %d bytes %q from %v", got, buf, from)
	}
	if p, errno := w.recv(2, s); p != "" || errno != abi.OK {
		t.Errorf("empty message: %q, errno %d", p, errno)
	}
	if _, errno := w.recv(2, s); errno != abi.EAGAIN {
		t.Errorf("empty queue: errno %d, want EAGAIN", errno)
	}
	w.must(1, abi.SYS_CONNECT, c, unsafe.Pointer(sockaddrIn(w.k.Machine(2).Addr(), 99)), 16)
	w.send(1, c, "x")
	w.run(second)
	if _, errno := w.recv(1, c); errno != abi.ECONNREFUSED {
		t.Errorf("port unreachable: errno %d, want ECONNREFUSED", errno)
	}
}

func TestUnknownSockets(t *testing.T) {
	w := newNetWorld(t, 1)
	for _, x := range [][4]int{
		{17, abi.SOCK_RAW, 0, int(abi.EAFNOSUPPORT)}, // AF_PACKET
		{abi.AF_INET, abi.SOCK_RAW, abi.IPPROTO_TCP, int(abi.EPROTONOSUPPORT)},
		{abi.AF_UNIX, 7, 0, int(abi.ESOCKTNOSUPPORT)},
		{abi.AF_NETLINK, abi.SOCK_RAW, 9, int(abi.EPROTONOSUPPORT)},
		{abi.AF_INET, abi.SOCK_STREAM, abi.IPPROTO_MPTCP, int(abi.EPROTONOSUPPORT)},
		{abi.AF_INET, abi.SOCK_STREAM | 1<<30, 0, int(abi.EINVAL)},
	} {
		if _, errno := w.call(1, abi.SYS_SOCKET, x[0], x[1], x[2]); int(errno) != x[3] {
			t.Errorf("socket(%d, %d, %d): errno %d, want %d", x[0], x[1], x[2], errno, x[3])
		}
	}
}

func BenchmarkRequest(b *testing.B) {
	t := &testing.T{}
	w := newNetWorld(t, 2)
	c, s, _ := w.pair()
	w.keep = false
	w.k.host.Record = func(*Event) {}
	fc, _ := w.k.Machine(1).proc.fds.get(c)
	fs, _ := w.k.Machine(2).proc.fds.get(s)
	req, buf := make([]byte, 120), make([]byte, 4096)
	b.ReportAllocs()
	for b.Loop() {
		fc.Write(nil, req)
		w.run(20_000)
		if n, _ := fs.Read(nil, buf); n != 120 {
			b.Fatal(n)
		}
		fs.Write(nil, req)
		w.run(20_000)
		if n, _ := fc.Read(nil, buf); n != 120 {
			b.Fatal(n)
		}
	}
}

// TestPollReportsEdges: every arrival wakes, as with EPOLLET.
func TestPollReportsEdges(t *testing.T) {
	w := newNetWorld(t, 2)
	c, s, l := w.pair()
	const pdClient, pdListener uintptr = 7, 8
	fc, _ := w.k.Machine(1).proc.fds.get(c)
	fl, _ := w.k.Machine(2).proc.fds.get(l)
	fc.PollOpen(pdClient)
	fl.PollOpen(pdListener)
	if w.ready[pdClient] != ModeWrite || w.ready[pdListener] != 0 {
		t.Fatalf("ready at first: client %d, listener %d", w.ready[pdClient], w.ready[pdListener])
	}
	clear(w.ready)
	w.send(2, s, "a")
	w.run(second)
	if w.ready[pdClient] != ModeRead {
		t.Errorf("after data: %d, want %d", w.ready[pdClient], ModeRead)
	}
	clear(w.ready)
	w.send(2, s, "b") // an edge of its own though "a" was not read
	w.run(second)
	if w.ready[pdClient] != ModeRead {
		t.Errorf("after more data: %d, want %d", w.ready[pdClient], ModeRead)
	}
	clear(w.ready)
	w.dial(1, w.k.Machine(2).Addr(), 80)
	w.run(second)
	if w.ready[pdListener] != ModeRead {
		t.Errorf("listener: %d, want %d", w.ready[pdListener], ModeRead)
	}
	clear(w.ready)
	fc.PollClose(pdClient)
	w.must(2, abi.SYS_CLOSE, s)
	w.run(second)
	if w.ready[pdClient] != 0 {
		t.Errorf("woken after PollClose: %d", w.ready[pdClient])
	}
}

func TestRestartsDoNotGrowMemory(t *testing.T) {
	w := newNetWorld(t, 2)
	w.keep = false
	for range 3000 {
		w.listen(2, 80)
		c := w.dial(1, w.k.Machine(2).Addr(), 80)
		w.finish(1, c)
		w.send(1, c, "x")
		w.k.Machine(2).Crash()
		w.run(second)
		w.k.Machine(2).Boot()
		w.run(400 * second)
		w.must(1, abi.SYS_CLOSE, c)
		w.run(second)
	}
	for _, s := range w.k.net.stacks {
		if s.tcp.Conns() != 0 {
			t.Errorf("machine %d has %d connections left", s.m.id, s.tcp.Conns())
		}
	}
	if n := len(w.k.events.heap); n > 10 {
		t.Errorf("%d events are left", n)
	}
	n := 0
	for p := w.k.net.free; p != nil; p = p.next {
		n++
	}
	if n > 20 {
		t.Errorf("%d packets were made for a handful under way", n)
	}
}
