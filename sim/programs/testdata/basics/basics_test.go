// Package basics does with files and sockets what most programs do.
package basics

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/restep/restep/sim"
)

// TestPackageFolder: main sees its package's folder, and what it writes there
// stays in the simulation.
func TestPackageFolder(t *testing.T) {
	for _, text := range []string{"changed", "again"} {
		b, err := os.ReadFile("testdata/hello.txt")
		if want := map[string]string{"changed": "hello\n", "again": "changed"}[text]; err != nil || string(b) != want {
			t.Errorf("read %q, %v", b, err)
		}
		if err := os.WriteFile("testdata/hello.txt", []byte(text), 0o600); err != nil {
			t.Error(err)
		}
	}
	pc, file, _, _ := runtime.Caller(0)
	if b, err := os.ReadFile(filepath.Join(filepath.Dir(file), "testdata/hello.txt")); err != nil || string(b) != "again" {
		t.Errorf("beside %s: %q, %v", file, b, err)
	}
	if other, _ := runtime.FuncForPC(pc).FileLine(pc); other != file || !filepath.IsAbs(file) {
		t.Errorf("FileLine says %s, Caller %s", other, file)
	}
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "a/b"), 0o755); err != nil {
		t.Error(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 || entries[0].Name() != "a" {
		t.Error(entries, err)
	}
}

// TestNames: each machine has its host name, and labels resolve at once.
func TestNames(t *testing.T) {
	names := make(chan string, 1)
	sim.NewMachine(sim.MachineConfig{Label: "db", MainFunc: func() {
		name, err := os.Hostname()
		if err != nil {
			name = err.Error()
		}
		names <- name
		l, err := net.Listen("tcp", ":5432")
		if err != nil {
			panic(err)
		}
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				io.Copy(c, c)
			}()
		}
	}})
	if name := <-names; name != "db" {
		t.Error("host name", name)
	}
	time.Sleep(time.Millisecond)
	c, err := net.Dial("tcp", "db:5432")
	if err != nil {
		t.Fatal(err)
	}
	c.Write([]byte("ping"))
	c.(*net.TCPConn).CloseWrite()
	if b, err := io.ReadAll(c); string(b) != "ping" || err != nil {
		t.Errorf("echo %q, %v", b, err)
	}
	if _, err := net.Dial("tcp", "db:1"); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Error("no listener:", err)
	}
	if _, err := net.LookupHost("nobody"); err == nil {
		t.Error("an unknown name resolves")
	}
	c, err = net.Dial("tcp", "db:5432")
	if err != nil {
		t.Fatal(err)
	}
	c.SetReadDeadline(time.Now().Add(time.Second))
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("deadline:", err)
	}
}

// TestPowerLoss: a crash loses what was not synced, a kill keeps it; peers
// hear of a kill and not of a crash.
func TestPowerLoss(t *testing.T) {
	found := make(chan string)
	m := sim.NewMachine(sim.MachineConfig{Label: "disk", MainFunc: func() {
		synced, _ := os.ReadFile("/synced")
		lost, _ := os.ReadFile("/lost")
		os.WriteFile("/lost", []byte("lost"), 0o600)
		f, err := os.Create("/synced")
		if err != nil {
			panic(err)
		}
		f.WriteString("kept")
		f.Sync()
		l, err := net.Listen("tcp", ":80")
		if err != nil {
			panic(err)
		}
		found <- string(synced) + "," + string(lost)
		for {
			if _, err := l.Accept(); err != nil {
				return
			}
		}
	}})
	if got := <-found; got != "," {
		t.Error("a new disk holds", got)
	}
	hears := func(end func()) error {
		c, err := net.Dial("tcp", "disk:80")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		end()
		c.SetReadDeadline(time.Now().Add(10 * time.Second))
		_, err = c.Read(make([]byte, 1))
		return err
	}
	if err := hears(m.Crash); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the peer of a crashed machine heard", err)
	}
	m.Restart()
	if got := <-found; got != "kept," {
		t.Error("after a crash the disk holds", got)
	}
	if err := hears(m.Kill); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the peer of a killed machine heard", err)
	}
	m.Restart()
	if got := <-found; got != "kept,lost" {
		t.Error("after a kill the disk holds", got)
	}
}

// TestTimeZones has zones on a machine without /usr/share/zoneinfo.
func TestTimeZones(t *testing.T) {
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, time.July, 1, 12, 0, 0, 0, time.UTC).In(zone)
	if name, offset := at.Zone(); name != "EDT" || offset != -4*60*60 {
		t.Errorf("%s, %d s", name, offset)
	}
	if _, err := os.Stat("/usr/share/zoneinfo"); !os.IsNotExist(err) {
		t.Errorf("the host's zones: %v", err)
	}
}

// TestMovesBytes allocates nothing while it moves 256 MB; what the kernel needs
// for them is collected all the same.
func TestMovesBytes(t *testing.T) {
	const count = 4096
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 64<<10)
	go func() {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			panic(err)
		}
		defer c.Close()
		for range count {
			if _, err := c.Write(buf); err != nil {
				panic(err)
			}
		}
	}()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	in, total := make([]byte, 64<<10), 0
	for {
		n, err := c.Read(in)
		if total += n; err != nil {
			break
		}
	}
	if total != count*len(buf) {
		t.Errorf("%d bytes came", total)
	}
	var mem runtime.MemStats
	if runtime.ReadMemStats(&mem); mem.HeapSys > 64<<20 {
		t.Errorf("the heap grew to %d MB", mem.HeapSys>>20)
	}
}
