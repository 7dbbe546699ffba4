package ld

import (
	"cmd/internal/objabi"
	"cmd/internal/sys"
	"cmd/link/internal/loader"
	"cmd/link/internal/sym"
	"strings"
	"sync"
)

// restepIsData says whether symbols of the kind are variables.
func restepIsData(kind sym.SymKind) bool {
	switch kind {
	case sym.SDATA, sym.SDATAFIPS, sym.SNOPTRDATA, sym.SNOPTRDATAFIPS, sym.SBSS, sym.SNOPTRBSS:
		return true
	}
	return false
}

// restepKeep says whether a file-local symbol stays in the symbol table:
// static temporaries hold what package-level variables point to.
func restepKeep(ldr *loader.Loader, s loader.Sym) bool {
	return restepIsData(ldr.SymType(s))
}

// Groups of variables, in the order in which a section holds them.
const (
	restepNoSize = iota // shares an address with runtime.zerobase
	restepShared        // of all machines
	restepHot           // of a machine, and most programs write it
	restepCold          // of a machine
)

// restepGroups holds the group of each variable.
var restepGroups struct {
	once   sync.Once // sections are sorted concurrently
	groups []int8    // by symbol
}

// restepGroup returns the group of a symbol of a section. A switch of machines
// copies the hot group and those pages of the cold one that were ever written:
// a variable in the wrong one of the two costs time and nothing else.
func restepGroup(ctxt *Link, s loader.Sym) int {
	restepGroups.once.Do(func() { restepFindGroups(ctxt) })
	if int(s) >= len(restepGroups.groups) { // made since
		return restepClass(ctxt, s)
	}
	return int(restepGroups.groups[s])
}

func restepFindGroups(ctxt *Link) {
	ldr := ctxt.loader
	groups := make([]int8, ldr.NSym())
	for i := range groups {
		if s := loader.Sym(i); s != 0 && restepIsData(ldr.SymType(s)) {
			groups[i] = int8(restepClass(ctxt, s))
		}
	}
	heat := func(s loader.Sym) {
		if int(s) < len(groups) && groups[s] == restepCold {
			groups[s] = restepHot
		}
	}
	empty := func(s loader.Sym, most int64) bool { // without an initial value
		kind := ldr.SymType(s)
		return (kind == sym.SBSS || kind == sym.SNOPTRBSS) && ldr.SymSize(s) <= most
	}
	for i := range groups {
		if s := loader.Sym(i); groups[i] == restepCold && (empty(s, restepWord) || restepIsHotType(ldr.SymName(ldr.SymGoType(s)))) {
			heat(s)
		}
	}
	for i := range groups {
		s := loader.Sym(i)
		if s == 0 || groups[i] < restepHot || empty(s, ldr.SymSize(s)) {
			continue
		}
		relocs := ldr.Relocs(s)
		for i := range relocs.Count() {
			if target := relocs.At(i).Sym(); empty(target, restepPointed) {
				heat(target)
			}
		}
	}
	for _, text := range ctxt.Textp {
		init := restepIsInit(ldr.SymName(text))
		code, relocs := ldr.Data(text), ldr.Relocs(text)
		for i := range relocs.Count() {
			r := relocs.At(i)
			target := r.Sym()
			if int(target) >= len(groups) || groups[target] != restepCold {
				continue
			}
			switch use := restepUse(ctxt, code, r); {
			case use == restepWrites && (init || ldr.SymSize(target) <= restepWord || empty(target, restepSmall)):
				heat(target)
			case use == restepPoints && init && empty(target, restepSmall):
				heat(target)
			}
		}
	}
	restepGroups.groups = groups
}

// A variable without an initial value is taken to be written when it has up to
// restepWord bytes, up to restepPointed and a variable holds its address, or up
// to restepSmall and an init function takes its address or any function writes it. One with an initial value is so when an init
// function writes it, or any function and it has up to restepWord bytes.
const (
	restepSmall   = 1024
	restepPointed = 256
	restepWord    = 48
)

// restepHotTypes are types whose variables are written wherever they are used;
// those of protobuf, mostly in arrays, when their package is initialised.
var restepHotTypes = []string{
	"sync.Pool", "sync.Once", "sync.Mutex", "sync.RWMutex", "internal/godebug.Setting",
	"google.golang.org/protobuf/internal/impl.ExtensionInfo", "google.golang.org/protobuf/internal/filedesc.File",
}

