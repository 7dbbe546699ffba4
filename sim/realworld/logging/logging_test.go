package logging

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/restep/restep/sim"
)

// logFile is where the machines log to.
const logFile = "/var/log/app.log"

// errNotAFile is what Sync says of a pipe or terminal: fsync(2).
const errNotAFile = syscall.EINVAL

// pause lets other machines have their turn.
func pause() { time.Sleep(rand.N(10 * time.Millisecond)) } // sim:ok simulated time: the lines of the machines mix

// TestLines runs the four programs at once. What has been synced must be in the
// files after a power failure, line by line; the steps are looked at from
// outside.
func TestLines(t *testing.T) {
	newMachine := func(label string, mayExit bool, program func()) sim.Machine {
		return sim.NewMachine(sim.MachineConfig{Label: label, MayExit: mayExit, MainFunc: program, Files: map[string]string{"/var/log/.keep": ""}})
	}
	writers := map[string]sim.Machine{
		"orders":  newMachine("orders", false, orders),
		"billing": newMachine("billing", false, billing),
	}
	ends := map[string]sim.Machine{
		"shipping": newMachine("shipping", false, shipping),
		"stock":    newMachine("stock", true, stock),
	}
	for label, m := range ends {
		m.Wait()
		if code, want := m.ExitCode(), map[string]int{"shipping": 0, "stock": 3}[label]; code != want {
			t.Errorf("%s ended with %d, want %d", label, code, want)
		}
	}
	for label, m := range writers {
		if _, err := m.WaitForLog(label + " has synced"); err != nil {
			t.Fatal(err)
		}
		m.Crash()
		m.SetMainFunc(func() {})
		m.Restart()
		data, err := m.ReadFile(logFile)
		if err != nil {
			t.Fatal(err)
		}
		if err := checkFile(data, expected[label]); err != "" {
			t.Errorf("%s's file after a power failure: %s:\n%s", label, err, data)
		}
	}
}

// expected are the messages that each machine's file holds when it has synced.
var expected = map[string][]string{
	"orders": {
		"only in the file", "orders starts", "order taken", "order taken", "order taken", "order is late", "order failed",
		"checked first",
	},
	"billing": {
		"billing starts", "invoice 0", "invoice 1", "invoice 2", "", "payment failed", "without a level", "not fatal",
		"account of ",
	},
}

// checkFile reads a log file, which must be one JSON object a line. What came
// after the sync may be missing or torn.
func checkFile(data []byte, want []string) (fault string) {
	var got []string
	for line := range bytes.Lines(data) {
		var entry struct{ Msg, Message string }
		if err := json.Unmarshal(line, &entry); err != nil {
			if len(got) >= len(want) {
				break
			}
			return err.Error()
		}
		got = append(got, entry.Msg+entry.Message)
	}
	if len(got) < len(want) || !slices.Equal(got[:len(want)], want) {
		return "other lines than what was synced"
	}
	return ""
}
