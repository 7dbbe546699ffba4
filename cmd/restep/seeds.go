package main

import (
	"fmt"
	"iter"
	"math"
	"strconv"
	"strings"
)

// seedRange is a run of seeds, both ends included.
type seedRange struct{ from, to uint64 }

// seedSet is a list of seeds in the order they were given.
type seedSet []seedRange

// parseSeeds reads "1,2,5-10". Errors say what is wrong and at which
// character, counted from 1.
func parseSeeds(s string) (seedSet, error) {
	var set seedSet
	at := 1
	for part := range strings.SplitSeq(s, ",") {
		from, to, isRange := strings.Cut(part, "-")
		a, err := parseSeed(from, at)
		b := a
		if err == nil && isRange {
			b, err = parseSeed(to, at+len(from)+1)
		}
		if err != nil {
			return nil, err
		}
		if b < a {
			return nil, fmt.Errorf("%s at character %d ends before it begins; write %d-%d", part, at, b, a)
		}
		set = append(set, seedRange{a, b})
		at += len(part) + 1
	}
	return set, nil
}

func parseSeed(s string, at int) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 64)
	if err == nil {
		return n, nil
	}
	switch {
	case s == "":
		return 0, fmt.Errorf("there is a seed missing at character %d", at)
	case strings.Trim(s, "0123456789") == "":
		return 0, fmt.Errorf("%s at character %d is too large; the largest seed is %d", s, at, uint64(math.MaxUint64))
	}
	if from, to, dots := strings.Cut(s, ".."); dots && strings.Trim(from+to, "0123456789") == "" {
		return 0, fmt.Errorf("%q at character %d is not a seed; a range is %s-%s", s, at, from, to)
	}
	return 0, fmt.Errorf("%q at character %d is not a seed", s, at)
}

// count is the number of seeds; it stops at the largest uint64.
func (set seedSet) count() uint64 {
	var n uint64
	for _, r := range set {
		more := r.to - r.from
		if more == math.MaxUint64 || n+more+1 < n {
			return math.MaxUint64
		}
		n += more + 1
	}
	return n
}

// all yields the seeds in order.
func (set seedSet) all() iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		for _, r := range set {
			for seed := r.from; ; seed++ {
				if !yield(seed) {
					return
				}
				if seed == r.to {
					break
				}
			}
		}
	}
}

// describe is "seed 7" for a single seed, else "100 seeds".
func (set seedSet) describe() string {
	if n := set.count(); n != 1 {
		return plural(n, "seed")
	}
	return fmt.Sprintf("seed %d", set[0].from)
}

// list writes a set as -seeds takes it, up to a number of ranges, and how many
// more seeds there are.
func (set seedSet) list(most int) string {
	var words []string
	for _, s := range set[:min(most, len(set))] {
		word := strconv.FormatUint(s.from, 10)
		if s.to != s.from {
			word += "-" + strconv.FormatUint(s.to, 10)
		}
		words = append(words, word)
	}
	text := strings.Join(words, ",")
	if len(set) > most {
		text += fmt.Sprintf(" and %d more", set[most:].count())
	}
	return text
}
