package children

import (
	"errors"
	"fmt"
	"io/fs"
	"log"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"os/user"
	"strings"
	"syscall"
	"testing"

	"github.com/restep/restep/sim"
)

// who tells user, group and further groups of the process.
func who() string {
	groups, err := os.Getgroups()
	return fmt.Sprint(os.Getuid(), os.Geteuid(), os.Getgid(), os.Getegid(), groups, err)
}

// refused fails unless err says that there is no permission.
func refused(what string, err error) {
	if !errors.Is(err, fs.ErrPermission) {
		log.Fatalf("%s: %v, want no permission", what, err)
	}
}

func granted(what string, err error) {
	if err != nil {
		log.Fatalf("%s: %v", what, err)
	}
}

// TestUsers: machines of users who are not root, from their boot on.
func TestUsers(t *testing.T) {
	for _, c := range []struct{ user, is, name string }{
		{"nobody", "65534 65534 65534 65534 [] <nil>", "nobody"},
		{"1000", "1000 1000 0 0 [] <nil>", "app"},
		{"1001:100", "1001 1001 100 100 [] <nil>", ""},
		{"app", "1000 1000 50 50 [] <nil>", "app"},
	} {
		m := sim.NewMachine(sim.MachineConfig{Label: "server", User: c.user, MainFunc: func() { plainUser(c.is, c.name) }, Files: map[string]string{
			"/var/lib/app/data": "old", "/etc/passwd": "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\napp:x:1000:50:::\n",
		}})
		for range 2 {
			m.Wait()
			if m.ExitCode() != 0 {
				t.Error(c.user, "ended with", m.ExitCode())
			}
			m.Restart()
		}
		m.Remove()
	}
	func() {
		defer func() {
			if s := fmt.Sprint(recover()); !strings.Contains(s, `"nobody else" is neither a name in /etc/passwd`) {
				t.Error("an unknown user:", s)
			}
		}()
		sim.NewMachine(sim.MachineConfig{User: "nobody else", MainFunc: func() {}})
	}()
}

func plainUser(is, name string) {
	if s := who(); s != is {
		log.Fatalf("it is %s, want %s", s, is)
	}
	if u, err := user.Current(); name != "" && (err != nil || u.Username != name) {
		log.Fatal("user.Current: ", u, err)
	}
	granted("write to a file of its own", os.WriteFile("/var/lib/app/data", []byte("new"), 0o600))
	granted("a new file beside it", os.WriteFile("/var/lib/app/more", nil, 0o600))
	granted("a file in /tmp", os.WriteFile("/tmp/x", nil, 0o666))
	refused("a file in /etc", os.WriteFile("/etc/x", nil, 0o666))
	refused("a change of /etc/passwd", os.WriteFile("/etc/passwd", nil, 0o644))
	refused("a directory in /", os.Mkdir("/x", 0o777))
	refused("removal of a file of root", os.Remove("/etc/hosts"))
	refused("chmod of a file of root", os.Chmod("/etc/hosts", 0o666))
	refused("chown", os.Chown("/tmp/x", 0, 0))
	_, err := os.ReadDir("/root")
	refused("list of /root", err)
	_, err = net.Listen("tcp", ":80")
	refused("port 80", err)
	_, err = net.ListenPacket("udp", ":53")
	refused("port 53", err)
	l, err := net.Listen("tcp", ":8080")
	granted("port 8080", err)
	l.Close()
	_, err = net.ListenPacket("ip4:icmp", "127.0.0.1")
	refused("a raw socket", err)
	refused("setuid 0", syscall.Setuid(0))
}

// TestDropPrivileges: a server that binds its port as root and goes on as
// somebody else, who has no way back.
func TestDropPrivileges(t *testing.T) {
	m := sim.NewMachine(sim.MachineConfig{Label: "server", Addr: netip.MustParseAddr("10.0.0.1"), MainFunc: func() {
		l, err := net.Listen("tcp", ":80")
		granted("port 80", err)
		granted("setgroups", syscall.Setgroups([]int{30, 20}))
		granted("setgid", syscall.Setgid(100))
		granted("setuid", syscall.Setuid(1000))
		if s := who(); s != "1000 1000 100 100 [20 30] <nil>" {
			log.Fatal("it is ", s)
		}
		refused("setuid back", syscall.Setuid(0))
		refused("setgroups back", syscall.Setgroups(nil))
		refused("port 81", func() error { _, err := net.Listen("tcp", ":81"); return err }())
		status, err := os.ReadFile("/proc/self/status")
		if !strings.Contains(string(status), "\nUid:\t1000\t1000\t1000\t1000\nGid:\t100\t100\t100\t100\n") ||
			!strings.Contains(string(status), "\nGroups:\t20 30 \n") {
			log.Fatalf("%s %v", status, err)
		}
		c, err := l.Accept()
		granted("accept", err)
		fmt.Fprintln(c, who())
		c.Close()
	}})
	if line, err := ask("10.0.0.1:80"); err != nil || line != "1000 1000 100 100 [20 30] <nil>" {
		t.Error(line, err)
	}
	if m.Wait(); m.ExitCode() != 0 {
		t.Error("the server ended with", m.ExitCode())
	}
	if os.Getuid() != 0 {
		t.Error("main is no longer root")
	}
}

// TestCredential starts children as other users; they may not signal root.
func TestCredential(t *testing.T) {
	cmd := command("who")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 1000, Gid: 100, Groups: []uint32{7}}}
	out, err := cmd.Output()
	if want := "1000 1000 100 100 [7] <nil> operation not permitted\n"; err != nil || string(out) != want {
		t.Errorf("%q %v, want %q", out, err, want)
	}
	out, err = exec.Command(os.Args[0], "-test.run=^$").CombinedOutput()
	if err != nil {
		t.Errorf("%s %v", out, err)
	}
	if err := os.Chmod(os.Args[0], 0o700); err != nil {
		t.Fatal(err)
	}
	cmd = command("who")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 1000, Gid: 100}}
	if err := cmd.Run(); !errors.Is(err, fs.ErrPermission) {
		t.Error("a program that others may not execute:", err)
	}
}
