// Package source answers questions about Go files for the language server:
// where a position is, which lines an edit moved, where tests begin, whether a
// test can reach package sim, and which modules are built from folders.
//
// It deliberately type-checks nothing and never runs the go command: a file
// that does not compile, and a workspace that nobody trusts, get the same
// answers. It may import the standard library only; it must never know step
// logs, LSP or an editor.
//
// Values are immutable once made and may be shared by goroutines; [Reach] has
// a lock of its own.
//
// Invariant: a line that [Lines] calls exact has the same text before and
// after, and no other line could have become it by the same edit.
// Invariant: parsing never fails; what cannot be understood is left out.
//
// Sources: LSP 3.17 "Text Documents" (line ends, position encodings); Myers,
// "An O(ND) Difference Algorithm and Its Variations" (1986); Go specification
// "Source code representation"; Go modules reference ("go.mod files",
// "Workspaces", "Module cache"); go1.26 testing/match.go and
// cmd/go/internal/load/test.go (names of tests).
package source
