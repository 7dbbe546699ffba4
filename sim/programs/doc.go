// Package programs runs whole programs in the simulation and looks at their
// step logs: the determinism suite, the fate of package-level variables, the
// ways a machine ends, what a crash leaves behind, what each policy of taking
// turns finds, and that nothing outlives whoever started it.
//
// With RESTEP_NIGHTLY=1 the soak takes 200 seeds of each of its programs ten
// times, and the restarts 10,000 rounds; otherwise both take a few. The
// determinism suite is then repeated with programs for linux/arm64 under qemu.
//
// The programs are the folders of testdata; each is an ordinary Go test that
// imports sim. The package itself is empty: everything is in its tests, which
// build with sim/inject and run with sim/zygote, as cmd/restep does. It must
// never be imported.
package programs
