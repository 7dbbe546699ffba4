// Package children has machines whose programs start further processes.
package children

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/restep/restep/sim"
)

var counter int

func TestMain(m *testing.M) {
	switch os.Getenv("ROLE") {
	case "":
	case "server":
		serve(":80")
	case "worker":
		work()
	case "panic":
		var p *int
		fmt.Println(*p)
	case "clock":
		fmt.Println(time.Now().UTC().Format(time.DateTime))
		os.Exit(0)
	case "who":
		fmt.Println(who(), syscall.Kill(os.Getppid(), syscall.SIGTERM))
		os.Exit(0)
	default:
		os.Exit(99)
	}
	counter = 1000
	os.Exit(m.Run())
}

func command(role string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "ROLE="+role)
	return cmd
}

// serve answers every connection with who it is, for ever.
func serve(addr string) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		log.Fatal(err)
	}
	for {
		c, err := l.Accept()
		if err != nil {
			log.Fatal(err)
		}
		counter++
		fmt.Fprintf(c, "%s %v %d\n", sim.CurrentMachine(), os.Getppid() > 1, counter)
	}
}

// startServer is the program of a machine: it starts a server and waits.
func startServer() {
	counter = 50
	cmd := command("server")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		log.Fatal(err)
	}
	err := cmd.Wait()
	log.Print("server ended: ", err, " ", counter)
}

func ask(addr string) (string, error) {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return "", err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(time.Second))
	line, err := bufio.NewReader(c).ReadString('\n')
	return strings.TrimSpace(line), err
}

func TestServer(t *testing.T) {
	m := sim.NewMachine(sim.MachineConfig{Label: "server", MainFunc: startServer})
	for boot := 1; boot <= 3; boot++ {
		must(t, m.WaitForPort(80))
		for i := 1; i <= 2; i++ {
			got, err := ask("server:80")
			if want := fmt.Sprintf("server true %d", i); err != nil || got != want {
				t.Errorf("boot %d: %q %v, want %q", boot, got, err, want)
			}
		}
		if boot == 1 {
			m.Crash() // nobody hears of it
			if _, err := ask("server:80"); err == nil {
				t.Error("a server answers whose machine is off")
			}
		} else {
			m.Kill()
			if _, err := ask("server:80"); err == nil {
				t.Error("a server answers whose machine has ended")
			}
		}
		m.Restart()
	}
	if counter != 1000 {
		t.Errorf("counter is %d", counter)
	}
}

// TestKilledServer: the machine's program learns how its child ended.
func TestKilledServer(t *testing.T) {
	m := sim.NewMachine(sim.MachineConfig{Label: "server", MainFunc: startServer})
	must(t, m.WaitForPort(80))
	var pids []int
	err := m.Exec(func() {
		for pid := 2; pid < 5000; pid++ {
			if pid != os.Getpid() && syscall.Kill(pid, 0) == nil {
				pids = append(pids, pid)
			}
		}
		if len(pids) == 1 {
			syscall.Kill(pids[0], syscall.SIGTERM)
		}
	})
	if !errors.Is(err, sim.ErrOff) { // the machine's program may be over by now
		must(t, err)
	}
	if len(pids) != 1 {
		t.Fatalf("the machine has children %v", pids)
	}
	if err := syscall.Kill(pids[0], 0); err != syscall.ESRCH {
		t.Errorf("main sees a process of another machine: %v", err)
	}
	_, err = m.WaitForLog("server ended: signal: terminated 50")
	must(t, err)
}

// work is a storm of goroutines, timers and garbage, and runs a test of its
// own meanwhile.
func work() {
	var mu sync.Mutex
	var wg sync.WaitGroup
	sum := 0
	pool := sync.Pool{New: func() any { return new([512]byte) }}
	for i := range 4 {
		wg.Go(func() {
			for j := range 10 {
				b := pool.Get().(*[512]byte)
				f, _ := os.CreateTemp("", "w")
				f.Write(b[:])
				runtime.SetFinalizer(&[]byte{1}[0], func(*byte) { counter++ })
				if j%5 == 0 {
					time.Sleep(time.Duration(i) * time.Millisecond)
				}
				mu.Lock()
				sum += j
				mu.Unlock()
				pool.Put(b)
				f.Close()
			}
		})
	}
	wg.Wait()
	ran := testing.RunTests(func(string, string) (bool, error) { return true, nil }, []testing.InternalTest{
		{Name: "TestInChild", F: func(t *testing.T) {
			for i := range 3 {
				t.Run(fmt.Sprint(i), func(t *testing.T) {
					t.Parallel()
					time.Sleep(time.Millisecond)
					t.Log("in a child")
				})
			}
		}},
	})
	fmt.Println("sum", sum, ran, os.Getenv("N"))
	os.Exit(0)
}

