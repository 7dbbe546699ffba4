package work

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/restep/restep/sim"
)

// answer sends every message back to where it came from.
func answer(c net.PacketConn) {
	b := make([]byte, 2048)
	for {
		n, from, err := c.ReadFrom(b)
		if err != nil {
			return
		}
		if _, err := c.WriteTo(b[:n], from); err != nil {
			return
		}
	}
}

// TestUDP sends messages of 64 bytes to another machine and waits for each to
// come back.
func TestUDP(t *testing.T) {
	n := count(t)
	addr := "10.0.0.1:7"
	if sim.IsSim() {
		machine("10.0.0.1", func() {
			c, err := net.ListenPacket("udp", addr)
			if err != nil {
				panic(err)
			}
			answer(c)
		})
		time.Sleep(time.Second)
	} else {
		c, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go answer(c)
		addr = c.LocalAddr().String()
	}
	c, err := net.Dial("udp", addr)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 64)
	for range n {
		if _, err := c.Write(b); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(b); err != nil {
			t.Fatal(err)
		}
	}
}

// TestFsync appends a sector to a file and makes it durable.
func TestFsync(t *testing.T) {
	n := count(t)
	f, err := os.OpenFile(filepath.Join(t.TempDir(), "log"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 512)
	for range n {
		if _, err := f.Write(b); err != nil {
			t.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestMachines10 and TestMachines100 pass messages around a ring of machines.
func TestMachines10(t *testing.T)  { ring(t, 10) }
func TestMachines100(t *testing.T) { ring(t, 100) }

func ring(t *testing.T, machines int) {
	n := count(t)
	addr := func(i int) string { return fmt.Sprintf("10.0.0.%d", i%machines+1) }
	for i := range machines {
		next := net.UDPAddrFromAddrPort(netip.MustParseAddrPort(addr(i+1) + ":7"))
		sim.NewMachine(sim.MachineConfig{Label: fmt.Sprint("m", i), Addr: netip.MustParseAddr(addr(i)), MainFunc: func() {
			c, err := net.ListenPacket("udp", ":7")
			if err != nil {
				panic(err)
			}
			b := make([]byte, 64)
			for {
				k, _, err := c.ReadFrom(b)
				if err != nil {
					panic(err)
				}
				if n--; n <= 0 {
					return
				}
				if _, err := c.WriteTo(b[:k], next); err != nil {
					panic(err)
				}
			}
		}})
	}
	time.Sleep(time.Second)
	c, err := net.Dial("udp", addr(0)+":7")
	if err != nil {
		t.Fatal(err)
	}
	for range 4 { // messages under way at a time
		if _, err := c.Write(make([]byte, 64)); err != nil {
			t.Fatal(err)
		}
	}
	for n > 0 {
		time.Sleep(time.Second)
	}
}
