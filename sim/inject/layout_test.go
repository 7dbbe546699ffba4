package inject

import (
	"debug/elf"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
)

func TestLayoutOfWebProgram(t *testing.T) {
	bin := buildPlain(t, BuildConfig{Dir: webModule(t)})
	f, err := elf.Open(bin.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	l := bin.Layout
	t.Logf("%d ranges, %d bytes, %d shared and %d main init tasks", len(l.Machine), l.size(), len(l.SharedInits), len(l.MainInits))
	if n := len(l.Machine); n == 0 || n > 12 {
		t.Errorf("%d ranges, want 1 to 12", n)
	}
	if l.size() > 128<<10 {
		t.Errorf("%d bytes to swap, want at most 128 KB: a large table or a scratch buffer became part of each machine", l.size())
	}
	for name, want := range map[string]bool{
		"example.com/web.table":       true,
		"example.com/web.config":      true,
		"example.com/web.flag":        true,
		"example.com/web..inittask":   true,
		"net/http.DefaultServeMux":    true,
		"net/http..inittask":          true,
		"flag.CommandLine":            true,
		"os.Args":                     true,
		"syscall.envs":                true,
		"main..inittask":              true,
		"sync.allPools":               true,
		"runtime.mheap_":              false,
		"runtime.allgs":               false,
		"reflect.layoutCache":         false,
		"sync..inittask":              false,
		"errors..inittask":            false,
		"testing.match":               false,
		"testing..inittask":           false,
		"internal/testlog.logger":     false,
		"go:main.inittasks":           false,
		"runtime.runtime_inittasks":   false,
		"crypto/internal/boring/sig.": false,
	} {
		s := symbolNamed(t, f, name)
		if s.Size == 0 {
			if want {
				t.Errorf("%s is not in the symbol table", name)
			}
			continue
		}
		if got := l.contains(s.Value, s.Size); got != want {
			t.Errorf("%s is swapped: %v, want %v", name, got, want)
		}
	}
	for _, name := range []string{"errors..inittask", "sync..inittask"} {
		if s := symbolNamed(t, f, name); s.Size > 0 && !slices.Contains(l.SharedInits, s.Value) {
			t.Errorf("%s is not among the shared init tasks", name)
		}
	}
	if s := symbolNamed(t, f, "testing..inittask"); !slices.Contains(l.MainInits, s.Value) {
		t.Error("testing..inittask is not among the main machine's init tasks")
	}
	checkComplete(t, f, l)
}

// TestHotTogether: variables that are written lie in two pieces, one with and
// one without initial values, whether they hold pointers or not; a table that
// is only read lies in neither.
func TestHotTogether(t *testing.T) {
	bin := buildPlain(t, BuildConfig{Dir: writeModule(t, map[string]string{
		"go.mod": "module example.com/hot\n\ngo 1.26\n",
		"hot_test.go": `package hot

import "testing"

var (
	list   = []string{"a"}  // .data
	number = 7              // .noptrdata otherwise
	names  []string         // .bss
	count  int              // .noptrbss otherwise
	read   = [3]*int{&count} // never written
)

func change() { list, number = nil, number+1 }

func init() { names, count = append(names, "b"), 1 }

func Test(t *testing.T) {
	change()
	t.Log(list, number, names, count, *read[len(names)-1])
}
`})})
	f, err := elf.Open(bin.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	piece := func(name string) uint64 {
		s := symbolNamed(t, f, "example.com/hot."+name)
		for _, r := range bin.Layout.Machine {
			if s.Size > 0 && s.Value >= r.Addr && s.Value < r.end() {
				return r.Addr
			}
		}
		t.Fatalf("%s belongs to no machine", name)
		return 0
	}
	if piece("list") != piece("number") || piece("names") != piece("count") {
		t.Errorf("the pieces of list and number: %#x, %#x; of names and count: %#x, %#x",
			piece("list"), piece("number"), piece("names"), piece("count"))
	}
	if piece("read") == piece("list") {
		t.Error("what is never written lies with what is")
	}
}

// checkComplete fails if a writable section has bytes without a symbol: such
// a variable would have no class.
func checkComplete(t *testing.T, f *elf.File, l *Layout) {
	t.Helper()
	symbols, err := f.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(symbols, func(a, b elf.Symbol) int { return int(int64(a.Value) - int64(b.Value)) })
	for i, section := range f.Sections {
		if section.Flags&elf.SHF_WRITE == 0 || !(strings.HasSuffix(section.Name, "data") || strings.HasSuffix(section.Name, "bss")) {
			continue
		}
		at, after := section.Addr, "the start"
		for _, s := range symbols {
			if int(s.Section) != i || s.Size == 0 {
				continue
			}
			// Symbols are aligned to 64 bytes at most, the first one of a
			// group to a page.
			align := uint64(64)
			if s.Value%4096 == 0 {
				align = 4096
			}
			if s.Value >= at+align {
				t.Errorf("%s: %d bytes without a symbol between %s and %s", section.Name, s.Value-at, after, s.Name)
			}
			if end := s.Value + s.Size; end > at {
				at, after = end, s.Name
			}
			if s.Size > 8 && isMachineSymbol(s.Name) != l.contains(s.Value, s.Size) {
				t.Errorf("%s: its class and the ranges disagree", s.Name)
			}
		}
		end := section.Addr + section.Size
		// go1.27 puts masks that the collector fills in at the end, under
		// one name without a size.
		if masks := symbolNamed(t, f, "runtime.gcmask.*"); masks.Section == elf.SectionIndex(i) && masks.Value >= at {
			end = masks.Value
		}
		if end > at+63 {
			t.Errorf("%s: %d bytes without a symbol after %s", section.Name, end-at, after)
		}
	}
}

func TestLayoutWithCoverage(t *testing.T) {
	bin := buildPlain(t, BuildConfig{Dir: webModule(t), Cover: &Cover{Mode: "atomic", Packages: []string{"./...", "net/url"}}})
	f, err := elf.Open(bin.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	from, to := symbolNamed(t, f, "runtime.covctrs").Value, symbolNamed(t, f, "runtime.ecovctrs").Value
	if from >= to {
		t.Fatalf("no coverage counters: %#x to %#x", from, to)
	}
	for _, r := range bin.Layout.Machine {
		if r.Addr < to && from < r.Addr+r.Size {
			t.Errorf("range %#x, %d bytes, holds coverage counters", r.Addr, r.Size)
		}
	}
	if n := len(bin.Layout.Machine); n > 13 {
		t.Errorf("%d ranges, want at most 13", n)
	}
}

func TestLayoutEncode(t *testing.T) {
	l := &Layout{
		Machine: []Range{{0x1000, 64, 0x2000}, {0x2000, 8, 0x3000}}, SharedInits: []uint64{7, 5}, MainInits: []uint64{9},
		Program: []Range{{Addr: 0x3001, Size: 3}}, ProgramOnly: []uint64{4}, ProgramInits: [][]uint64{{7, 4}, nil},
	}
	var words []uint64
	for b := l.Encode(); len(b) > 0; b = b[8:] {
		words = append(words, binary.LittleEndian.Uint64(b))
	}
	want := []uint64{layoutMagic, 2, 0x1000, 64, 0x2000, 0x2000, 8, 0x3000, 2, 7, 5, 1, 9, 1, 0x3001, 3, 1, 4, 2, 2, 7, 4, 0}
	if !slices.Equal(words, want) {
		t.Errorf("encoded %#x, want %#x", words, want)
	}
}

func TestMachineRanges(t *testing.T) {
	sym := func(name string, addr, size uint64) elf.Symbol {
		return elf.Symbol{Name: name, Value: addr, Size: size}
	}
	for _, test := range []struct {
		name    string
		symbols []elf.Symbol
		want    []Range
		fails   bool
		masks   uint64 // bytes without a symbol at the end
	}{
		{"one run, rounded", []elf.Symbol{sym("a.x", 0x1004, 1), sym("a.y", 0x1040, 9)}, []Range{{0x1000, 0x50, 0x9000}}, false, 0},
		{"shared splits", []elf.Symbol{sym("a.x", 0x1000, 8), sym("runtime.m", 0x1008, 8), sym("a.y", 0x1010, 8)},
			[]Range{{0x1000, 8, 0x1008}, {0x1010, 8, 0x9000}}, false, 0},
		{"order does not matter", []elf.Symbol{sym("a.y", 0x1010, 8), sym("a.x", 0x1000, 8)}, []Range{{0x1000, 0x18, 0x9000}}, false, 0},
		{"a wide gap splits", []elf.Symbol{sym("a.x", 0x1000, 8), sym("a.y", 0x1048, 8)}, []Range{{0x1000, 8, 0x1048}, {0x1048, 8, 0x9000}}, false, 0},
		{"masks follow", []elf.Symbol{sym("a.x", 0x1000, 8)}, []Range{{0x1000, 8, 0x1008}}, false, 0x100},
		{"counters are no data", []elf.Symbol{sym("a.x", 0x1f00, 8)}, nil, false, 0},
		{"word shared before", []elf.Symbol{sym("runtime.m", 0x1000, 4), sym("a.x", 0x1004, 4)}, nil, true, 0},
		{"word shared after", []elf.Symbol{sym("a.x", 0x1000, 4), sym("runtime.m", 0x1004, 4)}, nil, true, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			section := &elf.Section{SectionHeader: elf.SectionHeader{Addr: 0x1000, Size: test.masks}}
			for _, s := range test.symbols {
				section.Size = max(section.Size, s.Value+s.Size-section.Addr+test.masks)
			}
			got, err := machineRanges(section, test.symbols, Range{Addr: 0x1f00, Size: 0x100}, 0x9000)
			if (err != nil) != test.fails || !slices.Equal(got, test.want) {
				t.Errorf("got %#x, %v, want %#x, error %v", got, err, test.want, test.fails)
			}
		})
	}
}

func (l *Layout) size() (n uint64) {
	for _, r := range l.Machine {
		n += r.Size
	}
	return n
}

func (l *Layout) contains(addr, size uint64) bool {
	return slices.ContainsFunc(l.Machine, func(r Range) bool { return r.Addr <= addr && addr+size <= r.Addr+r.Size })
}
