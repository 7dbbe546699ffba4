package inject

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestCounted: a build of packages that go has never seen says how many it has
// begun, and one that fails says why and nothing else.
func TestCounted(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", "module x\n\ngo 1.26\n")
	write("a/a.go", "package a\n\nconst A = "+strings.ReplaceAll(`"DIR"`, "DIR", dir)+"\n")
	write("b/b.go", "package b\n\nimport \"x/a\"\n\nconst B = a.A\n")
	build := func() (said []string, err error) {
		c := &counter{tell: func(s string) { said = append(said, s) }, what: "building x"}
		_, err = counted(t.Context(), c, []byte("unsafe\nx/a\nx/b\n"), func(flags ...string) *exec.Cmd {
			cmd := exec.CommandContext(t.Context(), "go", slices.Concat([]string{"build"}, flags, []string{"./..."})...)
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
			return cmd
		})
		return said, err
	}
	said, err := build()
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"building x: 1 of up to 2 packages", "building x: 2 of up to 2 packages"}; !slices.Equal(said, want) {
		t.Errorf("%q, want %q", said, want)
	}
	if said, err = build(); err != nil || len(said) != 0 {
		t.Errorf("with nothing to compile: %q, %v", said, err)
	}
	write("b/b.go", "package b\n\nconst B = nothing\n")
	_, err = build()
	var tool *ToolError
	if !errors.As(err, &tool) || !strings.HasPrefix(err.Error(), "# x/b\n") || strings.Contains(err.Error(), "compile -o") {
		t.Errorf("error %v", err)
	}
}

// TestCounterLines: lines come in pieces, and some are long.
func TestCounterLines(t *testing.T) {
	text := "mkdir -p $WORK/b001/\n/t/link /go/compile -o $WORK/b001/_pkg_.a -p a " + strings.Repeat("x", 2*maxLine) +
		"\necho /compile\n/go/compile -o $WORK/b002/_pkg_.a\n/go/asm -o $WORK/b002/a.o\n/go/compile -o $WORK/b003/_pkg_.a\n"
	for _, size := range []int{1, 7, len(text)} {
		var said []string
		c := &counter{tell: func(s string) { said = append(said, s) }, what: "w", of: 2}
		for part := range slices.Chunk([]byte(text), size) {
			if n, err := c.Write(part); n != len(part) || err != nil {
				t.Fatal(n, err)
			}
		}
		// More than there should be is no number to show.
		if want := []string{"w: 1 of up to 2 packages", "w: 2 of up to 2 packages"}; !slices.Equal(said, want) {
			t.Errorf("in pieces of %d: %q", size, said)
		}
	}
}
