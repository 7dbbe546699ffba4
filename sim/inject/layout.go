package inject

import (
	"cmp"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// neutralSymbols are marks that nothing writes, which the linker puts around
// data of crypto/internal/fips140. They are swapped if they lie amid data of
// machines, and do not end it.
var neutralSymbols = map[string]bool{
	"go:noptrdatafipsstart": true, "go:noptrdatafipsend": true,
	"go:datafipsstart": true, "go:datafipsend": true,
}

// layoutMagic is the first word of an encoded Layout: the bytes "stepyll3",
// little endian, as the runtime checks it.
const layoutMagic = 0x336c6c7970657473

// Range is a run of bytes at a fixed address of the program. Nothing else that
// is ever written lies before Limit: pages up to there can be protected.
type Range struct {
	Addr, Size, Limit uint64
}

func (r Range) end() uint64 { return r.Addr + r.Size }

// Layout says which data of a binary belongs to machines and which init tasks
// belong to packages that all machines share.
type Layout struct {
	// Machine are the ranges that are swapped, by address. Each starts and
	// ends at a multiple of 8 bytes.
	Machine []Range
	// SharedInits and MainInits are the addresses of the init tasks of shared
	// packages and of those of the main machine only, in the order in which
	// the binary runs them. All other tasks run on each machine's boot.
	SharedInits []uint64
	MainInits   []uint64
	// Program are the variables of packages of the main machine only, by
	// address: each child process has a copy of its own.
	Program []Range
	// ProgramOnly are the addresses of init tasks that only programs need
	// which the test starts (sim.Program), ProgramInits for each of these all
	// that it needs.
	ProgramOnly  []uint64
	ProgramInits [][]uint64
}

// ReadLayout computes the layout of an executable linked by Build.
func ReadLayout(path string) (*Layout, error) {
	f, err := elf.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the binary: %w", err)
	}
	defer f.Close()
	l, err := layoutOf(f)
	if err != nil {
		return nil, fmt.Errorf("read the data layout of %s: %w", path, err)
	}
	return l, nil
}

func layoutOf(f *elf.File) (*Layout, error) {
	symbols, err := f.Symbols()
	if err != nil {
		return nil, fmt.Errorf("symbol table: %w; build without -ldflags=-s", err)
	}
	vars := map[elf.SectionIndex][]elf.Symbol{}
	byName := map[string]elf.Symbol{}
	for _, s := range symbols {
		if int(s.Section) >= len(f.Sections) || s.Section == elf.SHN_UNDEF {
			continue
		}
		flags := f.Sections[s.Section].Flags
		if flags&elf.SHF_WRITE == 0 || flags&elf.SHF_TLS != 0 {
			continue
		}
		byName[s.Name] = s
		if s.Size > 0 && !neutralSymbols[s.Name] {
			vars[s.Section] = append(vars[s.Section], s)
		}
	}
	l := &Layout{}
	counters := Range{Addr: byName["runtime.covctrs"].Value}
	counters.Size = byName["runtime.ecovctrs"].Value - counters.Addr
	for i, section := range f.Sections {
		l.Program = append(l.Program, programRanges(vars[elf.SectionIndex(i)])...)
		next := ^uint64(0)
		if section.Flags&elf.SHF_WRITE != 0 && i+1 < len(f.Sections) && f.Sections[i+1].Flags&elf.SHF_WRITE != 0 {
			next = f.Sections[i+1].Addr
		}
		ranges, err := machineRanges(section, vars[elf.SectionIndex(i)], counters, next)
		if err != nil {
			return nil, err
		}
		l.Machine = append(l.Machine, ranges...)
	}
	slices.SortFunc(l.Machine, func(a, b Range) int { return cmp.Compare(a.Addr, b.Addr) })
	l.Program = joinRanges(l.Program)
	return l, l.readInits(f, byName)
}

// machineRanges returns the runs of machine symbols of one section; the next
// one that is written starts at next. Symbols of shared packages end a run, and
// so do wide gaps; narrow ones between machine symbols, which only align, do
// not.
func machineRanges(section *elf.Section, symbols []elf.Symbol, counters Range, next uint64) ([]Range, error) {
	slices.SortStableFunc(symbols, func(a, b elf.Symbol) int { return cmp.Compare(a.Value, b.Value) })
	var ranges []Range
	open := false
	sharedEnd := section.Addr // end of the last shared symbol
	for _, s := range symbols {
		last := &Range{}
		if n := len(ranges); n > 0 {
			last = &ranges[n-1]
		}
		inCounters := s.Value >= counters.Addr && s.Value < counters.end()
		if !isMachineSymbol(s.Name) || inCounters {
			if s.Value < last.end() {
				return nil, fmt.Errorf("shared symbol %s lies among a machine's data at %#x", s.Name, s.Value)
			}
			if open {
				last.Limit = s.Value
			}
			open = false
			sharedEnd = max(sharedEnd, s.Value+s.Size)
			continue
		}
		start, end := s.Value&^7, (s.Value+s.Size+7)&^7
		if start < sharedEnd {
			return nil, fmt.Errorf("machine symbol %s shares the word at %#x with shared data", s.Name, start)
		}
		if open && start < last.end()+wideGap {
			last.Size = max(last.end(), end) - last.Addr
			continue
		}
		if open {
			last.Limit = start
		}
		ranges = append(ranges, Range{Addr: start, Size: end - start})
		open = true
	}
	if open {
		last := &ranges[len(ranges)-1]
		last.Limit = next
		if last.end()+wideGap <= section.Addr+section.Size {
			last.Limit = last.end() // something without a symbol follows
		}
	}
	return ranges, nil
}

