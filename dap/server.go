package dap

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"sync"
)

// NewToken returns a random token for Options.
func NewToken() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails: crypto/rand
	return hex.EncodeToString(b)
}

// Listen listens for editors. The address must be of this host's loopback
// interface: the adapter runs any code that a client asks it to build.
func Listen(addr string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %q: want HOST:PORT, as in 127.0.0.1:0", addr)
	}
	ip := net.ParseIP(host)
	if host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("listen on %q: only this host's own addresses are allowed, as in 127.0.0.1:0; forward a port to reach it from elsewhere", addr)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	if tcp, ok := l.Addr().(*net.TCPAddr); !ok || !tcp.IP.IsLoopback() {
		l.Close()
		return nil, fmt.Errorf("listen on %q: it is not an address of the loopback interface", addr)
	}
	return l, nil
}

// maxSessions bounds the sessions at one time.
const maxSessions = 16

// ServeListener runs a session for each connection until ctx ends, and waits
// for all of them. report is told how sessions failed; it may be called by
// several goroutines.
func ServeListener(ctx context.Context, l net.Listener, opt Options, report func(error)) error {
	if opt.Token == "" {
		return errors.New("a listening adapter needs a token")
	}
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	var sessions sync.WaitGroup
	defer sessions.Wait()
	slots := make(chan struct{}, maxSessions)
	for {
		conn, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return nil
			}
			return fmt.Errorf("accept a client: %w", err)
		}
		select {
		case slots <- struct{}{}:
		default:
			conn.Close()
			report(fmt.Errorf("a client was sent away: there are %d sessions already", maxSessions))
			continue
		}
		sessions.Go(func() {
			defer func() { <-slots }()
			if err := Serve(ctx, conn, opt); err != nil && ctx.Err() == nil {
				report(err)
			}
		})
	}
}
