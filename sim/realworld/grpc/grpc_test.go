package grpc

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/restep/restep/sim"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
)

// TestCalls: calls of each kind succeed, also many at a time.
func TestCalls(t *testing.T) {
	newServer(t, 0)
	conn := dial(t)
	defer conn.Close()
	c := pb.NewTestServiceClient(conn)
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			errs := make(chan error)
			for range 4 {
				go func() {
					errs <- k.call(t.Context(), c, 1+rand.IntN(100_000))
				}()
			}
			for range 4 {
				if err := <-errs; err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// TestKeepalive: a client without calls notices within Time and Timeout that
// the network is silent, and calls succeed again when it is not.
func TestKeepalive(t *testing.T) {
	newServer(t, 0)
	const timeLimit, timeout = 10 * time.Second, 3 * time.Second
	conn := dial(t, grpc.WithKeepaliveParams(keepalive.ClientParameters{
		Time: timeLimit, Timeout: timeout, PermitWithoutStream: true,
	}))
	defer conn.Close()
	c := pb.NewTestServiceClient(conn)
	if err := kinds[0].call(t.Context(), c, 10); err != nil {
		t.Fatal(err)
	}
	// Pings keep the connection while nobody calls.
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if conn.WaitForStateChange(ctx, connectivity.Ready) {
		t.Fatalf("the idle connection is %v", conn.GetState())
	}
	if err := sim.SetConnected(sim.CurrentMachine().Label(), "server", false); err != nil {
		t.Fatal(err)
	}
	cut := time.Now()
	if !conn.WaitForStateChange(t.Context(), connectivity.Ready) {
		t.Fatal("the client notices nothing")
	}
	// A ping may just have been answered, so the next one leaves after Time.
	if d := time.Since(cut); d > timeLimit+timeout+time.Second {
		t.Errorf("noticed after %v", d)
	}
	sim.Heal()
	if _, err := c.UnaryCall(t.Context(), &pb.SimpleRequest{}, grpc.WaitForReady(true)); err != nil {
		t.Error("after the cut:", err)
	}
}

// TestServerComesBack: calls fail while the server has no power and succeed
// after it booted again.
func TestServerComesBack(t *testing.T) {
	server := newServer(t, 0)
	conn := dial(t, grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 10 * time.Second, Timeout: time.Second}))
	defer conn.Close()
	c := pb.NewTestServiceClient(conn)
	for range 3 {
		if _, err := c.UnaryCall(t.Context(), &pb.SimpleRequest{}, grpc.WaitForReady(true)); err != nil {
			t.Fatal(err)
		}
		server.Crash()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		_, err := c.UnaryCall(ctx, &pb.SimpleRequest{})
		cancel()
		if code := status.Code(err); code != codes.DeadlineExceeded && code != codes.Unavailable {
			t.Fatalf("a call to a machine without power: %v", err)
		}
		server.Restart()
	}
	if _, err := c.UnaryCall(t.Context(), &pb.SimpleRequest{}, grpc.WaitForReady(true)); err != nil {
		t.Fatal(err)
	}
}

// faults are what may happen to the server or the network.
var faults = []struct {
	name   string
	inject func(server sim.Machine, client string) error
}{
	{"none", func(sim.Machine, string) error { return nil }},
	{"crash", func(m sim.Machine, _ string) error { m.Crash(); return nil }},
	{"kill", func(m sim.Machine, _ string) error { m.Kill(); return nil }},
	{"restart", func(m sim.Machine, _ string) error { m.Crash(); m.Restart(); return nil }},
	{"pause", func(m sim.Machine, _ string) error { m.Pause(); return nil }},
	{"cut", func(_ sim.Machine, c string) error { return sim.SetConnected(c, "server", false) }},
	{"refuse", func(_ sim.Machine, c string) error { return sim.SetLinks(c, "server", sim.Link{State: sim.Refuse}) }},
	{"no route", func(_ sim.Machine, c string) error { return sim.SetLinks(c, "server", sim.Link{State: sim.NoRoute}) }},
	{"loss", func(_ sim.Machine, c string) error { return sim.SetLinks(c, "server", sim.Link{Loss: 0.2}) }},
}

// within runs f and reports whether it returned in time.
func within(limit time.Duration, f func()) bool {
	done := make(chan struct{})
	go func() {
		f()
		close(done)
	}()
	select {
	case <-done:
		return true
	case <-time.After(limit):
		return false
	}
}

// TestEveryCallReturns: whatever happens to the server and the network while
// calls are under way, each call returns when its deadline has passed, no
// answer is wrong, and closing the client returns.
func TestEveryCallReturns(t *testing.T) {
	const deadline, grace = 5 * time.Second, 30 * time.Second
	server := newServer(t, []int32{0, 1 << 20, 1 << 24}[rand.IntN(3)])
	var options []grpc.DialOption
	if rand.IntN(2) == 0 {
		options = append(options, grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 10 * time.Second, Timeout: 5 * time.Second}))
	}
	conn := dial(t, options...)
	c := pb.NewTestServiceClient(conn)
	fault := faults[rand.IntN(len(faults))]
	t.Logf("fault: %s, keep-alive: %v", fault.name, len(options) > 0)

	callers := 1 + rand.IntN(4)
	ended := make(chan struct{})
	for range callers {
		k, bytes := kinds[rand.IntN(len(kinds))], 1<<rand.IntN(20)
		go func() {
			defer func() { ended <- struct{}{} }()
			for range 20 {
				var err error
				if !within(deadline+grace, func() {
					ctx, cancel := context.WithTimeout(t.Context(), deadline)
					defer cancel()
					err = k.call(ctx, c, bytes)
				}) {
					t.Errorf("%s has not returned %v after its deadline", k.name, grace)
					return
				}
				var w wrong
				if errors.As(err, &w) {
					t.Errorf("%s: %v: %+v", k.name, err, w)
				}
				if status.Code(err) == codes.Canceled {
					return // the client is closed
				}
			}
		}()
	}
	time.Sleep(time.Duration(rand.IntN(int(5 * time.Millisecond)))) // sim:ok when the fault happens, drawn by the seed
	if err := fault.inject(server, sim.CurrentMachine().Label()); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Duration(rand.IntN(int(3 * time.Second)))) // sim:ok when the client is closed, drawn by the seed
	if !within(grace, func() { conn.Close() }) {
		t.Fatalf("Close has not returned after %v", grace)
	}
	for range callers {
		<-ended
	}
}
