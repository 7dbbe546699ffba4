//go:build linux

package zygote

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestStartDies: a test binary that ends before it can fork is an error with
// what it said, with and without a bound of its memory.
func TestStartDies(t *testing.T) {
	dir := t.TempDir()
	binary, layout := filepath.Join(dir, "x.test"), filepath.Join(dir, "layout")
	if err := os.WriteFile(binary, []byte("#!/bin/sh\necho cannot go on >&2\nexit 7\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(layout, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, memory := range []uint64{0, 1 << 30} {
		z, err := Start(t.Context(), Config{Binary: binary, Layout: layout, Memory: memory})
		if err == nil {
			z.Close()
			t.Fatal("it started")
		}
		if text := err.Error(); !strings.Contains(text, "exit status 7") || !strings.Contains(text, "cannot go on") {
			t.Errorf("memory %d: %v", memory, err)
		}
	}
}

// TestStartOtherCPU: a test binary that this computer cannot run says what can,
// and a program that runs it is looked for.
func TestStartOtherCPU(t *testing.T) {
	dir := t.TempDir()
	binary, layout := filepath.Join(dir, "x.test"), filepath.Join(dir, "layout")
	for path, text := range map[string]string{binary: "\x7fELF and so on", layout: ""} {
		if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		exec []string
		want string
	}{
		{nil, "restep test -exec qemu-aarch64 runs those of linux/arm64"},
		{[]string{"restep-no-such-emulator"}, "find the program that shall run the test binary"},
		{[]string{"sh", "-c", "echo $0 $1 >&2; exit 7", "first"}, "first " + binary},
	} {
		z, err := Start(t.Context(), Config{Binary: binary, Layout: layout, Exec: test.exec})
		if err == nil {
			z.Close()
			t.Fatal("it started")
		}
		if !strings.Contains(err.Error(), test.want) {
			t.Errorf("-exec %q: %v, want it to contain %q", test.exec, err, test.want)
		}
	}
}
