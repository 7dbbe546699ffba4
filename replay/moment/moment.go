// Package moment names a step of a run so that anyone with the source gets to
// the same place: the link that is printed, clicked and mailed.
//
// A moment is (build id, package, test, seed, variant, step). Its one textual
// form is a URI:
//
//	restep://v1/example.org/bank?test=TestTransfer&seed=37&step=412&build=9f86d081884c7d65
//
// The path is the import path of the package. variant, in hexadecimal, is the
// policy by which goroutines take turns (the low 16 bits, sched.Policy) and the
// hash of the overrides; it is left out when it is 0. The policy is there as it
// is, for a reader without the run's log must repeat the run; and it is no part
// of the build id, for one binary serves many policies. build, the
// build id that restep computed, may be left out too: the reader then builds
// for itself. vscode://restep.restep/v1/… is the same with another front.
//
// A moment deliberately carries no path, flag, environment or binary: opening
// one of unknown origin cannot say what is run beyond a test of the reader's
// own module.
//
// It may import the standard library only and must never know files, editors
// or debuggers.
package moment

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Moment is a place in a run.
type Moment struct {
	Build   string // build id, lower-case hexadecimal; "" = any
	Package string // import path
	Test    string // top-level test
	Seed    uint64
	Variant uint64 // policy and hash of the overrides, 0 = the usual policy and none
	Step    uint64 // from 1; 0 = the run as a whole
}

const (
	front   = "restep://v1/"
	vscode  = "vscode://restep.restep/v1/"
	maxText = 4096
)

// String returns the moment as a URI.
func (m Moment) String() string { return front + m.rest() }

// VSCode returns the moment as a URI that VS Code hands to the extension.
func (m Moment) VSCode() string { return vscode + m.rest() }

func (m Moment) rest() string {
	var b strings.Builder
	for i, part := range strings.Split(m.Package, "/") {
		if i > 0 {
			b.WriteByte('/')
		}
		b.WriteString(url.PathEscape(part))
	}
	fmt.Fprintf(&b, "?test=%s&seed=%d", url.QueryEscape(m.Test), m.Seed)
	if m.Step != 0 {
		fmt.Fprintf(&b, "&step=%d", m.Step)
	}
	if m.Variant != 0 {
		fmt.Fprintf(&b, "&variant=%x", m.Variant)
	}
	if m.Build != "" {
		fmt.Fprintf(&b, "&build=%s", url.QueryEscape(m.Build))
	}
	return b.String()
}

// Parse reads either form of the URI. Errors say which part is wrong.
func Parse(text string) (Moment, error) {
	m, err := parse(text)
	if err != nil {
		return Moment{}, fmt.Errorf("link to a step %q: %w", clip(text), err)
	}
	return m, nil
}

func clip(s string) string {
	if len(s) > 200 {
		return s[:200] + "..."
	}
	return s
}

func parse(text string) (m Moment, err error) {
	if len(text) > maxText {
		return m, fmt.Errorf("it is longer than %d bytes", maxText)
	}
	rest, ok := strings.CutPrefix(text, front)
	if !ok {
		if rest, ok = strings.CutPrefix(text, vscode); !ok {
			return m, errors.New("it does not start with " + front)
		}
	}
	path, query, _ := strings.Cut(rest, "?")
	if m.Package, err = url.PathUnescape(path); err != nil {
		return m, fmt.Errorf("package: %w", err)
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return m, err
	}
	for key, v := range values {
		if len(v) != 1 {
			return m, fmt.Errorf("%s is given %d times", key, len(v))
		}
		switch key {
		case "test":
			m.Test = v[0]
		case "seed":
			m.Seed, err = strconv.ParseUint(v[0], 10, 64)
		case "step":
			m.Step, err = strconv.ParseUint(v[0], 10, 64)
		case "variant":
			m.Variant, err = strconv.ParseUint(v[0], 16, 64)
		case "build":
			m.Build = v[0]
		default:
			return m, fmt.Errorf("unknown part %q", key)
		}
		if err != nil {
			return m, fmt.Errorf("%s: %w", key, err)
		}
	}
	return m, m.check()
}

// check bounds what a stranger may have written.
func (m Moment) check() error {
	switch {
	case m.Package == "" || strings.HasPrefix(m.Package, "/") || strings.HasPrefix(m.Package, "-") || !plain(m.Package, "/"):
		return fmt.Errorf("%q is no import path", m.Package)
	case m.Test == "" || strings.HasPrefix(m.Test, "-") || !plain(m.Test, ""):
		return fmt.Errorf("%q is no name of a test", m.Test)
	case strings.Trim(m.Build, "0123456789abcdef") != "":
		return fmt.Errorf("build id %q is not hexadecimal", m.Build)
	}
	for _, part := range strings.Split(m.Package, "/") {
		if part == "" || part == "." || part == ".." {
			return fmt.Errorf("%q is no import path", m.Package)
		}
	}
	return nil
}

// plain reports whether s is made of letters, digits and a few marks that
// occur in import paths and names of tests.
func plain(s, more string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		ok := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r > 0x7f && r != 0xfeff && r != utf8.RuneError ||
			strings.ContainsRune("_-.~+"+more, r)
		if !ok {
			return false
		}
	}
	return true
}
