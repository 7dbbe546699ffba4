// Package programs starts a package main of its module as a process.
package programs

import (
	"bytes"
	"errors"
	"log"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/restep/restep/sim"
	"github.com/restep/restep/sim/programs/testdata/programs/lib"
)

func init() { lib.Users = append(lib.Users, "test") }

const (
	plain = `tool ["a" "b"] false, in "", init ran, lib [init], started 1, v1` + "\n"
	full  = `tool ["fail"] true, in "input", init ran, lib [init], started 1, v1` + "\n"
)

func TestProgram(t *testing.T) {
	if _, err := exec.LookPath("tool"); !errors.Is(err, exec.ErrNotFound) {
		t.Errorf("before sim.Program: %v", err)
	}
	early := sim.NewSimpleMachine(func() { select {} })
	path := sim.Program("tool", "./cmd/tool")
	for _, name := range []string{path, "tool"} {
		out, err := exec.Command(name, "a", "b").CombinedOutput()
		if string(out) != plain || err != nil {
			t.Errorf("%s: %q, %v", name, out, err)
		}
	}
	cmd := exec.Command("tool", "-v", "fail")
	cmd.Stdin = strings.NewReader("input")
	var out bytes.Buffer
	cmd.Stdout = &out
	err := cmd.Run()
	if out.String() != full || err == nil || err.Error() != "exit status 4" {
		t.Errorf("%q, %v", out.String(), err)
	}
	late := sim.NewSimpleMachine(func() {
		out, err := exec.Command("tool", "a", "b").CombinedOutput()
		if string(out) != plain || err != nil {
			log.Fatalf("%q, %v", out, err)
		}
	})
	late.Wait()
	if late.ExitCode() != 0 {
		t.Error("exit code", late.ExitCode())
	}
	var got []byte
	if e := early.Exec(func() { got, err = exec.Command("/usr/bin/tool", "a", "b").Output() }); e != nil || err != nil || string(got) != plain {
		t.Errorf("%q, %v, %v", got, err, e)
	}
	early.Crash()
	early.Restart()
	if _, err := early.ReadFile("/usr/bin/tool"); err != nil {
		t.Error(err)
	}
	if len(lib.Users) != 2 {
		t.Error(lib.Users)
	}
	cmd = exec.Command(os.Args[0], "-test.run=TestNothing")
	if err := cmd.Run(); err != nil {
		t.Error("the test binary: ", err)
	}
}

func TestNoProgram(t *testing.T) {
	for _, name := range []string{"", "a/b", ".."} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("sim.Program takes the name %q", name)
				}
			}()
			sim.Program(name, "./cmd/tool")
		}()
	}
}
