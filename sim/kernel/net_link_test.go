package kernel

import (
	"fmt"
	"strings"
	"testing"
	"unsafe"

	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/steplog"
)

// grams sends count datagrams of size bytes, numbered, from machine 1 to
// machine 2, one every gap, and gives what arrives: numbers in order.
func (w *netWorld) grams(count, size int, gap Nanos) (got []int) {
	w.t.Helper()
	a := w.must(1, abi.SYS_SOCKET, abi.AF_INET, abi.SOCK_DGRAM|abi.SOCK_NONBLOCK, 0)
	b := w.must(2, abi.SYS_SOCKET, abi.AF_INET, abi.SOCK_DGRAM|abi.SOCK_NONBLOCK, 0)
	w.setopt(2, b, abi.SOL_SOCKET, abi.SO_RCVBUF, 4<<20)
	w.must(2, abi.SYS_BIND, b, unsafe.Pointer(sockaddrIn([4]byte{}, 7000)), 16)
	to := unsafe.Pointer(sockaddrIn(w.k.Machine(2).Addr(), 7000))
	drain := func() {
		for {
			p, errno := w.recv(2, b)
			if errno == abi.EAGAIN {
				return
			}
			if len(p) != size {
				w.t.Fatalf("%d bytes arrived, errno %d", len(p), errno)
			}
			got = append(got, int(p[0])|int(p[1])<<8)
		}
	}
	for i := range count {
		p := make([]byte, size)
		p[0], p[1] = byte(i), byte(i>>8)
		w.must(1, abi.SYS_SENDTO, a, unsafe.Pointer(&p[0]), size, 0, to, 16)
		w.run(gap)
		drain()
	}
	w.run(60 * second)
	drain()
	w.must(1, abi.SYS_CLOSE, a)
	w.must(2, abi.SYS_CLOSE, b)
	return got
}

func (w *netWorld) link(from, to string, set LinkSettings) {
	w.t.Helper()
	if text := w.k.SetLink(from, to, set); text != "" {
		w.t.Fatal(text)
	}
}

// count is how many steps so far are of a kind and have a text.
func (w *netWorld) count(kind steplog.Kind, text string) (n int) {
	for i, k := range w.kinds {
		if k == kind && strings.Contains(w.steps[i], fmt.Sprintf("%q", text)) {
			n++
		}
	}
	return n
}

func between(t *testing.T, what string, n, low, high int) {
	t.Helper()
	if n < low || n > high {
		t.Errorf("%s: %d, want %d to %d", what, n, low, high)
	}
}

func TestLinkFaults(t *testing.T) {
	const tenth = certain / 10
	t.Run("loss", func(t *testing.T) {
		w := newNetWorld(t, 2)
		w.link("main", "m2", LinkSettings{Loss: tenth})
		got := w.grams(2000, 10, 1000)
		between(t, "arrived", len(got), 1740, 1860)
		if n := w.count(steplog.KindDrop, "lost on the way"); n != 2000-len(got) {
			t.Errorf("%d drops are steps, want %d", n, 2000-len(got))
		}
	})
	t.Run("one way", func(t *testing.T) {
		w := newNetWorld(t, 2)
		w.link("m2", "main", LinkSettings{Loss: certain})
		if got := w.grams(100, 10, 1000); len(got) != 100 {
			t.Errorf("%d of 100 arrived", len(got))
		}
	})
	t.Run("duplicate", func(t *testing.T) {
		w := newNetWorld(t, 2)
		w.link("*", "*", LinkSettings{Duplicate: tenth})
		got := w.grams(2000, 10, 1000)
		between(t, "arrived", len(got), 2140, 2260)
		if n := w.count(steplog.KindFault, "duplicated"); n != len(got)-2000 {
			t.Errorf("%d duplicates are steps, want %d", n, len(got)-2000)
		}
	})
	t.Run("reorder", func(t *testing.T) {
		w := newNetWorld(t, 2)
		w.link("main", "*", LinkSettings{Reorder: tenth})
		got := w.grams(2000, 10, 10_000)
		if len(got) != 2000 {
			t.Fatalf("%d arrived", len(got))
		}
		early := 0
		for i := 1; i < len(got); i++ {
			if got[i] < got[i-1] {
				early++
			}
		}
		between(t, "overtaken", early, 100, 250)
	})
	t.Run("in order with jitter", func(t *testing.T) {
		w := newNetWorld(t, 2)
		w.link("main", "m2", LinkSettings{Delay: 1_000_000, Fixed: true, Jitter: 5_000_000})
		for i, n := range w.grams(500, 10, 10_000) {
			if i != n {
				t.Fatalf("message %d arrived in place %d", n, i)
			}
		}
	})
	t.Run("corrupt", func(t *testing.T) {
		w := newNetWorld(t, 2)
		w.link("main", "m2", LinkSettings{Corrupt: certain})
		bits := 0
		for i, n := range w.grams(100, 2, 1000) {
			for x := i ^ n; x != 0; x &= x - 1 {
				bits++
			}
		}
		if bits != 100 {
			t.Errorf("%d bits are wrong in 100 messages, want one each", bits)
		}
	})
}

