package launch_test

import (
	"strings"
	"testing"

	"github.com/restep/restep/replay/launch"
	"github.com/restep/restep/sim/sched"
)

// FuzzPolicy: the values of -sched and -preempt are a policy or an error of one
// line, and the flags that repeat a run mean the same policy.
func FuzzPolicy(f *testing.F) {
	for _, s := range []string{"", "random", "pct:3", "pct:3:4096", "pct", "pct:0", "pct:255:16", "random:1", "pct:3:5", "pct:-1"} {
		for _, p := range []string{"", "points", "memory", "all"} {
			f.Add(s, p)
		}
	}
	f.Fuzz(func(t *testing.T, strategy, preempt string) {
		p, err := launch.ParsePolicy(strategy, preempt)
		if err != nil {
			return
		}
		var again [2]string
		for _, flag := range launch.PolicyFlags(p.Variant()) {
			name, value, _ := strings.Cut(flag, "=")
			switch name {
			case "-sched":
				again[0] = value
			case "-preempt":
				again[1] = value
			default:
				t.Fatalf("%q: flag %s", []string{strategy, preempt}, flag)
			}
		}
		q, err := launch.ParsePolicy(again[0], again[1])
		if err != nil || q.Variant() != p.Variant() {
			t.Fatalf("%q: %+v, then %q: %+v %v", []string{strategy, preempt}, p, again, q, err)
		}
	})
}

// FuzzVariant: any number from a log or a link stands for a policy that its
// flags name, or for none.
func FuzzVariant(f *testing.F) {
	for _, v := range []uint64{0, 1, 1 << 8, 1 << 56, 1<<64 - 1, sched.Policy{Strategy: sched.KindPCT, Depth: 3}.Variant()} {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, variant uint64) {
		p, ok := sched.PolicyOf(variant)
		if !ok {
			if flags := launch.PolicyFlags(variant); flags != nil {
				t.Fatalf("%x is no policy, but has flags %q", variant, flags)
			}
			return
		}
		if p.Variant() != variant&sched.PolicyBits {
			t.Fatalf("%x is %+v, which is %x", variant, p, p.Variant())
		}
	})
}
