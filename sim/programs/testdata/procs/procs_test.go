// Package procs starts child processes: the same tests run natively and in the
// simulation, and must log the same.
package procs

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// stack is the head of a goroutine in a report of the runtime.
var stack = regexp.MustCompile(`(?m)^goroutine \d+ `)

var count int // a child starts with its own

func TestMain(m *testing.M) {
	if role := os.Getenv("ROLE"); role != "" {
		fn := roles[role]
		if fn == nil {
			fmt.Fprintln(os.Stderr, "no role", role)
			os.Exit(99)
		}
		os.Exit(fn(os.Args[1:]))
	}
	count = 100
	syscall.Umask(0o022) // children inherit it
	os.Exit(m.Run())
}

var roles map[string]func(args []string) int

func init() {
	roles = map[string]func(args []string) int{
		"echo": func(args []string) int {
			fmt.Println(strings.Join(args, " "))
			return 0
		},
		"exit": func(args []string) int {
			code, _ := strconv.Atoi(args[0])
			return code
		},
		"cat": func([]string) int {
			n, err := io.Copy(os.Stdout, os.Stdin)
			fmt.Fprintln(os.Stderr, "copied", n, err)
			return 0
		},
		"about": about,
		"count": func([]string) int {
			count++
			fmt.Println("count", count)
			return 0
		},
		"panic": func([]string) int {
			panic("child panics")
		},
		"nap": func([]string) int {
			time.Sleep(3 * time.Second)
			return 0
		},
		"orphan": func([]string) int {
			io.Copy(io.Discard, os.Stdin) // until the test closes the other end
			fmt.Println("another parent:", strconv.Itoa(os.Getppid()) != os.Getenv("PARENT"))
			return 0
		},
		"wait":    waiting,
		"extra":   extra,
		"parent":  parent,
		"lock":    lock,
		"pgroup":  pgroup,
		"spin":    spin,
		"sigpipe": sigpipe,
		"deaf":    deaf,
		"ignore":  ignoring,
		"script": func(args []string) int {
			fmt.Println("script", len(args), args[0], filepath.Base(args[1]), args[2:])
			return 0
		},
	}
}

// child is a command that runs this binary in a role.
func child(role string, args ...string) *exec.Cmd {
	return childContext(context.Background(), role, args...)
}

func childContext(ctx context.Context, role string, args ...string) *exec.Cmd {
	exe, err := os.Executable()
	if err != nil {
		panic(err)
	}
	cmd := exec.CommandContext(ctx, exe, args...)
	cmd.Env = []string{"ROLE=" + role}
	return cmd
}

func about([]string) int {
	wd, _ := os.Getwd()
	exe, err := os.Executable()
	fmt.Println("argv0", os.Args[0] == exe, "args", os.Args[1:], "env", os.Environ())
	fmt.Println("cwd", wd, "exe", filepath.Ext(exe), err)
	fmt.Println("pids", os.Getpid() > 1, os.Getppid() > 1, os.Getpid() != os.Getppid(), "umask", syscall.Umask(0))
	cmdline, _ := os.ReadFile("/proc/self/cmdline")
	fmt.Printf("cmdline %d\n", bytes.Count(cmdline, []byte{0}))
	return 0
}

func TestOutput(t *testing.T) {
	out, err := child("echo", "hello", "child").Output()
	t.Logf("%q %v", out, err)
	out, err = child("cat").CombinedOutput()
	t.Logf("%q %v", out, err)
	cmd := child("cat")
	cmd.Stdin = strings.NewReader(strings.Repeat("x", 200_000))
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	t.Logf("%d %q %v", stdout.Len(), stderr.String(), err)
}

func TestExitCode(t *testing.T) {
	for _, code := range []string{"0", "1", "3", "255", "256"} {
		cmd := child("exit", code)
		err := cmd.Run()
		var exit *exec.ExitError
		t.Log(code, err, errors.As(err, &exit), cmd.ProcessState.ExitCode(), cmd.ProcessState.Success(), cmd.ProcessState)
		ws := cmd.ProcessState.Sys().(syscall.WaitStatus)
		t.Log(ws.Exited(), ws.ExitStatus(), ws.Signaled(), ws.Stopped(), ws.CoreDump())
		t.Log(cmd.ProcessState.Pid() == cmd.Process.Pid, cmd.ProcessState.SystemTime() < time.Minute)
	}
}

