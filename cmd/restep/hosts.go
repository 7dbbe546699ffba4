package main

import (
	"runtime"

	"github.com/restep/restep/sim/inject"
)

// canSimulate reports a system on which runs can be made; sim/inject refuses
// the others.
func canSimulate(goos, goarch string) bool { return inject.Supported(goos, goarch) }

// wayToLinux says how to get to a system that can simulate, in one sentence.
func wayToLinux() string { return wayFrom(runtime.GOOS, runtime.GOARCH) }

// wayFrom is wayToLinux for a system. A container runs programs of the
// computer's own CPU; those of another one are emulated, without ptrace(2).
func wayFrom(goos, goarch string) string {
	switch {
	case !canSimulate("linux", goarch):
		return "use a linux/amd64 computer, by Remote SSH or a dev container there (restep init --devcontainer)"
	case goos == "windows":
		return "use WSL, a dev container (restep init --devcontainer), or Remote SSH to a Linux computer"
	}
	return "use a dev container (restep init --devcontainer), or Remote SSH to a Linux computer"
}
