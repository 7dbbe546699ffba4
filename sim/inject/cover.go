package inject

import (
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

// checkCover refuses coverage of packages that are patched: the cover tool
// reads files where they lie and sees no overlay (cmd/cover of go1.26), so
// their patches would be lost and the program would not be simulated.
func (b *builder) checkCover() error {
	if b.Cover == nil {
		return nil
	}
	for _, pattern := range b.Cover.Packages {
		if pkg := b.patchedBy(pattern); pkg != "" {
			return fmt.Errorf("-coverpkg=%s takes in %s of the standard library, of which restep needs its own version: name your own packages, as in -coverpkg=./...",
				pattern, pkg)
		}
	}
	return nil
}

// patchedBy returns the first patched package that a pattern of import paths
// matches, "" for none. Forms of patterns: go help packages.
func (b *builder) patchedBy(pattern string) string {
	if strings.HasPrefix(pattern, ".") && pattern != "..." || filepath.IsAbs(pattern) {
		return "" // a folder
	}
	match := func(string) bool { return true }
	if pattern != "all" && pattern != "std" {
		text := strings.ReplaceAll(regexp.QuoteMeta(pattern), `\.\.\.`, ".*")
		if rest, ok := strings.CutSuffix(text, "/.*"); ok {
			text = rest + "(/.*)?"
		}
		match = regexp.MustCompile("^" + text + "$").MatchString
	}
	first := ""
	for file := range b.overlay.Replace {
		rel, err := filepath.Rel(b.goroot.src(""), file)
		if err != nil {
			continue
		}
		if pkg := path.Dir(filepath.ToSlash(rel)); match(pkg) && (first == "" || pkg < first) {
			first = pkg
		}
	}
	return first
}
