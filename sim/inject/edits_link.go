package inject

// linkerEdits patch the linker of the installation. Measured without them: in
// a test that imports net/http, 113 KB of variables are missing from the
// symbol table, and what is in it lies in some 600 runs.
var linkerEdits = []Edit{
	{
		File: "cmd/link/main.go", Func: "main", Text: "restepWrap()",
		Why: "the linker is its own -toolexec wrapper, with its own tool id",
	},
	{
		File: "cmd/link/internal/ld/symtab.go",
		Find: `ldr.SymPkg(s) != "") ||`, Op: Replace,
		Text: `ldr.SymPkg(s) != "" && !restepKeep(ldr, s)) ||`,
		Why:  "static temporaries would be hidden, hence shared by all machines and never reset",
	},
	{
		File: "cmd/link/internal/ld/data.go", Func: "(*dodataState).dodataSect",
		Find: "case isz != jsz:", Op: Replace,
		Text: "case restepOrder(ctxt, symn, si, sj) != 0: return restepOrder(ctxt, symn, si, sj) < 0; case isz != jsz:",
		Why:  "a switch of machines would copy hundreds of ranges in place of a few",
	},
	{
		File: "cmd/link/internal/ld/data.go", Func: "(*dodataState).dodataSect",
		Find: "align := symalign(ldr, s)", Op: Before,
		Text: "restepAlign(ctxt, symn, sl, k)",
		Why:  "the ranges must start at a word that nothing shared touches",
	},
	{
		File: "cmd/link/internal/ld/data.go", Func: "(*Link).dodata", Text: "restepRetype(ctxt, symGroupType)",
		Why: "a switch of machines would copy a range of each of four sections",
	},
	{
		File: "cmd/link/internal/ld/data.go", Func: "(*GCProg).AddSym",
		Text: "if restepNoPointers(p.ctxt.loader, s) { return }",
		Why:  "variables without pointers lie among those with them",
	},
}
