package realworld

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// place is a line of a file and the machine that logs there.
type place struct {
	machine, file string
	line          int
}

// expected is how often a place logs, and what its line quotes.
type expected struct {
	count  int
	quotes []string
}

var (
	wanted = regexp.MustCompile(`(\w+) ×(\d+)`)
	quoted = regexp.MustCompile(`"([\w ]+)`)
)

// readExpected reads the comments of a folder's tests that say what each line
// logs.
func readExpected(t *testing.T, dir string) map[place]expected {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[place]expected{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(text), "\n") {
			_, comment, _ := strings.Cut(line, "// ")
			for _, m := range wanted.FindAllStringSubmatch(comment, -1) {
				var e expected
				if e.count, err = strconv.Atoi(m[2]); err != nil {
					t.Fatal(err)
				}
				for _, q := range quoted.FindAllStringSubmatch(line, -1) {
					e.quotes = append(e.quotes, q[1])
				}
				all[place{m[1], filepath.Base(file), i + 1}] = e
			}
		}
	}
	return all
}

// checkPlaces compares log steps, one JSON object a line, with what the
// comments say.
func checkPlaces(steps string, want map[place]expected) (faults []string) {
	got := map[place]int{}
	lines := bufio.NewScanner(strings.NewReader(steps))
	for lines.Scan() {
		var s struct {
			Step                uint64
			Machine, Path, Text string
			Line                int
		}
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
			return []string{fmt.Sprintf("%v: %s", err, lines.Text())}
		}
		at := place{s.Machine, filepath.Base(s.Path), s.Line}
		got[at]++
		for _, q := range want[at].quotes {
			if !strings.Contains(s.Text, q) && !strings.Contains(s.Text, strings.TrimSpace(q)) {
				faults = append(faults, fmt.Sprintf("#%d at %v has no %q: %s", s.Step, at, q, s.Text))
			}
		}
	}
	for at := range maps.Keys(got) {
		if _, ok := want[at]; !ok {
			faults = append(faults, fmt.Sprintf("%d steps at %v, which should log nothing", got[at], at))
		}
	}
	for at, e := range want {
		if got[at] != e.count {
			faults = append(faults, fmt.Sprintf("%d steps at %v, want %d", got[at], at, e.count))
		}
	}
	slices.Sort(faults)
	return faults
}

func TestCheckPlacesFindsFaults(t *testing.T) {
	want := map[place]expected{{"a", "x_test.go", 3}: {2, []string{"hello "}}}
	const good = `{"step":1,"machine":"a","text":"hello 1","path":"/m/x_test.go","line":3}` + "\n" +
		`{"step":2,"machine":"a","text":"hello 2","path":"/m/x_test.go","line":3}` + "\n"
	if faults := checkPlaces(good, want); len(faults) > 0 {
		t.Errorf("good: %q", faults)
	}
	for name, text := range map[string]string{
		"machine": strings.Replace(good, `"a"`, `"b"`, 1),
		"file":    strings.Replace(good, "x_test.go", "y_test.go", 1),
		"line":    strings.Replace(good, `"line":3`, `"line":4`, 1),
		"text":    strings.Replace(good, "hello", "good bye", 1),
		"missing": good[:strings.Index(good, "\n")+1],
		"more":    good + good,
		"form":    "{",
	} {
		if faults := checkPlaces(text, want); len(faults) == 0 {
			t.Errorf("%s: no fault found", name)
		}
	}
}

// TestLoggers runs the programs of the folder logging, if their modules are
// there: each line that zap and zerolog print is a step of the right machine,
// at the line that logs. In the nightly mode it does so with ten seeds.
func TestLoggers(t *testing.T) {
	const dir = "logging"
	if !present(t, dir) {
		return
	}
	command, want := restep(t), readExpected(t, dir)
	if len(want) < 30 {
		t.Fatalf("only %d lines of %s log: %v", len(want), dir, want)
	}
	seeds := 1
	if os.Getenv("RESTEP_NIGHTLY") == "1" {
		seeds = 10
	}
	for seed := 1; seed <= seeds; seed++ { // one at a time: the log is kept
		passes(t, command, dir, fmt.Sprintf("-seed=%d", seed))
		list := exec.Command(command, "steps", "-json", "-kind=log", fmt.Sprintf("-seed=%d", seed), "-package="+self+"/sim/realworld/"+dir, "TestLines")
		list.Dir = dir
		list.Stderr = os.Stderr
		out, err := list.Output()
		if err != nil {
			t.Fatal(err)
		}
		for _, fault := range checkPlaces(string(out), want) {
			t.Errorf("seed %d: %s", seed, fault)
		}
	}
}
