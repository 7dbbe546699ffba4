// Package big has the programs that the jumps are measured on.
package big

import (
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"testing"

	"github.com/restep/restep/sim"
)

// TestMillion makes about a million steps: goroutines that start and end.
func TestMillion(t *testing.T) { start(t, 500_000) }

// TestSome makes a tenth of them.
func TestSome(t *testing.T) { start(t, 50_000) }

func start(t *testing.T, n int) {
	done := make(chan int)
	sum := 0
	for i := range n {
		go func() { done <- i }()
		sum += <-done
	}
	t.Log(sum)
}

var ballast [][]byte

// block is a kilobyte that is in use: no two are equal, none is a page of
// zeros that the kernel need not keep.
func block(n int) []byte {
	b := make([]byte, 1024)
	for i := range b {
		b[i] = byte(n>>(8*(i%4))) + byte(i)
	}
	return b
}

// TestLoad: five machines, HTTP, 50 MB of heap.
func TestLoad(t *testing.T) {
	for i := range 4 {
		addr := fmt.Sprintf("10.0.0.%d", i+1)
		sim.NewMachine(sim.MachineConfig{
			Label: fmt.Sprintf("server%d", i), Addr: netip.MustParseAddr(addr),
			MainFunc: func() {
				count := map[string]int{}
				for i := range 10 * 1024 {
					ballast = append(ballast, block(i))
				}
				http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
					count[r.URL.Path]++
					ballast[len(count)%len(ballast)] = block(-len(count))
					fmt.Fprintf(w, "%d", len(count))
				})
				http.ListenAndServe(addr+":80", nil)
			},
		})
	}
	for i := range 10 * 1024 {
		ballast = append(ballast, block(i))
	}
	for i := range 4000 {
		r, err := http.Get(fmt.Sprintf("http://10.0.0.%d/%d", i%4+1, i))
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(r.Body)
		r.Body.Close()
		if i%500 == 0 {
			t.Log(string(b))
		}
	}
}
