package simsource

import (
	"maps"
	"os"
	"path/filepath"
	"testing"
)

func TestFormatParse(t *testing.T) {
	in := map[string]string{"b.go": "package b\n\n-- no marker\n", "a/empty": "", "a.go": "package a\n"}
	text, err := Format(in)
	if err != nil {
		t.Fatal(err)
	}
	if got := Parse(text); !maps.Equal(got, in) {
		t.Errorf("got %q, want %q", got, in)
	}
	for _, bad := range []string{"no newline", "a\n-- x.go --\n"} {
		if text, err := Format(map[string]string{"f": bad}); err == nil {
			t.Errorf("%q gives no error but %q", bad, text)
		}
	}
}

func TestFilesFollowsImports(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		"sim/sim.go":        "package sim\n\nimport (\n\t\"errors\"\n\t\"" + Module + "/sim/fault\"\n)\n",
		"sim/sim_test.go":   "package sim\n\nimport \"" + Module + "/replay\"\n",
		"sim/face.s":        "// empty\n",
		"sim/fault/doc.go":  "package fault\n",
		"sim/kernel/doc.go": "package kernel\n",
	} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	files, err := Files(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"go.mod", "sim/sim.go", "sim/face.s", "sim/fault/doc.go"} {
		if files[name] == "" {
			t.Errorf("%s is missing", name)
		}
	}
	if len(files) != 4 {
		t.Errorf("%d files, want 4: %v", len(files), files)
	}
}
