package main

import (
	"fmt"
	"regexp"
	"strings"
)

// pattern is a -run or -skip pattern: alternatives, each a list of regular
// expressions for the levels of sub-tests. Semantics: testing/match.go.
type pattern struct {
	alternatives [][]string
	top          []*regexp.Regexp // the first element of each alternative
}

// parsePattern reads the value of a flag. "" gives nil, which matches all.
func parsePattern(flag, s string) (*pattern, error) {
	if s == "" {
		return nil, nil
	}
	p := &pattern{}
	for _, alt := range splitTop(s, '|') {
		elems := splitTop(alt, '/')
		for i, e := range elems {
			re, err := regexp.Compile(strings.ReplaceAll(e, " ", "_"))
			if err != nil {
				return nil, fmt.Errorf("-%s: element %q of the pattern: %w", flag, e, err)
			}
			if i == 0 {
				p.top = append(p.top, re)
			}
		}
		p.alternatives = append(p.alternatives, elems)
	}
	return p, nil
}

// splitTop splits at a separator that is neither escaped nor within brackets
// or parentheses. The separators of both kinds do not nest in each other:
// splitting at '|' first is what package testing does.
func splitTop(s string, sep byte) (parts []string) {
	brackets, parens, start := 0, 0, 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\':
			i++
		case c == '[':
			brackets++
		case c == ']':
			brackets = max(0, brackets-1)
		case c == '(' && brackets == 0:
			parens++
		case c == ')' && brackets == 0:
			parens--
		case c == sep && brackets == 0 && parens == 0:
			parts = append(parts, s[start:i])
			start = i + 1
		}
	}
	return append(parts, s[start:])
}

// selects reports whether a test may run.
func (p *pattern) selects(test string) bool {
	if p == nil {
		return true
	}
	for _, re := range p.top {
		if re.MatchString(test) {
			return true
		}
	}
	return false
}

// skips reports whether a test as a whole is left out: an alternative with
// further elements is about its sub-tests.
func (p *pattern) skips(test string) bool {
	if p == nil {
		return false
	}
	for i, re := range p.top {
		if len(p.alternatives[i]) == 1 && re.MatchString(test) {
			return true
		}
	}
	return false
}

// only is the pattern that runs one test, with what p says about its sub-tests.
func (p *pattern) only(test string) string {
	whole := "^" + test + "$"
	if p == nil {
		return whole
	}
	var subs []string
	for i, re := range p.top {
		if !re.MatchString(test) {
			continue
		}
		rest := p.alternatives[i][1:]
		if len(rest) == 0 {
			return whole
		}
		subs = append(subs, whole+"/"+strings.Join(rest, "/"))
	}
	if len(subs) == 0 {
		return whole
	}
	return strings.Join(subs, "|")
}
