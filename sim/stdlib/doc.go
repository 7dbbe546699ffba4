// Command stdlib runs the standard library's own tests twice, with plain go test and
// under restep test, and prints how many pass in both:
//
//	go run ./sim/stdlib                # the packages of testdata/packages.txt
//	go run ./sim/stdlib net os/signal  # only these
//
// Both sides run with CGO_ENABLED=0 and -short, which leaves hosts on the Internet
// alone, from GOROOT/src. Tests and subtests count
// by name; one that natively fails or skips does not count. testdata/packages.txt
// names the packages, and the tests left out because they start the go tool;
// testdata/differ.txt the tests that pass natively and not in the simulation,
// each with a class and a reason. A difference that the list does not have, and
// an entry that differs no longer, make the exit code 1.
//
// It deliberately does not judge speed, nor look into a failure: the restep
// test command for one test does that.
//
// It may import the standard library alone: it is a user of the command.
package main
