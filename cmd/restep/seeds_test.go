package main

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

func TestParseSeeds(t *testing.T) {
	for _, test := range []struct {
		in, want, err string
	}{
		{"1", "[1] seed 1", ""},
		{"1,2,5-10", "[1 2 5 6 7 8 9 10] 8 seeds", ""},
		{"3,1", "[3 1] 2 seeds", ""},
		{"0-0", "[0] seed 0", ""},
		{"18446744073709551614-18446744073709551615", "[18446744073709551614 18446744073709551615] 2 seeds", ""},
		{"", "", "there is a seed missing at character 1"},
		{"1,,2", "", "there is a seed missing at character 3"},
		{"1,2-", "", "there is a seed missing at character 5"},
		{"10,-1", "", "there is a seed missing at character 4"},
		{"1,a-3", "", `"a" at character 3 is not a seed`},
		{"1 ,2", "", `"1 " at character 1 is not a seed`},
		{"+1", "", `"+1" at character 1 is not a seed`},
		{"1-2-3", "", `"2-3" at character 3 is not a seed`},
		{"3,1..100", "", `"1..100" at character 3 is not a seed; a range is 1-100`},
		{"1..x", "", `"1..x" at character 1 is not a seed`},
		{"7-5", "", "7-5 at character 1 ends before it begins; write 5-7"},
		{"1,18446744073709551616", "", "18446744073709551616 at character 3 is too large; the largest seed is 18446744073709551615"},
	} {
		set, err := parseSeeds(test.in)
		if err != nil {
			if err.Error() != test.err {
				t.Errorf("%q: %v, want %s", test.in, err, test.err)
			}
			continue
		}
		if got := fmt.Sprint(slices.Collect(set.all())) + " " + set.describe(); got != test.want || test.err != "" {
			t.Errorf("%q: %s, want %s%s", test.in, got, test.want, test.err)
		}
	}
}

func TestSeedList(t *testing.T) {
	for _, test := range []struct {
		in, want string
	}{
		{"7", "7"},
		{"1-3,7,9-10", "1-3,7,9-10"},
		{"1,3,5,7-9,20-21", "1,3,5 and 5 more"},
	} {
		set, err := parseSeeds(test.in)
		if err != nil {
			t.Fatal(err)
		}
		if got := set.list(3); got != test.want {
			t.Errorf("%s: %s, want %s", test.in, got, test.want)
		}
	}
}

func TestSeedCount(t *testing.T) {
	for _, test := range []struct {
		set  seedSet
		want uint64
	}{
		{seedSet{{0, math.MaxUint64}}, math.MaxUint64},
		{seedSet{{0, math.MaxUint64 - 1}, {1, 1}}, math.MaxUint64},
		{seedSet{{1, 100}, {7, 7}}, 101},
	} {
		if got := test.set.count(); got != test.want {
			t.Errorf("%v: %d, want %d", test.set, got, test.want)
		}
	}
	n := 0
	for range (seedSet{{0, math.MaxUint64}}).all() {
		if n++; n == 3 {
			break // a set is never held as a list
		}
	}
	if n != 3 {
		t.Error(n)
	}
}
