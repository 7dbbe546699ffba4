package traps

import (
	"iter"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/restep/restep/sim"
)

// An iterator of a machine that is off never answers, and the goroutine that
// had waited in it is not mistaken for a new one.
func TestPullFromDead(t *testing.T) {
	nexts := make(chan func() (int, bool))
	victim := sim.NewSimpleMachine(func() {
		var seq iter.Seq[int] = func(yield func(int) bool) {
			for i := 0; yield(i); i++ {
			}
		}
		started, _ := iter.Pull(seq)
		started()
		fresh, _ := iter.Pull(seq)
		nexts <- started
		nexts <- fresh
		select {}
	})
	started, fresh := <-nexts, <-nexts
	if v, ok := started(); v != 1 || !ok {
		t.Error("the iterator gave", v, ok)
	}
	victim.Crash()
	var wg sync.WaitGroup
	for range 50 { // goroutines that take the places of the dead ones
		wg.Go(func() { time.Sleep(time.Second) })
	}
	for _, next := range []func() (int, bool){started, fresh} {
		go func() {
			v, ok := next()
			t.Error("a dead iterator gave", v, ok)
		}()
	}
	wg.Wait()
	time.Sleep(time.Hour)
}

// A machine dies with goroutines in a bubble of synctest, idle and not.
func TestDeadBubble(t *testing.T) {
	outside := make(chan int)
	for range 5 {
		victim := sim.NewSimpleMachine(func() {
			synctest.Test(t, func(t *testing.T) {
				inside := make(chan int)
				go func() { <-inside }()
				go func() { time.Sleep(time.Hour) }()
				go func() {
					for range time.Tick(time.Millisecond) {
						select {
						case <-outside:
						case <-time.After(time.Microsecond):
						}
					}
				}()
				<-outside
			})
		})
		time.Sleep(time.Millisecond)
		victim.Crash()
		victim.Restart()
		time.Sleep(time.Millisecond)
		victim.Crash()
	}
	time.Sleep(time.Hour)
	select {
	case outside <- 1:
		t.Error("a dead goroutine received")
	default:
	}
}

// Cleanups and finalizers that wait when their machine dies hold up nobody
// else's.
func TestDeadCleanup(t *testing.T) {
	never, done := make(chan int), make(chan string, 4)
	var victims []sim.Machine
	for i := range 4 {
		victims = append(victims, sim.NewSimpleMachine(func() {
			a, b := new([64]int), new([64]int)
			runtime.SetFinalizer(a, func(*[64]int) {
				defer func() { done <- "deferred" }()
				if i%2 == 0 {
					time.Sleep(time.Hour)
				}
				<-never
			})
			runtime.AddCleanup(b, func(int) {
				defer func() { done <- "deferred" }()
				<-never
			}, 0)
			select {}
		}))
	}
	time.Sleep(time.Second)
	func() {
		a, b := new([64]int), new([64]int)
		runtime.SetFinalizer(a, func(*[64]int) { done <- "mine" })
		runtime.AddCleanup(b, func(int) { done <- "mine" }, 0)
	}()
	runtime.GC()
	for _, v := range victims {
		time.Sleep(time.Second)
		v.Crash()
	}
	for range 2 {
		if got := <-done; got != "mine" {
			t.Error("a dead machine's", got, "call ran")
		}
	}
}