func TestWorkers(t *testing.T) {
	for i := range 4 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			cmd := command("worker")
			cmd.Env = append(cmd.Env, fmt.Sprint("N=", i))
			out, err := cmd.CombinedOutput()
			if want := fmt.Sprintf("sum 180 true %d\n", i); err != nil || !strings.HasSuffix(string(out), want) {
				t.Errorf("%q, %v; want %q", out, err, want)
			}
		})
	}
}

func TestWorkersOnMachines(t *testing.T) {
	var machines []sim.Machine
	for range 3 {
		machines = append(machines, sim.NewSimpleMachine(func() {
			for range 2 {
				if out, err := command("worker").CombinedOutput(); err != nil || !bytes.Contains(out, []byte("sum 180 true")) {
					log.Fatalf("%q %v", out, err)
				}
			}
		}))
	}
	for _, m := range machines {
		m.Wait()
		if m.ExitCode() != 0 {
			t.Error("exit code", m.ExitCode())
		}
	}
}

// TestCrashes: power goes while children come and go.
func TestCrashes(t *testing.T) {
	m := sim.NewMachine(sim.MachineConfig{Label: "m", MainFunc: func() {
		for {
			var wg sync.WaitGroup
			for range 3 {
				wg.Go(func() { command("worker").Run() })
			}
			wg.Wait()
		}
	}})
	for i := range 8 {
		time.Sleep(time.Duration(i*i) * 200 * time.Microsecond)
		if i%2 == 0 {
			m.Crash()
		}
		m.Restart()
	}
	m.Kill()
}

func TestPanic(t *testing.T) {
	cmd := command("panic")
	cmd.Stderr = os.Stderr // the console: the report is in the log
	err := cmd.Run()
	if err == nil || err.Error() != "exit status 2" {
		t.Error(err)
	}
}

func TestClock(t *testing.T) {
	m := sim.NewMachine(sim.MachineConfig{MainFunc: func() { select {} }})
	m.StepClock(24 * time.Hour)
	var out []byte
	must(t, m.Exec(func() { out, _ = command("clock").Output() }))
	if !strings.HasPrefix(string(out), "2020-01-16 ") {
		t.Errorf("the child's clock shows %q", out)
	}
}

// TestNever asks for a child that cannot be: by hand.
func TestByHand(t *testing.T) {
	const clone3 = 435 // on every CPU; fork(2) is not on arm64
	_, _, errno := syscall.RawSyscall(clone3, 0, 0, 0)
	_, _, errno2 := syscall.RawSyscall6(syscall.SYS_CLONE, uintptr(syscall.SIGCHLD), 0, 0, 0, 0, 0)
	if errno != syscall.ENOSYS || errno2 != syscall.ENOSYS {
		t.Error(errno, errno2)
	}
}

// TestTen runs processes one after the other: their memory is given back.
func TestTen(t *testing.T) {
	var before, after runtime.MemStats
	for i := range 60 {
		out, err := command("clock").Output()
		if len(out) == 0 || err != nil {
			t.Fatalf("%q %v", out, err)
		}
		if i == 9 {
			runtime.GC()
			runtime.ReadMemStats(&before)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 512<<10 {
		t.Errorf("50 children left %d bytes", grown)
	}
}

func TestPipeToConsole(t *testing.T) {
	cmd := command("clock")
	cmd.Stdout = os.Stdout
	r, w := io.Pipe()
	go io.Copy(io.Discard, r)
	cmd.Stderr = w
	must(t, cmd.Run())
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
