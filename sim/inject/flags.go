package inject

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// userFlags are the build flags of the user, from GOFLAGS and the command
// line, with those taken out that restep sets itself.
type userFlags struct {
	goflags []string // what remains of GOFLAGS
	flags   []string // what remains of the command line
	tags    []string
	overlay string // the last one, as go has it
}

// goflagsOrNone returns what to put into GOFLAGS. It is never empty, for go
// would then read what `go env -w` has stored.
func (u *userFlags) goflagsOrNone() []string {
	return append([]string{"-buildvcs=false"}, u.goflags...)
}

// GoFlags returns what the go command of a folder has in GOFLAGS, one flag
// each.
func GoFlags(ctx context.Context, dir string) ([]string, error) {
	cmd := exec.CommandContext(ctx, "go", "env", "GOFLAGS")
	cmd.Dir = dir
	out, err := output(cmd)
	if err != nil {
		return nil, fmt.Errorf("ask go for GOFLAGS: %w", err)
	}
	flags, err := SplitQuoted(string(out))
	if err != nil {
		return nil, fmt.Errorf("read GOFLAGS: %w", err)
	}
	return flags, nil
}

// refused are the flags a simulated build cannot have, with the reason.
var refused = map[string]string{
	"race":       "the race detector brings threads of its own",
	"msan":       "the memory sanitizer needs cgo",
	"asan":       "the address sanitizer needs cgo",
	"buildmode":  "only an ordinary executable can be simulated",
	"linkshared": "only an ordinary executable can be simulated",
	"compiler":   "only the gc compiler's runtime can be patched",
	"toolexec":   "restep brings its own linker by -toolexec",
}

// ours are the flags that restep sets, or that mean nothing to a build: they
// are dropped. The value says whether the flag takes a value.
var ours = map[string]bool{
	"vet": true, "o": true, "exec": true, "buildvcs": false, "trimpath": false, "c": false, "json": false, "work": false,
}

// splitFlags sorts the user's flags. It fails for those a simulation cannot
// have.
func splitFlags(goflags string, args, tags []string) (*userFlags, error) {
	fields, err := SplitQuoted(goflags)
	if err != nil {
		return nil, fmt.Errorf("read GOFLAGS: %w", err)
	}
	u := &userFlags{}
	if u.goflags, err = u.take(fields); err != nil {
		return nil, fmt.Errorf("GOFLAGS: %w", err)
	}
	if u.flags, err = u.take(args); err != nil {
		return nil, err
	}
	if len(tags) > 0 {
		u.tags = tags
	}
	return u, nil
}

// take handles the flags that are known here and returns the others. The last
// -tags and the last -overlay win.
func (u *userFlags) take(args []string) (rest []string, err error) {
	for i := 0; i < len(args); i++ {
		name, value, hasValue := strings.Cut(strings.TrimLeft(args[i], "-"), "=")
		if !strings.HasPrefix(args[i], "-") {
			rest = append(rest, args[i])
			continue
		}
		if why := refused[name]; why != "" {
			if value == "false" || value == "exe" || value == "default" || value == "gc" {
				continue
			}
			return nil, fmt.Errorf("-%s cannot be used with restep: %s; run plain go test for it", name, why)
		}
		if name == "tags" || name == "overlay" {
			if !hasValue && i+1 < len(args) {
				i++
				value = args[i]
			}
			if name == "overlay" {
				u.overlay = value
			} else {
				u.tags = strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' })
			}
			continue
		}
		takesValue, own := ours[name]
		switch {
		case !own:
			rest = append(rest, args[i])
		case takesValue && !hasValue:
			i++
		}
	}
	return rest, nil
}

// named returns the first of the flags left that has a name, "" for none.
func (u *userFlags) named(name string) string {
	for _, f := range slices.Concat(u.goflags, u.flags) {
		if n, _, _ := strings.Cut(strings.TrimLeft(f, "-"), "="); n == name && strings.HasPrefix(f, "-") {
			return f
		}
	}
	return ""
}

// SplitQuoted splits GOFLAGS as the go command does: at white space, with
// fields in single or double quotes and no escapes (go help environment).
func SplitQuoted(s string) ([]string, error) {
	var fields []string
	for {
		s = strings.TrimLeft(s, " \t\n\r")
		if s == "" {
			return fields, nil
		}
		if s[0] == '\'' || s[0] == '"' {
			end := strings.IndexByte(s[1:], s[0])
			if end < 0 {
				return nil, fmt.Errorf("unterminated %c", s[0])
			}
			fields = append(fields, s[1:1+end])
			s = s[end+2:]
			continue
		}
		end := strings.IndexAny(s, " \t\n\r")
		if end < 0 {
			end = len(s)
		}
		fields = append(fields, s[:end])
		s = s[end:]
	}
}

func joinQuoted(fields []string) string {
	quoted := make([]string, len(fields))
	for i, f := range fields {
		switch {
		case !strings.ContainsAny(f, " \t\n\r'\""):
		case !strings.Contains(f, "'"):
			f = "'" + f + "'"
		default:
			f = `"` + f + `"`
		}
		quoted[i] = f
	}
	return strings.Join(quoted, " ")
}

// mergeOverlay adds the user's own -overlay and extra replacements to ours and
// returns the file for the go command. Paths in the user's are relative to
// dir, as for go.
func mergeOverlay(g *Goroot, o *Overlay, user, dir string, extra map[string]string) (string, error) {
	merged := map[string]string{}
	for _, list := range []map[string]string{o.Replace, extra} {
		for from, to := range list {
			merged[from] = to
		}
	}
	if user == "" {
		if len(extra) == 0 {
			return o.File, nil
		}
		return storeReplace("overlay", merged)
	}
	if !filepath.IsAbs(user) {
		user = filepath.Join(dir, user)
	}
	data, err := os.ReadFile(user)
	if err != nil {
		return "", fmt.Errorf("read your -overlay: %w", err)
	}
	var list struct{ Replace map[string]string }
	if err := json.Unmarshal(data, &list); err != nil {
		return "", fmt.Errorf("read your -overlay %s: %w", user, err)
	}
	for from, to := range list.Replace {
		if !filepath.IsAbs(from) {
			from = filepath.Join(dir, from)
		}
		if to != "" && !filepath.IsAbs(to) {
			to = filepath.Join(dir, to)
		}
		from = g.underRoot(filepath.Clean(from))
		if _, both := merged[from]; both {
			return "", fmt.Errorf("your -overlay %s replaces %s, which restep patches: take it out", user, from)
		}
		merged[from] = to
	}
	return storeReplace("overlay", merged)
}
