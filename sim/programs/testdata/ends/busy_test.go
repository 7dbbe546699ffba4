package ends

import (
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// TestBusyWaits: whatever a program does while it waits for time to pass, time
// passes, and what falls due in it is done at its moment.
func TestBusyWaits(t *testing.T) {
	start := time.Now()
	var rang time.Duration
	time.AfterFunc(10*time.Second, func() { rang = time.Since(start) })
	for time.Since(start) < 30*time.Second {
	}
	about(t, "a timer of 10 s rang", rang, 10*time.Second)
	about(t, "a loop over the clock took", time.Since(start), 30*time.Second)

	start = time.Now()
	for time.Since(start) < 30*time.Second {
		runtime.Gosched()
	}
	about(t, "a loop with Gosched took", time.Since(start), 30*time.Second)

	start = time.Now()
	for now := (syscall.Timeval{}); now.Nano() < start.Add(10*time.Second).UnixNano(); {
		syscall.Gettimeofday(&now)
	}
	about(t, "a loop over gettimeofday took", time.Since(start), 10*time.Second)
}

// TestBusyOthers: a goroutine that waits busily stops nobody else.
func TestBusyOthers(t *testing.T) {
	var lock atomic.Uint32
	lock.Store(1)
	start := time.Now()
	go func() {
		time.Sleep(20 * time.Second)
		lock.Store(0)
	}()
	for deadline := start.Add(30 * time.Second); !lock.CompareAndSwap(0, 1); {
		if time.Now().After(deadline) {
			t.Fatal("the holder of a spin lock had no turn for 30 s")
		}
	}
	about(t, "a spin lock was held", time.Since(start), 20*time.Second)

	start = time.Now()
	var flag atomic.Bool
	time.AfterFunc(10*time.Second, func() { flag.Store(true) })
	for !flag.Load() {
	}
	about(t, "a flag was set", time.Since(start), 10*time.Second)

	start = time.Now()
	turns, done := 0, make(chan bool)
	for range 2 {
		go func() {
			for time.Since(start) < 20*time.Second {
				turns++
			}
			done <- true
		}()
	}
	<-done
	<-done
	about(t, "two that wait side by side took", time.Since(start), 20*time.Second)
}

// TestBusyWork: work until a moment, with goroutines that wake one another,
// comes to its end, and a time-out longer than the work does not fire.
func TestBusyWork(t *testing.T) {
	ping, pong := make(chan int), make(chan int)
	go func() {
		for n := range ping {
			pong <- n + 1
		}
		close(pong)
	}()
	timeout, n := time.After(10*time.Second), 0
	for n < 100_000 {
		select {
		case ping <- n:
			n = <-pong
		case <-timeout:
			t.Fatalf("100,000 round trips took 10 s; %d were made", n)
		}
	}
	var stop atomic.Bool
	time.AfterFunc(5*time.Second, func() { stop.Store(true) })
	start := time.Now()
	for !stop.Load() {
		ping <- n
		n = <-pong
	}
	close(ping)
	<-pong
	about(t, "work until a timer took", time.Since(start), 5*time.Second)
}

// TestBusyForEver spins until the simulated time of the run is over.
func TestBusyForEver(t *testing.T) {
	for start := time.Now(); time.Since(start) < 1000*time.Hour; {
	}
	t.Error("a run outlived its time")
}

// about fails the test unless a time is what it should be, at most 2 ms later.
func about(t *testing.T, what string, got, want time.Duration) {
	t.Helper()
	t.Log(what, got)
	if got < want || got > want+2*time.Millisecond {
		t.Errorf("%s %v, want %v", what, got, want)
	}
}
