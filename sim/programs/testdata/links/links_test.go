// Package links changes the network under programs that talk over it.
package links

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/restep/restep/sim"
)

func web() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		fmt.Fprint(w, r.URL.Path, " ", len(b))
	})
	panic(http.ListenAndServe(":80", nil))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestBadLinks: HTTP works over links that lose, double and reorder.
func TestBadLinks(t *testing.T) {
	sim.NewMachine(sim.MachineConfig{Label: "web", MainFunc: web})
	must(t, sim.SetLink("*", "*", sim.Link{
		Delay: 10 * time.Millisecond, Jitter: 5 * time.Millisecond, Loss: 0.05, Duplicate: 0.02, Reorder: 0.02, Corrupt: 0.01,
	}))
	for i := range 20 {
		r, err := http.Post(fmt.Sprint("http://web/", i), "text/plain", strings.NewReader(strings.Repeat("x", i*1000)))
		must(t, err)
		b, err := io.ReadAll(r.Body)
		must(t, err)
		r.Body.Close()
		if want := fmt.Sprint("/", i, " ", i*1000); string(b) != want {
			t.Errorf("%q, want %q", b, want)
		}
	}
}

// TestBandwidth: a megabyte over 8 Mbit/s takes a second.
func TestBandwidth(t *testing.T) {
	sim.NewMachine(sim.MachineConfig{Label: "web", MainFunc: web})
	must(t, sim.SetLinks("main", "web", sim.Link{Bandwidth: 8_000_000}))
	time.Sleep(time.Second)
	start := time.Now()
	r, err := http.Post("http://web/", "text/plain", strings.NewReader(strings.Repeat("x", 1_000_000)))
	must(t, err)
	r.Body.Close()
	if d := time.Since(start); d < 950*time.Millisecond || d > 1200*time.Millisecond {
		t.Error(d)
	}
}

// TestStates: the error of each state is the one that Linux gives.
func TestStates(t *testing.T) {
	sim.NewMachine(sim.MachineConfig{Label: "web", MainFunc: web})
	time.Sleep(time.Second)
	for state, want := range map[sim.LinkState]error{
		sim.Refuse: syscall.ECONNREFUSED, sim.Unreachable: syscall.EHOSTUNREACH, sim.NoRoute: syscall.ENETUNREACH,
		sim.Blackhole: syscall.ETIMEDOUT, sim.Up: nil,
	} {
		must(t, sim.SetLinks("main", "web", sim.Link{State: state}))
		c, err := net.Dial("tcp", "web:80")
		if !errors.Is(err, want) {
			t.Errorf("state %d: %v, want %v", state, err, want)
		}
		if err == nil {
			c.Close()
		}
	}
	u, err := net.ListenPacket("udp", ":0")
	must(t, err)
	must(t, sim.SetLink("main", "web", sim.Link{State: sim.NoRoute}))
	to, err := net.ResolveUDPAddr("udp", "web:53")
	must(t, err)
	if _, err := u.WriteTo([]byte("x"), to); !errors.Is(err, syscall.ENETUNREACH) {
		t.Error(err)
	}
}

// TestPartition: sets talk within, not across.
func TestPartition(t *testing.T) {
	names := []string{"a", "b", "c", "d"}
	for _, n := range names {
		sim.NewMachine(sim.MachineConfig{Label: n, MainFunc: web})
	}
	reach := func() (got []string) {
		for _, n := range names {
			c, err := net.DialTimeout("tcp", n+":80", time.Second)
			if err == nil {
				c.Close()
				got = append(got, n)
			}
		}
		return got
	}
	time.Sleep(time.Second)
	must(t, sim.Partition([]string{"main", "a", "b"}, []string{"c", "d"}))
	if got := reach(); !slices.Equal(got, []string{"a", "b"}) {
		t.Error(got)
	}
	must(t, sim.Partition([]string{"main", "d"}, []string{"a", "b", "c"}))
	if got := reach(); !slices.Equal(got, []string{"d"}) {
		t.Error(got)
	}
	sim.Heal()
	if got := reach(); !slices.Equal(got, names) {
		t.Error(got)
	}
	if err := sim.Partition([]string{"nobody"}); err == nil {
		t.Error("a partition of nobody")
	}
}

// TestAddrs: a machine with several addresses of both kinds.
func TestAddrs(t *testing.T) {
	seen := make(chan string, 10)
	sim.NewMachine(sim.MachineConfig{
		Label: "multi", Addr: netip.MustParseAddr("10.1.0.1"),
		Addrs: []netip.Addr{netip.MustParseAddr("192.168.7.1"), netip.MustParseAddr("fd00::7")},
		MainFunc: func() {
			addrs, err := net.InterfaceAddrs()
			if err != nil {
				panic(err)
			}
			for _, a := range addrs {
				seen <- a.String()
			}
			close(seen)
			web()
		},
	})
	var got []string
	for s := range seen {
		got = append(got, s)
	}
	if want := []string{"127.0.0.1/8", "10.1.0.1/8", "192.168.7.1/24", "::1/128", "fd00::7/64"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	time.Sleep(time.Second)
	for _, host := range []string{"10.1.0.1", "192.168.7.1", "multi"} {
		r, err := http.Get("http://" + host + "/")
		must(t, err)
		r.Body.Close()
	}
	// Machine main has no IPv6 address.
	if _, err := net.Dial("tcp", "[fd00::7]:80"); !errors.Is(err, syscall.ENETUNREACH) {
		t.Error(err)
	}
	sim.NewMachine(sim.MachineConfig{
		Label: "six", Addrs: []netip.Addr{netip.MustParseAddr("fd00::8")},
		MainFunc: func() {
			c, err := net.Dial("tcp", "[fd00::7]:80")
			if err != nil {
				panic(err)
			}
			if got := c.LocalAddr().(*net.TCPAddr).IP.String(); got != "fd00::8" {
				panic(got)
			}
		},
	}).Wait()
}

// TestMulticast: a message for a group reaches every machine that joined it.
func TestMulticast(t *testing.T) {
	group := &net.UDPAddr{IP: net.IPv4(224, 0, 0, 251), Port: 5353}
	got := make(chan string, 10)
	for i := range 3 {
		sim.NewMachine(sim.MachineConfig{Label: fmt.Sprint("m", i), MainFunc: func() {
			eth, err := net.InterfaceByName("eth0")
			if err != nil {
				panic(err)
			}
			c, err := net.ListenMulticastUDP("udp4", eth, group)
			if err != nil {
				panic(err)
			}
			b := make([]byte, 100)
			n, from, err := c.ReadFromUDP(b)
			if err != nil {
				panic(err)
			}
			got <- fmt.Sprint(string(b[:n]), " from ", from.IP)
		}})
	}
	time.Sleep(time.Second)
	c, err := net.DialUDP("udp4", nil, group)
	must(t, err)
	must(t, sim.SetLink("main", "m1", sim.Link{Loss: 1}))
	_, err = c.Write([]byte("hello"))
	must(t, err)
	time.Sleep(time.Second)
	if len(got) != 2 {
		t.Errorf("%d machines got it, want 2: one link loses it", len(got))
	}
	for len(got) > 0 {
		if s := <-got; s != "hello from 11.0.0.1" {
			t.Error(s)
		}
	}
	b, err := net.Dial("udp4", "11.255.255.255:5353") // broadcast; net sets SO_BROADCAST
	must(t, err)
	_, err = b.Write([]byte("to all"))
	must(t, err)
}
