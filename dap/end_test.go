package dap

import (
	"fmt"
	"strings"
	"testing"
)

// TestRequestsUnderWay moves and ends a session while Delve works on requests,
// as editors do. Their goroutines and frames are then those of a process that
// is gone, for which Delve fails in ways of its own ("Internal Error: send on
// closed channel"). A client must get one answer to each request, and nothing
// that it would show.
func TestRequestsUnderWay(t *testing.T) {
	n := firstRequest(t)
	for _, end := range []string{"terminate", "disconnect"} {
		c := dial(t, Options{})
		c.launch(map[string]any{"step": n})
		s := c.stop()
		open := map[string]string{}
		ask := func(command string, args any) {
			seq := c.send(command, args)
			open[fmt.Sprint(seq)] = command
		}
		for range 4 {
			ask("threads", nil)
			ask(commandJump, map[string]any{"step": n})
			ask("scopes", map[string]any{"frameId": s.frame})
			ask(commandJump, map[string]any{"step": n - 1})
		}
		ask("threads", nil)
		ask(end, nil)
		for len(open) > 0 {
			m := c.read()
			if m == nil {
				t.Fatalf("%s: the connection ended before the answers to %v", end, open)
			}
			if m.text("event") == "output" && m.text("body", "category") == "stderr" {
				t.Errorf("%s: %s", end, m.text("body", "output"))
			}
			if m.text("type") != "response" {
				continue
			}
			seq, command := m.text("request_seq"), m.text("command")
			if open[seq] != command {
				t.Errorf("%s: an answer to %q, want one to %q", end, command, open[seq])
			}
			delete(open, seq)
			if text := m.text("body", "error", "format"); strings.Contains(text, "Internal") || m.at("body", "error", "showUser") == true {
				t.Errorf("%s: %s answers: %s", end, command, text)
			}
		}
		c.conn.Close()
		c.wait()
	}
	noChildren(t)
}
