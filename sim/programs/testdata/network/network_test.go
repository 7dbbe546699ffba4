// Package network uses sockets as programs do. It knows nothing of the
// simulation: every test passes on a real Linux, too.
package network

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// serve answers every request with its path until the test ends.
func serve(t *testing.T, l net.Listener) {
	t.Helper()
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.URL.Path)
	})}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Close()
		if err := <-done; err != http.ErrServerClosed {
			t.Error(err)
		}
	})
}

func get(t *testing.T, network, address string) {
	t.Helper()
	tr := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, address)
	}}
	defer tr.CloseIdleConnections()
	c := &http.Client{Transport: tr, Timeout: 10 * time.Second}
	for i := range 3 {
		r, err := c.Get(fmt.Sprint("http://host/", i))
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil || string(b) != fmt.Sprint("/", i) {
			t.Fatalf("%q, %v", b, err)
		}
	}
}

func TestHTTPOverUnix(t *testing.T) {
	for _, name := range []string{filepath.Join(t.TempDir(), "sock"), "@restep-network-" + fmt.Sprint(os.Getpid())} {
		l, err := net.Listen("unix", name)
		if err != nil {
			t.Fatal(err)
		}
		serve(t, l)
		get(t, "unix", name)
	}
}

func TestUnixRefuses(t *testing.T) {
	dir := t.TempDir()
	_, err := net.Dial("unix", filepath.Join(dir, "none"))
	if !errors.Is(err, syscall.ENOENT) {
		t.Error(err)
	}
	path := filepath.Join(dir, "sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	l.Close()
	if _, err = net.Dial("unix", path); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Error(err)
	}
	if _, err = net.Listen("unix", path); !errors.Is(err, syscall.EADDRINUSE) {
		t.Error(err)
	}
	if st, err := os.Stat(path); err != nil || st.Mode().Type() != os.ModeSocket {
		t.Error(st, err)
	}
}

// TestUnixGram: datagrams between named and unnamed sockets.
func TestUnixGram(t *testing.T) {
	dir := t.TempDir()
	server, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "s"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	client, err := net.DialUnix("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "c"), Net: "unixgram"},
		server.LocalAddr().(*net.UnixAddr))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	go func() {
		for i := range 50 { // more than wait at once: the sender blocks
			fmt.Fprint(client, i)
		}
	}()
	b := make([]byte, 10)
	for i := range 50 {
		n, from, err := server.ReadFrom(b)
		if err != nil || string(b[:n]) != fmt.Sprint(i) || from.String() != client.LocalAddr().String() {
			t.Fatalf("message %d: %q from %v, %v", i, b[:n], from, err)
		}
	}
}

// TestUnixStream moves more than the buffers hold, both ways at once.
func TestUnixStream(t *testing.T) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	var ends [2]net.Conn
	for i, fd := range fds {
		f := os.NewFile(uintptr(fd), "pair")
		if ends[i], err = net.FileConn(f); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	const size = 3 << 20
	done := make(chan error, 4)
	for i := range ends {
		go func() {
			_, err := ends[i].Write([]byte(strings.Repeat(string(rune('a'+i)), size)))
			done <- err
		}()
		go func() {
			b := make([]byte, size)
			_, err := io.ReadFull(ends[i], b)
			if want := strings.Repeat(string(rune('a'+1-i)), size); err == nil && string(b) != want {
				err = errors.New("other bytes came out than went in")
			}
			done <- err
		}()
	}
	for range 4 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	ends[0].Close()
	if n, err := ends[1].Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Error(n, err)
	}
	ends[1].Close()
}

// TestDescriptors passes an open file and checks who sent it.
func TestDescriptors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sock")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		c, err := net.DialUnix("unix", nil, l.Addr().(*net.UnixAddr))
		if err != nil {
			panic(err)
		}
		defer c.Close()
		r, w, err := os.Pipe()
		if err != nil {
			panic(err)
		}
		if _, _, err := c.WriteMsgUnix([]byte("pipe"), syscall.UnixRights(int(r.Fd())), nil); err != nil {
			panic(err)
		}
		r.Close()
		fmt.Fprint(w, "through the pipe")
		w.Close()
	}()
	c, err := l.AcceptUnix()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	b, oob := make([]byte, 10), make([]byte, 100)
	n, oobn, _, _, err := c.ReadMsgUnix(b, oob)
	if err != nil || string(b[:n]) != "pipe" {
		t.Fatalf("%q, %v", b[:n], err)
	}
	messages, err := syscall.ParseSocketControlMessage(oob[:oobn])
	if err != nil || len(messages) != 1 {
		t.Fatal(messages, err)
	}
	fds, err := syscall.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		t.Fatal(fds, err)
	}
	f := os.NewFile(uintptr(fds[0]), "received")
	defer f.Close()
	if text, err := io.ReadAll(f); err != nil || string(text) != "through the pipe" {
		t.Errorf("%q, %v", text, err)
	}
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) {
		cred, err := syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
		if err != nil || int(cred.Pid) != os.Getpid() || int(cred.Uid) != os.Getuid() {
			t.Error(cred, err)
		}
	})
}

