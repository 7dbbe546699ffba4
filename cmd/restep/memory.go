//go:build linux && amd64

package main

import (
	"errors"
	"math/bits"
	"strconv"
	"strings"
)

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
		return n << u.shift, nil
	}
	return 0, errors.New("write a size as 512MiB or 2GiB, or 0 for no limit")
}