// wideGap is more than what aligns one variable behind another, in bytes.
const wideGap = 64

// programRanges returns the variables of the main machine only.
func programRanges(symbols []elf.Symbol) (ranges []Range) {
	for _, s := range symbols {
		if classOfPackage(symbolPackage(s.Name)) == classMain {
			ranges = append(ranges, Range{Addr: s.Value, Size: s.Size})
		}
	}
	return ranges
}

// joinRanges sorts ranges and merges those that touch.
func joinRanges(sorted []Range) []Range {
	slices.SortFunc(sorted, func(a, b Range) int { return cmp.Compare(a.Addr, b.Addr) })
	var out []Range
	for _, r := range sorted {
		if n := len(out); n > 0 && out[n-1].end() == r.Addr {
			out[n-1].Size += r.Size
			continue
		}
		out = append(out, r)
	}
	return out
}

// readInits reads the binary's list of init tasks, go:main.inittasks, which
// the linker made: an array of pointers in the order of initialization.
func (l *Layout) readInits(f *elf.File, byName map[string]elf.Symbol) error {
	names := map[uint64]string{}
	for name, s := range byName {
		if strings.HasSuffix(name, "..inittask") {
			names[s.Value] = name
		}
	}
	list, ok := byName["go:main.inittasks"]
	if !ok {
		return errors.New("no symbol go:main.inittasks: this is no program, or another linker made it")
	}
	section := f.Sections[list.Section]
	data := make([]byte, list.Size)
	if _, err := section.ReadAt(data, int64(list.Value-section.Addr)); err != nil {
		return fmt.Errorf("list of init tasks: %w", err)
	}
	for ; len(data) >= 8; data = data[8:] {
		addr := binary.LittleEndian.Uint64(data)
		name, ok := names[addr]
		if !ok {
			return fmt.Errorf("init task at %#x has no symbol", addr)
		}
		switch classOfPackage(symbolPackage(name)) {
		case classShared:
			l.SharedInits = append(l.SharedInits, addr)
		case classMain:
			l.MainInits = append(l.MainInits, addr)
		}
	}
	return nil
}

// Encode returns the layout as the patched runtime reads it, from a
// descriptor that it inherits. All words are 8 bytes, little endian:
//
//	offset | words            | meaning
//	0      | 1                | layoutMagic
//	8      | 1                | n, number of ranges
//	16     | 3n               | address, size in bytes and limit of each range
//	       | 1                | number of shared init tasks
//	       | as many          | their addresses, in order of initialization
//	       | 1                | number of the main machine's init tasks
//	       | as many          | their addresses, in order of initialization
//	       | 1                | number of variables that each child process has a copy of
//	       | 2n               | address and size in bytes of each
//	       | 1                | number of init tasks that only programs need
//	       | as many          | their addresses
//	       | 1                | number of programs; then for each of them
//	       | 1                | number of its init tasks
//	       | as many          | their addresses
func (l *Layout) Encode() []byte {
	words := []uint64{layoutMagic, uint64(len(l.Machine))}
	for _, r := range l.Machine {
		words = append(words, r.Addr, r.Size, r.Limit)
	}
	words = append(append(words, uint64(len(l.SharedInits))), l.SharedInits...)
	words = append(append(words, uint64(len(l.MainInits))), l.MainInits...)
	words = append(words, uint64(len(l.Program)))
	for _, r := range l.Program {
		words = append(words, r.Addr, r.Size)
	}
	words = append(append(words, uint64(len(l.ProgramOnly))), l.ProgramOnly...)
	words = append(words, uint64(len(l.ProgramInits)))
	for _, list := range l.ProgramInits {
		words = append(append(words, uint64(len(list))), list...)
	}
	out := make([]byte, 0, 8*len(words))
	for _, w := range words {
		out = binary.LittleEndian.AppendUint64(out, w)
	}
	return out
}
