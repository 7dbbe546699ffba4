package runs

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func TestPrune(t *testing.T) {
	for _, test := range []struct {
		name  string
		prune Prune
		seeds []uint64 // of the runs that stay
		logs  []uint64
		want  Pruned
	}{
		{"newest two", Prune{Keep: 2}, []uint64{5, 2}, []uint64{5, 2}, Pruned{Runs: 4, Logs: 3, Left: 2}},
		{"none", Prune{}, nil, nil, Pruned{Runs: 6, Logs: 5}},
		{"more than there are", Prune{Keep: 9}, []uint64{1, 2, 3, 4, 5, 2}, []uint64{1, 2, 3, 4, 5}, Pruned{Left: 6}},
		{"older", Prune{Before: testTime.Add(2 * time.Hour)}, []uint64{3, 4, 5, 2}, []uint64{3, 4, 5, 2}, Pruned{Runs: 2, Logs: 1, Left: 4}},
		{"older, but not the newest five", Prune{Keep: 5, Before: testTime.Add(2 * time.Hour)}, []uint64{2, 3, 4, 5, 2}, []uint64{2, 3, 4, 5},
			Pruned{Runs: 1, Logs: 1, Left: 5}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := mustStore(t, t.TempDir())
			// Seed 2 ran twice and has one log.
			for i, seed := range []uint64{1, 2, 3, 4, 5, 2} {
				temp, err := s.NewLog([]byte("RSTP"))
				if err != nil {
					t.Fatal(err)
				}
				r := Result{Time: testTime.Add(time.Duration(i) * time.Hour), Package: "p", Test: "TestX", Seed: seed, Result: Fail}
				if _, err := s.Add(r, temp, ""); err != nil {
					t.Fatal(err)
				}
			}
			stray := filepath.Join(s.Dir(), "logs", "TestNew-1-00.steplog")
			if err := os.WriteFile(stray, []byte("RSTP"), 0o644); err != nil {
				t.Fatal(err)
			}
			got, err := s.Prune(test.prune)
			if err != nil {
				t.Fatal(err)
			}
			got.Bytes = 0 // of cut logs
			if got != test.want {
				t.Errorf("%+v, want %+v", got, test.want)
			}
			all, err := s.List()
			if err != nil {
				t.Fatal(err)
			}
			var seeds []uint64
			for _, r := range all {
				seeds = append(seeds, r.Seed)
			}
			if !slices.Equal(seeds, test.seeds) {
				t.Errorf("runs of seeds %v stay, want %v", seeds, test.seeds)
			}
			files, err := s.logs()
			if err != nil || len(files) != len(test.logs)+1 {
				t.Errorf("%d logs, want those of %v and one that is not noted yet (%v)", len(files), test.logs, err)
			}
			if _, err := os.Stat(stray); err != nil {
				t.Error("the log of a run that may end now was removed")
			}
			long := time.Now().Add(-2 * strayAge)
			if err := os.Chtimes(stray, long, long); err != nil {
				t.Fatal(err)
			}
			if again, err := s.Prune(Prune{Keep: 99}); err != nil || again.Logs != 1 || again.Runs != 0 {
				t.Errorf("the second time: %+v, %v", again, err)
			}
		})
	}
}