// TestLinkBandwidth: 1 Mbit/s carry 125 kB in a second, whatever the size of
// the messages, and a queue of 10 kB loses what does not fit.
func TestLinkBandwidth(t *testing.T) {
	w := newNetWorld(t, 2)
	w.link("main", "m2", LinkSettings{Delay: 1000, Fixed: true, Bandwidth: 1_000_000})
	before := len(w.steps)
	if got := w.grams(100, 958, 1); len(got) != 100 { // 1000 with its headers
		t.Fatalf("%d arrived", len(got))
	}
	first, last := Nanos(0), Nanos(0)
	for i, s := range w.steps[before:] {
		if w.kinds[before+i] == steplog.KindDeliver {
			var at Nanos
			fmt.Sscan(s, &at)
			if first == 0 {
				first = at
			}
			last = at
		}
	}
	if d := last - first; d < 791_990_000 || d > 792_010_000 {
		t.Errorf("99 messages of 8 kbit took %d ns at 1 Mbit/s, want 792 ms", d)
	}
	w.link("main", "m2", LinkSettings{Bandwidth: 1_000_000, Queue: 10_000})
	got := w.grams(100, 958, 1)
	between(t, "arrived through a queue of ten", len(got), 10, 12)
	if n := w.count(steplog.KindDrop, "the queue of the link is full"); n != 100-len(got) {
		t.Errorf("%d drops are steps", n)
	}
}

// TestLinkStates: what programs see of a link that is not up.
func TestLinkStates(t *testing.T) {
	for _, x := range []struct {
		state        LinkState
		tcp, udp     abi.Errno
		atLeast, max Nanos
	}{
		{LinkBlackhole, abi.ETIMEDOUT, abi.OK, 100 * second, 200 * second},
		{LinkRefuse, abi.ECONNREFUSED, abi.ECONNREFUSED, 1, second},
		{LinkUnreachable, abi.EHOSTUNREACH, abi.EHOSTUNREACH, 1, second},
	} {
		w := newNetWorld(t, 2)
		w.listen(2, 80)
		w.link("main", "m2", LinkSettings{State: x.state})
		d := w.dial(1, w.k.Machine(2).Addr(), 80)
		errno, took := w.finish(1, d)
		if errno != x.tcp || took < x.atLeast || took > x.max {
			t.Errorf("state %d: connect errno %d after %d ns", x.state, errno, took)
		}
		u := w.must(1, abi.SYS_SOCKET, abi.AF_INET, abi.SOCK_DGRAM|abi.SOCK_NONBLOCK, 0)
		w.must(1, abi.SYS_CONNECT, u, unsafe.Pointer(sockaddrIn(w.k.Machine(2).Addr(), 99)), 16)
		w.send(1, u, "x")
		w.run(second)
		want := x.udp
		if want == abi.OK {
			want = abi.EAGAIN
		}
		if _, errno := w.recv(1, u); errno != want {
			t.Errorf("state %d: UDP errno %d, want %d", x.state, errno, want)
		}
	}
	w := newNetWorld(t, 2)
	w.link("main", "m2", LinkSettings{State: LinkNoRoute})
	to := unsafe.Pointer(sockaddrIn(w.k.Machine(2).Addr(), 99))
	for _, kind := range []int{abi.SOCK_STREAM, abi.SOCK_DGRAM} {
		fd := w.must(1, abi.SYS_SOCKET, abi.AF_INET, kind|abi.SOCK_NONBLOCK, 0)
		if _, errno := w.call(1, abi.SYS_CONNECT, fd, to, 16); errno != abi.ENETUNREACH {
			t.Errorf("no route: connect errno %d", errno)
		}
	}
}

