package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/restep/restep/replay/archive"
	"github.com/restep/restep/replay/inputs"
	link "github.com/restep/restep/replay/moment"
	"github.com/restep/restep/replay/runs"
	"github.com/restep/restep/replay/text"
)

// recording is a run whose log is open.
type recording struct {
	*runs.Log
	src     text.Source
	result  *runs.Result     // line of the index; nil when it is not known
	archive *archive.Archive // where it comes from; nil unless it is one
	inputs  *inputs.Manifest // what it was made of; nil when it is not known
	stale   string           // why it may not be what the program does now
}

// isRunFile reports an argument that names a file with a run.
func isRunFile(arg string) bool { return strings.HasSuffix(arg, ".steplog") || archive.Is(arg) }

// isLink reports an argument that is a link to a step.
func isLink(arg string) bool {
	return strings.HasPrefix(arg, "restep:") || strings.HasPrefix(arg, "vscode:")
}

// openFile opens a step log or an archive of a run.
func openFile(path string) (*recording, error) {
	rec := &recording{}
	if archive.Is(path) {
		a, r, err := archive.Load(path)
		if err != nil {
			return nil, err
		}
		rec.Log, rec.archive, rec.result = &runs.Log{Reader: r}, a, a.Info.Result
		rec.inputs = a.Inputs
	} else {
		log, err := runs.Load(path)
		if err != nil {
			return nil, err
		}
		rec.Log = log
	}
	rec.src = source(rec.Log, findModule())
	return rec, nil
}

// errNoModule is returned where a store is needed and there is none.
var errNoModule = errors.New("there is no go.mod here or above")

// openStored opens the newest stored run that a query selects.
func openStored(q runs.Query) (*recording, error) {
	moduleDir := findModule()
	if moduleDir == "" {
		return nil, errNoModule
	}
	store, err := runs.OpenRead(moduleDir)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	q.NeedLog = true
	r, err := store.Find(q)
	if errors.Is(err, fs.ErrNotExist) {
		none := &noRunError{query: q}
		q.NeedLog = false
		_, err := store.Find(q)
		none.noLog = err == nil
		return nil, none
	}
	if err != nil {
		return nil, err
	}
	log, err := store.Load(r.Log)
	if err != nil {
		return nil, err
	}
	rec := &recording{Log: log, result: &r, src: source(log, moduleDir)}
	rec.stale = stale(store, &r, rec.src)
	if list, err := store.Inputs(r.Inputs); err == nil {
		rec.inputs, _ = inputs.Decode(list) // nil for a damaged one
	}
	return rec, nil
}

// query is a link as a query.
func query(m link.Moment) runs.Query {
	return runs.Query{Build: m.Build, Package: m.Package, Test: m.Test, Seed: &m.Seed, Variant: &m.Variant}
}

// noRunError says that the store has no log of a run.
type noRunError struct {
	query runs.Query
	noLog bool // the run is in the index
}

func (e *noRunError) Error() string {
	what := "no run"
	if e.query.Result == runs.Fail {
		what = "no run that failed"
	}
	if e.query.Test != "" {
		what += " of " + quoteArg(e.query.Test)
	}
	if e.query.Seed != nil {
		what += fmt.Sprintf(" with seed %d", *e.query.Seed)
	}
	switch {
	case e.noLog:
		return what + " has its log kept: it passed, and others were newer"
	case e.query.Build != "":
		return what + " and build " + e.query.Build + " is recorded"
	}
	return what + " is recorded"
}

// hint is the command that makes such a run.
func (e *noRunError) hint() string {
	words := []string{"restep", "test"}
	if e.query.Test != "" {
		words = append(words, "-run=^"+e.query.Test+"$")
	}
	if e.query.Seed != nil {
		words = append(words, fmt.Sprintf("-seed=%d", *e.query.Seed))
	}
	return quoteArgs(words) + " records one"
}

// describeArchive says what an archive holds.
func describeArchive(rec *recording) string {
	h := rec.Header()
	result, failure := "", ""
	if r := rec.result; r != nil {
		result = r.Result + ", "
		if r.Failure != nil {
			failure = fmt.Sprintf("\n  #%d: %s", r.Failure.Step, firstLine(r.Failure.Message))
		}
	}
	return fmt.Sprintf("%s of %s, seed %s: %s%s", text.Escape(h.Test), text.Escape(h.Package), seedPolicy(h.Seed, h.Variant),
		text.Escape(result), plural(rec.Steps(), "step")) + failure
}

// source says whose files a log names: the module's here if it is the same one.
func source(log *runs.Log, moduleDir string) text.Source {
	h := log.Header()
	src := text.Source{Module: h.Module, Package: h.Package}
	if moduleDir != "" && modulePath(moduleDir) == h.Module {
		src.ModuleDir = moduleDir
	}
	return src
}

// findModule returns the folder with go.mod, "" when there is none.
func findModule() string {
	dir, err := os.Getwd()
	if err != nil {
		return ""
	}
	for {
		if info, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil && !info.IsDir() {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return ""
		}
		dir = parent
	}
}

// modulePath reads the module's path from its go.mod.
func modulePath(dir string) string {
	b, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(b)) {
		line, _, _ = strings.Cut(line, "//")
		if f := strings.Fields(line); len(f) == 2 && f[0] == "module" {
			return strings.Trim(f[1], "\"`")
		}
	}
	return ""
}

// stale says why a run may not be what the program would do now.
func stale(store *runs.Store, r *runs.Result, src text.Source) string {
	if newest, err := store.Find(runs.Query{Package: r.Package}); err == nil && newest.Build != r.Build {
		return "this run is of an older build of " + text.Escape(r.Package)
	}
	rel, ok := strings.CutPrefix(r.Package, src.Module)
	if src.ModuleDir == "" || !ok || !filepath.IsLocal(filepath.FromSlash("."+rel)) {
		return ""
	}
	files, err := filepath.Glob(filepath.Join(src.ModuleDir, filepath.FromSlash(rel), "*.go"))
	if err != nil {
		return ""
	}
	for _, f := range files {
		if info, err := os.Stat(f); err == nil && info.ModTime().After(r.Time) {
			return text.Escape(nearPath(f)) + " was changed after this run"
		}
	}
	return ""
}

// momentOf is the step of a run to look at first: the one that shows why it
// failed; none is 0.
func momentOf(rec *recording) link.Moment {
	if rec.archive != nil {
		return rec.archive.Moment
	}
	h := rec.Header()
	m := link.Moment{Build: h.Build, Package: h.Package, Test: h.Test, Seed: h.Seed, Variant: h.Variant}
	if r := rec.result; r != nil && r.Failure != nil {
		m.Step = r.Failure.Step
	}
	return m
}
