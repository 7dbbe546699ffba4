package storm

import (
	crand "crypto/rand"
	"fmt"
	"hash/maphash"
	"io"
	"log"
	"math/rand"
	randv2 "math/rand/v2"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/restep/restep/sim"
)

type node struct {
	next *node
	v    int
}

var garbage []*node
var hits atomic.Int64

func churn(n int) int {
	m := map[*node]int{}
	for i := 0; i < n; i++ {
		p := &node{v: i}
		m[p] = i
		if i%3 == 0 {
			garbage = append(garbage, p)
		}
		if len(garbage) > 1000 {
			garbage = nil
		}
	}
	s := 0
	for p, i := range m {
		s = s*31 + p.v + i
	}
	return s
}

func serve(addr string) func() {
	return func() {
		mux := http.NewServeMux()
		mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
			n := hits.Add(1)
			time.Sleep(time.Duration(rand.Intn(5)) * time.Millisecond)
			fmt.Fprintf(w, "%s %d %d", addr, n, churn(500))
		})
		go func() {
			for range time.Tick(100 * time.Millisecond) {
				churn(200)
			}
		}()
		host, _ := os.Hostname()
		log.Println("up", host, os.Getpid(), len(os.Environ()), os.Getenv("TZ"), time.Local, os.Args)
		log.Fatal(http.ListenAndServe(addr+":80", mux))
	}
}

func TestStorm(t *testing.T) {
	var ms []sim.Machine
	for i := 1; i <= 3; i++ {
		a := fmt.Sprintf("10.0.0.%d", i)
		ms = append(ms, sim.NewMachine(sim.MachineConfig{Label: fmt.Sprint("s", i), Addr: netip.MustParseAddr(a), MainFunc: serve(a)}))
	}
	time.Sleep(time.Second)
	var wg sync.WaitGroup
	var mu sync.Mutex
	sum := 0
	for g := 0; g < 8; g++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			c := &http.Client{Timeout: 2 * time.Second}
			for j := 0; j < 10; j++ {
				resp, err := c.Get(fmt.Sprintf("http://10.0.0.%d/", 1+randv2.IntN(3)))
				if err != nil {
					log.Println("client", g, j, err)
					continue
				}
				b, _ := io.ReadAll(resp.Body)
				resp.Body.Close()
				mu.Lock()
				sum += len(b)
				mu.Unlock()
				if j == 5 && g == 3 {
					ms[1].Crash()
					time.Sleep(500 * time.Millisecond)
					ms[1].Restart()
				}
			}
		}()
	}
	a, b, done := make(chan int), make(chan int, 3), make(chan bool)
	for i := 0; i < 4; i++ {
		go func() {
			for {
				select {
				case a <- i:
				case v := <-b:
					_ = v
				case <-time.After(time.Duration(rand.Intn(50)) * time.Millisecond):
				case <-done:
					return
				}
			}
		}()
	}
	h := 0
	for i := 0; i < 300; i++ {
		select {
		case v := <-a:
			h = h*7 + v
		case b <- i:
			h++
		}
	}
	close(done)
	wg.Wait()
	var buf [8]byte
	crand.Read(buf[:])
	var mh maphash.Hash
	mh.WriteString("x")
	log.Println("sum", sum, "h", h, "rand", rand.Int(), buf, mh.Sum64(), churn(20000), fmt.Sprintf("%p", &node{}))
}