func TestHTTPOverIPv6(t *testing.T) {
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Fatal(err)
	}
	serve(t, l)
	get(t, "tcp", l.Addr().String())
	get(t, "tcp6", l.Addr().String())
}

// TestDualStack: a listener on every address is reached by both protocols,
// and shows IPv4 peers as such.
func TestDualStack(t *testing.T) {
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if !strings.HasPrefix(l.Addr().String(), "[::]:") {
		t.Errorf("listens on %v", l.Addr())
	}
	port := l.Addr().(*net.TCPAddr).Port
	for _, host := range []string{"127.0.0.1", "::1"} {
		c, err := net.Dial("tcp", net.JoinHostPort(host, fmt.Sprint(port)))
		if err != nil {
			t.Fatal(err)
		}
		s, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if got := s.RemoteAddr().(*net.TCPAddr).AddrPort().Addr().Unmap(); got != netip.MustParseAddr(host) {
			t.Errorf("the peer at %s is shown as %v", host, got)
		}
		if s.RemoteAddr().String() != c.LocalAddr().String() {
			t.Errorf("the two ends disagree: %v and %v", s.RemoteAddr(), c.LocalAddr())
		}
		c.Close()
		s.Close()
	}
	if _, err := net.Listen("tcp4", fmt.Sprint(":", port)); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("tcp4 beside it: %v", err)
	}
	six, err := net.Listen("tcp6", ":0") // IPV6_V6ONLY
	if err != nil {
		t.Fatal(err)
	}
	defer six.Close()
	port = six.Addr().(*net.TCPAddr).Port
	four, err := net.Listen("tcp4", fmt.Sprint(":", port))
	if err != nil {
		t.Fatal(err)
	}
	four.Close()
	if _, err := net.Dial("tcp", fmt.Sprint("127.0.0.1:", port)); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Error(err)
	}
}

func TestUDP(t *testing.T) {
	for _, host := range []string{"127.0.0.1", "::1"} {
		any, err := net.ListenPacket("udp", ":0")
		if err != nil {
			t.Fatal(err)
		}
		port := any.LocalAddr().(*net.UDPAddr).Port
		c, err := net.Dial("udp", net.JoinHostPort(host, fmt.Sprint(port)))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(c, "ping")
		b := make([]byte, 10)
		n, from, err := any.ReadFrom(b)
		if err != nil || string(b[:n]) != "ping" || from.String() != c.LocalAddr().String() {
			t.Fatalf("%q from %v, %v; want %v", b[:n], from, err, c.LocalAddr())
		}
		if _, err := any.WriteTo([]byte("pong"), from); err != nil {
			t.Fatal(err)
		}
		if n, err = c.Read(b); err != nil || string(b[:n]) != "pong" {
			t.Fatalf("%q, %v", b[:n], err)
		}
		any.Close()
		for err == nil { // the answer to the first message is that nobody is there
			if _, err = fmt.Fprint(c, "gone"); err == nil {
				_, err = c.Read(b)
			}
		}
		if !errors.Is(err, syscall.ECONNREFUSED) {
			t.Error(err)
		}
		c.Close()
	}
	c, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.WriteTo(nil, &net.UDPAddr{IP: net.IPv4bcast, Port: 9}); !errors.Is(err, syscall.EACCES) && err != nil {
		t.Error(err) // net sets SO_BROADCAST
	}
	if _, err := c.WriteTo(make([]byte, 70000), c.LocalAddr()); !errors.Is(err, syscall.EMSGSIZE) {
		t.Error(err)
	}
}

// TestInterfaces: a loopback device with its two addresses.
func TestInterfaces(t *testing.T) {
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	if lo.Index != 1 || lo.MTU != 65536 || lo.Flags&(net.FlagUp|net.FlagLoopback|net.FlagRunning) != net.FlagUp|net.FlagLoopback|net.FlagRunning {
		t.Errorf("%+v", lo)
	}
	addrs, err := lo.Addrs()
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(addrs); got != "[127.0.0.1/8 ::1/128]" {
		t.Error(got)
	}
	all, err := net.Interfaces()
	if err != nil || len(all) < 1 || all[0].Name != "lo" {
		t.Error(all, err)
	}
	if _, err := net.InterfaceByName("none"); err == nil {
		t.Error("there is a device named none")
	}
}

// TestLocalhost: the name leads to whoever listens there.
func TestLocalhost(t *testing.T) {
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		if c, err := l.Accept(); err == nil {
			fmt.Fprintln(c, "hello")
			c.Close()
		}
	}()
	c, err := net.Dial("tcp", fmt.Sprint("localhost:", l.Addr().(*net.TCPAddr).Port))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if line, err := bufio.NewReader(c).ReadString('\n'); err != nil || line != "hello\n" {
		t.Error(line, err)
	}
}
