// Package property boots, shuts down and pings generated machines under
// pgregory.net/rapid, which makes its world anew for each case and shrinks what
// fails.
package property

import (
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/restep/restep/sim"
)

func TestMain(m *testing.M) {
	flag.Parse()
	flag.Set("rapid.nofailfile", "true")
	flag.Set("rapid.steps", "15")
	flag.Set("rapid.shrinktime", "1h") // of simulated time
	os.Exit(m.Run())
}

func TestPings(t *testing.T) {
	sim.SetSimulationTimeout(24 * time.Hour)
	rapid.Check(t, func(rt *rapid.T) {
		c := drawCase(rt)
		if fault := c.run(server{}); fault != "" {
			rt.Fatalf("%s\n%s", c, fault)
		}
	})
}

// TestLostPings has a server that loses pings after its third restart: the
// least that shows it is three restarts and a ping. Shrinking draws one case in
// many ways; it runs once.
func TestLostPings(t *testing.T) {
	sim.SetSimulationTimeout(24 * time.Hour)
	faults, last := map[string]string{}, ""
	f := &found{T: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		rapid.Check(f, func(rt *rapid.T) {
			c := drawCase(rt)
			last = c.String()
			fault, known := faults[last]
			if !known {
				fault = c.run(server{deafFrom: 4})
				faults[last] = fault
			}
			if fault != "" {
				rt.Fatal(fault)
			}
		})
	}()
	<-done
	const want = "disks [0]: boot m0, shut down m0, boot m0, shut down m0, boot m0, shut down m0, boot m0, ping m0 from m0"
	if !f.failed || last != want {
		t.Errorf("failed: %v; the least case is\n%s\nnot\n%s", f.failed, last, want)
	}
	if fault := faults[want]; fault != unanswered {
		t.Errorf("it fails with %q", fault)
	}
	t.Logf("%d cases", len(faults))
}

// found takes the failure that rapid reports, which is what its test wants.
type found struct {
	*testing.T
	failed bool
}

func (f *found) Failed() bool          { return f.failed }
func (f *found) Fail()                 { f.failed = true }
func (f *found) FailNow()              { f.failed = true; runtime.Goexit() }
func (f *found) Error(...any)          { f.failed = true }
func (f *found) Errorf(string, ...any) { f.failed = true }
func (f *found) Fatal(...any)          { f.FailNow() }
func (f *found) Fatalf(string, ...any) { f.FailNow() }

// command is what one step of a case does; a Ping is from a machine to one.
type command struct {
	verb     string
	machine  int
	receiver int
}

// testCase is generated machines and commands, each of which is possible when
// its turn comes.
type testCase struct {
	disks    []int64 // the size of each machine's disk in bytes, 0 for any
	commands []command
}

func (c *testCase) String() string {
	var words []string
	for _, cmd := range c.commands {
		word := fmt.Sprintf("%s m%d", cmd.verb, cmd.machine)
		if cmd.verb == "ping" {
			word = fmt.Sprintf("ping m%d from m%d", cmd.receiver, cmd.machine)
		}
		words = append(words, word)
	}
	return fmt.Sprintf("disks %d: %s", c.disks, strings.Join(words, ", "))
}

// drawCase draws machines, all off, and commands from those that the model
// allows.
func drawCase(t *rapid.T) *testCase {
	c := &testCase{disks: rapid.SliceOfN(rapid.SampledFrom([]int64{0, 64 << 10, 1 << 20}), 1, 4).Draw(t, "disks")}
	running := make([]bool, len(c.disks))
	pick := func(t *rapid.T, what string, state bool) int {
		var list []int
		for i, is := range running {
			if is == state {
				list = append(list, i)
			}
		}
		if len(list) == 0 {
			t.Skip("there is none")
		}
		return rapid.SampledFrom(list).Draw(t, what)
	}
	t.Repeat(map[string]func(*rapid.T){
		"Boot": func(t *rapid.T) {
			i := pick(t, "machine", false)
			running[i] = true
			c.commands = append(c.commands, command{verb: "boot", machine: i})
		},
		"Ping": func(t *rapid.T) {
			from, to := pick(t, "from", true), rapid.IntRange(0, len(running)-1).Draw(t, "to")
			c.commands = append(c.commands, command{verb: "ping", machine: from, receiver: to})
		},
		"Shutdown": func(t *rapid.T) {
			i := pick(t, "machine", true)
			running[i] = false
			c.commands = append(c.commands, command{verb: "shut down", machine: i})
		},
	})
	return c
}

