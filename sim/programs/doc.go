// Package programs runs whole programs in the simulation and looks at their
// step logs: the determinism suite, the fate of package-level variables, the
// ways a machine ends, what a crash leaves behind.
//
// The programs are the folders of testdata; each is an ordinary Go test that
// imports sim. The package itself is empty: everything is in its tests, which
// build with sim/inject and run with sim/zygote, as cmd/restep does. It must
// never be imported.
package programs
