// Package soak has programs that take as many different choices as there are
// kinds of them, in little time.
package soak

import (
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/restep/restep/sim"
)

// TestHTTP is two servers and clients that ask them.
func TestHTTP(t *testing.T) {
	for i := range 2 {
		sim.NewMachine(sim.MachineConfig{Label: fmt.Sprint("s", i), MainFunc: func() {
			var hits atomic.Int64
			http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
				time.Sleep(time.Duration(rand.Intn(3)) * time.Millisecond)
				fmt.Fprint(w, r.URL.Path, hits.Add(1), rand.Intn(100))
			})
			http.ListenAndServe(":80", nil)
		}})
	}
	time.Sleep(time.Second)
	var wg sync.WaitGroup
	for i := range 3 {
		wg.Go(func() {
			client := &http.Client{Timeout: time.Second}
			for j := range 3 {
				resp, err := client.Get(fmt.Sprintf("http://s%d/%d", rand.Intn(2), i))
				if err != nil {
					t.Error(err)
					return
				}
				b, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				t.Log(i, j, string(b), err)
			}
		})
	}
	wg.Wait()
}

// TestChannels is a storm of channels and selects.
func TestChannels(t *testing.T) {
	a, b, done := make(chan int), make(chan int, 3), make(chan bool)
	for i := range 5 {
		go func() {
			for {
				select {
				case a <- i:
				case v := <-b:
					if v%40 == 0 {
						t.Log(i, "got", v)
					}
				case <-done:
					return
				case <-time.After(time.Duration(rand.Intn(50)) * time.Microsecond):
				}
			}
		}()
	}
	var mu sync.Mutex
	var untyped int64
	sums := map[*int]int{}
	var wg sync.WaitGroup
	for i := range 3 {
		wg.Go(func() {
			own := new(int)
			for range 60 {
				select {
				case v := <-a:
					*own = *own*7 + v
				case b <- i + int(atomic.AddInt64(&untyped, 1)):
				}
				mu.Lock()
				sums[own]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	close(done)
	for p, n := range sums {
		t.Log(*p, n, fmt.Sprintf("%p", p))
	}
}

// TestTimers is timers that are made, moved and stopped.
func TestTimers(t *testing.T) {
	var mu sync.Mutex
	fired := 0
	timers := make([]*time.Timer, 30)
	for i := range timers {
		timers[i] = time.AfterFunc(time.Duration(rand.Intn(1000))*time.Microsecond, func() {
			mu.Lock()
			defer mu.Unlock()
			if fired++; fired%5 == 0 {
				t.Log("timer", i, "is number", fired)
			}
		})
	}
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			tick := time.NewTicker(100 * time.Microsecond)
			defer tick.Stop()
			for range 10 {
				<-tick.C
				timers[rand.Intn(len(timers))].Reset(time.Duration(rand.Intn(500)) * time.Microsecond)
				timers[rand.Intn(len(timers))].Stop()
			}
		})
	}
	wg.Wait()
	time.Sleep(time.Second)
	t.Log(fired, time.Now().UnixNano())
}

// TestFiles is goroutines that write, rename and remove files of one folder.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for j := range 8 {
				name := filepath.Join(dir, fmt.Sprint(rand.Intn(6)))
				switch j % 4 {
				case 0, 1:
					if err := os.WriteFile(name, make([]byte, rand.Intn(10_000)), 0o600); err != nil {
						t.Log(i, j, err)
					}
				case 2:
					if err := os.Rename(name, name+"x"); err != nil {
						t.Log(i, j, err)
					}
				case 3:
					os.Remove(name + "x")
				}
			}
		})
	}
	wg.Wait()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		t.Log(e.Name(), info.Size())
	}
}

// TestCrashes is machines that are crashed and started again at any moment.
func TestCrashes(t *testing.T) {
	pings := make(chan string)
	var ms []sim.Machine
	for i := range 3 {
		ms = append(ms, sim.NewMachine(sim.MachineConfig{Label: fmt.Sprint("m", i), MainFunc: func() {
			var n atomic.Int64
			for range 3 {
				go func() {
					for {
						os.WriteFile("/state", fmt.Append(nil, n.Add(1)), 0o600)
						time.Sleep(time.Duration(rand.Intn(200)) * time.Microsecond)
						select {
						case pings <- fmt.Sprint("m", i, " ", n.Load()):
						case <-time.After(time.Millisecond):
						}
					}
				}()
			}
			select {}
		}}))
	}
	for i := range 12 {
		for range rand.Intn(10) {
			t.Log(<-pings)
		}
		m := ms[rand.Intn(len(ms))]
		m.Crash()
		if i%3 != 0 {
			time.Sleep(time.Duration(rand.Intn(300)) * time.Microsecond)
		}
		m.Restart()
	}
}
