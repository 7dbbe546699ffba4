package dap

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMachinesMadeAgain: labels, and numbers of the runtime, that belonged to
// another machine before belong to the one that is there.
func TestMachinesMadeAgain(t *testing.T) {
	file, err := filepath.Abs(filepath.Join("testdata", "numbers", "numbers_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, _, _ := strings.Cut(string(text), "// a breakpoint")
	line := strings.Count(before, "\n") + 1
	for _, test := range []string{"TestLabels", "TestNumbers"} {
		t.Run(test, func(t *testing.T) {
			label := func(n int) string {
				if test == "TestLabels" {
					return "server"
				}
				return fmt.Sprint("new", n)
			}
			c := dial(t, Options{})
			c.initialize()
			c.do("launch", map[string]any{"program": filepath.Dir(file), "test": test})
			c.event("initialized")
			stopAt := func(condition string) {
				t.Helper()
				c.do("setBreakpoints", map[string]any{"source": map[string]any{"path": file},
					"breakpoints": []map[string]any{{"line": line, "condition": condition}}})
			}
			check := func(s stop, n int) {
				t.Helper()
				count := fmt.Sprint(n)
				if got := c.eval(s, "count"); got != count {
					t.Fatalf("stopped where count is %s, want %s: %+v", got, count, s)
				}
				c.threadOf(label(n)+"/", "")
				if got := c.eval(s, "@"+label(n)+" count"); got != count {
					t.Errorf("@%s count is %s, want %s", label(n), got, count)
				}
				if got, want := c.eval(s, "@* count"), fmt.Sprintf("main: 0, %s: %d", label(n), n); got != want {
					t.Errorf("@* count is %s, want %s", got, want)
				}
				if got := c.openFiles(s); !strings.Contains(got, fmt.Sprintf("/file%d", n)) {
					t.Errorf("open files of machine %d: %s", n, got)
				}
			}
			stopAt("")
			c.do("configurationDone", nil)
			for n := 1; n <= 3; n++ {
				s := c.stop()
				check(s, n)
				if n == 2 {
					stopAt(fmt.Sprintf("machine == %q", label(3)))
				}
				if n < 3 {
					c.do("continue", map[string]any{"threadId": s.thread})
					continue
				}
				stopAt(fmt.Sprintf("machine == %q && count == 2", label(2)))
				c.do("reverseContinue", map[string]any{"threadId": s.thread})
				check(c.stop(), 2)
			}
		})
	}
}

// openFiles are those of the stopped machine, as the simulation's scope has them.
func (c *client) openFiles(s stop) string {
	c.t.Helper()
	scopes := c.do("scopes", map[string]any{"frameId": s.frame}).list("body", "scopes")
	for _, scope := range scopes {
		if scope.text("name") == "Simulation" {
			files := c.variable(scope.at("variablesReference"), "open files")
			return fmt.Sprint(c.do("variables", map[string]any{"variablesReference": files.at("variablesReference")}))
		}
	}
	c.t.Fatalf("no simulation in %v", scopes)
	return ""
}
