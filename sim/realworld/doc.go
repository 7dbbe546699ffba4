// Package realworld checks that the folders below it, each a module of its own,
// are pinned, and runs their programs: the smallest one each time if its
// modules are there, all of them with RESTEP_NIGHTLY=1, many seeds and one seed
// many times. README.md says what each program must do.
//
// It deliberately does not look for the known defects of README.md, which take
// hundreds of seeds. The package itself is empty: everything is in its test.
//
// It may import the standard library alone: it is a user of the command. It must
// never be imported.
package realworld
