package lsp

import (
	"strings"
	"unicode/utf8"

	"github.com/restep/restep/replay/text"
)

const (
	maxLabel = 40   // characters of a machine's name that are shown
	maxText  = 1000 // bytes of a message
)

// plain makes a program's text fit to be shown where no markup is understood:
// control and bidirectional characters become visible, newlines stay.
func plain(s string, limit int) string {
	if len(s) > limit {
		for limit > 0 && !utf8.RuneStart(s[limit]) {
			limit--
		}
		s = s[:limit] + "..."
	}
	lines := strings.Split(strings.TrimRight(s, "\n"), "\n")
	for i := range lines {
		lines[i] = text.Escape(strings.TrimSuffix(lines[i], "\r"))
	}
	return strings.Join(lines, "\n")
}

// label makes a program's text fit for a hint or a lens: one short line. VS
// Code takes $(name) in a lens for an icon.
func label(s string) string {
	s = text.Escape(s)
	if runes := []rune(s); len(runes) > maxLabel {
		s = string(runes[:maxLabel]) + "…"
	}
	return strings.ReplaceAll(s, "$(", "$ (")
}

// fenced puts text into a code block of markdown that nothing in it can end:
// the fence is longer than any in the text.
func fenced(s string) string {
	longest, run := 0, 0
	for _, r := range s {
		if r != '`' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	fence := strings.Repeat("`", max(3, longest+1))
	return fence + "text\n" + strings.TrimRight(s, "\n") + "\n" + fence + "\n"
}