// TestOpenConnectionOnLinkStates: an open connection survives what an attempt
// to connect does not, and gives the reason when it gives up; a firewall that
// refuses resets it.
func TestOpenConnectionOnLinkStates(t *testing.T) {
	for _, x := range []struct {
		state LinkState
		want  abi.Errno
		heal  bool
	}{
		{LinkUnreachable, abi.EHOSTUNREACH, false}, {LinkUnreachable, abi.OK, true},
		{LinkBlackhole, abi.ETIMEDOUT, false}, {LinkBlackhole, abi.OK, true},
		{LinkRefuse, abi.ECONNRESET, false},
	} {
		w := newNetWorld(t, 2)
		c, s, _ := w.pair()
		w.link("*", "*", LinkSettings{State: x.state})
		w.send(1, c, "x")
		w.run(5 * second)
		if x.heal {
			w.k.Heal()
			if p, errno, _ := w.wait(2, s); p != "x" || errno != abi.OK {
				t.Errorf("state %d, healed: %q, errno %d", x.state, p, errno)
			}
			continue
		}
		if _, errno, _ := w.wait(1, c); errno != x.want {
			t.Errorf("state %d: errno %d, want %d", x.state, errno, x.want)
		}
	}
}

// TestTCPOverBadLinks: a stream arrives whole over links that lose, double,
// hold back and damage, narrow ones with short queues included.
func TestTCPOverBadLinks(t *testing.T) {
	for seed := range uint64(8) {
		w := newSeededWorld(t, 2, seed)
		w.keep = false
		set := LinkSettings{
			Delay: 2_000_000, Fixed: true, Jitter: 3_000_000, Loss: certain / 12, Duplicate: certain / 20,
			Reorder: certain / 20, Corrupt: certain / 50,
		}
		if seed%2 == 1 {
			set = LinkSettings{Bandwidth: 10_000_000, Queue: 100_000, Jitter: 1_000_000}
		}
		w.link("*", "*", set)
		c, s, _ := w.pair()
		data := make([]byte, 2<<20)
		for i := range data {
			data[i] = byte(i * i >> 8)
		}
		sent := 0
		var got []byte
		w.until("everything arrives", func() bool {
			for sent < len(data) {
				n, errno := w.call(1, abi.SYS_SENDTO, c, unsafe.Pointer(&data[sent]), min(len(data)-sent, 20000), 0, 0, 0)
				if errno == abi.EAGAIN {
					break
				} else if errno != abi.OK {
					t.Fatalf("seed %d: send errno %d", seed, errno)
				}
				sent += n
			}
			for {
				p, errno := w.recv(2, s)
				if errno == abi.EAGAIN {
					break
				} else if errno != abi.OK {
					t.Fatalf("seed %d: recv errno %d", seed, errno)
				}
				got = append(got, p...)
			}
			return len(got) >= len(data)
		})
		if string(got) != string(data) {
			t.Errorf("seed %d: other bytes came out than went in", seed)
		}
		if d := w.now - netStart; seed%2 == 1 && (d < 1600_000_000 || d > 20*second) {
			t.Errorf("seed %d: 16 Mbit took %d ns at 10 Mbit/s", seed, d)
		}
	}
}

