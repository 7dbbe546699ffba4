//go:build linux && (amd64 || arm64)

package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/restep/restep/sim/inject"
)

// coverBlock is a stretch of code that is run as a whole, as a line of a
// coverage profile names it: "file:line.col,line.col statements count"
// (internal/coverage/cformat, EmitTextual).
type coverBlock struct {
	file                                   string
	fromLine, fromCol, toLine, toCol, size uint64
}

// coverage adds up the coverage profiles of many runs. The zero value is empty.
type coverage struct {
	mode   string // set, count or atomic; "" before the first profile
	blocks map[coverBlock]uint64
}

var errProfile = errors.New("the coverage profile is damaged")

// add adds the profile of one run, all of it or, with an error, nothing.
func (c *coverage) add(profile string) error {
	if !strings.HasSuffix(profile, "\n") {
		return fmt.Errorf("%w: it ends in the middle of a line", errProfile)
	}
	more := coverage{blocks: make(map[coverBlock]uint64, len(c.blocks))}
	number, file := 0, ""
	for line := range strings.Lines(profile) {
		line = strings.TrimSuffix(line, "\n")
		if number++; number == 1 {
			var ok bool
			if more.mode, ok = strings.CutPrefix(line, "mode: "); !ok {
				return fmt.Errorf("%w: it begins with %q", errProfile, line)
			}
			continue
		}
		block, count, ok := parseBlock(line, file)
		if !ok {
			return fmt.Errorf("%w: line %d is %q", errProfile, number, line)
		}
		file = block.file
		more.count(block, count)
	}
	return c.merge(&more)
}

// parseBlock reads one line. Most lines are of the same file as the one
// before: its name is then not stored again.
func parseBlock(line, lastFile string) (b coverBlock, count uint64, ok bool) {
	i := strings.LastIndexByte(line, ':')
	if i <= 0 {
		return b, 0, false
	}
	if b.file = lastFile; line[:i] != lastFile {
		b.file = strings.Clone(line[:i])
	}
	rest := line[i+1:]
	for n, to := range []*uint64{&b.fromLine, &b.fromCol, &b.toLine, &b.toCol, &b.size, &count} {
		word := rest
		if n < 5 {
			if word, rest, ok = strings.Cut(rest, ".,.  "[n:n+1]); !ok {
				return b, 0, false
			}
		}
		v, err := strconv.ParseUint(word, 10, 64)
		if err != nil {
			return b, 0, false
		}
		*to = v
	}
	return b, count, true
}

// count adds to one block: a sum, or in mode set whether it was run at all.
func (c *coverage) count(b coverBlock, n uint64) {
	if c.mode == "set" {
		c.blocks[b] = max(c.blocks[b], min(n, 1))
		return
	}
	c.blocks[b] += n
}

// merge adds what another one has added up.
func (c *coverage) merge(more *coverage) error {
	switch {
	case more.mode == "":
		return nil
	case c.mode == "":
		c.mode, c.blocks = more.mode, make(map[coverBlock]uint64, len(more.blocks))
	case c.mode != more.mode:
		return fmt.Errorf("%w: its mode is %s, others have %s", errProfile, more.mode, c.mode)
	}
	for b, n := range more.blocks {
		c.count(b, n)
	}
	return nil
}

// describe is the line that go test prints, "" when no run wrote a profile.
// packages are those of -coverpkg.
func (c *coverage) describe(packages []string) string {
	if c.mode == "" {
		return ""
	}
	var covered, all uint64
	for b, n := range c.blocks {
		all += b.size
		if n > 0 {
			covered += b.size
		}
	}
	if all == 0 {
		return "coverage: [no statements]"
	}
	text := fmt.Sprintf("coverage: %.1f%% of statements", 100*float64(covered)/float64(all))
	if len(packages) > 0 {
		text += " in " + strings.Join(packages, ", ")
	}
	return text
}

