// Package work is what sim/bench measures: each test does one thing as often
// as RESTEP_BENCH_N says. It knows no clock; whoever runs it takes the time of
// the whole process, for two counts, and divides the difference.
package work

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/restep/restep/sim"
)

func count(t *testing.T) int {
	n, err := strconv.Atoi(os.Getenv("RESTEP_BENCH_N"))
	if err != nil {
		t.Fatalf("RESTEP_BENCH_N: %v", err)
	}
	return n
}

// machine runs main on a machine of its own, natively on a goroutine.
func machine(addr string, main func()) {
	if !sim.IsSim() {
		go main()
		return
	}
	sim.NewMachine(sim.MachineConfig{Label: "peer", Addr: netip.MustParseAddr(addr), MainFunc: main})
}

func echo(in <-chan int, out chan<- int) {
	for v := range in {
		out <- v
	}
}

func roundTrips(n int, out chan<- int, in <-chan int) {
	for i := range n {
		out <- i
		<-in
	}
}

// TestNothing is the run itself.
func TestNothing(t *testing.T) {}

// TestChannel passes a value to another goroutine and back.
func TestChannel(t *testing.T) {
	n := count(t)
	there, back := make(chan int), make(chan int)
	go echo(there, back)
	roundTrips(n, there, back)
	close(there)
}

// TestSwitch does the same with a goroutine of another machine.
func TestSwitch(t *testing.T) {
	n := count(t)
	there, back := make(chan int), make(chan int)
	machine("10.0.0.1", func() { echo(there, back) })
	roundTrips(n, there, back)
	close(there)
}

// TestMapInsert fills maps of 100,000 entries.
func TestMapInsert(t *testing.T) {
	for n := count(t); n > 0; n -= 100_000 {
		m := map[uint64]int{}
		for i := range min(n, 100_000) {
			m[uint64(i)*0x9e3779b97f4a7c15] = i
		}
	}
}

// TestMapLookup looks keys up in one map of 100,000 entries.
func TestMapLookup(t *testing.T) {
	n := count(t)
	m := map[uint64]int{}
	for i := range 100_000 {
		m[uint64(i)*0x9e3779b97f4a7c15] = i
	}
	sum := 0
	for n > 0 {
		for i := range min(n, 100_000) {
			sum += m[uint64(i)*0x9e3779b97f4a7c15]
		}
		n -= 100_000
	}
	if sum == 0 {
		t.Fatal("nothing found")
	}
}

// TestSleep sleeps a millisecond.
func TestSleep(t *testing.T) {
	for range count(t) {
		time.Sleep(time.Millisecond)
	}
}

func serve(l net.Listener) {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "hello %s", r.URL.Path) })
	_ = http.Serve(l, mux)
}

// listenAndServe starts the server and returns its address.
func listenAndServe(t *testing.T) string {
	if !sim.IsSim() {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go serve(l)
		return l.Addr().String()
	}
	const addr = "10.0.0.1:80"
	machine("10.0.0.1", func() {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			panic(err)
		}
		serve(l)
	})
	time.Sleep(time.Second)
	return addr
}

// TestHTTP makes requests over one connection that is kept alive.
func TestHTTP(t *testing.T) {
	n := count(t)
	url := "http://" + listenAndServe(t) + "/x"
	for range n {
		resp, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
}

// TestRestart cuts the power of a machine that serves HTTP and boots it again,
// which makes all its packages' init functions run.
func TestRestart(t *testing.T) {
	n := count(t)
	m := sim.NewMachine(sim.MachineConfig{Label: "server", Addr: netip.MustParseAddr("10.0.0.1"), MainFunc: func() {
		l, err := net.Listen("tcp", "10.0.0.1:80")
		if err != nil {
			panic(err)
		}
		serve(l)
	}})
	for range n {
		time.Sleep(time.Second)
		m.Crash()
		m.Restart()
	}
}
