//go:build linux && (amd64 || arm64)

package main

import (
	"errors"
	"math/bits"
	"strconv"
	"strings"
)

// minMemory is what a simulation needs before a test is run, in bytes.
const minMemory = 64 << 20

// units of a size, by their suffix.
var units = []struct {
	suffix string
	shift  uint
}{{"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"TiB", 40}, {"B", 0}, {"", 0}}

// parseSize reads "512MiB" or a number of bytes.
func parseSize(s string) (uint64, error) {
	for _, u := range units {
		digits, ok := strings.CutSuffix(s, u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(digits, 10, 64)
		if err != nil || bits.Len64(n)+int(u.shift) > 63 {
			break
		}
		if n <<= u.shift; n != 0 && n < minMemory {
			return 0, errors.New("a simulation needs at least 64MiB; 0 is no limit")
		}
		return n, nil
	}
	return 0, errors.New("write a size as 512MiB or 2GiB, or 0 for no limit")
}
