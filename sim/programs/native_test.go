package programs

import (
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/restep/restep/sim/steplog"
)

// place is where a line of testing.T's log comes from.
var place = regexp.MustCompile(`^\s+\w+_test\.go:\d+: `)

// native runs the tests of testdata/dir with go test and returns what each
// logs, by name.
func native(t *testing.T, dir string) map[string][]string {
	t.Helper()
	// What nohup(1) has ignored would stay ignored below; what is caught is not.
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	cmd := exec.Command("go", "test", "-count=1", "-v", ".")
	cmd.Dir = filepath.Join("testdata", dir)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("go test of %s: %v\n%s", dir, err, out)
	}
	logs := map[string][]string{}
	name := ""
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSuffix(line, "\n")
		if n, ok := strings.CutPrefix(line, "=== RUN   "); ok {
			name = n
			logs[name] = nil
		} else if at := place.FindStringIndex(line); at != nil {
			logs[name] = append(logs[name], line[at[1]:])
		}
	}
	return logs
}

// TestLikeLinux: one body of tests logs the same natively and simulated, and
// nothing it uses is unsupported.
func TestLikeLinux(t *testing.T) {
	for _, dir := range []string{"files", "procs"} {
		logs := native(t, dir)
		z := start(t, build(t, dir))
		for name, want := range logs {
			t.Run(name, func(t *testing.T) {
				for seed := uint64(1); seed <= 3; seed++ {
					r := simulate(t, z, name, seed)
					r.passes(t)
					var got []string
					for _, line := range r.lines(steplog.KindLog) {
						got = append(got, strings.TrimPrefix(line, "main: "))
					}
					if !slices.Equal(got, want) {
						t.Errorf("seed %d: the simulation logs\n  %s\nand Linux\n  %s", seed, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
					}
					for _, line := range r.lines(steplog.KindUnsupported) {
						t.Errorf("unsupported: %s", line)
					}
				}
			})
		}
	}
}
