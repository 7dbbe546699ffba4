// Package traps walks into the known traps of a patched runtime: each test
// fails when its remedy is taken out.
package traps

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"iter"
	"math/rand"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/restep/restep/sim"
)

var (
	label    string
	fromInit = make(chan time.Duration, 1)
)

// A goroutine that init starts waits in simulated time, too.
func init() {
	start := time.Now()
	go func() {
		time.Sleep(time.Hour)
		fromInit <- time.Since(start)
	}()
}

func TestInitWaits(t *testing.T) {
	if d := (<-fromInit).Round(time.Second); d != time.Hour {
		t.Error("a goroutine of init waited", d)
	}
}

// iter.Pull switches goroutines without the scheduler, also when the iterator
// belongs to another machine.
func TestPull(t *testing.T) {
	label = "main"
	seqs := make(chan func() (string, bool))
	sim.NewSimpleMachine(func() {
		label = "other"
		var seq iter.Seq[string] = func(yield func(string) bool) {
			for range 3 {
				if !yield(label) {
					return
				}
			}
		}
		next, _ := iter.Pull(seq)
		next()
		seqs <- next
		select {}
	})
	next := <-seqs
	got, ok := next()
	if !ok || got != "other" || label != "main" {
		t.Errorf("the iterator saw %q, main has %q", got, label)
	}
}

// A cleanup runs with the variables of the machine that registered it.
func TestCleanup(t *testing.T) {
	label = "main"
	got := make(chan string, 1)
	sim.NewSimpleMachine(func() {
		label = "other"
		p := &struct{ a, b int }{1, 2}
		runtime.AddCleanup(p, func(int) { got <- label }, 0)
		runtime.KeepAlive(p)
		select {}
	})
	time.Sleep(time.Second)
	runtime.GC()
	if g := <-got; g != "other" {
		t.Errorf("the cleanup saw %q", g)
	}
}

// System calls whose arguments lie in a stack that has just grown, with
// collections in between.
func TestSyscallsFromGrowingStacks(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 20 {
				path := filepath.Join(dir, fmt.Sprint(g, "-", i))
				want := bytes.Repeat([]byte{byte(g), byte(i)}, 500)
				if err := deep(i*7, func() error { return os.WriteFile(path, want, 0o600) }); err != nil {
					t.Error(err)
				}
				sink = make([]byte, 50_000)
				var got [1000]byte
				err := deep(i*11, func() error {
					f, err := os.Open(path)
					if err != nil {
						return err
					}
					defer f.Close()
					_, err = f.Read(got[:])
					return err
				})
				if err != nil || !bytes.Equal(got[:], want) {
					t.Error("read back other bytes", err)
				}
			}
		})
	}
	wg.Wait()
}

var sink []byte

func deep(n int, f func() error) error {
	var pad [256]byte
	pad[n%256] = 1
	if n == 0 {
		return f()
	}
	err := deep(n-1, f)
	runtime.KeepAlive(pad)
	return err
}

// Images of machines that are not in place keep what they point to alive.
func TestCollectionsSeeImages(t *testing.T) {
	done := make(chan int)
	for m := range 5 {
		sim.NewSimpleMachine(func() {
			for i := range 100 {
				list = &cell{list, make([]int, 100)}
				list.data[99] = m*1000 + i
				sink = make([]byte, 50_000)
				time.Sleep(time.Millisecond)
			}
			n := 0
			for c := list; c != nil; c = c.next {
				if c.data[99] != m*1000+99-n {
					panic(fmt.Sprint("cell ", n, " of machine ", m, " holds ", c.data[99]))
				}
				n++
			}
			done <- n
		})
	}
	old := debug.SetGCPercent(5)
	defer debug.SetGCPercent(old)
	for range 5 {
		if n := <-done; n != 100 {
			t.Error(n, "cells")
		}
	}
	var ms runtime.MemStats
	runtime.ReadMemStats(&ms)
	if ms.NumGC < 5 {
		t.Error("only", ms.NumGC, "collections")
	}
}

type cell struct {
	next *cell
	data []int
}

var list *cell

// One WaitGroup on the heap, shared by machines, is one semaphore.
func TestSharedWaitGroup(t *testing.T) {
	var done, start sync.WaitGroup
	start.Add(1)
	for range 4 {
		done.Add(1)
		sim.NewSimpleMachine(func() {
			start.Wait()
			done.Done()
		})
	}
	time.Sleep(time.Second)
	start.Done()
	done.Wait()
}

// Pools of one machine do not give out another machine's objects.
var pool = sync.Pool{New: func() any { return new(string) }}

func TestPools(t *testing.T) {
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Add(1)
		sim.NewSimpleMachine(func() {
			defer wg.Done()
			mine := fmt.Sprint("machine ", i)
			for range 200 {
				s := pool.Get().(*string)
				if *s != "" && *s != mine {
					t.Errorf("%s got an object of %s", mine, *s)
				}
				*s = mine
				pool.Put(s)
				sink = make([]byte, 20_000)
				runtime.Gosched()
			}
		})
	}
	wg.Wait()
}

// TestObservations ends with an exit code made of all that a program can see
// of its schedule and its heap.
func TestObservations(t *testing.T) {
	h := fnv.New32()
	seen := map[*cell]int{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for g := range 6 {
		wg.Go(func() {
			for i := range 200 {
				c := &cell{data: make([]int, rand.Intn(200))}
				mu.Lock()
				seen[c] = i
				fmt.Fprint(h, g, i, uintptr(unsafe.Pointer(c)), time.Now().UnixNano(), rand.Int())
				mu.Unlock()
				if i%50 == 0 {
					runtime.Gosched()
				}
			}
		})
	}
	wg.Wait()
	for c, i := range seen {
		fmt.Fprint(h, len(c.data), i)
	}
	os.Exit(int(h.Sum32()%200) + 3)
}
