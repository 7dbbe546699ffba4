package programs

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// With arm64Env set to the path of an emulator, the tests of this package build
// for linux/arm64 and run the test binaries with it.
const arm64Env = "RESTEP_TEST_ARM64"

// emulator is what runs test binaries; none for those of this computer.
var emulator = func() []string {
	if path := os.Getenv(arm64Env); path != "" {
		return []string{path}
	}
	return nil
}()

// targetEnv is the environment of builds, nil for this process's own.
func targetEnv() []string {
	if emulator == nil {
		return nil
	}
	return append(os.Environ(), "GOARCH=arm64")
}

// onARM64 are the tests that TestARM64 repeats: what decides whether one seed
// gives one log, and programs that use each part of the simulation.
var onARM64 = []string{
	"TestSameEverywhere", "TestSeedsDiffer", "TestEveryProgramRepeats", "TestRecordingIsInvisible", "TestNoShortcuts",
	"TestBasics", "TestGlobals", "TestTraps", "TestMachineEnds", "TestMainEnds", "TestNetwork", "TestLinks", "TestChildren",
	"TestHelpers", "TestProperty",
}

// TestARM64 repeats the determinism suite, in the nightly mode, with test
// binaries for linux/arm64 under qemu's emulation of Linux.
func TestARM64(t *testing.T) {
	if !nightly() || emulator != nil {
		return
	}
	qemu, err := exec.LookPath("qemu-aarch64")
	if err != nil {
		t.Fatalf("%v: run apt-get install qemu-user", err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range onARM64 {
		t.Run(test, func(t *testing.T) {
			cmd := exec.Command(exe, "-test.run=^"+test+"$", "-test.v", "-test.timeout=0")
			for _, kv := range os.Environ() {
				if !strings.HasPrefix(kv, "RESTEP_NIGHTLY=") {
					cmd.Env = append(cmd.Env, kv)
				}
			}
			cmd.Env = append(cmd.Env, arm64Env+"="+qemu)
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), "--- PASS: "+test+" ") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
