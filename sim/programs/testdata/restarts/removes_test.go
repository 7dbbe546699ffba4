package restarts

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/restep/restep/sim"
)

// TestRemoves makes and removes machines, more than there can be at a time.
// Each has a disk, connections in both directions, links and a DNS fault of its
// own, goroutines and timers; the label and the address are those of the one
// before or new ones.
func TestRemoves(t *testing.T) {
	sim.SetSimulationTimeout(0)
	rounds, err := strconv.Atoi(os.Getenv("ROUNDS"))
	if err != nil {
		t.Fatal(err)
	}
	lis, err := net.Listen("tcp", ":1")
	if err != nil {
		t.Fatal(err)
	}
	heard := make(chan string)
	go func() {
		for {
			c, err := lis.Accept()
			if err != nil {
				return
			}
			b, _ := io.ReadAll(c)
			c.Close()
			heard <- string(b)
		}
	}()
	gone := sim.Machine{}
	for i := range rounds {
		label, addr := "guest", netip.MustParseAddr("12.0.0.1")
		if i%2 == 1 {
			label, addr = fmt.Sprint("guest", i), netip.Addr{}
		}
		m := sim.NewMachine(sim.MachineConfig{Label: label, Addr: addr, MainFunc: guest})
		sim.SetDelay("main", label, 2*time.Millisecond)
		sim.SetDNSFault(label, sim.DNSSilent)
		if got := <-heard; got != label {
			t.Fatalf("round %d: %q called, not %q", i, got, label)
		}
		if m.Label() != label || m == gone {
			t.Fatalf("round %d: machine %q", i, m.Label())
		}
		m.Remove()
		gone = m
	}
	func() {
		defer func() {
			if text := fmt.Sprint(recover()); text != "sim.Machine.Crash: the machine was removed" {
				t.Error("use of a removed machine:", text)
			}
		}()
		gone.Crash()
	}()
	if n := runtime.NumGoroutine(); n > 10 {
		t.Error(n, "goroutines are left")
	}
}

// guest is what the machines run.
func guest() {
	name, err := os.Hostname()
	if err != nil {
		panic(err)
	}
	if _, err := os.Stat("/data"); err == nil {
		panic("the disk of a new machine is not empty")
	}
	if err := os.WriteFile("/data", make([]byte, 100_000), 0o600); err != nil {
		panic(err)
	}
	fmt.Println("guest", name)
	time.AfterFunc(time.Hour, func() { panic("a timer of a removed machine") })
	lis, err := net.Listen("tcp", ":2")
	if err != nil {
		panic(err)
	}
	go lis.Accept()
	c, err := net.Dial("tcp", "11.0.0.1:1")
	if err != nil {
		panic(err)
	}
	io.WriteString(c, name)
	c.Close()
	select {}
}
