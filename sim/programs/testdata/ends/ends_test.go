// Package ends has programs that end in every way there is.
package ends

import (
	"fmt"
	"log"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/restep/restep/sim"
)

func end(label string, f func()) {
	sim.NewMachine(sim.MachineConfig{Label: label, MainFunc: f, MayExit: true}).Wait()
}

func TestMachineEnds(t *testing.T) {
	end("panic", func() { panic("boom") })
	end("goroutine", func() {
		go panic(fmt.Errorf("err %d", 1))
		select {}
	})
	end("nil", func() {
		var p *int
		*p = 1
	})
	end("fatal", func() { log.Fatal("gone") })
	end("exit", func() { os.Exit(3) })
	end("unlock", func() {
		var mu sync.Mutex
		mu.Unlock()
	})
	end("map", func() {
		defer fmt.Println("deferred calls run at a panic")
		var m map[int]int
		m[1] = 1
	})
	end("return", func() { println("builtin", 42) })
	end("goexit", func() {
		go func() {
			time.Sleep(time.Second)
			os.Exit(0)
		}()
		runtime.Goexit()
	})
	end("overflow", func() {
		if runtime.GOARCH == "arm64" {
			// An emulator takes minutes to fill the default limit of 1 GB.
			debug.SetMaxStack(16 << 20)
		}
		recurse(1)
	})
	t.Log("main goes on")
}

func recurse(n int) int { return recurse(n+1) + 1 }

func TestMainPanics(t *testing.T) { panic("main boom") }

func TestMainExits(t *testing.T) { os.Exit(7) }

func TestDeadlock(t *testing.T) {
	ch := make(chan int)
	sim.NewMachine(sim.MachineConfig{Label: "other", MainFunc: func() { select {} }})
	<-ch
}

func TestTimeout(t *testing.T) {
	sim.SetSimulationTimeout(time.Minute)
	time.Sleep(time.Hour)
}

func TestSpin(t *testing.T) {
	for start := time.Now(); time.Since(start) < 10*time.Millisecond; {
	}
	start := time.Now()
	for time.Since(start) < 10*time.Millisecond {
		runtime.Gosched()
	}
	timer := time.NewTimer(time.Millisecond)
	for n := 0; ; n++ {
		select {
		case <-timer.C:
			t.Log("spun")
			return
		default:
			runtime.Gosched()
		}
	}
}

func TestStop(t *testing.T) {
	graceful := sim.NewMachine(sim.MachineConfig{Label: "graceful", MainFunc: func() {
		c := make(chan os.Signal, 1)
		signal.Notify(c, syscall.SIGTERM)
		log.Println("got", <-c)
		time.Sleep(time.Second)
		log.Println("bye")
	}})
	stubborn := sim.NewMachine(sim.MachineConfig{Label: "stubborn", MainFunc: func() {
		signal.Ignore(syscall.SIGTERM)
		select {}
	}})
	plain := sim.NewMachine(sim.MachineConfig{Label: "plain", MainFunc: func() { select {} }})
	time.Sleep(time.Second)
	start := time.Now()
	for _, m := range []struct {
		sim.Machine
		took time.Duration
	}{{graceful, time.Second}, {stubborn, 10 * time.Second}, {plain, 0}} {
		start = time.Now()
		m.Stop()
		if took := time.Since(start).Round(time.Millisecond); took != m.took {
			t.Error(m, "took", took, "want", m.took)
		}
	}
}

func TestLostMutex(t *testing.T) {
	var mu sync.Mutex
	x := 0
	both(func() {
		mu.Lock()
		v := x
		mu.Unlock()
		mu.Lock()
		x = v + 1
		mu.Unlock()
	})
	if x != 2 {
		t.Fatal("lost update")
	}
}

func TestLostAtomic(t *testing.T) {
	var x atomic.Int64
	both(func() { x.Store(x.Load() + 1) })
	if x.Load() != 2 {
		t.Fatal("lost update")
	}
}

func both(f func()) {
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(f)
	}
	wg.Wait()
}

// TestThreads asks for what starts threads in plain Go.
func TestThreads(t *testing.T) {
	runtime.LockOSThread()
	if old := runtime.GOMAXPROCS(8); old != runtime.NumCPU() || runtime.GOMAXPROCS(0) != 8 {
		t.Error("GOMAXPROCS", old, runtime.GOMAXPROCS(0), runtime.NumCPU())
	}
	c := make(chan os.Signal, 1)
	signal.Notify(c, os.Interrupt)
	signal.Stop(c)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			runtime.LockOSThread()
			time.Sleep(time.Millisecond)
			runtime.UnlockOSThread()
		})
	}
	wg.Wait()
	runtime.GC()
	runtime.UnlockOSThread()
}

var counter int

// TestCrashWaits crashes machines whose goroutines wait on everything there
// is, most of it shared with main.
func TestCrashWaits(t *testing.T) {
	shared := make(chan int)
	var mu sync.Mutex
	cond := sync.NewCond(&mu)
	var wg sync.WaitGroup
	wg.Add(1)
	var rw sync.RWMutex
	rw.Lock()
	for i := range 20 {
		m := sim.NewMachine(sim.MachineConfig{Label: fmt.Sprint("victim", i), MainFunc: func() {
			defer func() { counter++ }()
			go func() { <-shared; counter++ }()
			go func() {
				own := make(chan int)
				select {
				case shared <- 1:
				case <-own:
				case <-time.After(time.Hour):
				}
			}()
			go func() { mu.Lock(); cond.Wait(); mu.Unlock() }()
			go wg.Wait()
			go rw.RLock()
			go func() {
				for {
					time.Sleep(time.Millisecond)
					counter++
				}
			}()
			go func() {
				for range time.Tick(time.Millisecond) {
					counter++
				}
			}()
			time.AfterFunc(time.Second, func() { t.Error("a timer of a dead machine fired") })
			select {}
		}})
		time.Sleep(10 * time.Millisecond)
		m.Crash()
		// cond.Wait of the victim may have held mu; it is free again when the
		// victim waits.
	}
	rw.Unlock()
	wg.Done()
	wg.Wait()
	mu.Lock()
	cond.Broadcast()
	mu.Unlock()
	rw.RLock()
	rw.RUnlock()
	select {
	case shared <- 1:
		t.Error("a dead machine received")
	case v := <-shared:
		t.Error("a dead machine sent", v)
	default:
	}
	time.Sleep(5 * time.Second)
	if counter != 0 {
		t.Error("counter of main is", counter)
	}
}

var spins int

// TestBusy never yields and never makes a step again.
func TestBusy(t *testing.T) {
	t.Log("busy now")
	for {
		spins++
	}
}
