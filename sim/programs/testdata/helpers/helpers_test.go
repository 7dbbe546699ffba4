// Package helpers uses what package sim offers to look after machines: waits,
// Exec, signals, clocks, disks.
package helpers

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/restep/restep/sim"
)

var counter int

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestWaits(t *testing.T) {
	m := sim.NewMachine(sim.MachineConfig{
		Label: "server", Env: []string{"MODE=fast"}, Args: []string{"/usr/bin/server", "-v"},
		Files: map[string]string{"/etc/app/conf": "port=80\n"},
		MainFunc: func() {
			time.Sleep(3 * time.Second)
			b, err := os.ReadFile("/etc/app/conf")
			log.Printf("args %q mode %q conf %q %v", os.Args, os.Getenv("MODE"), b, err)
			l, err := net.Listen("tcp", ":80")
			if err != nil {
				log.Fatal(err)
			}
			counter = 7
			os.WriteFile("/tmp/ready", []byte("yes"), 0o600)
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				c.Close()
			}
		},
	})
	start := time.Now()
	line, err := m.WaitForLog("mode ")
	must(t, err)
	if !strings.HasSuffix(line, `args ["/usr/bin/server" "-v"] mode "fast" conf "port=80\n" <nil>`) {
		t.Errorf("line %q", line)
	}
	must(t, m.WaitForPort(80))
	must(t, m.WaitForFile("/tmp/ready"))
	if d := time.Since(start); d < 3*time.Second || d > 6*time.Second {
		t.Errorf("waited %v", d)
	}
	b, err := m.ReadFile("/tmp/ready")
	if string(b) != "yes" || err != nil {
		t.Errorf("ready: %q %v", b, err)
	}
	if _, err := m.ReadFile("/nowhere"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nowhere: %v", err)
	}
	got := 0
	must(t, m.Exec(func() { got = counter }))
	if got != 7 || counter != 0 {
		t.Errorf("counter is %d there and %d here", got, counter)
	}
	must(t, sim.WaitUntilFails(func() error {
		m.Kill()
		if m.Running() {
			return nil
		}
		return sim.ErrOff
	}))
	if err := m.Exec(func() {}); !errors.Is(err, sim.ErrOff) {
		t.Errorf("Exec on a machine that is off: %v", err)
	}
	if c := m.ExitCode(); c != 137 {
		t.Errorf("exit code %d", c)
	}
	if err := sim.WaitFor(func() bool { return false }); !errors.Is(err, sim.ErrWait) {
		t.Errorf("a wait in vain: %v", err)
	}
}

func TestExecDies(t *testing.T) {
	m := sim.NewMachine(sim.MachineConfig{MainFunc: func() { select {} }, MayExit: true})
	go func() {
		time.Sleep(time.Second)
		m.Crash()
	}()
	if err := m.Exec(func() { time.Sleep(time.Hour) }); !errors.Is(err, sim.ErrOff) {
		t.Errorf("crash during Exec: %v", err)
	}
	m.Restart()
	if err := m.Exec(func() { os.Exit(3) }); !errors.Is(err, sim.ErrOff) || m.ExitCode() != 3 {
		t.Errorf("exit during Exec: %v, code %d", err, m.ExitCode())
	}
}

