// Package heavy is testdata/work's switch between machines in a program with
// large modules, whose variables each machine has, too.
package heavy

import (
	"net/netip"
	"os"
	"strconv"
	"testing"

	_ "go.etcd.io/etcd/server/v3/embed"

	"github.com/restep/restep/sim"
)

func count(t *testing.T) int {
	n, err := strconv.Atoi(os.Getenv("RESTEP_BENCH_N"))
	if err != nil {
		t.Fatalf("RESTEP_BENCH_N: %v", err)
	}
	return n
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
	sim.NewMachine(sim.MachineConfig{Label: "peer", Addr: netip.MustParseAddr("10.0.0.1"), MainFunc: func() { echo(there, back) }})
	roundTrips(n, there, back)
	close(there)
}
