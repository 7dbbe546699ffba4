// Package restarts crashes one HTTP server machine again and again, with
// traffic, timers and goroutines parked on everything there is.
package restarts

import (
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/restep/restep/sim"
)

var served int

// witness is on the heap of all machines. Nothing of a boot that is over may
// reach it any more.
type witness struct {
	boots int // of the server
	over  int // boots that are over
	late  map[string]int

	// Things of main's that the server's goroutines wait on for ever.
	never chan int
	held  sync.Mutex
	rw    sync.RWMutex
	cond  *sync.Cond
	wg    sync.WaitGroup
}

// seen notes that boot did something.
func (w *witness) seen(boot int, what string) {
	if boot <= w.over {
		w.late[what]++
	}
}

// nobody is a sync.Locker that locks nothing.
type nobody struct{}

func (nobody) Lock()   {}
func (nobody) Unlock() {}

func newWitness() *witness {
	w := &witness{late: map[string]int{}, never: make(chan int), cond: sync.NewCond(nobody{})}
	w.held.Lock()
	w.rw.Lock()
	w.wg.Add(1)
	return w
}

// TestRestarts takes the number of rounds from ROUNDS.
func TestRestarts(t *testing.T) {
	sim.SetSimulationTimeout(0)
	rounds, err := strconv.Atoi(os.Getenv("ROUNDS"))
	if err != nil {
		t.Fatal(err)
	}
	w := newWitness()
	idle := listenIdle(t)
	server := sim.NewMachine(sim.MachineConfig{Label: "server", Addr: netip.MustParseAddr("10.0.0.1"), MainFunc: func() { serve(w) }})
	client := &http.Client{Timeout: time.Second}
	var slow sync.WaitGroup
	for i := range rounds {
		time.Sleep(5 * time.Millisecond)
		get(t, client, "http://10.0.0.1/", true)
		if i%10 == 0 { // in flight when the machine dies
			slow.Go(func() { get(t, client, "http://10.0.0.1/slow", false) })
			time.Sleep(time.Millisecond)
		}
		if i%50 == 0 {
			runtime.GC() // the server's cleanups run, and wait
			time.Sleep(time.Millisecond)
		}
		server.Crash()
		w.over = w.boots
		idle.closeAll()
		server.Restart()
	}
	slow.Wait()
	server.Crash()
	w.over = w.boots
	wakeAll(w)
	time.Sleep(10 * time.Second)
	if len(w.late) > 0 {
		t.Errorf("machines that are off did something: %v", w.late)
	}
	if w.boots != rounds+1 {
		t.Errorf("%d boots in %d rounds", w.boots, rounds)
	}
	if served != 0 {
		t.Error("main's variable was touched")
	}
	collectorWorks(t)
}

// idle accepts connections and never reads from them.
type idle struct {
	mu    sync.Mutex
	conns []net.Conn
}

func listenIdle(t *testing.T) *idle {
	l, err := net.Listen("tcp", ":99")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	var i idle
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			i.mu.Lock()
			i.conns = append(i.conns, c)
			i.mu.Unlock()
		}
	}()
	return &i
}

// closeAll closes what was accepted so far: the other ends are dead, and
// nobody tells.
func (i *idle) closeAll() {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, c := range i.conns {
		c.Close()
	}
	clear(i.conns)
	i.conns = i.conns[:0]
}

// get makes a request. With fail it has to succeed.
func get(t *testing.T, client *http.Client, url string, must bool) {
	resp, err := client.Get(url)
	if err != nil {
		if must {
			t.Error(url, err)
		}
		return
	}
	_, err = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	if err != nil && must {
		t.Error(url, err)
	}
}

// wakeAll wakes whoever waits on something of main's. Nobody may be left.
func wakeAll(w *witness) {
	w.held.Unlock()
	w.rw.Unlock()
	w.wg.Done()
	w.cond.Broadcast()
	select {
	case w.never <- 1:
		w.late["receiver"]++
	case <-w.never:
		w.late["sender"]++
	default:
	}
}

// collectorWorks fails unless finalizers and cleanups of main still run, after
// so many of the server's were abandoned half-way.
func collectorWorks(t *testing.T) {
	done := make(chan string, 2)
	func() {
		a, b := new([64]int), new([64]int)
		runtime.SetFinalizer(a, func(*[64]int) { done <- "finalizer" })
		runtime.AddCleanup(b, func(int) { done <- "cleanup" }, 0)
	}()
	for got := 0; got < 2; {
		runtime.GC()
		select {
		case <-done:
			got++
		case <-time.After(time.Second):
			t.Fatal("finalizers or cleanups have stopped")
		}
	}
}