func TestSignals(t *testing.T) {
	m := sim.NewMachine(sim.MachineConfig{
		Label: "signals",
		MainFunc: func() {
			c := make(chan os.Signal, 4)
			signal.Notify(c, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGTERM)
			log.Print("listening for signals")
			for s := range c {
				log.Printf("got %v", s)
				if s == syscall.SIGTERM {
					os.Exit(4)
				}
			}
		},
		MayExit: true,
	})
	_, err := m.WaitForLog("listening for")
	must(t, err)
	m.Signal(syscall.SIGUSR1)
	_, err = m.WaitForLog("user defined signal 1")
	must(t, err)
	must(t, m.Exec(func() { syscall.Kill(os.Getpid(), syscall.SIGHUP) }))
	_, err = m.WaitForLog("hangup")
	must(t, err)
	m.Signal(syscall.SIGWINCH) // ignored by default
	m.Signal(syscall.SIGTERM)
	m.Wait()
	if m.ExitCode() != 4 {
		t.Errorf("exit code %d", m.ExitCode())
	}
	m.Restart()
	m.Signal(syscall.SIGUSR2) // nobody handles it, and a Go program lives on
	m.Signal(syscall.SIGINT)
	m.Wait()
	if m.ExitCode() != 128+2 {
		t.Errorf("exit code %d", m.ExitCode())
	}
	m.Restart()
	if err := m.Exec(func() { syscall.Kill(os.Getpid(), syscall.SIGKILL) }); !errors.Is(err, sim.ErrOff) || m.ExitCode() != 137 {
		t.Errorf("a machine that kills itself: %v, exit code %d", err, m.ExitCode())
	}
}

func TestPause(t *testing.T) {
	ticks := 0
	m := sim.NewMachine(sim.MachineConfig{MainFunc: func() {
		go func() {
			l, _ := net.Listen("tcp", ":80")
			for {
				c, _ := l.Accept()
				fmt.Fprint(c, "hello")
				c.Close()
			}
		}()
		for range time.Tick(time.Second) {
			ticks++
		}
	}, Label: "paused"})
	time.Sleep(5500 * time.Millisecond)
	before := ticks
	m.Pause()
	c, err := net.Dial("tcp", "paused:80") // its kernel accepts
	must(t, err)
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := c.Read(make([]byte, 5)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a paused server answers: %v", err)
	}
	if ticks != before || before != 5 {
		t.Errorf("%d ticks, then %d", before, ticks)
	}
	m.Resume()
	c.SetReadDeadline(time.Time{})
	b := make([]byte, 5)
	if _, err := c.Read(b); err != nil || string(b) != "hello" {
		t.Errorf("after Resume: %q, %v", b, err)
	}
	time.Sleep(3 * time.Second)
	if ticks < before+3 {
		t.Errorf("%d ticks after Resume", ticks)
	}
	m.Pause()
	m.Crash()
	m.Restart()
	time.Sleep(1500 * time.Millisecond)
	must(t, m.WaitForPort(80))
	must(t, m.Exec(func() {
		go func() {
			time.Sleep(time.Second)
			log.Print("after pausing itself")
		}()
	}))
	go m.Exec(func() { sim.CurrentMachine().Pause() })
	time.Sleep(10 * time.Second)
	m.Resume()
	_, err = m.WaitForLog("after pausing")
	must(t, err)
}

func TestClock(t *testing.T) {
	m := sim.NewMachine(sim.MachineConfig{Label: "clock", MainFunc: func() { select {} }})
	m.StepClock(time.Hour)
	var there time.Time
	must(t, m.Exec(func() { there = time.Now() }))
	if d := there.Round(0).Sub(time.Now().Round(0)); d < time.Hour-time.Second || d > time.Hour+time.Second {
		t.Errorf("the machine is %v ahead", d)
	}
	must(t, m.Exec(func() {
		start := time.Now()
		go sim.CurrentMachine().StepClock(-24 * time.Hour)
		time.Sleep(time.Second)
		if d := time.Since(start); d < time.Second || d > 2*time.Second {
			log.Fatalf("monotonic clock moved %v", d)
		}
		if d := time.Now().Round(0).Sub(start.Round(0)); d > -23*time.Hour {
			log.Fatalf("wall clock moved %v", d)
		}
		if err := os.WriteFile("/tmp/x", nil, 0o600); err != nil {
			log.Fatal(err)
		}
		st, err := os.Stat("/tmp/x")
		if err != nil || time.Since(st.ModTime()).Abs() > time.Second {
			log.Fatalf("a new file is %v old, %v", time.Since(st.ModTime()), err)
		}
	}))
	m.SetClock(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))
	if y := m.Now().UTC().Year(); y != 2000 {
		t.Errorf("the year is %d", y)
	}
	m.SetClockDrift(100_000) // a tenth too fast
	start := time.Now()
	must(t, m.Exec(func() {
		start := time.Now()
		time.Sleep(11 * time.Second)
		if d := time.Since(start); d < 11*time.Second || d > 11*time.Second+time.Millisecond {
			log.Fatalf("11 s on a fast clock are %v", d)
		}
		<-time.After(11 * time.Second)
		ctx := time.NewTicker(1100 * time.Millisecond)
		for range 10 {
			<-ctx.C
		}
	}))
	if d := time.Since(start); d < 30*time.Second-time.Millisecond || d > 30*time.Second+10*time.Millisecond {
		t.Errorf("33 s on a fast clock took %v", d)
	}
}