func TestAbout(t *testing.T) {
	cmd := child("about", "one", "two words", "")
	cmd.Dir = "/tmp"
	cmd.Args[0] = "other"
	out, err := cmd.Output()
	t.Logf("%q %v", out, err)
	cmd = child("about")
	cmd.Env = append(cmd.Env, "A=1", "A=2", "B=")
	cmd.Dir = "/proc"
	out, err = cmd.Output()
	t.Logf("%q %v", out, err)
}

func TestVariables(t *testing.T) {
	out, _ := child("count").Output()
	out2, _ := child("count").Output()
	t.Logf("%d %q %q", count, out, out2)
}

// TestHelperProcess is no test but a child, in the way of package os/exec.
func TestHelperProcess(t *testing.T) {
	if os.Getenv("GO_WANT_HELPER_PROCESS") != "1" {
		t.Skip("only as a child")
	}
	fmt.Println("helper", os.Args[len(os.Args)-1])
	t.Log("a log line of the child")
	if os.Args[len(os.Args)-1] == "fail" {
		t.Error("the child fails")
	}
}

func TestHelper(t *testing.T) {
	for _, arg := range []string{"pass", "fail"} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestHelperProcess$", "-test.v", "--", arg)
		cmd.Env = append(os.Environ(), "GO_WANT_HELPER_PROCESS=1")
		out, err := cmd.CombinedOutput()
		for line := range strings.Lines(string(out)) {
			line = strings.TrimSuffix(line, "\n")
			if !strings.HasPrefix(line, "---") && !strings.HasPrefix(line, "coverage") {
				t.Logf("%q", line)
			}
		}
		t.Log(err)
	}
}

func TestPanic(t *testing.T) {
	cmd := child("panic")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	err := cmd.Run()
	line, _, _ := strings.Cut(stderr.String(), "\n")
	t.Logf("%q %v %v", line, stack.MatchString(stderr.String()), err)
}

func TestNotFound(t *testing.T) {
	err := exec.Command("/no/such/program").Run()
	t.Log(err, errors.Is(err, fs.ErrNotExist))
	err = exec.Command("no-such-program-anywhere").Run()
	t.Log(err, errors.Is(err, exec.ErrNotFound))
	dir := t.TempDir()
	err = exec.Command(dir).Run()
	t.Log(errors.Is(err, fs.ErrPermission))
	plain := filepath.Join(dir, "plain")
	os.WriteFile(plain, []byte("no program"), 0o644)
	t.Log(errors.Is(exec.Command(plain).Run(), fs.ErrPermission))
	os.Chmod(plain, 0o755)
	t.Log(errors.Is(exec.Command(plain).Run(), syscall.ENOEXEC))
	empty := filepath.Join(dir, "empty")
	os.WriteFile(empty, nil, 0o755)
	t.Log(errors.Is(exec.Command(empty).Run(), syscall.ENOEXEC))
	cmd := child("exit", "0")
	cmd.Dir = "/no/such/dir"
	err = cmd.Run()
	t.Log(errors.Is(err, fs.ErrNotExist))
	_, err = syscall.Wait4(-1, nil, 0, nil)
	t.Log(err)
}

func TestCopiedBinary(t *testing.T) {
	exe, _ := os.Executable()
	data, err := os.ReadFile(exe)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "copy")
	must(t, os.WriteFile(path, data, 0o755))
	must(t, os.Symlink("copy", filepath.Join(dir, "link")))
	for _, name := range []string{"copy", "link", "./copy"} {
		cmd := exec.Command(filepath.Join(dir, name), "from", name)
		cmd.Env = []string{"ROLE=echo"}
		out, err := cmd.Output()
		t.Logf("%q %v", out, err)
	}
	cmd := &exec.Cmd{Path: "./copy", Args: []string{"copy", "relative"}, Dir: dir, Env: []string{"ROLE=echo"}}
	out, err := cmd.Output()
	t.Logf("%q %v", out, err)
}

