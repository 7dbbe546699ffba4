package conform

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// socketGenerator draws calls on a few sockets of AF_UNIX and a few names.
type socketGenerator struct{ generator }

func (g *socketGenerator) sock() string { return fmt.Sprint("s", g.IntN(6)) }

func (g *socketGenerator) addr() string {
	return g.pick("@a", "@a", "@b", "@b", "p", "p", "q", "d/p", "d/missing/p", "file", "missing")
}

func (g *socketGenerator) kind() string {
	return g.pick("SOCK_STREAM", "SOCK_STREAM", "SOCK_DGRAM", "SOCK_DGRAM", "SOCK_SEQPACKET")
}

func (g *socketGenerator) text() string {
	return strings.Repeat(g.pick("x", "y", "z"), []int{0, 1, 1, 3, 10, 200}[g.IntN(6)])
}

func (g *socketGenerator) line() []string {
	switch g.IntN(34) {
	case 0, 1, 2:
		return []string{"socket", g.sock(), "AF_UNIX", g.kind()}
	case 3:
		return []string{"socketpair", g.sock(), g.sock() + "b", g.kind()}
	case 4, 5, 6:
		return []string{"bind", g.sock(), g.addr()}
	case 7, 8:
		return []string{"listen", g.sock(), g.pick("0", "1", "5", "-1")}
	case 9, 10, 11, 12:
		return []string{"connect", g.sock(), g.addr()}
	case 13, 14:
		return []string{"accept", g.sock(), g.sock()}
	case 15, 16, 17:
		return []string{"sendto", g.sock(), g.text()}
	case 18, 19, 20:
		return []string{"sendto", g.sock(), g.text(), g.addr()}
	case 21, 22, 23, 24:
		return []string{"recvmsg", g.sock(), g.pick("1", "5", "300"), g.pick("0", "64"), g.pick("0", "0", "MSG_PEEK", "MSG_TRUNC")}
	case 25:
		return []string{"sendmsg", g.sock(), g.text(), g.sock()}
	case 26:
		return []string{"shutdown", g.sock(), g.pick("SHUT_RD", "SHUT_WR", "SHUT_RDWR")}
	case 27, 28:
		return []string{"close", g.sock()}
	case 29:
		return []string{"getsockname", g.sock()}
	case 30:
		return []string{"getpeername", g.sock()}
	case 31:
		return []string{"unlink", g.pick("p", "q", "d/p")}
	case 32:
		return []string{"getsockopt", g.sock(), "SOL_SOCKET", g.pick("SO_ERROR", "SO_TYPE", "SO_ACCEPTCONN")}
	}
	return []string{"ioctl", g.sock(), "FIONREAD"}
}

// TestRandomSockets runs random calls on sockets on both kernels and compares
// each answer.
func TestRandomSockets(t *testing.T) {
	eachSeed(t, 10, func(t *testing.T, p *pair) {
		p.same = func(words []string, want, got string) bool {
			// Which error counts first changed in Linux 6.14.
			return (words[0] == "sendto" || words[0] == "sendmsg") && want+got == "ENOTCONNEPIPE"
		}
		g := &socketGenerator{generator{Rand: rand.New(rand.NewPCG(p.seed, 2))}}
		p.check(t, "mkdir", "d")
		p.check(t, "open", "f", "file", "O_RDWR|O_CREAT")
		for range randomLines {
			p.check(t, g.line()...)
		}
	})
}
