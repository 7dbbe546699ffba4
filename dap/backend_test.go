package dap

import (
	"bufio"
	"context"
	"io"
	"testing"
	"time"

	"github.com/google/go-dap"
)

// careless is a Delve that answers as it should not: twice, as the real one
// does when a panic follows an answer, never, or what nobody asked. It
// continues when held is closed.
func careless(conn io.ReadWriteCloser, held chan struct{}) {
	defer conn.Close()
	r := bufio.NewReader(conn)
	say := func(m dap.Message) { _ = dap.WriteProtocolMessage(conn, m) }
	for {
		m, err := dap.ReadProtocolMessage(r)
		if err != nil {
			return
		}
		switch req := m.(type) {
		case *dap.ThreadsRequest:
			say(&dap.ThreadsResponse{Response: response(&req.Request)})
			say(silentError(idInternal, "a panic after the answer").response(&req.Request))
		case *dap.ModulesRequest: // no answer at all
		case *dap.PauseRequest:
			stray := req.Request
			stray.Seq = 0
			say(&dap.PauseResponse{Response: response(&stray)})
			say(&dap.PauseResponse{Response: response(&req.Request)})
		case *dap.ContinueRequest:
			<-held
			say(&dap.ContinueResponse{Response: response(&req.Request)})
		case *dap.CancelRequest:
			say(silentError(idUnknown, "no").response(&req.Request))
		}
	}
}

// TestBackendCountsAnswers: who waits until nothing is open neither waits for
// ever nor goes on too early.
func TestBackendCountsAnswers(t *testing.T) {
	held := make(chan struct{})
	b := startBackend(func(conn io.ReadWriteCloser) { careless(conn, held) }, func(dap.Message) {})
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for range 3 {
		for _, m := range []dap.RequestMessage{
			&dap.ThreadsRequest{Request: newRequest("threads")},
			&dap.PauseRequest{Request: newRequest("pause")},
		} {
			if _, err := b.call(ctx, m); err != nil {
				t.Fatal(err)
			}
		}
		lost := make(chan error, 1)
		if err := b.send(&dap.ModulesRequest{Request: newRequest("modules")}, func(m dap.Message) { lost <- responseError(m) }); err != nil {
			t.Fatal(err)
		}
		if err := b.idle(ctx); err != nil {
			t.Fatalf("nothing is open, and it waits: %v", err)
		}
		if err := <-lost; err == nil {
			t.Error("a request without an answer ended well")
		}
	}
	going := make(chan struct{})
	if err := b.send(&dap.ContinueRequest{Request: newRequest("continue")}, func(dap.Message) { close(going) }); err != nil {
		t.Fatal(err)
	}
	go close(held)
	if err := b.idle(ctx); err != nil {
		t.Fatal(err)
	}
	select {
	case <-going:
	default:
		t.Error("a request is open, and it did not wait")
	}
	b.conn.Close()
	<-b.done
	if err := b.send(&dap.ThreadsRequest{Request: newRequest("threads")}, func(dap.Message) {}); err == nil {
		t.Error("sent to a connection that is closed")
	}
	if err := b.idle(ctx); err != nil {
		t.Errorf("after the end: %v", err)
	}
}
