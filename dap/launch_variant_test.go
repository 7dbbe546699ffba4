package dap

import "testing"

// A launch says which policy it means as a link does; without it any recorded
// run of the seed will do.
func TestLaunchVariant(t *testing.T) {
	for _, c := range []struct {
		text string
		want uint64
	}{{"6000", 0x6000}, {"19", 0x19}, {"0", 0}} {
		a := launchArguments{Test: "TestX", Variant: c.text}
		spec, err := a.spec(t.TempDir())
		if err != nil || spec.Variant == nil || *spec.Variant != c.want {
			t.Errorf("%q: %v, %v", c.text, spec.Variant, err)
		}
	}
	if spec, err := (&launchArguments{Test: "TestX"}).spec(t.TempDir()); err != nil || spec.Variant != nil {
		t.Error(spec.Variant, err)
	}
	if _, err := (&launchArguments{Test: "TestX", Variant: "pct:3"}).spec(t.TempDir()); err == nil {
		t.Error("a strategy's name passes for a variant")
	}
}
