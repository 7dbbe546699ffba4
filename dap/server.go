package dap

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
)

// NewToken returns a random token for Options.
func NewToken() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails: crypto/rand
	return hex.EncodeToString(b)
}

// unixPrefix begins the address of a unix socket.
const unixPrefix = "unix:"

// Listen listens for editors: on an address of this host's loopback interface,
// HOST:PORT, or on a unix socket that only this user can connect to,
// unix:PATH. The adapter runs any code that a client asks it to build.
func Listen(addr string) (net.Listener, error) {
	if path, ok := strings.CutPrefix(addr, unixPrefix); ok {
		return listenUnix(path)
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %q: want HOST:PORT, as in 127.0.0.1:0, or unix:PATH", addr)
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

// listenUnix makes a socket of mode 0600. A socket that nobody listens on any
// more is replaced; no other file is.
func listenUnix(path string) (net.Listener, error) {
	if info, err := os.Lstat(path); err == nil {
		if info.Mode()&os.ModeSocket == 0 {
			return nil, fmt.Errorf("listen on %s%s: there is a file of that name, which is no socket", unixPrefix, path)
		}
		conn, err := net.Dial("unix", path)
		if err == nil {
			conn.Close()
			return nil, fmt.Errorf("listen on %s%s: somebody listens there already", unixPrefix, path)
		}
		if errors.Is(err, syscall.ECONNREFUSED) {
			_ = os.Remove(path)
		}
	}
	old := syscall.Umask(0o177) // there is no moment at which others may connect
	l, err := net.Listen("unix", path)
	syscall.Umask(old)
	if err != nil {
		return nil, fmt.Errorf("listen on %s%s: %w", unixPrefix, path, err)
	}
	return l, nil
}

// maxSessions bounds the sessions at one time.
const maxSessions = 16

// ServeListener runs a session for each connection until ctx ends, and waits
// for all of them. Connections of other users get nothing. report is told how
// sessions failed; it may be called by several goroutines.
func ServeListener(ctx context.Context, l net.Listener, opt Options, report func(error)) error {
	if _, unix := l.(*net.UnixListener); opt.Token == "" && !unix {
		return errors.New("a listening adapter needs a token")
	}
	opt.parked = &parked{waiting: map[string]*session{}}
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
		if uid, err := peerUser(conn); err != nil || uid != os.Getuid() {
			conn.Close()
			report(fmt.Errorf("a client of another user was sent away (uid %d, %v)", uid, err))
			continue
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
