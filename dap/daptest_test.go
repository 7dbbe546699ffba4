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
	d.InitializeRequest()
	if r := d.ExpectInitializeResponse(t); !r.Body.SupportsConfigurationDoneRequest || !r.Body.SupportsTerminateRequest {
		t.Errorf("capabilities: %+v", r.Body)
	}
	d.LaunchRequestWithArgs(map[string]any{"program": module, "test": "TestMachines", "step": first})
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
	line := lineOf(t, `Fprintf(w, "hello`)
	d.SetBreakpointsRequest(filepath.Join(module, "machines_test.go"), []int{line})
	if r := d.ExpectSetBreakpointsResponse(t); len(r.Body.Breakpoints) != 1 || !r.Body.Breakpoints[0].Verified {
		t.Fatalf("breakpoints: %+v", r.Body)
	}
	d.ConfigurationDoneRequest()
	thread := 0 // ExpectConfigurationDoneResponse wants Delve's greeting first
	for {
		m, err := d.ReadMessage(t)
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := stoppedEvent(m); ok {
			thread = e.Body.ThreadId
			break
		}
	}
	d.StackTraceRequest(thread, 0, 100)
	st := d.ExpectStackTraceResponse(t)
	frame := 0
	for _, f := range st.Body.StackFrames {
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
	d.ContinueRequest(thread)
	d.ExpectContinueResponse(t)
	for {
		m, err := d.ReadMessage(t)
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := stoppedEvent(m); ok {
			if e.Body.Reason != "breakpoint" {
				t.Errorf("stopped: %+v", e.Body)
			}
			break
		}
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

func isEvent(m dap.Message, name string) bool {
	e, ok := m.(dap.EventMessage)
	return ok && e.GetEvent().Event == name
}

func stoppedEvent(m dap.Message) (*dap.StoppedEvent, bool) {
	e, ok := m.(*dap.StoppedEvent)
	return e, ok
}