func restepIsHotType(name string) bool {
	name = strings.TrimPrefix(strings.TrimPrefix(name, "type:"), "noalg.")
	if strings.HasPrefix(name, "[") {
		_, name, _ = strings.Cut(name, "]") // [n]T
	}
	for _, hot := range restepHotTypes {
		if name == hot {
			return true
		}
	}
	return false
}

// restepRetype puts hot variables without pointers beside those with them, so
// that a section has one piece to copy, and there are two sections: those with
// and those without initial values.
func restepRetype(ctxt *Link, types []sym.SymKind) {
	ldr := ctxt.loader
	for i := range types {
		s := loader.Sym(i)
		if s == 0 || !restepNoPointers(ldr, s) || ldr.SymGoType(s) == 0 || restepGroup(ctxt, s) != restepHot {
			continue
		}
		if ldr.SymType(s) == sym.SNOPTRDATA {
			types[i] = sym.SDATA
		} else {
			types[i] = sym.SBSS
		}
	}
}

// restepNoPointers says whether a variable was compiled as one that the
// collector has nothing to look for in.
func restepNoPointers(ldr *loader.Loader, s loader.Sym) bool {
	kind := ldr.SymType(s)
	return kind == sym.SNOPTRDATA || kind == sym.SNOPTRBSS
}

func restepClass(ctxt *Link, s loader.Sym) int {
	ldr := ctxt.loader
	switch {
	case ldr.SymSize(s) == 0 || s == ldr.Lookup("runtime.zerobase", 0):
		return restepNoSize
	case isMachineSymbol(ldr.SymName(s)):
		return restepCold
	}
	return restepShared
}

// restepIsInit says whether a function runs when its package is initialised:
// init, init.0, init.func1, map.init.0. Most variables that are ever written
// get their value there.
func restepIsInit(name string) bool {
	_, tail, found := strings.Cut(name, ".init")
	return found && (tail == "" || tail[0] == '.')
}

// What an instruction does with a variable that it names.
const (
	restepReads = iota
	restepWrites
	restepPoints // takes its address, or what is not known
)

// restepUse tells it from the bytes before the displacement that a relocation
// fills in: opcode and ModRM (Intel SDM, volume 2, chapter 2).
func restepUse(ctxt *Link, code []byte, r loader.Reloc) int {
	off := int(r.Off())
	if ctxt.Arch.Family != sys.AMD64 || r.Type() != objabi.R_PCREL || off < 3 || off > len(code) || code[off-1]&0xc7 != 5 {
		return restepPoints
	}
	extended, op, digit := code[off-3] == 0x0f, code[off-2], code[off-1]>>3&7
	switch {
	case op == 0x8d && !extended: // LEA
		return restepPoints
	case extended && (op == 0x11 || op == 0x29 || op == 0x7f || op == 0xd6 || op == 0xb1 || op == 0xc1): // MOVUPS, MOVAPS, MOVDQU, MOVQ, CMPXCHG, XADD
		return restepWrites
	case extended:
		return restepReads
	case op == 0x88 || op == 0x89 || op == 0xc6 || op == 0xc7 || op == 0x86 || op == 0x87: // MOV, XCHG
		return restepWrites
	case op&0xc6 == 0 && op < 0x38: // ADD, OR, ADC, SBB, AND, SUB, XOR to memory
		return restepWrites
	case (op == 0x80 || op == 0x81 || op == 0x83) && digit != 7: // the same with a constant, CMP aside
		return restepWrites
	case (op == 0xfe || op == 0xff) && digit < 2: // INC, DEC
		return restepWrites
	}
	return restepReads
}

// restepOrder compares two symbols of a section by group.
func restepOrder(ctxt *Link, kind sym.SymKind, a, b loader.Sym) int {
	if !restepIsData(kind) {
		return 0
	}
	return restepGroup(ctxt, a) - restepGroup(ctxt, b)
}

// restepAlign puts the first variable of a group of a machine, and the first
// variable after them, at the start of a page, so that their pages can be
// protected.
func restepAlign(ctxt *Link, kind sym.SymKind, sorted []symNameSize, k int) {
	if !restepIsData(kind) {
		return
	}
	group, before := restepGroup(ctxt, sorted[k].sym), -1
	if k > 0 {
		before = restepGroup(ctxt, sorted[k-1].sym)
	}
	if group >= restepHot && group != before || group == restepShared && before < group {
		ctxt.loader.SetSymAlign(sorted[k].sym, 4096)
	}
}