func TestScript(t *testing.T) {
	exe, _ := os.Executable()
	path := filepath.Join(t.TempDir(), "script")
	must(t, os.WriteFile(path, []byte("#!"+exe+"  an argument \nrest\n"), 0o755))
	cmd := exec.Command(path, "x", "y")
	cmd.Env = []string{"ROLE=script"}
	out, err := cmd.Output()
	t.Logf("%q %v", out, err)
	must(t, os.WriteFile(path, []byte("#!/no/such/interpreter\n"), 0o755))
	t.Log(errors.Is(exec.Command(path).Run(), fs.ErrNotExist))
}

// waiting says that it runs, and ends by a signal or the end of its input.
func waiting(args []string) int {
	fmt.Println("ready")
	if len(args) > 0 && args[0] == "notify" {
		c := make(chan os.Signal, 8)
		signal.Notify(c, syscall.SIGTERM, syscall.SIGUSR1, os.Interrupt)
		fmt.Println("notified")
		for s := range c {
			fmt.Println("got", s)
			if s == syscall.SIGTERM {
				return 7
			}
		}
	}
	io.Copy(io.Discard, os.Stdin)
	fmt.Println("end of input")
	return 0
}

// started starts cmd, which says when it is ready, and returns a reader of
// what else it prints, and the other end of its input.
func started(t *testing.T, cmd *exec.Cmd, ready string) (*bufio.Reader, io.WriteCloser) {
	t.Helper()
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	r := bufio.NewReader(out)
	for {
		line, err := r.ReadString('\n')
		if strings.TrimSpace(line) == ready {
			return r, in
		}
		must(t, err)
	}
}

func TestSignals(t *testing.T) {
	for _, sig := range []syscall.Signal{
		syscall.SIGTERM, syscall.SIGKILL, syscall.SIGHUP, syscall.SIGINT,
	} {
		cmd := child("wait")
		started(t, cmd, "ready")
		must(t, cmd.Process.Signal(sig))
		err := cmd.Wait()
		ws := cmd.ProcessState.Sys().(syscall.WaitStatus)
		t.Log(sig, err, ws.Signaled(), ws.Signal(), cmd.ProcessState.ExitCode(), cmd.ProcessState)
		t.Log(cmd.Process.Signal(sig), cmd.Process.Kill())
	}
	for _, sig := range []syscall.Signal{syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGWINCH, syscall.SIGCHLD, syscall.SIGPIPE, syscall.SIGALRM} {
		cmd := child("wait")
		_, in := started(t, cmd, "ready")
		must(t, cmd.Process.Signal(sig))
		in.Close()
		t.Log(sig, cmd.Wait(), cmd.ProcessState) // nothing happens to a Go program
	}
	for _, sig := range []syscall.Signal{syscall.SIGQUIT, syscall.SIGABRT} {
		cmd := child("wait")
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		started(t, cmd, "ready")
		must(t, cmd.Process.Signal(sig))
		err := cmd.Wait()
		line, _, _ := strings.Cut(stderr.String(), "\n")
		t.Logf("%v %q %v %v", sig, line, stack.MatchString(stderr.String()), err)
	}
	cmd := child("wait", "notify")
	r, _ := started(t, cmd, "notified")
	for _, sig := range []os.Signal{syscall.SIGUSR1, os.Interrupt, syscall.SIGTERM} {
		must(t, cmd.Process.Signal(sig))
		line, err := r.ReadString('\n')
		t.Logf("%q %v", line, err)
	}
	t.Log(cmd.Wait())
	t.Log(syscall.Kill(cmd.Process.Pid, 0), syscall.Kill(os.Getpid(), 0), syscall.Kill(os.Getpid(), 65))
}

