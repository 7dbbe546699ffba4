package realworld

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// smallest is the module with the fewest dependencies.
const smallest = "bbolt"

// modules are the folders that hold a module.
func modules(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*/go.mod")
	if err != nil {
		t.Fatal(err)
	}
	var dirs []string
	for _, file := range files {
		dirs = append(dirs, filepath.Dir(file))
	}
	if !slices.Contains(dirs, smallest) {
		t.Fatalf("%v has no %s", dirs, smallest)
	}
	return dirs
}

// requirement is a line of a go.mod that asks for one version.
var requirement = regexp.MustCompile(`^(?:require )?([\w.~/-]+\.[\w.~/-]+) (v\d+\.\d+\.\d+[\w.+-]*)(?: // indirect)?$`)

const (
	self    = "github.com/restep/restep"
	replace = "replace " + self + " => ../../.."
)

// checkPinned returns what is not pinned in the text of a go.mod, whose go.sum
// is sum.
func checkPinned(dir, mod, sum string) (faults []string) {
	lines := strings.Split(strings.TrimSpace(mod), "\n")
	if lines[0] != "module "+self+"/sim/realworld/"+dir {
		faults = append(faults, "line 1 names another module: "+lines[0])
	}
	if !slices.Contains(lines, replace) {
		faults = append(faults, "no line: "+replace)
	}
	var names []string
	for i, line := range lines[1:] {
		line = strings.TrimSpace(line)
		m := requirement.FindStringSubmatch(line)
		switch {
		case m != nil:
			names = append(names, m[1])
			if m[1] != self && !strings.Contains(sum, m[1]+" "+m[2]+" h1:") {
				faults = append(faults, fmt.Sprintf("line %d: go.sum has no %s %s", i+2, m[1], m[2]))
			}
		case line == "" || line == "require (" || line == ")" || line == replace || strings.HasPrefix(line, "go 1."):
		default:
			faults = append(faults, fmt.Sprintf("line %d: %q pins no version", i+2, line))
		}
	}
	slices.Sort(names)
	if distinct := slices.Compact(slices.Clone(names)); len(distinct) < len(names) || !slices.Contains(names, self) || len(names) < 2 {
		faults = append(faults, "the modules are not restep and others, each once: "+strings.Join(names, " "))
	}
	return faults
}

// TestPinned reads each go.mod and what stands in for it: every module that is
// asked for has one version and its hash.
func TestPinned(t *testing.T) {
	for _, dir := range modules(t) {
		mods, err := filepath.Glob(filepath.Join(dir, "*.mod"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range mods {
			mod, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			sum, err := os.ReadFile(strings.TrimSuffix(file, ".mod") + ".sum")
			if err != nil {
				t.Fatal(err)
			}
			for _, fault := range checkPinned(dir, string(mod), string(sum)) {
				t.Errorf("%s: %s: go mod tidy in the folder", file, fault)
			}
		}
	}
}

func TestPinnedFindsFaults(t *testing.T) {
	const good = "module " + self + "/sim/realworld/x\n\ngo 1.26\n\nrequire (\n\t" + self + " v0.0.0\n\texample.com/a v1.2.3\n)\n\n" + replace + "\n"
	const sum = "example.com/a v1.2.3 h1:AAAA=\nexample.com/a v1.2.3/go.mod h1:BBBB=\n"
	if faults := checkPinned("x", good, sum); len(faults) > 0 {
		t.Errorf("good: %q", faults)
	}
	for name, text := range map[string]string{
		"other module":  strings.Replace(good, "/x\n", "/y\n", 1),
		"no version":    strings.Replace(good, "v1.2.3", "latest", 1),
		"no hash":       strings.Replace(good, "v1.2.3", "v1.2.4", 1),
		"twice":         strings.Replace(good, ")\n", "\texample.com/a v1.2.3\n)\n", 1),
		"no replace":    strings.Replace(good, replace, "", 1),
		"other replace": good + "replace example.com/a => ../a\n",
	} {
		if faults := checkPinned("x", text, sum); len(faults) == 0 {
			t.Errorf("%s is taken for pinned", name)
		}
	}
}

// restep builds the command.
func restep(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "restep")
	if out, err := exec.Command("go", "build", "-o", path, self+"/cmd/restep").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

// passes runs the tests of a module, which must all pass.
func passes(t *testing.T, restep, dir string, flags ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), restep, append(append([]string{"test", "-locals=false"}, flags...), ".")...)
	cmd.Dir = dir
	start := time.Now()
	text, err := cmd.CombinedOutput()
	out := strings.TrimSpace(string(text))
	t.Logf("in sim/realworld/%s, restep %s: %.1f s, %v\n%s", dir, strings.Join(cmd.Args[1:], " "), time.Since(start).Seconds(), err, out)
	if err != nil || !strings.Contains("\n"+out, "\nok  \t"+self+"/sim/realworld/"+dir+"\t") {
		t.Errorf("%s does not pass: see above", dir)
	}
}

// TestPrograms runs the smallest program with one seed, twice, which compares
// the steps, if its modules are in the module cache; nothing is downloaded. In
// the nightly mode it runs all of them with ten seeds, and one seed a hundred
// times: the steps must be equal.
func TestPrograms(t *testing.T) {
	if os.Getenv("RESTEP_NIGHTLY") == "1" {
		command := restep(t)
		for _, dir := range modules(t) {
			passes(t, command, dir, "-seeds=1-10")
			passes(t, command, dir, "-seed=1", "-count=100")
		}
		return
	}
	if present(t, smallest) {
		passes(t, restep(t), smallest, "-seed=1", "-count=2")
	}
}

// present reports whether the modules that a folder needs are in the module
// cache; nothing is downloaded.
func present(t *testing.T, dir string) bool {
	t.Helper()
	list := exec.Command("go", "list", "-deps", "-test", ".")
	list.Dir = dir
	list.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=-mod=readonly")
	out, err := list.CombinedOutput()
	if err != nil {
		t.Logf("only the form was checked: modules of %s are missing:\n%s", dir, out)
	}
	return err == nil
}
