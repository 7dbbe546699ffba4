package inject

import (
	"os/exec"
	"strings"
	"testing"
)

// ringOverlay patches container/ring, which costs little to compile, and has
// it import the injected packages.
func ringOverlay(g *Goroot) (*Overlay, error) {
	files, err := g.patch([]Edit{
		{File: "container/ring/ring.go", Func: "New", Text: "n = hook(n)", Why: "test"},
		{File: "container/ring/ring.go", Func: "(*Ring).Len", Find: "n = 1", Op: After, Text: "n += hook(0)", Why: "test"},
	})
	if err != nil {
		return nil, err
	}
	if err := addInjected(files); err != nil {
		return nil, err
	}
	files["container/ring/hook.go"] = "package ring\n\nimport (\n" +
		"\t_ \"internal/restep/kernel/abi\"\n\t_ \"internal/restep/sched\"\n\t_ \"internal/restep/steplog\"\n)\n\n" +
		"func hook(n int) int { return n + 100 }\n"
	return g.store("overlay", files)
}

func TestOverlayIsCompiledIn(t *testing.T) {
	dir := writeModule(t, map[string]string{
		"go.mod": "module example.com/ring\n\ngo 1.26\n",
		"ring_test.go": "package ring\n\nimport (\n\t\"container/ring\"\n\t\"testing\"\n)\n\n" +
			"func TestX(t *testing.T) { t.Log(\"length\", ring.New(1).Len()) }\n",
	})
	b := &builder{BuildConfig: BuildConfig{Dir: dir}, generate: ringOverlay}
	bin, err := b.build(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(bin.Path, "-test.v").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !strings.Contains(string(out), "length 201") { // 1+100 elements, and 100 more counted
		t.Errorf("the patched package did not run:\n%s", out)
	}
	if len(bin.OverlayDir) == 0 || bin.GoVersion != installed(t).Version {
		t.Errorf("described as %+v", bin)
	}
}
