package main

import "runtime"

// canSimulate reports a system on which runs can be made; sim/inject refuses
// the others.
func canSimulate(goos, goarch string) bool { return goos == "linux" && goarch == "amd64" }

// wayToLinux says how to get to a system that can simulate, in one sentence.
func wayToLinux() string { return wayFrom(runtime.GOOS, runtime.GOARCH) }

// wayFrom is wayToLinux for a system. Containers of another CPU's programs are
// emulated, without ptrace(2) and with other addresses, so there only another
// computer helps.
func wayFrom(goos, goarch string) string {
	switch {
	case goarch != "amd64":
		return "use a linux/amd64 computer, by Remote SSH or a dev container there (restep init --devcontainer)"
	case goos == "windows":
		return "use WSL, a dev container (restep init --devcontainer), or Remote SSH to a Linux computer"
	}
	return "use a dev container (restep init --devcontainer), or Remote SSH to a Linux computer"
}
