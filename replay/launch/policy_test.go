package launch

import (
	"slices"
	"strings"
	"testing"
)

// A policy comes back from the flags of its variant.
func TestPolicyFlags(t *testing.T) {
	for _, c := range []struct {
		sched, preempt string
		variant        uint64
		flags          []string
	}{
		{"", "", 0, nil},
		{"random", "points", 0, nil},
		{"", "atomics", 0x2000, []string{"-preempt=atomics"}},
		{"pct:3", "", 0x19, []string{"-sched=pct:3"}},
		{"pct:1:16", "calls", 0x4409, []string{"-sched=pct:1:16", "-preempt=calls"}},
		{"pct:31:268435456", "memory", 0x7cf9, []string{"-sched=pct:31:268435456", "-preempt=memory"}},
	} {
		p, err := ParsePolicy(c.sched, c.preempt)
		if err != nil {
			t.Errorf("%+v: %v", c, err)
			continue
		}
		if v := p.Variant(); v != c.variant {
			t.Errorf("%+v: variant %#x", c, v)
		}
		if got := PolicyFlags(c.variant); !slices.Equal(got, c.flags) {
			t.Errorf("%+v: flags %q", c, got)
		}
		if err := CheckVariant(c.variant); err != nil {
			t.Error(err)
		}
		if Instrumented(c.variant) != (c.variant>>13 != 0) {
			t.Errorf("%+v: instrumented %v", c, Instrumented(c.variant))
		}
	}
}

func TestBadPolicies(t *testing.T) {
	for _, c := range []struct{ sched, preempt, want string }{
		{"pos", "", "no such strategy"},
		{"random:3", "", "takes no number"},
		{"pct", "", "depth"},
		{"pct:0", "", "depth"},
		{"pct:32", "", "depth"},
		{"pct:3:", "", "power of two"},
		{"pct:3:1000", "", "power of two"},
		{"pct:3:8", "", "power of two"},
		{"", "everything", "points, atomics, calls, memory"},
	} {
		if _, err := ParsePolicy(c.sched, c.preempt); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	for _, v := range []uint64{1, 2, 0x8000, 0x18, 0x10000, 0x109} {
		if CheckVariant(v) == nil {
			t.Errorf("variant %#x passes", v)
		}
	}
}
