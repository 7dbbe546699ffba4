package ends

import (
	"bytes"
	"runtime"
	"runtime/pprof"
	"runtime/trace"
	"sync"
	"testing"
	"time"

	"github.com/restep/restep/sim"
)

// TestProfiles asks for every profile that there is, on two machines at once:
// what comes is a file that tools read, and nothing breaks.
func TestProfiles(t *testing.T) {
	m := sim.NewMachine(sim.MachineConfig{Label: "other", MainFunc: func() { profiles(t) }})
	profiles(t)
	m.Wait()
	// A machine that ends in the middle of it leaves nothing behind.
	for range 3 {
		m.Restart()
		time.Sleep(time.Millisecond)
		m.Crash()
	}
	profiles(t)
}

func profiles(t *testing.T) {
	runtime.SetBlockProfileRate(1)
	if old := runtime.SetMutexProfileFraction(5); old != 0 && old != 5 {
		t.Error("the fraction of a fresh process is", old)
	}
	if n := runtime.SetMutexProfileFraction(-1); n != 5 {
		t.Error("the fraction was set to 5 and is", n)
	}
	for range 2 {
		var cpu, events bytes.Buffer
		if err := pprof.StartCPUProfile(&cpu); err != nil {
			t.Error(err)
		}
		if err := trace.Start(&events); err != nil {
			t.Error(err)
		}
		if trace.Start(&events) == nil {
			t.Error("a second trace began while one is under way")
		}
		var mu sync.Mutex
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				mu.Lock()
				defer mu.Unlock()
				time.Sleep(time.Millisecond)
			})
		}
		wg.Wait()
		trace.Stop()
		pprof.StopCPUProfile()
		if got := events.String(); len(got) != 16 || got[:3] != "go " {
			t.Errorf("trace %q", got)
		}
		if b := cpu.Bytes(); len(b) < 20 || b[0] != 0x1f || b[1] != 0x8b {
			t.Errorf("CPU profile % x", b)
		}
	}
	for _, p := range pprof.Profiles() {
		for debug := range 2 {
			var b bytes.Buffer
			if err := p.WriteTo(&b, debug); err != nil || b.Len() == 0 {
				t.Error(p.Name(), debug, b.Len(), err)
			}
		}
	}
}
