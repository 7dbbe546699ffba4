// Package reuse has tests that leave behind as much as a test can: another run
// in the same process must see nothing of it.
package reuse

import (
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sync"
	"syscall"
	"testing"
	"time"
	"unique"
	"unsafe"

	"github.com/restep/restep/sim"
)

var (
	kept    = map[*int]int{} // its order depends on addresses
	written [3000]int
	handle  unique.Handle[string]
)

// trace prints what memory of an earlier run would change: addresses, the
// order of a map by address, counters of the runtime.
func trace(t *testing.T) {
	t.Helper()
	for i := range 20 {
		kept[new(int)] = i
	}
	order := ""
	for _, i := range kept {
		order += fmt.Sprint(i, " ")
	}
	p := new([64]byte)
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	t.Logf("%p %s %d %d %d %d %v %d", p, order, m.HeapObjects, m.NumGC, runtime.NumGoroutine(), written[2999],
		handle == unique.Handle[string]{}, os.Getpid())
	written[2999]++
	handle = unique.Make("kept" + os.Getenv("CHANGED"))
	os.Setenv("CHANGED", "1")
}

func TestSubtests(t *testing.T) {
	trace(t)
	for i := range 4 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			time.Sleep(time.Duration(5-i) * time.Millisecond)
			t.Log(t.TempDir())
		})
	}
}

func TestFails(t *testing.T) {
	trace(t)
	t.Run("sub", func(t *testing.T) { t.Error("as it should") })
	t.Skip("and is left")
}

func TestPanics(t *testing.T) {
	trace(t)
	defer func() { panic("again") }()
	var p *int
	*p = 1
}

func TestExits(t *testing.T) {
	trace(t)
	go func() { os.Exit(3) }()
	select {}
}

// TestLeaks ends with goroutines, timers, machines, files and connections that
// still live.
func TestLeaks(t *testing.T) {
	trace(t)
	for i := range 100 {
		go func() {
			for {
				time.Sleep(time.Duration(i+1) * time.Millisecond)
				written[i]++
			}
		}()
	}
	sim.NewMachine(sim.MachineConfig{Label: "server", Addr: netip.MustParseAddr("10.0.0.1"), MainFunc: func() {
		_ = http.ListenAndServe("10.0.0.1:80", http.FileServer(http.Dir("/")))
	}})
	sim.SetLink("*", "server", sim.Link{Loss: 0.1, Jitter: time.Millisecond})
	f, err := os.Create(filepath.Join(t.TempDir(), "left open"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := syscall.Mmap(int(f.Fd()), 0, 4096, syscall.PROT_READ, syscall.MAP_SHARED); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second)
	resp, err := http.Get("http://10.0.0.1/proc/self/stat")
	if err == nil {
		text, _ := io.ReadAll(resp.Body)
		t.Logf("%s", text)
	}
	time.AfterFunc(time.Hour, func() { t.Error("never") })
	signal.Notify(make(chan os.Signal, 1), os.Interrupt)
}

// TestCrashes crashes machines while they write.
func TestCrashes(t *testing.T) {
	trace(t)
	m := sim.NewSimpleMachine(func() {
		for i := 0; ; i++ {
			_ = os.WriteFile(fmt.Sprint("/tmp/", i%7), make([]byte, 3000), 0o600)
			written[i%3000]++
			time.Sleep(time.Millisecond)
		}
	})
	for range 5 {
		time.Sleep(20 * time.Millisecond)
		m.Crash()
		m.Restart()
	}
}

// TestRuntime changes settings of the runtime and gives memory back.
func TestRuntime(t *testing.T) {
	trace(t)
	debug.SetGCPercent(17)
	debug.SetMaxStack(1 << 20)
	debug.SetPanicOnFault(true)
	runtime.GOMAXPROCS(3)
	runtime.MemProfileRate = 1
	runtime.SetMutexProfileFraction(1)
	runtime.SetBlockProfileRate(1)
	var held [][]byte
	for range 50 {
		held = append(held, make([]byte, 1<<20))
	}
	runtime.GC()
	held = nil
	debug.FreeOSMemory()
	t.Log(len(held))
}

// TestMemory writes more memory than a process that is kept may have.
func TestMemory(t *testing.T) {
	trace(t)
	var held [][]byte
	for range 100 {
		b := make([]byte, 1<<20)
		for i := range b {
			b[i] = 1
		}
		held = append(held, b)
	}
	t.Log(len(held))
}

// node is one of many objects of many sizes.
type node struct {
	next *node
	data []byte
}

// TestHeap fills a heap of some 30 MB from several goroutines, gives half of it
// back to the kernel and fills it again. Addresses decide the order of the map.
func TestHeap(t *testing.T) {
	trace(t)
	nodes := map[*node]int{}
	for round := range 3 {
		var mu sync.Mutex
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				var last *node
				for i := range 5000 {
					n := &node{next: last, data: make([]byte, (i*37+g)%1500)}
					for _, b := range n.data {
						if b != 0 {
							t.Error("new memory is not zero")
						}
					}
					copy(n.data, "written")
					mu.Lock()
					nodes[n] = i
					mu.Unlock()
					last = n
				}
			})
		}
		wg.Wait()
		hash := uint64(14695981039346656037)
		for n, i := range nodes {
			hash = (hash ^ uint64(uintptr(unsafe.Pointer(n))) ^ uint64(i)) * 1099511628211
			if i%3 > 0 {
				delete(nodes, n)
			}
		}
		runtime.GC()
		if round == 1 {
			debug.FreeOSMemory()
		}
		t.Logf("%x %d", hash, len(nodes))
	}
}

// TestDeep grows stacks.
func TestDeep(t *testing.T) {
	trace(t)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() { written[i] = deep(1000 * i) })
	}
	wg.Wait()
}

func deep(n int) int {
	if n == 0 {
		return 1
	}
	return deep(n-1) + 1
}
