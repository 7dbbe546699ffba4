package inject

import (
	"fmt"
	"strings"
)

// atomicEdits puts a preemption point into every method of the types of
// sync/atomic.
func atomicEdits() []Edit {
	methods := []string{"Load", "Store", "Swap", "CompareAndSwap"}
	numeric := append(methods, "Add", "And", "Or")
	var edits []Edit
	add := func(file, recv string, methods []string) {
		for _, m := range methods {
			edits = append(edits, Edit{File: "sync/atomic/" + file, Func: fmt.Sprintf("(*%s).%s", recv, m), Text: restepPoint, Why: whyPoint})
		}
	}
	add("type.go", "Bool", methods)
	add("type.go", "Pointer", methods)
	for _, t := range []string{"Int32", "Int64", "Uint32", "Uint64", "Uintptr"} {
		add("type.go", t, numeric)
	}
	add("value.go", "Value", methods)
	return append(edits, atomicFuncEdits()...)
}

// atomicFuncs are the functions of sync/atomic for one type T, by what they do.
var atomicFuncs = []struct{ name, params, args, result string }{
	{"Swap", "addr *T, new T", "addr, new", "(old T)"},
	{"CompareAndSwap", "addr *T, old, new T", "addr, old, new", "(swapped bool)"},
	{"Add", "addr *T, delta T", "addr, delta", "(new T)"},
	{"And", "addr *T, mask T", "addr, mask", "(old T)"},
	{"Or", "addr *T, mask T", "addr, mask", "(old T)"},
	{"Load", "addr *T", "addr", "(val T)"},
	{"Store", "addr *T, val T", "addr, val", ""},
}

// atomicFuncEdits give the functions of sync/atomic bodies with a preemption
// point. Where the compiler knows them as intrinsics, which is everywhere but
// in instrumented packages, they are never called.
func atomicFuncEdits() []Edit {
	var edits []Edit
	body := func(only, file, before, fn, signature, args string) {
		call := fmt.Sprintf("restep%s(%s)", fn, args)
		if strings.Count(signature, "(") > 1 { // it has a result
			call = "return " + call
		}
		edits = append(edits, Edit{Only: only, File: "sync/atomic/" + file, Find: before + "func " + fn + signature, Op: Replace,
			Text: strings.TrimPrefix(before, "//go:noescape") + "func " + fn + signature + " { " + restepPoint + "; " + call + " }", Why: whyAtomic})
	}
	for _, t := range []struct{ name, file string }{
		{"Int32", "doc.go"}, {"Uint32", "doc.go"}, {"Uintptr", "doc.go"}, {"Int64", "doc_64.go"}, {"Uint64", "doc_64.go"},
	} {
		for _, f := range atomicFuncs {
			fn := f.name + t.name
			typed := strings.NewReplacer("T", strings.ToLower(t.name))
			signature := strings.TrimSpace(typed.Replace("(" + f.params + ") " + f.result))
			const noescape = "//go:noescape\n"
			switch fn {
			case "SwapUintptr", "CompareAndSwapUintptr", "StoreUintptr":
				body("go1.26", t.file, noescape, fn, signature, f.args)
				body("go1.27", t.file, noescape+"//go:linknamestd "+fn+"\n", fn, signature, f.args)
			default:
				body("", t.file, noescape, fn, signature, f.args)
			}
			edits = append(edits, renameAtomic(fn))
		}
	}
	body("", "doc.go", "", "LoadPointer", "(addr *unsafe.Pointer) (val unsafe.Pointer)", "addr")
	return append(edits, renameAtomic("LoadPointer"))
}

// renameAtomic gives the assembly of a function the name that its body calls.
func renameAtomic(fn string) Edit {
	return Edit{File: "sync/atomic/asm.s", Find: "TEXT ·" + fn + "(SB)", Op: Replace, Text: "TEXT ·restep" + fn + "(SB)", Why: whyAtomic}
}

const whyAtomic = "another goroutine may run between any two operations of the functions of sync/atomic, too, where the user's modules are instrumented"
