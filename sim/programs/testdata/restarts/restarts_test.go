// Package restarts crashes one HTTP server machine again and again, with
// traffic, timers and goroutines parked on everything there is.
package restarts

import (
	"io"
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

// TestRestarts takes the number of rounds from ROUNDS.
func TestRestarts(t *testing.T) {
	sim.SetSimulationTimeout(0)
	rounds, err := strconv.Atoi(os.Getenv("ROUNDS"))
	if err != nil {
		t.Fatal(err)
	}
	shared := make(chan int)
	var mu sync.Mutex
	cond := sync.NewCond(&mu)
	var wg sync.WaitGroup
	wg.Add(1)
	server := sim.NewMachine(sim.MachineConfig{Label: "server", Addr: netip.MustParseAddr("10.0.0.1"), MainFunc: func() {
		go func() { <-shared }()
		go func() {
			select {
			case shared <- 1:
			case <-time.After(time.Hour):
			}
		}()
		go func() { mu.Lock(); cond.Wait(); mu.Unlock() }()
		go wg.Wait()
		go func() {
			for range time.Tick(time.Millisecond) {
				served++
			}
		}()
		http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
			served++
			io.WriteString(w, "ok")
		})
		http.ListenAndServe("10.0.0.1:80", nil)
	}})
	client := &http.Client{Timeout: time.Second}
	var first, last runtime.MemStats
	for i := range rounds {
		time.Sleep(5 * time.Millisecond)
		resp, err := client.Get("http://10.0.0.1/")
		if err != nil {
			t.Fatal("round", i, err)
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		server.Crash()
		server.Restart()
		if i == rounds/10 {
			runtime.GC()
			runtime.ReadMemStats(&first)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&last)
	t.Log("heap", first.HeapAlloc, last.HeapAlloc, "sys", first.Sys, last.Sys, "stacks", first.StackInuse, last.StackInuse, "objects", first.HeapObjects, last.HeapObjects)
	if last.HeapAlloc > first.HeapAlloc*3/2+1<<20 || last.Sys > first.Sys*3/2+4<<20 {
		t.Errorf("memory grows: heap %d to %d, all %d to %d", first.HeapAlloc, last.HeapAlloc, first.Sys, last.Sys)
	}
	if served != 0 {
		t.Error("main's variable was touched")
	}
}
