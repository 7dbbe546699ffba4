package source

import (
	"strings"
	"testing"
)

func TestConstraint(t *testing.T) {
	for _, c := range []struct{ content, line, tags string }{
		{"package m\n", "", ""},
		{"//go:build integration\n\npackage m\n", "//go:build integration", "integration"},
		{"// text\n\n//go:build a && (b || c) && !d && !(!e || f)\n\npackage m", "//go:build a && (b || c) && !d && !(!e || f)", "a b e"},
		{"//go:build !restep\npackage m", "//go:build !restep", ""},
		{"//go:build go1.99 && x\r\n\r\npackage m", "//go:build go1.99 && x", "x"},
		{"//go:build (\npackage m", "//go:build (", ""},
		{"package m\n\n//go:build late\n", "", ""},
		{"/* block */\n//go:build late\n", "", ""},
	} {
		line, tags := Constraint(c.content)
		if line != c.line || strings.Join(tags, " ") != c.tags {
			t.Errorf("%q: %q, %q, want %q, %q", c.content, line, tags, c.line, c.tags)
		}
	}
}