func TestPipes(t *testing.T) {
	cmd := child("cat")
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	r := bufio.NewReader(out)
	for i := range 3 {
		fmt.Fprintf(in, "line %d\n", i)
		line, err := r.ReadString('\n')
		t.Logf("%q %v", line, err)
	}
	must(t, in.Close())
	rest, err := io.ReadAll(r)
	t.Logf("%q %v %v", rest, err, cmd.Wait())
}

func extra([]string) int {
	in, out := os.NewFile(3, "in"), os.NewFile(4, "out")
	_, err := os.NewFile(50, "none").Stat()
	b, _ := io.ReadAll(in)
	fmt.Fprintf(out, "extra got %q, %v", b, err)
	return 0
}

func TestExtraFiles(t *testing.T) {
	r1, w1, err := os.Pipe()
	must(t, err)
	r2, w2, err := os.Pipe()
	must(t, err)
	cmd := child("extra")
	cmd.ExtraFiles = []*os.File{r1, w2}
	must(t, cmd.Start())
	r1.Close()
	w2.Close()
	w1.WriteString("words")
	w1.Close()
	b, err := io.ReadAll(r2)
	t.Logf("%s %v %v", b, err, cmd.Wait())
	f, err := os.Create(filepath.Join(t.TempDir(), "f"))
	must(t, err)
	f.WriteString("parent\n")
	cmd = child("echo", "child")
	cmd.Stdout = f
	must(t, cmd.Run())
	f.WriteString("parent again\n") // the offset is shared
	b, err = os.ReadFile(f.Name())
	t.Logf("%q %v", b, err)
}

func TestContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	cmd := childContext(ctx, "wait")
	in, err := cmd.StdinPipe()
	must(t, err)
	defer in.Close()
	err = cmd.Run()
	t.Log(err, ctx.Err(), cmd.ProcessState)

	ctx, cancel = context.WithCancel(context.Background())
	cmd = childContext(ctx, "wait", "notify")
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	r, _ := started(t, cmd, "notified")
	cancel()
	line, _ := r.ReadString('\n')
	t.Logf("%q %v", line, cmd.Wait())

	// A grandchild keeps the pipe open.
	cmd = child("parent", "leave", "nap")
	var out bytes.Buffer
	cmd.Stdout = &out
	cmd.WaitDelay = 20 * time.Millisecond
	err = cmd.Run()
	t.Log(err, errors.Is(err, exec.ErrWaitDelay))
}

// parent starts a child of its own.
func parent(args []string) int {
	cmd := child(args[1])
	var in io.Closer
	if args[0] == "wait" {
		in, _ = cmd.StdinPipe()
	} else {
		cmd.Stdin = os.Stdin
	}
	if args[0] == "die" {
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	}
	cmd.Stdout = os.Stdout
	cmd.Env = append(cmd.Env, "PARENT="+strconv.Itoa(os.Getpid()))
	if err := cmd.Start(); err != nil {
		fmt.Println(err)
		return 1
	}
	if args[0] == "wait" {
		in.Close()
		fmt.Println("grandchild", cmd.Wait())
	}
	return 0
}

func TestGrandchild(t *testing.T) {
	out, err := child("parent", "wait", "wait").Output()
	t.Logf("%q %v", out, err)
}

func deaf([]string) int {
	signal.Ignore(syscall.SIGTERM, syscall.SIGHUP)
	cmd := child("ignore")
	cmd.Stdout = os.Stdout
	if err := cmd.Run(); err != nil {
		fmt.Println(err)
	}
	return 0
}

func ignoring([]string) int {
	fmt.Println("ignored", signal.Ignored(syscall.SIGTERM), signal.Ignored(syscall.SIGHUP), signal.Ignored(syscall.SIGINT))
	return 0
}

