package programs

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/restep/restep/sim/zygote"
)

// Environment of a process that is no test but starts a simulation and waits:
// the binary, its layout, and "gate" for a run that waits for a debugger.
const parentEnv = "RESTEP_TEST_PARENT"

func TestMain(m *testing.M) {
	if config := os.Getenv(parentEnv); config != "" {
		parent(strings.Split(config, "\n"))
	}
	if len(os.Args) == 4 && os.Args[1] == holdArg {
		if err := hold(os.Args[2], os.Args[3]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// parent starts a run that never ends by itself, prints the process ids of
// zygote and child, and waits to be killed.
func parent(config []string) {
	z, err := zygote.Start(context.Background(), zygote.Config{Binary: config[0], Layout: config[1]})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	req := request("TestBusy", 1, "")
	req.Gate = config[2] == "gate"
	child, err := z.Run(req)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", child.Pid))
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	// proc_pid_stat(5): the parent is the second field after the name.
	after := strings.Fields(string(status[strings.LastIndexByte(string(status), ')'):]))
	fmt.Println(after[2], child.Pid)
	select {}
}

// When the one who started simulations is killed, nothing of them is left: not
// the zygote, not a child that never yields, not one that waits for a debugger.
func TestNothingOutlivesItsParent(t *testing.T) {
	b := build(t, "ends")
	for _, state := range []string{"busy", "gate"} {
		t.Run(state, func(t *testing.T) {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), parentEnv+"="+b.Path+"\n"+b.LayoutPath+"\n"+state)
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			defer cmd.Wait()
			defer cmd.Process.Kill()
			line, err := bufio.NewReader(out).ReadString('\n')
			if err != nil {
				t.Fatal(line, err)
			}
			var pids [2]int
			if _, err := fmt.Sscan(line, &pids[0], &pids[1]); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			var fds []unix.PollFd
			for _, pid := range pids {
				fd, err := unix.PidfdOpen(pid, 0)
				if err != nil {
					t.Fatal(err)
				}
				defer unix.Close(fd)
				fds = append(fds, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
			}
			if n, err := unix.Poll(fds, 0); n != 0 || err != nil {
				t.Fatalf("%d of zygote and child have ended before their parent (%v)", n, err)
			}
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			for i, name := range []string{"zygote", "child"} {
				n, err := unix.Poll(fds[i:i+1], 20_000)
				for err == unix.EINTR { // by the SIGCHLD of the parent
					n, err = unix.Poll(fds[i:i+1], 20_000)
				}
				if n != 1 || err != nil {
					t.Errorf("the %s is still there 20 s after its parent was killed (%v)", name, err)
					unix.Kill(pids[i], unix.SIGKILL)
				}
			}
		})
	}
}
