package files

import (
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

// lineOf is what a line of a file below /proc/net says about a local port: the
// widths, where they do not depend on the inode, address, state, bytes to send
// and to read, whether the owner is this user, and whether a descriptor of the
// process has its inode.
func lineOf(t *testing.T, file string, port int, state string) string {
	b, err := os.ReadFile("/proc/net/" + file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(b), "\n")
	for _, line := range lines[1:] {
		f := strings.Fields(line)
		if len(f) < 10 || !strings.HasSuffix(f[1], fmt.Sprintf(":%04X", port)) || state != "" && f[3] != state {
			continue
		}
		owned := f[9] == "0"
		fds, _ := os.ReadDir("/proc/self/fd")
		for _, fd := range fds {
			link, _ := os.Readlink("/proc/self/fd/" + fd.Name())
			owned = owned || link == "socket:["+f[9]+"]"
		}
		local, _, _ := strings.Cut(f[1], ":")
		width := len(line)
		if strings.HasSuffix(file, "6") {
			width = 0
		}
		queues := f[4]
		if f[3] == "08" {
			queues = "" // Linux counts the FIN until it is read
		}
		return fmt.Sprint(len(lines[0]), " ", width, " ", local, " ", f[3], " ", queues, " ", f[7] == fmt.Sprint(os.Getuid()), " ", f[9] == "0", " ", owned)
	}
	return "none"
}

func TestProcNet(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0", ":0"} {
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		file := "tcp6"
		if address == "127.0.0.1:0" {
			file = "tcp"
		}
		port := l.Addr().(*net.TCPAddr).Port
		t.Log(address, "listens:", lineOf(t, file, port, ""))
		c, err := net.Dial("tcp", strings.Replace(l.Addr().String(), "[::]", "[::1]", 1))
		if err != nil {
			t.Fatal(err)
		}
		from := c.LocalAddr().(*net.TCPAddr).Port
		t.Log("connected:", lineOf(t, file, from, "01"))
		s, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		t.Log("accepted:", lineOf(t, file, port, "01"))
		if _, err := c.Write([]byte("hello")); err != nil {
			t.Fatal(err)
		}
		for line := ""; !strings.Contains(line, ":00000005"); time.Sleep(time.Millisecond) {
			line = lineOf(t, file, port, "01")
		}
		t.Log("to read:", lineOf(t, file, port, "01"))
		s.Read(make([]byte, 5))
		c.Close()
		for lineOf(t, file, port, "08") == "none" {
			time.Sleep(time.Millisecond)
		}
		t.Log("closed by the peer:", lineOf(t, file, port, "08"))
		s.Close()
		for lineOf(t, file, from, "06") == "none" {
			time.Sleep(time.Millisecond)
		}
		t.Log("both closed:", lineOf(t, file, port, "08"))
		l.Close()
		t.Log("listener closed:", lineOf(t, file, port, "0A"))
	}
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		u, err := net.ListenPacket("udp", address)
		if err != nil {
			t.Fatal(err)
		}
		file := map[bool]string{true: "udp", false: "udp6"}[address[0] == '1']
		port := u.LocalAddr().(*net.UDPAddr).Port
		t.Log(address, "bound:", lineOf(t, file, port, ""))
		c, err := net.Dial("udp", u.LocalAddr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Log("connected:", lineOf(t, file, c.LocalAddr().(*net.UDPAddr).Port, ""))
		u.Close()
		c.Close()
		t.Log("closed:", lineOf(t, file, port, ""))
	}
	inet6, err := os.ReadFile("/proc/net/if_inet6")
	t.Log(strings.Contains(string(inet6), "00000000000000000000000000000001 01 80 10 80       lo\n"), err)
	dev, err := os.ReadFile("/proc/net/dev")
	lines := strings.Split(string(dev), "\n")
	t.Log(lines[0], lines[1], err)
	for _, line := range lines[2:] {
		if f := strings.Fields(line); len(f) > 0 && f[0] == "lo:" {
			t.Log(len(f), f[1] != "0", f[2] != "0", f[1] == f[9], f[2] == f[10])
		}
	}
}
