package launch

import (
	"errors"
	"fmt"
	"math/bits"
	"strconv"
	"strings"

	"github.com/restep/restep/sim/sched"
)

// preemptNames are the values of -preempt, by [sched.Level].
var preemptNames = []string{sched.Points: "points", sched.Atomics: "atomics", sched.Calls: "calls", sched.Memory: "memory"}

// ParsePolicy reads the values of -sched and -preempt; "" stands for what runs
// have when nobody asks for another: random and points.
func ParsePolicy(strategy, preempt string) (sched.Policy, error) {
	p := sched.Policy{}
	switch name, numbers, _ := strings.Cut(strategy, ":"); name {
	case "", "random":
		if numbers != "" {
			return p, fmt.Errorf("-sched=%s: random takes no number", strategy)
		}
	case "pct":
		p.Strategy = sched.KindPCT
		if err := parsePCT(&p, numbers); err != nil {
			return p, fmt.Errorf("-sched=%s: %w", strategy, err)
		}
	default:
		return p, fmt.Errorf("-sched=%s: there is no such strategy; choose random or pct:3", strategy)
	}
	if preempt == "" {
		return p, nil
	}
	for level, name := range preemptNames {
		if name == preempt {
			p.Preempt = sched.Level(level)
			return p, nil
		}
	}
	return p, fmt.Errorf("-preempt=%s: choose from %s", preempt, strings.Join(preemptNames, ", "))
}

// parsePCT reads "3" or "3:4096": depth and length.
func parsePCT(p *sched.Policy, numbers string) error {
	depth, length, hasLength := strings.Cut(numbers, ":")
	d, err := strconv.ParseUint(depth, 10, 8)
	if err != nil || d < 1 || d > sched.MaxDepth {
		return fmt.Errorf("give the depth of the bug, from 1 to %d: pct:3", sched.MaxDepth)
	}
	p.Depth = uint8(d)
	if !hasLength {
		return nil
	}
	k, err := strconv.ParseUint(length, 10, 32)
	if err != nil || bits.OnesCount64(k) != 1 || k < 1<<sched.MinLength || k > 1<<sched.MaxLength {
		return errors.New("the length of a run is a power of two from 16 to 268435456, counted in preemption points: pct:3:4096")
	}
	p.Length = uint8(bits.TrailingZeros64(k))
	return nil
}

// PolicyFlags are the flags of restep that ask for a variant's policy; none for
// the one that runs have anyway.
func PolicyFlags(variant uint64) []string {
	p, ok := sched.PolicyOf(variant)
	if !ok {
		return nil
	}
	var flags []string
	if p.Strategy == sched.KindPCT {
		f := "-sched=pct:" + strconv.Itoa(int(p.Depth))
		if p.Length != 0 {
			f += ":" + strconv.FormatUint(1<<p.Length, 10)
		}
		flags = append(flags, f)
	}
	if p.Preempt != sched.Points {
		flags = append(flags, "-preempt="+preemptNames[p.Preempt])
	}
	return flags
}

// CheckVariant fails for a variant that this version of restep cannot run.
func CheckVariant(variant uint64) error {
	if _, ok := sched.PolicyOf(variant); !ok || variant&^sched.PolicyBits != 0 {
		return fmt.Errorf("variant %x needs a newer restep", variant)
	}
	return nil
}

// Instrumented reports whether a run of a variant needs a binary whose own
// packages are instrumented (inject.BuildConfig.Instrument).
func Instrumented(variant uint64) bool {
	p, _ := sched.PolicyOf(variant)
	return p.Preempt != sched.Points
}
