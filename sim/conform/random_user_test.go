package conform

import (
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
)

// userGenerator draws calls on a few files by a few users.
type userGenerator struct{ generator }

func (g *userGenerator) name() string {
	return g.pick("d/a", "d/b", "d/e", "d/e/a", "d/e/b", "e/a", "e/b", "a", "b", "d", "e", "d/l", "e/l", "d/e/../b", "l/a", "e/m", "e/m/a")
}

func (g *userGenerator) id() string { return g.pick("0", "100", "100", "101", "-1") }

func (g *userGenerator) mode() string {
	return g.pick("0", "0777", "0755", "0700", "0070", "0007", "0644", "0666", "01777", "02775", "04755", "06711", "0111", "0444", "0222", "0733")
}

func (g *userGenerator) line() []string {
	switch g.IntN(26) {
	case 0, 1, 2:
		return [][]string{
			{"as", "0", "0"}, {"as", "100", "100"}, {"as", "101", "100"}, {"as", "100", "101", "102"},
			{"as", "101", "101", "100", "5"}, {"as", "102", "102"},
		}[g.IntN(6)]
	case 3, 4, 5:
		flags := g.pick("O_RDONLY", "O_WRONLY", "O_RDWR")
		for _, f := range []string{"O_CREAT", "O_EXCL", "O_TRUNC", "O_NOATIME", "O_DIRECTORY", "O_PATH", "O_DIRECTORY|020000000"} {
			if f == "O_CREAT" && g.IntN(2) == 0 || g.IntN(10) == 0 {
				flags += "|" + f
			}
		}
		return []string{"open", "f", g.name(), flags, g.mode()}
	case 6, 7:
		return []string{"mkdir", g.name(), g.mode()}
	case 8:
		return []string{"rmdir", g.name()}
	case 9:
		return []string{"unlink", g.name()}
	case 10, 11:
		return []string{"rename", g.name(), g.name()}
	case 12:
		return []string{"renameat2", g.name(), g.name(), g.pick("RENAME_EXCHANGE", "RENAME_NOREPLACE")}
	case 13:
		return []string{"link", g.name(), g.name()}
	case 14:
		return []string{"symlink", g.pick("a", "../d", "e"), g.name()}
	case 15, 16, 17:
		return []string{"chmod", g.name(), g.mode()}
	case 18, 19:
		return []string{"chown", g.name(), g.id(), g.pick("0", "100", "101", "102", "-1")}
	case 20:
		return []string{"faccessat2", "cwd", g.name(), g.pick("F_OK", "R_OK", "W_OK", "X_OK", "R_OK|X_OK"), g.pick("0", "AT_EACCESS")}
	case 21:
		return []string{"truncate", g.name(), g.pick("0", "10")}
	case 22:
		return []string{"utimensat", "cwd", g.name(), "1", g.pick("2", "UTIME_NOW", "UTIME_OMIT"), "3", g.pick("4", "UTIME_NOW", "UTIME_OMIT"), "0"}
	case 23:
		return []string{"mknod", g.name(), g.pick("0100644", "0140666", "020600"), g.pick("0", "0x103")}
	case 24:
		return []string{"owner", g.name()}
	}
	return []string{g.pick("stat", "lstat"), g.name()}
}

// TestRandomUsers runs random calls of several users on both kernels and
// compares each answer, and at the end what became of every file.
func TestRandomUsers(t *testing.T) {
	eachSeed(t, 5, func(t *testing.T, p *pair) {
		// The ids of the thread change, which is then used for nothing else.
		done := make(chan struct{})
		go func() {
			defer close(done)
			runtime.LockOSThread()
			randomUsers(t, p)
		}()
		<-done
	})
}

func randomUsers(t *testing.T, p *pair) {
	g := &userGenerator{generator{Rand: rand.New(rand.NewPCG(p.seed, 3))}}
	p.check(t, "mkdir", "top") // whose ".." is the same on both
	p.check(t, "chdir", "top")
	p.check(t, "chmod", ".", g.pick("0755", "0777", "01777"))
	for _, dir := range []string{"d", "e"} {
		p.check(t, "mkdir", dir)
		p.check(t, "chmod", dir, g.mode())
		p.check(t, "chown", dir, g.id(), g.id())
	}
	for range randomLines {
		p.check(t, g.line()...)
		p.check(t, "close", "f")
	}
	p.check(t, "as", "0", "0")
	for _, dir := range []string{".", "d", "e", "d/e"} {
		for _, name := range strings.Fields("a b d e l m") {
			p.check(t, "lstat", dir+"/"+name)
			p.check(t, "owner", dir+"/"+name)
		}
	}
}