func TestPartitionSets(t *testing.T) {
	w := newNetWorld(t, 5)
	reach := func() string {
		var b strings.Builder
		for _, x := range w.k.net.stacks {
			for _, y := range w.k.net.stacks {
				if x != y && !w.k.net.link(x, y).healthy() {
					fmt.Fprintf(&b, "%d-%d ", x.m.id, y.m.id)
				}
			}
		}
		return strings.TrimSpace(b.String())
	}
	for _, x := range []struct {
		sets [][]string
		want string
	}{
		{[][]string{{"main", "m2"}, {"m3"}}, "1-3 2-3 3-1 3-2"},
		{[][]string{{"main"}, {"m2", "m3"}}, "1-2 1-3 2-1 3-1"},
		{[][]string{{"main", "11.0.0.2", "m3", "m4"}}, ""},
	} {
		if text := w.k.Partition(x.sets); text != "" {
			t.Fatal(text)
		}
		if got := reach(); got != x.want {
			t.Errorf("%v cuts %q, want %q", x.sets, got, x.want)
		}
	}
	for _, bad := range [][][]string{{{"main"}, {"main"}}, {{"nobody"}}} {
		if text := w.k.Partition(bad); text == "" {
			t.Errorf("%v is taken", bad)
		}
	}
	w.k.Partition([][]string{{"main"}, {"m2"}})
	w.link("m3", "*", LinkSettings{Loss: certain, Jitter: 7})
	if m, text := w.k.NewMachine(MachineConfig{Label: "later"}); text != "" || w.k.net.link(w.k.Lookup("m3").stack, m.stack).set.Jitter != 7 {
		t.Error("a rule for every machine leaves out one made later", text)
	}
	w.k.Heal()
	if got := reach(); got != "" {
		t.Errorf("healed, but %q", got)
	}
	if l := w.k.net.link(w.k.Lookup("m3").stack, w.k.Lookup("m2").stack); l.set.Jitter != 7 {
		t.Error("healing took the jitter away")
	}
}

func TestLinkErrors(t *testing.T) {
	w := newNetWorld(t, 2)
	for _, x := range []struct {
		from, to string
		set      LinkSettings
		want     string
	}{
		{"main", "nobody", LinkSettings{}, "there is no machine nobody"},
		{"main", "11.0.0.1", LinkSettings{}, "both ends"},
		{"main", "m2", LinkSettings{Loss: certain + 1}, "above 1"},
		{"main", "m2", LinkSettings{State: linkStates}, "no such state"},
		{"main", "m2", LinkSettings{Queue: -1}, "negative"},
	} {
		if text := w.k.SetLink(x.from, x.to, x.set); !strings.Contains(text, x.want) {
			t.Errorf("%s to %s: %q, want %q in it", x.from, x.to, text, x.want)
		}
	}
	set := LinkSettings{
		Delay: 5_000_000, Fixed: true, Jitter: 1000, Loss: certain / 8, Corrupt: certain, Bandwidth: 1000, Queue: 5, State: LinkRefuse,
	}
	if got := set.String(); got != " refuses delay 5ms jitter 1µs loss 12.5% corrupt 100% bandwidth 1000 bit/s queue 5 B" {
		t.Errorf("settings read %q", got)
	}
	back, text := parseLink("5000000 1000 536870912 0 0 4294967296 1000 5 2")
	if text != "" || back != set {
		t.Errorf("%+v, %q", back, text)
	}
	for _, bad := range []string{"", "1 2 3", "1 2 3 4 5 6 7 8 9 10", "a b c d e f g h i"} {
		if _, text := parseLink(bad); text == "" {
			t.Errorf("%q is taken for settings", bad)
		}
	}
}

// TestUnsetLinksDrawNoFaults: settings of one link leave the choices of others
// alone.
func TestUnsetLinksDrawNoFaults(t *testing.T) {
	body := func(set bool) []string {
		w := newNetWorld(t, 3)
		if set {
			w.link("m3", "m2", LinkSettings{Loss: certain / 2})
			w.steps = w.steps[:len(w.steps)-1]
		}
		w.pair()
		w.grams(20, 10, 1000)
		return w.steps
	}
	a, b := body(false), body(true)
	if strings.Join(a, "\n") != strings.Join(b, "\n") {
		t.Error("a fault on a link that nobody uses changed a run")
	}
}
