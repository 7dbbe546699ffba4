package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/restep/restep/replay/archive"
	link "github.com/restep/restep/replay/moment"
	"github.com/restep/restep/replay/runs"
	"github.com/restep/restep/replay/text"
)

const exportHelp = `usage: restep export [flags] [TestX | file.steplog | link]

Writes a recorded run to one file: its step log, its result, and the hashes of
the files that it was made of; no source. Without an argument it is the newest
run that failed. On any system restep steps FILE.zip lists its steps, and
restep diff compares it; restep replay FILE.zip goes to the failing step in
the debugger, where the same module is.

  -o file.zip      where to write it (TestX-SEED.zip)
  -seed n          of the newest run with this seed
  -package path    of a test in this package (import path)

In a CI job, after restep test has failed: restep export -o run.zip
`

// runExport is restep export.
func runExport(_ context.Context, u *ui, args []string) int {
	var q runs.Query
	var out string
	flags := flag.NewFlagSet("restep export", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&out, "o", "", "")
	flags.StringVar(&q.Package, "package", "", "")
	flags.Func("seed", "", func(s string) error {
		n, err := strconv.ParseUint(s, 10, 64)
		q.Seed = &n
		return err
	})
	var rest []string
	for len(args) > 0 {
		if err := flags.Parse(args); err != nil {
			return u.fail(exitUsage, err.Error(), "restep help export explains the flags")
		}
		if args = flags.Args(); len(args) > 0 {
			rest, args = append(rest, args[0]), args[1:]
		}
	}
	switch {
	case len(rest) > 1:
		return u.fail(exitUsage, "one run at a time, not "+quoteArgs(rest))
	case out != "" && !archive.Is(out):
		return u.fail(exitUsage, "-o wants a name that ends in .zip, not "+quoteArg(out))
	}
	rec, step, err := exported(q, rest)
	if err != nil {
		var none *noRunError
		if errors.As(err, &none) {
			return u.fail(exitFailed, err.Error(), none.hint())
		}
		return u.fail(exitFailed, text.Escape(err.Error()))
	}
	defer rec.Close()
	m := momentOf(rec)
	if step != 0 {
		m.Step = step
	}
	if out == "" {
		out = exportName(m)
	}
	if err := writeArchive(out, rec, m); err != nil {
		return u.fail(exitFailed, text.Escape(err.Error()))
	}
	u.say(fmt.Sprintf("%s holds %s", text.Escape(out), describeArchive(rec)),
		"restep steps "+quoteArg(out)+" lists it, restep replay "+quoteArg(out)+" debugs it")
	return exitOK
}

// exported opens the run to write. step is the one to look at first, 0 for the
// one that shows the failure.
func exported(q runs.Query, rest []string) (rec *recording, step uint64, err error) {
	switch {
	case len(rest) == 0:
		q.Result = runs.Fail
		rec, err = openStored(q)
	case isLink(rest[0]):
		m, bad := link.Parse(rest[0])
		if bad != nil {
			return nil, 0, bad
		}
		step = m.Step
		rec, err = openStored(query(m))
	case isRunFile(rest[0]):
		rec, err = openFile(rest[0])
	default:
		q.Test = rest[0]
		rec, err = openStored(q)
	}
	if err != nil {
		return nil, 0, err
	}
	if p := rec.Problems(); len(p) > 0 {
		rec.Close()
		return nil, 0, fmt.Errorf("the step log is damaged: %w", p[0])
	}
	if step > rec.Steps() {
		rec.Close()
		return nil, 0, fmt.Errorf("there is no step %d: the log has steps 1 to %d", step, rec.Steps())
	}
	return rec, step, nil
}

// exportName is the name of an archive that nobody named.
func exportName(m link.Moment) string {
	name := []byte(m.Test)
	for i, c := range name {
		if !slices.Contains([]byte("_-."), c) && (c < '0' || c > 'z' || c > '9' && c < 'A' || c > 'Z' && c < 'a') {
			name[i] = '_'
		}
	}
	return string(name) + "-" + strconv.FormatUint(m.Seed, 10) + archive.Suffix
}

// writeArchive writes an archive, whole or not at all.
func writeArchive(path string, rec *recording, m link.Moment) error {
	a := &archive.Archive{Moment: m, Log: rec.Bytes(), Inputs: rec.inputs}
	if rec.archive != nil {
		a.Log = rec.archive.Log
	}
	if r := rec.result; r != nil {
		kept := *r
		kept.Log, kept.Inputs = "", "" // names in a store of this computer
		a.Info.Result = &kept
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".restep-*")
	var why *os.PathError
	if errors.As(err, &why) { // the name of the temporary file says nothing
		return fmt.Errorf("write %s: %w", path, why.Err)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer os.Remove(f.Name())
	err = errors.Join(f.Chmod(0o644), archive.Write(f, a), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
