package source

import (
	"go/build/constraint"
	"runtime"
	"slices"
	"strings"
)

// Constraint returns the //go:build line of a file, "" if there is none, and
// the tags that it wants set and that only a user can set.
func Constraint(content string) (line string, tags []string) {
	for text := range strings.Lines(content) {
		text = strings.TrimSpace(text)
		if constraint.IsGoBuild(text) {
			line = text
			break
		}
		if text != "" && !strings.HasPrefix(text, "//") {
			return "", nil // go help buildconstraint: only before the package clause
		}
	}
	expr, err := constraint.Parse(line)
	if err != nil {
		return line, nil
	}
	wanted(expr, true, func(tag string) {
		if !slices.Contains(tags, tag) && tag != runtime.GOOS && tag != runtime.GOARCH && tag != "unix" && tag != "restep" && !strings.HasPrefix(tag, "go1.") {
			tags = append(tags, tag)
		}
	})
	return line, tags
}

// wanted walks over the tags that must be set for an expression to hold, as
// far as that can be said of each alone: of alternatives the first is taken.
func wanted(expr constraint.Expr, want bool, yield func(tag string)) {
	switch e := expr.(type) {
	case *constraint.TagExpr:
		if want {
			yield(e.Tag)
		}
	case *constraint.NotExpr:
		wanted(e.X, !want, yield)
	case *constraint.AndExpr:
		wanted(e.X, want, yield)
		if want {
			wanted(e.Y, want, yield)
		}
	case *constraint.OrExpr:
		wanted(e.X, want, yield)
		if !want {
			wanted(e.Y, want, yield)
		}
	}
}