func TestDiskFull(t *testing.T) {
	m := sim.NewMachine(sim.MachineConfig{MainFunc: func() { select {} }, Disk: sim.Disk{Size: 1 << 20}})
	must(t, m.Exec(func() {
		var st syscall.Statfs_t
		if err := syscall.Statfs("/", &st); err != nil || int64(st.Blocks)*st.Bsize != 1<<20 {
			log.Fatalf("statfs: %+v, %v", st, err)
		}
		err := os.WriteFile("/big", make([]byte, 2<<20), 0o600)
		if !errors.Is(err, syscall.ENOSPC) {
			log.Fatalf("2 MiB on 1 MiB: %v", err)
		}
		if err := os.Remove("/big"); err != nil {
			log.Fatal(err)
		}
		if err := os.WriteFile("/big", make([]byte, 512<<10), 0o600); err != nil {
			log.Fatalf("after the removal: %v", err)
		}
		f, _ := os.Create("/reserved")
		if err := syscall.Fallocate(int(f.Fd()), 0, 0, 1<<20); !errors.Is(err, syscall.ENOSPC) {
			log.Fatalf("fallocate: %v", err)
		}
		if err := syscall.Fallocate(int(f.Fd()), 0, 0, 256<<10); err != nil {
			log.Fatalf("fallocate: %v", err)
		}
	}))
	if free := m.FreeSpace(); free > 256<<10 {
		t.Errorf("%d bytes are free", free)
	}
	m.SetDiskSize(0)
	must(t, m.Exec(func() {
		if err := os.WriteFile("/big2", make([]byte, 2<<20), 0o600); err != nil {
			log.Fatal(err)
		}
	}))
}

func TestDiskFault(t *testing.T) {
	m := sim.NewMachine(sim.MachineConfig{MainFunc: func() { select {} }, Files: map[string]string{"/a": "a", "/b": "b"}})
	must(t, m.FailDisk(sim.DiskFault{Op: sim.DiskRead, Path: "/a", Count: 2}))
	must(t, m.Exec(func() {
		for i, ok := range []bool{false, false, true} {
			if _, err := os.ReadFile("/a"); (err == nil) != ok || err != nil && !errors.Is(err, syscall.EIO) {
				log.Fatalf("read %d: %v", i, err)
			}
			if _, err := os.ReadFile("/b"); err != nil {
				log.Fatal(err)
			}
		}
	}))
	must(t, m.FailDisk(sim.DiskFault{Op: sim.DiskSync, Err: syscall.ENOSPC}))
	must(t, m.Exec(func() {
		f, _ := os.OpenFile("/a", os.O_RDWR, 0)
		f.WriteString("x")
		if err := f.Sync(); !errors.Is(err, syscall.ENOSPC) {
			log.Fatalf("sync: %v", err)
		}
		if err := f.Sync(); err != nil {
			log.Fatal(err)
		}
	}))
	if err := m.FailDisk(sim.DiskFault{Path: "/none"}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a fault of no file: %v", err)
	}
}

