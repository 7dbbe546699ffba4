package conform

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"syscall"
	"testing"
)

var randomSeeds = flag.Uint64("random-seeds", 60, "how many random programs TestRandomCalls compares")

// generator draws calls over a handful of names, so that they meet often.
type generator struct {
	*rand.Rand
	open int // descriptors f0 .. f(open-1) were tried
}

func (g *generator) pick(s ...string) string { return s[g.IntN(len(s))] }

func (g *generator) name() string {
	return g.pick("a", "b", "c", "d", "d/a", "d/b", "d/e", "d/e/a", "l", "l/a", "l/", "m/", "d/../a", "d/e/..", "d/l", "d/l/b",
		"./a", "a/", "d/", "e", "e/a", ".", "d/.", "e/../l/a", "m", "m/x")
}

func (g *generator) fd() string {
	if g.open == 0 || g.IntN(20) == 0 {
		return g.pick("999", "-1")
	}
	return fmt.Sprint("f", g.IntN(g.open))
}

func (g *generator) off() string {
	return g.pick("0", "1", "5", "100", "4095", "4096", "4097", "8191", "8192", "12000", "40960", "-1")
}

func (g *generator) bytes() string {
	return strings.Repeat(g.pick("x", "y", "z"), []int{0, 1, 3, 100, 4096, 5000, 9000}[g.IntN(7)])
}

// line draws the next call.
func (g *generator) line() []string {
	switch g.IntN(30) {
	case 0, 1, 2, 3:
		flags := g.pick("O_RDONLY", "O_WRONLY", "O_RDWR", "O_RDWR")
		for _, f := range []string{"O_CREAT", "O_EXCL", "O_TRUNC", "O_APPEND", "O_DIRECTORY", "O_NOFOLLOW", "O_PATH"} {
			if f == "O_CREAT" && g.IntN(2) == 0 || g.IntN(8) == 0 {
				flags += "|" + f
			}
		}
		g.open++
		return []string{"open", fmt.Sprint("f", g.open-1), g.name(), flags}
	case 4, 5:
		return []string{"write", g.fd(), g.bytes()}
	case 6, 7:
		return []string{"pwrite64", g.fd(), g.bytes(), g.off()}
	case 8:
		return []string{"read", g.fd(), g.off()[:1]}
	case 9:
		return []string{"pread64", g.fd(), g.pick("10", "5000", "20000"), g.off()}
	case 10:
		return []string{"lseek", g.fd(), g.off(), g.pick("SEEK_SET", "SEEK_CUR")} // directories have ends of their own kind
	case 11:
		return []string{"mkdir", g.name()}
	case 12:
		return []string{"rmdir", g.name()}
	case 13:
		return []string{"unlink", g.name()}
	case 14, 15, 16:
		return []string{"rename", g.name(), g.name()}
	case 17:
		return []string{"renameat2", g.name(), g.name(), g.pick("RENAME_EXCHANGE", "RENAME_NOREPLACE", "0")}
	case 18:
		return []string{"link", g.name(), g.name()}
	case 19:
		return []string{"symlink", g.name(), g.name()}
	case 20:
		return []string{"readlink", g.name()}
	case 21:
		return []string{g.pick("stat", "lstat"), g.name()}
	case 22:
		return []string{"fstat", g.fd()}
	case 23:
		return []string{"ftruncate", g.fd(), g.off()}
	case 24:
		return []string{"fallocate", g.fd(), g.pick("0", "KEEP_SIZE", "PUNCH_HOLE|KEEP_SIZE", "ZERO_RANGE"), g.off(), g.off()}
	case 25:
		return []string{"chmod", g.name(), g.pick("0600", "0755", "01777")}
	case 26:
		return []string{g.pick("fsync", "fdatasync", "close"), g.fd()}
	case 27:
		return []string{"flock", g.fd(), g.pick("LOCK_SH", "LOCK_EX", "LOCK_UN") + "|LOCK_NB"}
	case 28:
		return []string{
			"lock", g.fd(), g.pick("F_OFD_SETLK", "F_OFD_GETLK"), g.pick("F_RDLCK", "F_WRLCK", "F_UNLCK"),
			"SEEK_SET", g.pick("0", "1", "5"), g.pick("0", "1", "5"),
		}
	}
	return []string{g.pick("chdir", "access"), g.name(), "F_OK"}
}

// TestRandomCalls runs random programs on both kernels and compares each
// answer, and at the end every file.
func TestRandomCalls(t *testing.T) {
	eachSeed(t, 5, func(t *testing.T, p *pair) {
		g := &generator{Rand: rand.New(rand.NewPCG(p.seed, 1))}
		for range randomLines {
			words := g.line()
			// Leaving the directory of the test would change what ".." means.
			if words[0] == "chdir" && strings.Contains(words[1], "..") || strings.HasPrefix(words[1], "..") {
				continue
			}
			p.check(t, words...)
		}
		p.check(t, "chdir", "$ROOT")
		for _, dir := range []string{".", "d", "d/e", "e", "m"} {
			p.check(t, "open", "dir", dir, "O_RDONLY|O_DIRECTORY")
			p.check(t, "getdents64", "dir")
			for _, name := range []string{"a", "b", "c", "d", "e", "l", "m", "x"} {
				p.check(t, "lstat", dir+"/"+name)
				p.check(t, "open", "last", dir+"/"+name, "O_RDONLY")
				p.check(t, "pread64", "last", "70000", "0")
				p.check(t, "close", "last")
			}
			p.check(t, "close", "dir")
		}
	})
}

// randomLines is how many calls a random program makes.
const randomLines = 400

// eachSeed calls f with both kernels for as many seeds as the flag says, and
// nightly times as many in the nightly mode.
func eachSeed(t *testing.T, nightly uint64, f func(t *testing.T, p *pair)) {
	if *sysArg != "both" {
		t.Skip("compares the two kernels: run with -sys=both")
	}
	if syscall.Geteuid() != 0 {
		t.Skip("permissions differ from root's")
	}
	seeds := *randomSeeds
	if os.Getenv("RESTEP_NIGHTLY") != "" {
		seeds *= nightly
	}
	for seed := range seeds {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			root := t.TempDir()
			t.Chdir(root)
			defer syscall.Umask(syscall.Umask(0o022))
			p := &pair{seed: seed, real: NewEnv(linux{}, root), sim: NewEnv(newSimulated(t), "/work")}
			defer p.real.Close()
			f(t, p)
		})
	}
}

// pair is the two kernels that a random program runs on.
type pair struct {
	seed      uint64
	real, sim *Env
	program   []string // so far
	// same says of answers that differ that they may.
	same func(words []string, want, got string) bool
}

// check makes one call on both kernels and compares the answers.
func (p *pair) check(t *testing.T, words ...string) {
	t.Helper()
	want, err := p.real.Run(words)
	if err != nil {
		return // a descriptor that was never opened
	}
	got, err := p.sim.Run(words)
	if err != nil {
		t.Fatalf("seed %d: %v", p.seed, err)
	}
	p.program = append(p.program, fmt.Sprintf("%.80s => %.80s", strings.Join(words, " "), want))
	if want != got && (p.same == nil || !p.same(words, want, got)) {
		t.Fatalf("seed %d: answers differ after\n  %s\n  linux %.300s\n  sim   %.300s",
			p.seed, strings.Join(p.program[max(0, len(p.program)-60):], "\n  "), want, got)
	}
}
