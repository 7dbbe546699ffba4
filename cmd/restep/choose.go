//go:build linux && (amd64 || arm64)

package main

import (
	"math/rand"
	"strconv"
	"strings"
	"time"
)

const benchPrefix = "Benchmark"

func isBench(test string) bool { return strings.HasPrefix(test, benchPrefix) }

// only is the pattern with which the binary runs one test or benchmark.
func (c *testConfig) only(test string) string {
	if isBench(test) {
		return c.bench.only(test)
	}
	return c.run.only(test)
}

// again are the arguments that choose a test or benchmark once more.
func (c *testConfig) again(test string) []string {
	if isBench(test) {
		return []string{"-run", "^$", "-bench", c.bench.only(test)}
	}
	return []string{"-run", c.run.only(test)}
}

// choose returns what is to be run of all that a package has, in the order of
// go test: tests, fuzz targets and examples, then benchmarks. shuffled is the
// seed of that order, "" for the order of the source.
func (c *testConfig) choose(names []string) (chosen []string, shuffled string) {
	order, shuffled := c.order(names)
	var benches []string
	for _, name := range order {
		switch {
		case c.skip.skips(name):
		case !isBench(name) && c.run.selects(name):
			chosen = append(chosen, name)
		case isBench(name) && c.bench != nil && c.bench.selects(name):
			benches = append(benches, name)
		}
	}
	return append(chosen, benches...), shuffled
}

// order is -shuffle: the same number gives the order that go test gives
// (testing.(*M).Run), where tests and benchmarks are shuffled, and nothing else.
func (c *testConfig) order(names []string) (order []string, shuffled string) {
	if c.shuffle == "off" {
		return names, ""
	}
	n, err := strconv.ParseInt(c.shuffle, 10, 64) // checked with the flags
	if err != nil {
		n = time.Now().UnixNano()
	}
	var tests, benches, rest []string
	for _, name := range names {
		switch {
		case strings.HasPrefix(name, "Test"):
			tests = append(tests, name)
		case isBench(name):
			benches = append(benches, name)
		default:
			rest = append(rest, name)
		}
	}
	rng := rand.New(rand.NewSource(n))
	rng.Shuffle(len(tests), func(i, j int) { tests[i], tests[j] = tests[j], tests[i] })
	rng.Shuffle(len(benches), func(i, j int) { benches[i], benches[j] = benches[j], benches[i] })
	return append(append(tests, rest...), benches...), strconv.FormatInt(n, 10)
}

// describeTests is "2 tests, 1 benchmark".
func describeTests(tests []string) string {
	benches := 0
	for _, name := range tests {
		if isBench(name) {
			benches++
		}
	}
	switch {
	case benches == 0:
		return plural(len(tests), "test")
	case benches == len(tests):
		return plural(benches, "benchmark")
	}
	return plural(len(tests)-benches, "test") + ", " + plural(benches, "benchmark")
}
