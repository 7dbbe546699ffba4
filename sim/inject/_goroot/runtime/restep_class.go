package runtime

import "internal/stringslite"

// Classes of code for preemption: see restepInShared.
const (
	restepTextOther  = iota
	restepTextSync   // locks, atomics, the runtime: look at their caller
	restepTextShared // packages that all machines share
)

// restepSharedCode are packages whose own locks all machines share.
var restepSharedCode = [...]string{"reflect", "unique", "strconv", "internal/reflectlite", "internal/concurrent", "iter", "internal/restep/"}

// restepClasses remembers the class of return addresses: pc<<2 | class.
var restepClasses [512]uintptr

// restepTextClass classifies the function at a return address.
func restepTextClass(pc uintptr) int {
	known := &restepClasses[(pc^pc>>9)%uintptr(len(restepClasses))]
	if *known>>2 != pc {
		*known = pc<<2 | uintptr(restepFindClass(pc))
	}
	return int(*known & 3)
}

func restepFindClass(pc uintptr) int {
	f := findfunc(pc - 1)
	if !f.valid() {
		return restepTextSync
	}
	pkg := restepPackage(funcname(f))
	switch pkg {
	case "runtime", "sync", "sync/atomic", "internal/sync":
		return restepTextSync
	}
	if stringslite.HasPrefix(pkg, "internal/runtime/") {
		return restepTextSync
	}
	for _, s := range restepSharedCode {
		if pkg == s || s[len(s)-1] == '/' && stringslite.HasPrefix(pkg, s) {
			return restepTextShared
		}
	}
	return restepTextOther
}

// restepPackage is the import path in the name of a function.
func restepPackage(name string) string {
	slash := -1
	for i := 0; i < len(name) && name[i] != '['; i++ {
		if name[i] == '/' {
			slash = i
		}
	}
	end := slash + 1
	for end < len(name) && name[end] != '.' {
		end++
	}
	return name[:end]
}