// write writes the profile, in the order of files and lines.
func (c *coverage) write(w io.Writer) error {
	out := bufio.NewWriter(w)
	_, _ = fmt.Fprintf(out, "mode: %s\n", c.mode)
	for _, b := range slices.SortedFunc(maps.Keys(c.blocks), compareBlocks) {
		_, _ = fmt.Fprintf(out, "%s:%d.%d,%d.%d %d %d\n", b.file, b.fromLine, b.fromCol, b.toLine, b.toCol, b.size, c.blocks[b])
	}
	return out.Flush() // has the first error
}

func compareBlocks(a, b coverBlock) int {
	return cmp.Or(strings.Compare(a.file, b.file), cmp.Compare(a.fromLine, b.fromLine), cmp.Compare(a.fromCol, b.fromCol),
		cmp.Compare(a.toLine, b.toLine), cmp.Compare(a.toCol, b.toCol), cmp.Compare(a.size, b.size))
}

// untestedCoverage is the coverage of a package without tests, nil when there
// is none. Plain go knows it: nothing runs, so nothing need be simulated.
func untestedCoverage(ctx context.Context, c *testConfig, p *goPackage) *coverage {
	if c.cover == nil {
		return nil
	}
	f, err := os.CreateTemp("", "restep-*.cover")
	if err != nil {
		return nil
	}
	defer os.Remove(f.Name())
	defer f.Close()
	args := []string{"test", "-coverprofile=" + f.Name(), "-covermode=" + c.cover.Mode,
		"-tags=" + strings.Join(append([]string{inject.BuildTag}, c.listTags...), ",")}
	if len(c.cover.Packages) > 0 {
		args = append(args, "-coverpkg="+strings.Join(c.cover.Packages, ","))
	}
	cmd := exec.CommandContext(ctx, "go", append(append(args, c.build...), p.ImportPath)...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	if cmd.Run() != nil {
		return nil // it does not build: go test says no more of it either
	}
	text, err := io.ReadAll(f)
	none := &coverage{}
	if err != nil || none.add(string(text)) != nil || len(none.blocks) == 0 {
		return nil
	}
	return none
}

// coverFile is the file of -coverprofile: emptied at the start, as go test
// does, and written at the end.
type coverFile struct {
	file  *os.File
	total coverage
}

// openCover opens the file of -coverprofile, nil if there is none.
func openCover(c *testConfig) (*coverFile, error) {
	if c.coverProfile == "" {
		return nil, nil
	}
	f, err := os.Create(c.coverProfile)
	if err != nil {
		return nil, fmt.Errorf("-coverprofile: %w", err)
	}
	return &coverFile{file: f, total: coverage{mode: c.cover.Mode, blocks: map[coverBlock]uint64{}}}, nil
}

func (f *coverFile) close() error {
	if f == nil {
		return nil
	}
	return errors.Join(f.total.write(f.file), f.file.Close())
}

// coverFlags are -cover and its kin as they were given.
type coverFlags struct {
	on                  bool
	mode, pkgs, profile string
	dir                 string // -outputdir, where profile is
}

func (v *coverFlags) define(fs *flag.FlagSet) {
	fs.BoolVar(&v.on, "cover", false, "")
	fs.StringVar(&v.mode, "covermode", "", "")
	fs.StringVar(&v.pkgs, "coverpkg", "", "")
	fs.StringVar(&v.profile, "coverprofile", "", "")
	fs.StringVar(&v.dir, "outputdir", "", "")
}

// finishCover checks them: each means -cover.
func (c *testConfig) finishCover(v *coverFlags) error {
	switch v.mode {
	case "", "set", "count", "atomic":
	default:
		return fmt.Errorf("-covermode=%s: choose from set, count, atomic", v.mode)
	}
	if !v.on && v.mode == "" && v.pkgs == "" && v.profile == "" {
		return nil
	}
	c.cover, c.coverProfile = &inject.Cover{Mode: cmp.Or(v.mode, "set")}, v.profile
	if v.dir != "" && v.profile != "" && !filepath.IsAbs(v.profile) {
		c.coverProfile = filepath.Join(v.dir, v.profile)
	}
	c.repeat = append(c.repeat, "-covermode="+c.cover.Mode)
	if v.pkgs != "" {
		c.cover.Packages = strings.Split(v.pkgs, ",")
		c.repeat = append(c.repeat, "-coverpkg="+v.pkgs)
	}
	return nil
}
