package programs

import (
	"os/exec"
	"testing"
)

// networkTests are the tests of testdata/network, which pass on Linux itself.
var networkTests = []string{
	"TestHTTPOverUnix", "TestUnixRefuses", "TestUnixGram", "TestUnixStream", "TestDescriptors", "TestHTTPOverIPv6",
	"TestDualStack", "TestUDP", "TestInterfaces", "TestLocalhost",
}

// TestNetwork runs one body of tests on Linux and in the simulation.
func TestNetwork(t *testing.T) {
	t.Run("linux", func(t *testing.T) {
		if out, err := exec.Command("go", "test", "-count=1", "./testdata/network").CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	})
	z := start(t, build(t, "network"))
	for _, test := range networkTests {
		t.Run(test, func(t *testing.T) {
			for seed := uint64(1); seed <= 5; seed++ {
				r := simulate(t, z, test, seed)
				r.passes(t)
				compare(t, r, simulate(t, z, test, seed))
			}
		})
	}
}

// TestLinks: what the network does to programs is the same each time.
func TestLinks(t *testing.T) {
	z := start(t, build(t, "links"))
	for _, test := range []string{
		"TestBadLinks", "TestBandwidth", "TestStates", "TestPartition", "TestAddrs", "TestMulticast",
		"TestDNS", "TestDNSFaults",
	} {
		t.Run(test, func(t *testing.T) {
			for seed := uint64(1); seed <= 5; seed++ {
				r := simulate(t, z, test, seed)
				r.passes(t)
				compare(t, r, simulate(t, z, test, seed))
			}
		})
	}
}