// TestReload puts a new configuration onto a machine whose program watches the
// folder of it, before and after a crash.
func TestReload(t *testing.T) {
	m := sim.NewMachine(sim.MachineConfig{
		Files: map[string]string{"/etc/app/conf": "0"},
		MainFunc: func() {
			fd, err := syscall.InotifyInit1(syscall.IN_NONBLOCK)
			if err != nil {
				log.Fatal(err)
			}
			if _, err := syscall.InotifyAddWatch(fd, "/etc/app", syscall.IN_CLOSE_WRITE); err != nil {
				log.Fatal(err)
			}
			watch := os.NewFile(uintptr(fd), "inotify")
			for buf := make([]byte, 4096); ; {
				text, err := os.ReadFile("/etc/app/conf")
				log.Printf("loaded %s %v", text, err)
				if _, err := watch.Read(buf); err != nil {
					log.Fatal(err)
				}
			}
		},
	})
	for _, text := range []string{"1", "2"} {
		_, err := m.WaitForLog("loaded")
		must(t, err)
		must(t, m.WriteFile("/etc/app/conf", []byte(text), 0o644))
		_, err = m.WaitForLog("loaded " + text)
		must(t, err)
		m.Crash()
		m.Restart()
	}
}

// TestCrashStates writes two records without a sync and looks at what may be
// left of them.
func TestCrashStates(t *testing.T) {
	m := sim.NewMachine(sim.MachineConfig{MainFunc: func() { select {} }, Files: map[string]string{"/data/old": "synced"}})
	must(t, m.Exec(func() {
		os.WriteFile("/data/new", []byte("one"), 0o600)
		os.Rename("/data/new", "/data/old")
	}))
	var seen []string
	for _, s := range m.CrashStates(100) {
		c := sim.NewMachine(sim.MachineConfig{Disk: sim.Disk{From: s}, MainFunc: func() {
			names, _ := filepath.Glob("/data/*")
			what := ""
			for _, n := range names {
				b, _ := os.ReadFile(n)
				what += fmt.Sprintf("%s=%q ", filepath.Base(n), bytes.ReplaceAll(b, []byte{0}, []byte{'.'}))
			}
			seen = append(seen, what)
		}})
		c.Wait()
		c.Remove()
	}
	slices.Sort(seen)
	if !slices.Equal(slices.Compact(slices.Clone(seen)), seen) {
		t.Errorf("a state came twice: %q", seen)
	}
	for _, want := range []string{`old="synced" `, `old="one" `, `old="" `, `old="..." `, `new="" old="synced" `, `new="one" old="synced" `} {
		if !slices.Contains(seen, want) {
			t.Errorf("%q was not among %q", want, seen)
		}
	}
	m.Crash()
	if n := len(m.CrashStates(100)); n != len(seen) {
		t.Errorf("%d states after the crash, %d before", n, len(seen))
	}
	left := map[string]bool{}
	for range 40 {
		m.RestartWithPartialDisk()
		b, err := m.ReadFile("/data/old")
		left[fmt.Sprintf("%q %v", b, err)] = true
		m.Crash()
		must(t, m.WriteFile("/data/old", []byte("synced"), 0o600))
		m.Restart()
		must(t, m.Exec(func() {
			os.WriteFile("/data/new", []byte("one"), 0o600)
			os.Rename("/data/new", "/data/old")
		}))
		m.Crash()
	}
	if len(left) < 3 {
		t.Errorf("40 power failures left only %v", left)
	}
}

// TestRemove rebuilds one world a hundred times.
func TestRemove(t *testing.T) {
	for i := range 100 {
		var machines []sim.Machine
		for k := range 3 {
			machines = append(machines, sim.NewMachine(sim.MachineConfig{Label: fmt.Sprint("node", k), MainFunc: func() {
				if _, err := os.Stat("/tmp/trace"); err == nil {
					log.Fatal("the disk is not fresh")
				}
				os.WriteFile("/tmp/trace", nil, 0o600)
				l, err := net.Listen("tcp", ":80")
				if err != nil {
					log.Fatal(err)
				}
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					c.Close()
				}
			}}))
		}
		for k, m := range machines {
			must(t, m.WaitForPort(80))
			c, err := net.Dial("tcp", fmt.Sprint("node", k, ":80"))
			if err != nil {
				t.Fatalf("round %d: %v", i, err)
			}
			c.Close()
		}
		for _, m := range machines {
			m.Remove()
		}
	}
}
