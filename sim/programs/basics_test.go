package programs

import (
	"os"
	"path/filepath"
	"testing"
)

func TestBasics(t *testing.T) {
	b := build(t, "basics")
	z := start(t, b)
	for _, test := range []string{"TestPackageFolder", "TestNames", "TestPowerLoss", "TestTimeZones", "TestMovesBytes"} {
		t.Run(test, func(t *testing.T) {
			for seed := uint64(1); seed <= 5; seed++ {
				path := newLog(t, test, seed, 0)
				r := request(test, seed, path)
				r.Root = "/src/github.com/restep/restep/sim/programs/testdata/basics" // as replay/launch has it
				r.Real, r.Cwd = b.PackageDir, r.Root
				run := run{}
				run.pid, run.status = wait(t, z, r)
				run.read(t, path)
				run.passes(t)
			}
		})
	}
	text, err := os.ReadFile(filepath.Join(b.PackageDir, "testdata/hello.txt"))
	if err != nil || string(text) != "hello\n" {
		t.Errorf("a simulated program changed a real file: %q, %v", text, err)
	}
}
