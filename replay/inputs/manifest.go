package inputs

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/restep/restep/sim/steplog"
)

// Version is the version of the encoding.
const Version = 1

// Bounds of a manifest.
const (
	maxFiles   = 20_000
	maxEncoded = 8 << 20 // bytes
	maxName    = 4 << 10 // bytes of a name
)

// Manifest is what a test binary and its runs depend on.
type Manifest struct {
	Format  int               `json:"format"`
	Build   string            `json:"build"` // build id
	Go      string            `json:"go"`    // "go1.26.8"
	Restep  string            `json:"restep"`
	Flags   []string          `json:"flags,omitempty"`   // of the build, as given to restep
	Modules map[string]string `json:"modules,omitempty"` // version by path, for modules that are not the user's own
	Sources map[string]string `json:"sources,omitempty"` // SHA-256 in hex, by module path and name
	Data    map[string]string `json:"data,omitempty"`    // the same for the files beside the tests and in testdata, here and above
	Partial bool              `json:"partial,omitempty"` // there were more files than a manifest holds
}

// Encode returns the manifest as JSON.
func (m *Manifest) Encode() ([]byte, error) {
	b, err := json.Marshal(m)
	if err == nil && len(b) > maxEncoded {
		err = errors.New("the list of the program's files is too long")
	}
	return b, err
}

// Decode reads what Encode wrote, or what a stranger did.
func Decode(b []byte) (*Manifest, error) {
	if len(b) > maxEncoded {
		return nil, fmt.Errorf("list of inputs: it is longer than %d bytes", maxEncoded)
	}
	m := &Manifest{}
	if err := json.Unmarshal(b, m); err != nil {
		return nil, fmt.Errorf("list of inputs: %w", err)
	}
	if m.Format != Version {
		return nil, fmt.Errorf("list of inputs: it has version %d, this restep reads version %d", m.Format, Version)
	}
	for _, list := range []map[string]string{m.Modules, m.Sources, m.Data} {
		if len(list) > maxFiles {
			return nil, fmt.Errorf("list of inputs: it names more than %d files", maxFiles)
		}
		for name, value := range list {
			if len(name) > maxName || len(value) > maxName || !utf8.ValidString(name) {
				return nil, errors.New("list of inputs: a name is too long")
			}
		}
	}
	return m, nil
}

// Changes says what is different now, one line each: files by name, modules and
// releases with both versions. It names what explains another binary; data is
// for ChangedData. Lines are raw text of foreign origin.
func Changes(then, now *Manifest) []string {
	var list []string
	if then.Go != now.Go {
		list = append(list, fmt.Sprintf("Go is %s now and was %s", now.Go, then.Go))
	}
	if then.Restep != now.Restep {
		list = append(list, fmt.Sprintf("restep is %s now and was %s", now.Restep, then.Restep))
	}
	if !slices.Equal(then.Flags, now.Flags) {
		list = append(list, fmt.Sprintf("the build flags are %s now and were %s", flagText(now.Flags), flagText(then.Flags)))
	}
	for _, name := range keys(then.Modules, now.Modules) {
		old, was := then.Modules[name]
		version, is := now.Modules[name]
		switch {
		case !is:
			list = append(list, "module "+name+" "+old+" is not used any more")
		case !was:
			list = append(list, "module "+name+" "+version+" is new")
		case old != version:
			list = append(list, fmt.Sprintf("module %s is %s now and was %s", name, version, old))
		}
	}
	return append(list, folded(changed(then.Sources, now.Sources, then.Partial || now.Partial))...)
}

// foldedFiles is how many files of one folder that came or went together are
// not worth a line each: a package is new.
const foldedFiles = 4

// folded writes changes, one line each, but for files of one folder.
func folded(all []change) (lines []string) {
	for len(all) > 0 {
		first, n := all[0], 1
		for n < len(all) && all[n].how == first.how && path.Dir(all[n].name) == path.Dir(first.name) {
			n++
		}
		if first.how == edited || n < foldedFiles {
			n = 1
			lines = append(lines, first.String())
		} else {
			lines = append(lines, fmt.Sprintf("%s and %d more files there: each %s", first.name, n-1, first.how))
		}
		all = all[n:]
	}
	return lines
}

func flagText(flags []string) string {
	if len(flags) == 0 {
		return "none"
	}
	return strings.Join(flags, " ")
}

// keys returns the names in either list, in order.
func keys(a, b map[string]string) []string {
	all := slices.Collect(maps.Keys(a))
	for name := range b {
		if _, ok := a[name]; !ok {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

// change is a file that is different now.
type change struct{ name, how string }

const edited = "was changed"

func (c change) String() string { return c.name + " " + c.how }

// changed names the files that differ. Of partial lists it says nothing about
// what one of them alone has.
func changed(then, now map[string]string, partial bool) []change {
	var list []change
	for _, name := range keys(then, now) {
		old, was := then[name]
		sum, is := now[name]
		switch {
		case was && is && old != sum:
			list = append(list, change{name, edited})
		case partial || old == sum:
		case !is:
			list = append(list, change{name, "is gone"})
		case !was:
			list = append(list, change{name, "is new"})
		}
	}
	return list
}

// ChangedData says which files beside the tests are different now, of those
// that the run shown by log looked at. A run that a changed file cannot have
// reached is the same run still.
func ChangedData(then, now *Manifest, log *steplog.Reader) []string {
	list := changed(then.Data, now.Data, then.Partial || now.Partial)
	if len(list) == 0 {
		return nil
	}
	var lines []string
	asked := paths(log)
	for _, c := range list {
		// A new or removed file shows in its folder.
		if asked[path.Base(c.name)] || c.how != edited && asked[path.Base(path.Dir(c.name))] {
			lines = append(lines, c.String())
		}
	}
	return lines
}

// paths returns the last elements of all paths that system calls of a run name.
func paths(log *steplog.Reader) map[string]bool {
	names := map[string]bool{}
	c := log.Cursor(steplog.Filter{Kinds: []steplog.Kind{steplog.KindSyscall}})
	for c.Next() {
		// The text reads `openat "testdata/in.txt" O_RDONLY`.
		rest := string(c.Step().Text)
		for {
			_, after, ok := strings.Cut(rest, `"`)
			if !ok {
				break
			}
			quoted, more, ok := strings.Cut(after, `"`)
			if !ok {
				break
			}
			names[path.Base(quoted)] = true
			rest = more
		}
	}
	return names
}
