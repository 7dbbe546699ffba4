package etcd

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/restep/restep/sim"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// op is what a client asks for: value is put under key, or "" for a get.
type op struct{ key, value string }

// register is a variable for each key, "" at first.
var register = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		byKey, keys := map[string][]porcupine.Operation{}, []string{}
		for _, o := range history {
			k := o.Input.(op).key
			if byKey[k] == nil {
				keys = append(keys, k)
			}
			byKey[k] = append(byKey[k], o)
		}
		var parts [][]porcupine.Operation
		for _, k := range keys {
			parts = append(parts, byKey[k])
		}
		return parts
	},
	Init: func() any { return "" },
	Step: func(state, input, output any) (bool, any) {
		if v := input.(op).value; v != "" {
			return true, v
		}
		return output == state, state
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprint(input, " -> ", output) },
}

// history is what the clients saw.
type history struct {
	mu    sync.Mutex
	ops   []porcupine.Operation
	start time.Time
}

func (h *history) now() int64 { return int64(time.Since(h.start)) }

func (h *history) add(o porcupine.Operation) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ops = append(h.ops, o)
}

// use puts and gets keys through one machine until the context ends. A put
// that failed may happen at any later time, or never.
func (h *history) use(ctx context.Context, id int, c *clientv3.Client) {
	for n := 0; ctx.Err() == nil; n++ {
		in := op{key: string(rune('a' + rand.IntN(3)))}
		o := porcupine.Operation{ClientId: id, Call: h.now()}
		limit, cancel := context.WithTimeout(ctx, time.Second)
		var err error
		if rand.IntN(2) == 0 {
			in.value = fmt.Sprint(id, ".", n)
			_, err = c.Put(limit, in.key, in.value)
		} else {
			var r *clientv3.GetResponse
			r, err = c.Get(limit, in.key)
			o.Output = ""
			if err == nil && len(r.Kvs) > 0 {
				o.Output = string(r.Kvs[0].Value)
			}
		}
		cancel()
		o.Input, o.Return = in, h.now()
		switch {
		case err == nil:
			h.add(o)
		case in.value != "":
			o.Return = math.MaxInt64
			h.add(o)
		}
		time.Sleep(time.Duration(rand.IntN(int(100 * time.Millisecond)))) // sim:ok the pace of this client
	}
}

// disturb does something to the cluster, drawn by the seed, and undoes it after
// up to eight seconds.
func disturb(t *testing.T, machines []sim.Machine) {
	t.Helper()
	i := rand.IntN(nodes)
	rest := []string{label((i + 1) % nodes), label((i + 2) % nodes)}
	kind := rand.IntN(5)
	sim.Mark(fmt.Sprint(label(i), ": ", []string{"cut off", "deaf", "crash", "torn disk", "pause"}[kind]))
	var err error
	switch kind {
	case 0:
		err = sim.Partition([]string{label(i)}, rest)
	case 1:
		for _, r := range rest {
			if e := sim.SetLink(r, label(i), sim.Link{State: sim.Blackhole}); e != nil {
				err = e
			}
		}
	case 2, 3:
		machines[i].Crash()
	case 4:
		machines[i].Pause()
	}
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Duration(rand.IntN(int(8 * time.Second)))) // sim:ok how long the fault lasts, drawn by the seed
	sim.Heal()
	switch kind {
	case 2:
		machines[i].Restart()
	case 3:
		machines[i].RestartWithPartialDisk()
	case 4:
		machines[i].Resume()
	}
}

// TestLinearizable: what three clients, one at each machine, see of puts and
// gets under faults is what one register for each key would have answered, and
// after the faults every machine serves again.
func TestLinearizable(t *testing.T) {
	machines := newCluster(t)
	h := &history{start: time.Now()}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var clients sync.WaitGroup
	for i := range nodes {
		c := connect(t, i)
		clients.Go(func() {
			defer c.Close()
			h.use(ctx, i, c)
		})
	}
	for range 3 {
		time.Sleep(time.Duration(rand.IntN(int(2 * time.Second)))) // sim:ok when a fault happens, drawn by the seed
		disturb(t, machines)
	}
	serves(t, "after the faults")
	cancel()
	clients.Wait()
	t.Logf("%d operations in %v", len(h.ops), time.Since(h.start))
	if len(h.ops) < 20 {
		t.Errorf("only %d operations", len(h.ops))
	}
	if !porcupine.CheckOperations(register, h.ops) {
		t.Errorf("not linearizable: %+v", h.ops)
	}
}

// TestChecker: the oracle tells a stale read from a good history.
func TestChecker(t *testing.T) {
	good := []porcupine.Operation{
		{Input: op{"a", "1"}, Call: 0, Return: 10},
		{Input: op{"a", "2"}, Call: 20, Return: math.MaxInt64},
		{Input: op{key: "a"}, Call: 30, Output: "1", Return: 40},
		{Input: op{key: "a"}, Call: 50, Output: "2", Return: 60},
	}
	if !porcupine.CheckOperations(register, good) {
		t.Error("a good history is refused")
	}
	stale := append(good[:4:4], porcupine.Operation{Input: op{key: "a"}, Call: 70, Output: "1", Return: 80})
	if porcupine.CheckOperations(register, stale) {
		t.Error("a stale read passes")
	}
}
