// Package explore has bugs that show in some schedules only. Each is found by
// an exploration that is fine or clever enough, and by none that is not.
package explore

import (
	"sync"
	"sync/atomic"
	"testing"
)

func both(f func()) {
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(f)
	}
	wg.Wait()
}

// TestLostUntyped loses an update between two functions of sync/atomic.
func TestLostUntyped(t *testing.T) {
	var x int64
	both(func() { atomic.StoreInt64(&x, atomic.LoadInt64(&x)+1) })
	if x != 2 {
		t.Fatal("lost update")
	}
}

type counter struct{ n int }

func (c *counter) get() int  { return c.n }
func (c *counter) set(n int) { c.n = n }

// TestLostCall loses an update between two calls.
func TestLostCall(t *testing.T) {
	var c counter
	both(func() {
		n := c.get()
		c.set(n + 1)
	})
	if c.n != 2 {
		t.Fatal("lost update")
	}
}

var plain int

// TestLostPlain loses an update between a load and a store.
func TestLostPlain(t *testing.T) {
	plain = 0
	both(func() { plain++ })
	if plain != 2 {
		t.Fatal("lost update")
	}
}

// TestDeep needs three goroutines to get far ahead of one another in one order:
// the second starts while the first is in its stage, and the third does all of
// its work while the second is in its own, which is much shorter.
func TestDeep(t *testing.T) {
	const stage = 2000
	var first, second, noise atomic.Int32
	work := func(n int) {
		for range n {
			noise.Add(1)
		}
	}
	var wg sync.WaitGroup
	bug := false
	wg.Go(func() {
		first.Store(1)
		work(stage * 5 / 2)
		first.Store(0)
	})
	wg.Go(func() {
		if first.Load() == 1 {
			second.Store(1)
			work(stage)
			second.Store(0)
		}
	})
	wg.Go(func() {
		work(stage * 5 / 2)
		bug = second.Load() == 1
	})
	wg.Wait()
	if bug {
		t.Fatal("the third saw the stage of the second")
	}
}

// TestSpin waits for another goroutine by spinning on an atomic, with and
// without giving way: no strategy may starve the other one.
func TestSpin(t *testing.T) {
	var ready, done atomic.Bool
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for !ready.Load() {
			}
			done.Store(true)
		})
	}
	wg.Go(func() { ready.Store(true) })
	wg.Wait()
	if !done.Load() {
		t.Fatal("nobody is done")
	}
}
