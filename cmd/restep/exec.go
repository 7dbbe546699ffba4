//go:build linux && (amd64 || arm64)

package main

import (
	"os/exec"

	"github.com/restep/restep/sim/inject"
)

// runner is what runs a test binary, and its first arguments: what -exec says
// or, for another CPU than this computer's, go_GOOS_GOARCH_exec if there is
// such a program (go help run). None means the binary itself.
func (c *testConfig) runner(bin *inject.Binary) []string {
	if c.exec != nil || bin.Here() {
		return c.exec
	}
	if path, err := exec.LookPath("go_linux_" + bin.GOARCH + "_exec"); err == nil {
		return []string{path}
	}
	return nil
}