func TestWait4(t *testing.T) {
	attr := &syscall.ProcAttr{Env: []string{"ROLE=exit"}, Files: []uintptr{0, 1, 2}}
	exe, _ := os.Executable()
	start := func(code string) int {
		pid, err := syscall.ForkExec(exe, []string{"x", code}, attr)
		must(t, err)
		return pid
	}
	a, b := start("4"), start("5")
	var ws syscall.WaitStatus
	pid, err := syscall.Wait4(b, &ws, 0, nil)
	t.Log(pid == b, ws.ExitStatus(), err)
	pid, err = syscall.Wait4(-1, &ws, 0, nil)
	t.Log(pid == a, ws.ExitStatus(), err)
	_, err = syscall.Wait4(-1, &ws, syscall.WNOHANG, nil)
	t.Log(err)
	_, err = syscall.Wait4(a, &ws, 0, nil)
	t.Log(err)
	_, err = syscall.Wait4(-1, &ws, 1<<10, nil)
	t.Log(err)
	p, err := os.FindProcess(a)
	t.Log(err, p.Signal(syscall.Signal(0)))

	cmd := child("wait")
	_, in := started(t, cmd, "ready")
	pid, err = syscall.Wait4(cmd.Process.Pid, &ws, syscall.WNOHANG, nil)
	t.Log(pid, err)
	must(t, cmd.Process.Signal(syscall.SIGSTOP))
	pid, err = syscall.Wait4(cmd.Process.Pid, &ws, syscall.WUNTRACED, nil)
	t.Log(pid == cmd.Process.Pid, err, ws.Stopped(), ws.StopSignal())
	must(t, cmd.Process.Signal(syscall.SIGCONT))
	pid, err = syscall.Wait4(cmd.Process.Pid, &ws, syscall.WCONTINUED, nil)
	t.Log(pid == cmd.Process.Pid, err, ws.Continued())
	in.Close()
	t.Log(cmd.Wait())
}

func TestSIGCHLD(t *testing.T) {
	c := make(chan os.Signal, 8)
	signal.Notify(c, syscall.SIGCHLD)
	defer signal.Stop(c)
	must(t, child("exit", "0").Run())
	t.Log(<-c)
}

func lock(args []string) int {
	f, err := os.OpenFile(args[0], os.O_RDWR, 0)
	if err != nil {
		return 1
	}
	fmt.Println("flock", syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB))
	lk := syscall.Flock_t{Type: syscall.F_WRLCK}
	fmt.Println("setlk", syscall.FcntlFlock(f.Fd(), syscall.F_SETLK, &lk))
	syscall.FcntlFlock(f.Fd(), syscall.F_GETLK, &lk)
	fmt.Println("getlk", int(lk.Pid) == os.Getppid(), lk.Type)
	return 0
}

func TestLocks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	f, err := os.Create(path)
	must(t, err)
	must(t, syscall.Flock(int(f.Fd()), syscall.LOCK_EX))
	lk := syscall.Flock_t{Type: syscall.F_WRLCK}
	must(t, syscall.FcntlFlock(f.Fd(), syscall.F_SETLK, &lk))
	out, err := child("lock", path).Output()
	t.Logf("%q %v", out, err)
	must(t, syscall.Flock(int(f.Fd()), syscall.LOCK_UN))
	lk.Type = syscall.F_UNLCK
	must(t, syscall.FcntlFlock(f.Fd(), syscall.F_SETLK, &lk))
	out, err = child("lock", path).Output()
	t.Logf("%q %v", out, err)
	// A child has the description, and so its lock, too.
	must(t, syscall.Flock(int(f.Fd()), syscall.LOCK_EX))
	cmd := child("wait")
	cmd.ExtraFiles = []*os.File{f}
	_, in := started(t, cmd, "ready")
	f.Close()
	g, err := os.OpenFile(path, os.O_RDWR, 0)
	must(t, err)
	t.Log(syscall.Flock(int(g.Fd()), syscall.LOCK_EX|syscall.LOCK_NB))
	in.Close()
	cmd.Wait()
	t.Log(syscall.Flock(int(g.Fd()), syscall.LOCK_EX|syscall.LOCK_NB))
}

func pgroup([]string) int {
	pgid, _ := syscall.Getpgid(0)
	fmt.Println("leads its group", pgid == os.Getpid(), syscall.Getpgrp() == pgid)
	return waiting(nil)
}

