package programs

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/restep/restep/sim/inject"
	"github.com/restep/restep/sim/steplog"
	"github.com/restep/restep/sim/zygote"
)

// soakVariants are the policies of the soak; seeds take turns with them.
var soakVariants = []uint64{
	0, variantPCT3, variantAtomics, variantCalls, variantMemory,
	variantPCT3 | variantAtomics, variantPCT3 | variantCalls, variantPCT3 | variantMemory,
}

// TestSoak: whatever the program, the seed and the policy, each run of it is
// the same byte for byte, in any process.
func TestSoak(t *testing.T) {
	seeds, runs := len(soakVariants), 3
	if nightly() {
		seeds, runs = 200, 10
	}
	began := time.Now()
	plain, fine := build(t, "soak"), instrumented(t, "soak")
	built := time.Now()
	all := 0
	for _, test := range []string{"TestHTTP", "TestChannels", "TestTimers", "TestFiles", "TestCrashes"} {
		t.Run(test, func(t *testing.T) {
			coarse := []*zygote.Zygote{start(t, plain), start(t, plain)}
			fine := []*zygote.Zygote{start(t, fine), start(t, fine)}
			different := map[uint32]bool{}
			for i := range seeds {
				variant := soakVariants[i%len(soakVariants)]
				zygotes := fine
				if variant>>13 == 0 {
					zygotes = coarse
				}
				first, err := repeats(t, zygotes, test, uint64(i+1), variant, runs)
				if err != nil {
					t.Fatal(err)
				}
				first.passes(t)
				last, err := first.Step(first.Steps())
				if err != nil {
					t.Fatal(err)
				}
				different[last.Checksum] = true
				all += runs
			}
			if len(different) < seeds*9/10 {
				t.Errorf("%d seeds give only %d different runs", seeds, len(different))
			}
		})
	}
	t.Logf("%d runs in %v; builds took %v", all, time.Since(built).Round(time.Second), built.Sub(began).Round(time.Second))
}

// repeats makes a number of runs of one seed, in all zygotes by turns. The
// error names the first step that is not the same in all of them.
func repeats(t *testing.T, zygotes []*zygote.Zygote, test string, seed, variant uint64, runs int) (first run, err error) {
	t.Helper()
	path := newLog(t, test, seed, variant)
	defer os.Remove(path)
	head, err := os.ReadFile(path)
	if err != nil {
		return first, err
	}
	for n := range runs {
		// The log is cut back to its header, so that all runs have one name.
		if err := os.WriteFile(path, head, 0o600); err != nil {
			return first, err
		}
		z := zygotes[n%len(zygotes)]
		req := request(test, seed, path)
		req.Variant = variant
		var r run
		r.pid, r.status = wait(t, z, req)
		if s := z.Stderr(); s != "" {
			return first, fmt.Errorf("the simulator failed in %s, seed %d, variant %x:\n%s", test, seed, variant, s)
		}
		r.read(t, path)
		if n == 0 {
			first = r
			continue
		}
		if bytes.Equal(first.log, r.log) && first.status == r.status {
			continue
		}
		where := "no step differs"
		if d, err := steplog.Diff(first.Reader, r.Reader); err != nil {
			where = err.Error()
		} else if d != nil {
			where = fmt.Sprintf("the first difference is at step %d: %v", d.Step, d)
		}
		return first, fmt.Errorf("%s, seed %d, variant %x: run %d of %d is not the same: %s", test, seed, variant, n+1, runs, where)
	}
	return first, nil
}

// A simulator with one choice that no seed makes is found out, at the step
// where it shows.
func TestSoakFindsUnseededChoice(t *testing.T) {
	const seeded, unseeded = "return restep.src.Next(choice.Maps)", "return uint64(cputicks())"
	broken, err := inject.Build(t.Context(), inject.BuildConfig{
		Dir: filepath.Join("testdata", "order"),
		Patch: func(files map[string]string) {
			const name = "runtime/restep_state.go"
			text := strings.Replace(files[name], seeded, unseeded, 1)
			if text == files[name] {
				t.Errorf("%s has no %q", name, seeded)
			}
			files[name] = text
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	zygotes := []*zygote.Zygote{start(t, broken)}
	first, err := repeats(t, zygotes, "TestOrder", 1, 0, 10)
	if err == nil {
		t.Fatal("ten runs with an unseeded choice are the same")
	}
	step := uint64(0)
	for s := range first.Forward(steplog.Filter{Kinds: []steplog.Kind{steplog.KindLog}}) {
		if string(s.Message()) == "before the choice" {
			step = s.Number + 1
		}
	}
	if want := fmt.Sprintf("the first difference is at step %d: ", step); step == 0 || !strings.Contains(err.Error(), want) {
		t.Errorf("want %q in: %v", want, err)
	}
	good := []*zygote.Zygote{start(t, build(t, "order"))}
	if _, err := repeats(t, good, "TestOrder", 1, 0, 10); err != nil {
		t.Error(err)
	}
}