const (
	unanswered = "a machine that runs does not answer a ping"
	answered   = "a machine that is off answers a ping"
)

// node is a machine and what the model knows of it.
type node struct {
	cfg     sim.MachineConfig
	machine sim.Machine // none before the first boot
	running bool        // by the model
	serves  atomic.Bool // by the machine
}

// run makes the machines, carries out the commands and removes the machines:
// the next case has the same labels and addresses. It returns what went wrong,
// in the same words whenever the same went wrong, as shrinking wants it.
func (c *testCase) run(s server) (fault string) {
	nodes := make([]*node, len(c.disks))
	for i, size := range c.disks {
		n := &node{}
		n.cfg = sim.MachineConfig{
			Label: fmt.Sprintf("m%d", i), Addr: netip.AddrFrom4([4]byte{11, 0, 0, byte(10 + i)}), Disk: sim.Disk{Size: size},
			MainFunc: func() { s.run(&n.serves) },
		}
		nodes[i] = n
		defer func() {
			if n.machine != (sim.Machine{}) {
				n.machine.Remove()
			}
		}()
	}
	for _, cmd := range c.commands {
		n := nodes[cmd.machine]
		switch cmd.verb {
		case "boot":
			fault = n.boot()
		case "shut down":
			n.machine.Crash()
			n.serves.Store(false)
			n.running = false
		case "ping":
			fault = n.ping(nodes[cmd.receiver])
		}
		if fault != "" {
			return fault
		}
	}
	return ""
}

func (n *node) boot() (fault string) {
	if n.machine == (sim.Machine{}) {
		n.machine = sim.NewMachine(n.cfg)
	} else {
		n.machine.Restart()
	}
	n.running = true
	if err := sim.WaitFor(n.serves.Load); err != nil {
		return "a machine does not come up"
	}
	return ""
}

// ping has an answer exactly if the machine that is pinged runs.
func (n *node) ping(to *node) (fault string) {
	var answer error
	addr := netip.AddrPortFrom(to.cfg.Addr, 7).String()
	if err := n.machine.Exec(func() { answer = ping(addr) }); err != nil {
		return "a machine that runs cannot ping"
	}
	switch {
	case to.running && answer != nil:
		return unanswered
	case !to.running && answer == nil:
		return answered
	}
	return ""
}

func ping(addr string) error {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(time.Second))
	if _, err := c.Write([]byte("ping")); err != nil {
		return err
	}
	answer, err := io.ReadAll(c)
	if err == nil && string(answer) != "ping" {
		err = fmt.Errorf("the answer %q", answer)
	}
	return err
}

// server answers pings, and counts its boots on its disk.
type server struct {
	deafFrom int // from this boot on it loses pings, 0 for never
}

func (s server) run(serves *atomic.Bool) {
	boots, err := count()
	if err != nil {
		panic(err)
	}
	l, err := net.Listen("tcp", ":7")
	if err != nil {
		panic(err)
	}
	serves.Store(true)
	for {
		c, err := l.Accept()
		if err != nil {
			panic(err)
		}
		if s.deafFrom == 0 || boots < s.deafFrom {
			io.CopyN(c, c, int64(len("ping")))
		}
		c.Close()
	}
}

// count adds one to the boots on the disk so that a power cut keeps it: a boot
// adds a byte.
func count() (boots int, err error) {
	const path = "/var/lib/pings/boots"
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return 0, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	if _, err := f.WriteString("+"); err != nil {
		return 0, err
	}
	if err := f.Sync(); err != nil {
		return 0, err
	}
	for dir := filepath.Dir(path); dir != "/"; dir = filepath.Dir(dir) {
		if err := syncDir(dir); err != nil {
			return 0, err
		}
	}
	if err := syncDir("/"); err != nil {
		return 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return int(info.Size()), nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