func TestProcessGroup(t *testing.T) {
	cmd := child("pgroup")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.Output()
	t.Logf("%q %v", out, err)
	cmd = child("pgroup")
	out, err = cmd.Output()
	t.Logf("%q %v", out, err)
	cmd = child("pgroup")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	out, err = cmd.Output()
	t.Logf("%q %v", out, err)

	first := child("wait")
	first.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	started(t, first, "ready")
	second := child("wait")
	second.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pgid: first.Process.Pid}
	started(t, second, "ready")
	t.Log(syscall.Kill(-first.Process.Pid, syscall.SIGKILL))
	t.Log(first.Wait(), second.Wait())
	t.Log(syscall.Kill(-first.Process.Pid, syscall.SIGKILL))
	third := child("wait")
	third.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pgid: first.Process.Pid}
	t.Log(errors.Is(third.Start(), fs.ErrPermission))
}

func TestDeathSignal(t *testing.T) {
	cmd := child("wait")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	_, in := started(t, cmd, "ready")
	in.Close()
	t.Log(cmd.Wait())
	// The grandchild's input stays open: only the signal ends it, and with it
	// the output.
	cmd = child("parent", "die", "wait")
	in2, out2, err := os.Pipe()
	must(t, err)
	r, w, err := os.Pipe()
	must(t, err)
	cmd.Stdin, cmd.Stdout = in2, w
	must(t, cmd.Run())
	w.Close()
	_, err = io.ReadAll(r)
	t.Log(err)
	in2.Close()
	out2.Close()
}

func TestOrphan(t *testing.T) {
	r, w, err := os.Pipe()
	must(t, err)
	in, out, err := os.Pipe()
	must(t, err)
	cmd := child("parent", "leave", "orphan")
	cmd.Stdin, cmd.Stdout = in, w
	must(t, cmd.Run())
	w.Close()
	in.Close()
	out.Close()
	b, err := io.ReadAll(r)
	t.Logf("%q %v", b, err)
}

// sigpipe writes to a standard output that nobody reads.
func sigpipe(args []string) int {
	io.Copy(io.Discard, os.Stdin)
	if len(args) > 0 {
		signal.Ignore(syscall.SIGPIPE)
	}
	_, err := fmt.Println("nobody hears this")
	fmt.Fprintln(os.Stderr, errors.Is(err, syscall.EPIPE))
	return 3
}

func TestSIGPIPE(t *testing.T) {
	for _, args := range [][]string{nil, {"ignore"}} {
		cmd := child("sigpipe", args...)
		in, _ := cmd.StdinPipe()
		out, _ := cmd.StdoutPipe()
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		must(t, cmd.Start())
		out.Close()
		in.Close()
		t.Logf("%v %q", cmd.Wait(), stderr.String())
	}
	out, err := child("deaf").Output()
	t.Logf("%q %v", out, err)
}

// spin never waits.
func spin([]string) int {
	fmt.Println("ready")
	var mu sync.Mutex
	for {
		mu.Lock()
		mu.Unlock()
	}
}

func TestKillBusy(t *testing.T) {
	cmd := child("spin")
	started(t, cmd, "ready")
	must(t, cmd.Process.Kill())
	t.Log(cmd.Wait())
}

func TestMany(t *testing.T) {
	var codes []int
	done := make(chan int)
	for i := range 20 {
		go func() {
			cmd := child("exit", strconv.Itoa(i))
			cmd.Run()
			done <- cmd.ProcessState.ExitCode()
		}()
	}
	for range 20 {
		codes = append(codes, <-done)
	}
	slices.Sort(codes)
	t.Log(codes)
}

func TestRelease(t *testing.T) {
	cmd := child("exit", "0")
	must(t, cmd.Start())
	pid := cmd.Process.Pid
	must(t, cmd.Process.Release())
	t.Log(cmd.Process.Kill())
	var ws syscall.WaitStatus
	got, err := syscall.Wait4(pid, &ws, 0, nil)
	t.Log(got == pid, ws.ExitStatus(), err)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
