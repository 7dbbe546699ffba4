// Package walk is a small store on two machines, one of which crashes. A
// random walk goes through its run.
package walk

import (
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/restep/restep/sim"
)

type entry struct {
	Key  string
	N    int
	Next *entry
}

type store struct {
	mu      sync.Mutex
	byKey   map[string]*entry
	changes chan string
	head    *entry
}

var state = &store{byKey: map[string]*entry{}, changes: make(chan string, 8)}

func (s *store) put(key string, n int) *entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.byKey[key]
	if e == nil {
		e = &entry{Key: key, Next: s.head}
		s.head = e
		s.byKey[key] = e
	}
	e.N += n
	select {
	case s.changes <- key:
	default:
		log.Printf("nobody reads the changes")
	}
	return e
}

func (s *store) save() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var keys []string
	for k := range s.byKey {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	b, err := json.Marshal(keys)
	if err != nil {
		return err
	}
	return os.WriteFile("keys.json", b, 0o600)
}

func serve() {
	go func() {
		for key := range state.changes {
			log.Printf("changed %s", key)
		}
	}()
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		e := state.put(r.URL.Path, len(r.URL.Path))
		if err := state.save(); err != nil {
			log.Printf("save: %v", err)
		}
		fmt.Fprintf(w, "%s=%d", e.Key, e.N)
	})
	log.Fatal(http.ListenAndServe(":80", nil))
}

func TestWalk(t *testing.T) {
	var machines []sim.Machine
	for i := range 2 {
		machines = append(machines, sim.NewMachine(sim.MachineConfig{
			Label: fmt.Sprintf("store%d", i), Addr: netip.AddrFrom4([4]byte{10, 0, 0, byte(1 + i)}), MainFunc: serve,
		}))
	}
	answers := map[string]int{}
	for turn := range 8 {
		for i := range machines {
			r, err := http.Get(fmt.Sprintf("http://10.0.0.%d/%c", 1+i, 'a'+turn%3))
			if err != nil {
				t.Logf("turn %d: %v", turn, err)
				continue
			}
			answers[r.Status]++
			r.Body.Close()
		}
		switch turn {
		case 2:
			machines[1].Crash()
			http.DefaultClient.CloseIdleConnections()
			machines[1].Restart()
			time.Sleep(time.Millisecond)
		case 5:
			machines[0].Crash()
			http.DefaultClient.CloseIdleConnections()
			machines[0].Restart()
			time.Sleep(time.Millisecond)
		}
	}
	t.Log(answers)
}
