// Package text turns recorded steps into what people and scripts read: one
// line of text, or one JSON object. The command line, the debug adapter and
// the language server show the same step with the same words.
//
// It deliberately opens no file, prints nothing and decides nothing about a
// run: bytes and structs in, bytes and structs out. It may import sim/steplog
// and the standard library; it must never know zygotes, folders, terminals
// or a protocol of an editor.
//
// Everything a program under test wrote is foreign: it may hold escape
// sequences that would reach the reader's terminal.
//
// Invariant: no output of [Printer] holds a control character other than tab
// and newline that the program under test chose.
// Invariant: a step's text does not depend on which other steps are shown;
// only the padding does.
//
// Sources: ECMA-48 5.2-5.4 (C0 and C1 control sets), Unicode 16 chapter 23.9
// (bidirectional controls), Linux errno(3) and signal(7) for names, go help
// build (-trimpath) for the form of recorded file names.
package text
