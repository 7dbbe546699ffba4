package vfs

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/restep/restep/sim/kernel/abi"
)

// manyFiles is a file system with files that are synced and others of two pages
// that are not, in ten directories.
func manyFiles(tb testing.TB, synced, unsynced int) *FS {
	now := int64(1)
	fs := New(Config{Now: func() int64 { now++; return now }})
	place := func(path string) Place {
		p, errno := fs.Walk(fs.Root(), path, 0)
		if errno != abi.OK {
			tb.Fatal(path, errno)
		}
		return p
	}
	for i := range 10 {
		fs.Mkdir(place(fmt.Sprintf("/%d", i)), 0o755)
	}
	add := func(kind string, n int) {
		for i := range n {
			file, _ := fs.Create(place(fmt.Sprintf("/%d/%s%d", i%10, kind, i)), 0o600)
			data := make([]byte, 5000)
			for k := range data {
				data[k] = byte(i + k)
			}
			file.WriteAt(data, 0)
		}
	}
	add("old", synced)
	fs.Seal()
	add("new", unsynced)
	return fs
}

func BenchmarkCrashStates(b *testing.B) {
	for _, size := range [][2]int{{0, 10}, {0, 100}, {0, 1000}, {1000, 10}, {1000, 1000}} {
		b.Run(fmt.Sprintf("synced=%d/unsynced=%d", size[0], size[1]), func(b *testing.B) {
			fs := manyFiles(b, size[0], size[1])
			r := rand.New(rand.NewPCG(1, 2))
			for b.Loop() {
				if n := len(fs.Freeze().States(100, r.Uint64)); n < 90 {
					b.Fatal(n, "states")
				}
			}
		})
	}
}
