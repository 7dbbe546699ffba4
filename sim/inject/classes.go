package inject

import "strings"

// This file is compiled twice: here, and in the linker that sim/inject
// builds, where its package clause is replaced. Both sides must agree on the
// class of each symbol, or data of one machine would lie among shared data.
// It imports nothing but strings.

// A packageClass says whom the package-level variables of a package belong to.
type packageClass int

const (
	// classMachine packages have one copy of their variables per machine,
	// swapped when another machine runs. It is what is not in the table.
	classMachine packageClass = iota
	// classShared packages have one copy for all machines.
	classShared
	// classMain packages have one copy, which only the main machine uses.
	classMain
)

// packageClasses holds the packages that are not classMachine. The shared
// ones are closed under imports but for the edges in sharedImports, and none
// keeps a registry that a program could fill. A path that ends in "/" stands
// for everything below it.
var packageClasses = []struct {
	path   string
	class  packageClass
	reason string
}{
	{"runtime", classShared, "the one runtime of the process: scheduler, heap, type tables"},
	{"internal/runtime/", classShared, "parts of the runtime"},
	{"internal/abi", classShared, "layouts the runtime and the compiler agree on"},
	{"internal/asan", classShared, "below the runtime"},
	{"internal/bytealg", classShared, "below the runtime; CPU features only"},
	{"internal/byteorder", classShared, "below the runtime; no variables"},
	{"internal/chacha8rand", classShared, "below the runtime"},
	{"internal/coverage/rtcov", classShared, "below the runtime; coverage tables of the binary"},
	{"internal/cpu", classShared, "below the runtime; CPU features"},
	{"internal/goarch", classShared, "below the runtime; no variables"},
	{"internal/godebugs", classShared, "below the runtime; a constant table"},
	{"internal/goexperiment", classShared, "below the runtime; no variables"},
	{"internal/goos", classShared, "below the runtime; no variables"},
	{"internal/msan", classShared, "below the runtime"},
	{"internal/profilerecord", classShared, "below the runtime; no variables"},
	{"internal/race", classShared, "below sync; no variables"},
	{"internal/reflectlite", classShared, "below errors and sync; no variables"},
	{"internal/strconv", classShared, "below the runtime; constant tables"},
	{"internal/stringslite", classShared, "below the runtime; no variables"},
	{"internal/sync", classShared, "locks and the map of unique: one heap, one semaphore table"},
	{"internal/synctest", classShared, "below sync; the runtime's bubbles"},
	{"internal/trace/tracev2", classShared, "below the runtime; a constant table"},
	{"internal/unsafeheader", classShared, "no variables"},
	{"internal/restep/", classShared, "the simulator itself"},
	{"unsafe", classShared, "no variables"},
	{"errors", classShared, "sentinels only; errors that cross machines stay equal"},
	{"unicode", classShared, "constant tables"},
	{"unicode/utf8", classShared, "constant tables"},
	{"unicode/utf16", classShared, "no variables"},
	{"strconv", classShared, "constant tables"},
	{"math", classShared, "constant tables"},
	{"math/bits", classShared, "constant tables"},
	{"iter", classShared, "coroutines of the runtime"},
	{"reflect", classShared, "types made at run time are compared by pointer and never freed"},
	{"sync", classShared, "locks; its pools are excepted below"},
	{"sync/atomic", classShared, "below the runtime"},
	{"unique", classShared, "handles are compared by pointer"},
	{"weak", classShared, "below unique"},
	{"cmp", classShared, "used by the simulator; no variables"},
	{"slices", classShared, "used by the simulator; no variables"},
	{"sort", classShared, "used by the simulator; no variables"},
	{"strings", classShared, "used by the simulator; constant tables"},
	{"hash", classShared, "used by the simulator; no variables"},
	{"hash/crc32", classShared, "used by the simulator; tables made once"},
	{"container/heap", classShared, "used by the simulator; no variables"},

	{"testing", classMain, "one test run, on the main machine, reports for all"},
	{"testing/internal/", classMain, "glue between testing and the generated main package"},
	{"internal/testlog", classMain, "log of files and variables that a test depends on"},
	{"internal/sysinfo", classMain, "names the CPU in benchmark output"},
}

const constantTable = "a constant table"

// variableClasses holds single variables that differ from their package. The
// copies of golang.org/x in the standard library go by the same names.
var variableClasses = []struct {
	symbol string
	class  packageClass
	reason string
}{
	{"sync.allPools", classMachine, "lists pools, most of which are package variables"},
	{"sync.oldPools", classMachine, "lists pools, most of which are package variables"},
	{"sync.poolRaceHash", classMachine, "belongs to the pools"},
	{"crypto/internal/fips140/drbg.memory", classShared, "32 MB that entropy is measured on; what is in it means nothing"},

	// Large tables that the compiler made and nothing writes. Shared or not
	// makes no difference but to the time of a switch: with them a test that
	// imports net/http would have 160 KB more to swap.
	{"crypto/internal/fips140/nistec.p256PrecomputedEmbed", classShared, constantTable},
	{"golang.org/x/net/idna.idnaIndex", classShared, constantTable},
	{"golang.org/x/net/idna.idnaSparseValues", classShared, constantTable},
	{"golang.org/x/net/idna.idnaValues", classShared, constantTable},
	{"golang.org/x/text/unicode/bidi.bidiIndex", classShared, constantTable},
	{"golang.org/x/text/unicode/bidi.bidiValues", classShared, constantTable},
	{"golang.org/x/text/unicode/norm.decomps", classShared, constantTable},
	{"golang.org/x/text/unicode/norm.nfcIndex", classShared, constantTable},
	{"golang.org/x/text/unicode/norm.nfcSparseValues", classShared, constantTable},
	{"golang.org/x/text/unicode/norm.nfcValues", classShared, constantTable},
	{"golang.org/x/text/unicode/norm.nfkcIndex", classShared, constantTable},
	{"golang.org/x/text/unicode/norm.nfkcSparseValues", classShared, constantTable},
	{"golang.org/x/text/unicode/norm.nfkcValues", classShared, constantTable},
	{"math/rand.rngCooked", classShared, constantTable},
}

// symbolPackage returns the package path, as the linker spells it, of a
// package-level symbol, or "" for a symbol that belongs to no package.
func symbolPackage(name string) string {
	if i := strings.IndexByte(name, '['); i >= 0 {
		name = name[:i] // type arguments
	}
	slash := strings.LastIndexByte(name, '/') + 1
	dot := strings.IndexByte(name[slash:], '.')
	if dot <= 0 || strings.ContainsAny(name[:slash+dot], ":$·") {
		return "" // go:…, type:…, constants, marks of the linker
	}
	return name[:slash+dot]
}

// classOfPackage returns the class of a package.
func classOfPackage(path string) packageClass {
	for i := range packageClasses {
		p := packageClasses[i].path
		if path == p || p[len(p)-1] == '/' && strings.HasPrefix(path, p) {
			return packageClasses[i].class
		}
	}
	return classMachine
}

// isMachineSymbol says whether a symbol of a data section is swapped. Caches of
// the runtime for one type assertion or switch are not: types are everyone's.
func isMachineSymbol(name string) bool {
	if strings.Contains(name, "..typeAssert.") || strings.Contains(name, "..interfaceSwitch.") {
		return false
	}
	name = strings.TrimPrefix(name, "vendor/")
	for i := range variableClasses {
		if variableClasses[i].symbol == name {
			return variableClasses[i].class == classMachine
		}
	}
	pkg := symbolPackage(name)
	return pkg != "" && classOfPackage(pkg) == classMachine
}
