package program

import (
	"math/rand"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/restep/restep/sim/steplog"
)

const busySource = `package x

import ("log"; "os"; "sync"; "testing")

func TestBusy(t *testing.T) {
	log.SetFlags(0)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 300 {
				mu.Lock()
				os.WriteFile("/tmp/f", make([]byte, i), 0o600)
				mu.Unlock()
				log.Printf("worker %d has written file %d of its own, and goes on", w, i)
				if i%50 == 0 {
					log.Printf("%0*d", 9000*(w+1), i) // some records are split over blocks
				}
			}
		})
	}
	wg.Wait()
}
`

func busyModule(t testing.TB, source string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module example.org/x\n\ngo 1.26\n", "x_test.go": source} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestKilled: a run that is killed with SIGKILL at any moment leaves a log that
// opens without a problem, verifies, and is the beginning of the whole run's.
func TestKilled(t *testing.T) {
	kills := 30
	if os.Getenv("RESTEP_NIGHTLY") != "" {
		kills = 200
	}
	p := load(t, Spec{Dir: busyModule(t, busySource), Test: "TestBusy", Seed: 3})
	steps := p.Log.Steps()
	if steps < 5_000 {
		t.Fatalf("the run has %d steps only", steps)
	}
	seed := time.Now().UnixNano()
	rnd := rand.New(rand.NewSource(seed))
	short := 0
	for range kills {
		at := 1 + rnd.Uint64()%steps
		left := killAt(t, p, at)
		if left < steps {
			short++
		}
		if t.Failed() {
			t.Fatalf("killed when step %d of %d was in the log (seed %d)", at, steps, seed)
		}
	}
	// Those late in the run may end before the signal arrives.
	if short < kills*3/4 {
		t.Errorf("%d of %d runs were killed before their end (seed %d): the others prove nothing", short, kills, seed)
	}
}

// killAt kills a run as soon as a step is in its log, checks what is there, and
// returns how many steps there are.
func killAt(t *testing.T, p *Program, at uint64) uint64 {
	t.Helper()
	s, err := p.Log.Step(at)
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.startRecording()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for !r.Ended() {
		b, err := r.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		// The first word of a record is stored last; the log is the same each time.
		if uint64(len(b)) > s.Offset+8 && atomic.LoadUint64((*uint64)(unsafe.Pointer(&b[s.Offset]))) != 0 {
			break
		}
		runtime.Gosched()
	}
	r.Kill()
	status, err := r.Wait()
	if err != nil {
		t.Fatal(err)
	}
	b, err := r.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	log, err := steplog.Open(b)
	if err != nil {
		t.Error(err)
		return 0
	}
	for _, problem := range log.Problems() {
		t.Errorf("%v", problem)
	}
	if err := steplog.Verify(log); err != nil {
		t.Error(err)
	}
	n := log.Steps()
	if n < at || n < p.Log.Steps() && (!status.Signaled() || status.Signal() != syscall.SIGKILL) {
		t.Errorf("%d steps are left, %s", n, describeStatus(status))
	}
	d, err := steplog.Diff(p.Log, log)
	if err != nil || d != nil && (d.Field != "steps" || d.Step != n+1) {
		t.Errorf("against the whole run: %v, %v", d, err)
	}
	return n
}

const httpSource = `package x

import ("fmt"; "io"; "log"; "net"; "net/http"; "testing")

func TestHTTP(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil { t.Fatal(err) }
	go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		log.Printf("request %s", r.URL)
		fmt.Fprintln(w, "hello")
	}))
	for i := range 500 {
		resp, err := http.Get(fmt.Sprintf("http://%s/%d", l.Addr(), i))
		if err != nil { t.Fatal(err) }
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
}
`

const computeSource = `package x

import ("log"; "sort"; "sync"; "testing")

func TestCompute(t *testing.T) {
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 100 {
				list := make([]int, 2000)
				for j := range list { list[j] = (j * 7919) % 2003 }
				sort.Ints(list)
				log.Printf("worker %d, round %d: median %d", w, i, list[1000])
			}
		})
	}
	wg.Wait()
}
`

// BenchmarkRecording runs three programs with and without a step log, in turns.
// The least of the times counts: others use the computer as well.
func BenchmarkRecording(b *testing.B) {
	for _, prog := range []struct{ test, source string }{
		{"TestHTTP", httpSource}, {"TestBusy", busySource}, {"TestCompute", computeSource},
	} {
		b.Run(prog.test, func(b *testing.B) {
			p, err := Load(b.Context(), Spec{Dir: busyModule(b, prog.source), Test: prog.test, Seed: 3})
			if err != nil {
				b.Fatal(err)
			}
			defer p.Close()
			best := map[bool]time.Duration{}
			size := 0
			for b.Loop() {
				for _, recording := range []bool{true, false} {
					d, n := timed(b, p, recording)
					size = max(size, n)
					if best[recording] == 0 || d < best[recording] {
						best[recording] = d
					}
				}
			}
			steps := float64(p.Log.Steps())
			b.ReportMetric(steps, "steps")
			b.ReportMetric(float64(size)/steps, "log-bytes/step")
			b.ReportMetric(float64(best[true])/1e6, "recorded-ms")
			b.ReportMetric(float64(best[false])/1e6, "silent-ms")
			b.ReportMetric(100*(float64(best[true])/float64(best[false])-1), "overhead-%")
			b.ReportMetric(float64(best[true]-best[false])/steps, "ns/step")
		})
	}
}

// timed makes a run and returns how long it took, and the size of its log.
func timed(b *testing.B, p *Program, recording bool) (time.Duration, int) {
	start := time.Now()
	var r *Run
	var err error
	if recording {
		r, err = p.startRecording()
	} else {
		r, err = p.begin(&Run{ended: make(chan struct{})}, "", false)
	}
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	if _, err := r.Wait(); err != nil {
		b.Fatal(err)
	}
	d := time.Since(start)
	if !recording {
		return d, 0
	}
	bytes, err := r.Bytes()
	if err != nil {
		b.Fatal(err)
	}
	size := 0
	for off := 0; off < len(bytes); off += steplog.BlockSize {
		if off == 0 || *(*uint32)(unsafe.Pointer(&bytes[off])) != 0 {
			size = off + steplog.BlockSize // room for blocks to come is not the log's
		}
	}
	return d, size
}
