package dap

import (
	"path/filepath"
	"testing"

	"github.com/go-delve/delve/service/dap/daptest"
	"github.com/google/go-dap"
)

// TestDelvesClient drives the adapter with the client that Delve's own tests
// use, which is strict about types and the order of messages.
func TestDelvesClient(t *testing.T) {
	first := firstRequest(t)
	c := dial(t, Options{})
	d := daptest.NewClientFromConn(c.conn)
	delveLaunch(t, d, first)
	line := lineOf(t, `Fprintf(w, "hello`)
	d.SetBreakpointsRequest(filepath.Join(module, "machines_test.go"), []int{line})
	if r := d.ExpectSetBreakpointsResponse(t); len(r.Body.Breakpoints) != 1 || !r.Body.Breakpoints[0].Verified {
		t.Fatalf("breakpoints: %+v", r.Body)
	}
	d.ConfigurationDoneRequest()
	stop := delveStop(t, d) // ExpectConfigurationDoneResponse wants Delve's greeting first
	delveLocals(t, d, stop.ThreadId)
	d.ContinueRequest(stop.ThreadId)
	d.ExpectContinueResponse(t)
	if stop = delveStop(t, d); stop.Reason != "breakpoint" {
		t.Errorf("stopped: %+v", stop)
	}
	d.TerminateRequest()
	d.ExpectTerminateResponse(t)
	d.ExpectTerminatedEvent(t)
	d.DisconnectRequest()
	d.ExpectDisconnectResponse(t)
	if err := c.wait(); err != nil {
		t.Error(err)
	}
	noChildren(t)
}

func delveLaunch(t *testing.T, d *daptest.Client, step int) {
	t.Helper()
	d.InitializeRequest()
	if r := d.ExpectInitializeResponse(t); !r.Body.SupportsConfigurationDoneRequest || !r.Body.SupportsTerminateRequest {
		t.Errorf("capabilities: %+v", r.Body)
	}
	d.LaunchRequestWithArgs(map[string]any{"program": module, "test": "TestMachines", "step": step})
	for {
		m, err := d.ReadMessage(t)
		if err != nil {
			t.Fatal(err)
		}
		if isEvent(m, "initialized") {
			break
		}
		if !isEvent(m, "output") {
			t.Fatalf("before initialized: %#v", m)
		}
	}
	d.ExpectLaunchResponse(t)
}

func delveStop(t *testing.T, d *daptest.Client) dap.StoppedEventBody {
	t.Helper()
	for {
		m, err := d.ReadMessage(t)
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := m.(*dap.StoppedEvent); ok {
			return e.Body
		}
	}
}

// delveLocals looks at the user's frame: at "got a request" it has r and w.
func delveLocals(t *testing.T, d *daptest.Client, thread int) {
	t.Helper()
	d.StackTraceRequest(thread, 0, 100)
	frame := 0
	for _, f := range d.ExpectStackTraceResponse(t).Body.StackFrames {
		if f.PresentationHint != "subtle" {
			frame = f.Id
			break
		}
	}
	d.ScopesRequest(frame)
	sc := d.ExpectScopesResponse(t)
	if len(sc.Body.Scopes) == 0 || sc.Body.Scopes[0].Name != "Locals" {
		t.Fatalf("scopes: %+v", sc.Body)
	}
	d.VariablesRequest(sc.Body.Scopes[0].VariablesReference)
	names := map[string]bool{}
	for _, v := range d.ExpectVariablesResponse(t).Body.Variables {
		names[v.Name] = true
	}
	if !names["r"] || !names["w"] {
		t.Errorf("locals: %v", names)
	}
}

func isEvent(m dap.Message, name string) bool {
	e, ok := m.(dap.EventMessage)
	return ok && e.GetEvent().Event == name
}
