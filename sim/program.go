package sim

import "strings"

// Program makes a package main of the user's modules a program that processes
// can start: as /usr/bin/name, by os/exec, on every machine, those that are
// made later included. It returns that path. dir is the folder of the package,
// from the folder of the test that calls Program: a string literal such as
// "./cmd/tool", which restep reads before it builds the test.
//
// A process of the program has its own variables, runs the init functions of
// its own packages alone, and then main, as the program itself would. It
// panics when the name is no file name or the test was built without dir.
func Program(name, dir string) (path string) {
	need("Program")
	if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00") {
		panic("sim.Program: " + name + " is no file name")
	}
	number := simProgram(dir)
	if number == 0 {
		panic("sim.Program: " + dir + " is not in the test binary; call sim.Program with it as a string literal in a _test.go file of the package")
	}
	simOp(opAddProgram, mainMachine, name, "", int64(number))
	return "/usr/bin/" + name
}

// LinkProgram is called by a file that restep adds to a test which calls
// Program. It is not for tests.
func LinkProgram(number int, dir string, main func()) {
	if isSim() {
		simLinkProgram(number, dir, main)
	}
}
