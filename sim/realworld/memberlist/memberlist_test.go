package memberlist

import (
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/hashicorp/memberlist"
	"github.com/restep/restep/sim"
)

// nodes is the size of a cluster.
const nodes = 5

// settle is how long a cluster of five may take to agree about a change: a
// probe a second, at most (awareness) eight times as long, then a suspicion
// that lasts up to 24 seconds, and a full exchange each 30 seconds.
const settle = 3 * time.Minute

// cluster is five machines that run memberlist. The machines write what they
// think into views, which the test reads.
type cluster struct {
	machines [nodes]sim.Machine
	views    [nodes]func() []string
}

func label(i int) string { return fmt.Sprint("node", i) }

func addr(i int) netip.Addr { return netip.AddrFrom4([4]byte{11, 0, 1, byte(i + 1)}) }

// newCluster boots the machines and waits until all know each other.
func newCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{}
	for i := range nodes {
		c.machines[i] = sim.NewMachine(sim.MachineConfig{Label: label(i), Addr: addr(i), MainFunc: func() { c.node(i) }})
	}
	c.agree(t, "at the start", func(_, _ int) bool { return true })
	return c
}

// node is the program of a machine: it joins through any machine that answers,
// and again while it is alone.
func (c *cluster) node(i int) {
	config := memberlist.DefaultLANConfig()
	config.BindAddr = addr(i).String()
	config.LogOutput = io.Discard
	list, err := memberlist.Create(config)
	if err != nil {
		log.Fatal(err)
	}
	c.views[i] = func() []string {
		var names []string
		for _, n := range list.Members() {
			names = append(names, n.Name)
		}
		slices.Sort(names)
		return names
	}
	var seeds []string
	for j := range nodes {
		if j != i {
			seeds = append(seeds, addr(j).String())
		}
	}
	for {
		if list.NumMembers() < nodes {
			list.Join(seeds) // an error says that some do not answer
		}
		time.Sleep(10 * time.Second) // sim:ok how often this program looks for lost peers
	}
}

// agree waits until each machine that runs holds exactly those for alive that
// it reaches, and they stay so.
func (c *cluster) agree(t *testing.T, when string, reaches func(from, to int) bool) {
	t.Helper()
	var wrong string
	deadline := time.Now().Add(settle)
	for good := 0; good < 5; {
		wrong = c.differ(reaches)
		if good++; wrong != "" {
			good = 0
			if time.Now().After(deadline) {
				t.Fatalf("%s, after %v: %s", when, settle, wrong)
			}
		}
		time.Sleep(time.Second) // sim:ok how often the oracle looks
	}
}

// differ names the first machine whose view is not what it reaches.
func (c *cluster) differ(reaches func(from, to int) bool) string {
	for i, m := range c.machines {
		if !m.Running() {
			continue
		}
		var want []string
		for j := range nodes {
			if i == j || reaches(i, j) {
				want = append(want, label(j))
			}
		}
		if c.views[i] == nil {
			return label(i) + " has not started"
		}
		if have := c.views[i](); !slices.Equal(have, want) {
			return fmt.Sprintf("%s holds %v for alive and reaches %v", label(i), have, want)
		}
	}
	return ""
}

// TestCrash: a machine without power is noticed by all, and is back in all
// lists when it has booted again.
func TestCrash(t *testing.T) {
	c := newCluster(t)
	for range 2 {
		i := rand.IntN(nodes)
		c.machines[i].Crash()
		c.views[i] = nil
		c.agree(t, "after the crash of "+label(i), func(_, to int) bool { return to != i })
		c.machines[i].Restart()
		c.agree(t, "after the restart of "+label(i), func(_, _ int) bool { return true })
	}
}

// TestViews: whatever cuts a machine off, both sides notice, and find each
// other again when it is over.
func TestViews(t *testing.T) {
	c := newCluster(t)
	i := rand.IntN(nodes)
	together := func(from, to int) bool { return (from == i) == (to == i) }
	fault := rand.IntN(6)
	what := []string{"cut off", "refused", "unreachable", "without a route", "crashed", "on a bad line"}[fault]
	t.Logf("%s is %s", label(i), what)
	switch fault {
	case 4:
		c.machines[i].Crash()
		c.views[i] = nil
	case 5:
		together = func(_, _ int) bool { return true }
		set(t, i, sim.Link{Delay: 5 * time.Millisecond, Jitter: 20 * time.Millisecond, Loss: 0.02, Duplicate: 0.05, Reorder: 0.05})
	default:
		set(t, i, sim.Link{State: []sim.LinkState{sim.Blackhole, sim.Refuse, sim.Unreachable, sim.NoRoute}[fault]})
	}
	c.agree(t, label(i)+" is "+what, together)
	set(t, i, sim.Link{})
	if fault == 4 {
		c.machines[i].Restart()
	}
	c.agree(t, label(i)+" is back", func(_, _ int) bool { return true })
}

// set sets the links between a machine and all others.
func set(t *testing.T, i int, l sim.Link) {
	t.Helper()
	for j := range nodes {
		if j != i {
			if err := sim.SetLinks(label(i), label(j), l); err != nil {
				t.Fatal(err)
			}
		}
	}
}
