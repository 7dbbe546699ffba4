package ld

import (
	"cmd/link/internal/loader"
	"cmd/link/internal/sym"
	"strings"
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

// restepGroup orders the symbols of a section: those without size, which
// share an address with runtime.zerobase, then those that all machines share,
// then those of a machine: first variables, which most programs write, then
// static temporaries, which few do. A switch of machines copies only pages that
// were ever written.
func restepGroup(ctxt *Link, s loader.Sym) int {
	ldr := ctxt.loader
	switch {
	case ldr.SymSize(s) == 0 || s == ldr.Lookup("runtime.zerobase", 0):
		return 0
	case isMachineSymbol(ldr.SymName(s)) && strings.Contains(ldr.SymName(s), "..stmp_"):
		return 3
	case isMachineSymbol(ldr.SymName(s)):
		return 2
	}
	return 1
}

// restepOrder compares two symbols of a section by group.
func restepOrder(ctxt *Link, kind sym.SymKind, a, b loader.Sym) int {
	if !restepIsData(kind) {
		return 0
	}
	return restepGroup(ctxt, a) - restepGroup(ctxt, b)
}

// restepAlign puts the first variable of a machine at the start of a page, so
// that its pages can be protected.
func restepAlign(ctxt *Link, kind sym.SymKind, sorted []symNameSize, k int) {
	if restepIsData(kind) && restepGroup(ctxt, sorted[k].sym) >= 2 &&
		(k == 0 || restepGroup(ctxt, sorted[k-1].sym) < 2) {
		ctxt.loader.SetSymAlign(sorted[k].sym, 4096)
	}
}
