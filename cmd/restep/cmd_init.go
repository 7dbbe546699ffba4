package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/restep/restep/replay/text"
	"github.com/restep/restep/sim/inject"
)

const initHelp = `usage: restep init [--devcontainer]

Lets the module in this folder import ` + simPackage + `,
at the version of this restep. Where that version cannot be downloaded, or
would move other dependencies, the package is written below your cache and
go.mod points there; run init again when the cache was removed. No other line
of go.mod and no other version changes. A vendor folder gets the package too.

  --devcontainer   also write .devcontainer/devcontainer.json, unless there is
                   one: a container in which simulations run and can be
                   debugged
`

const simPackage = inject.SimModule + "/sim"

// initModule is the module that gets package sim.
type initModule struct {
	gomod  string // its go.mod
	dir    string
	work   string // go.work, "" outside of a workspace
	source string // where this binary keeps its package sim
}

// goModFile is what is needed of `go mod edit -json`.
type goModFile struct {
	Module  struct{ Path string }
	Go      string
	Require []struct{ Path, Version string }
	Replace []struct {
		Old, New struct{ Path, Version string }
	}
}

// requires reports a module of which the file wants some version.
func (f *goModFile) requires(path string) bool {
	for _, r := range f.Require {
		if r.Path == path {
			return true
		}
	}
	return false
}

// runInit is restep init.
func runInit(ctx context.Context, u *ui, args []string) int {
	flags := flag.NewFlagSet("restep init", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	container := flags.Bool("devcontainer", false, "")
	err := flags.Parse(args)
	if err == nil && flags.NArg() > 0 {
		err = fmt.Errorf("init does not take %s", quoteArg(flags.Arg(0)))
	}
	if err != nil {
		return u.fail(exitUsage, err.Error(), "restep help init explains the flags")
	}
	m, err := findInitModule(ctx)
	if err == nil {
		err = m.provide(ctx, u)
	}
	if ctx.Err() != nil {
		return u.fail(exitInterrupt, "interrupted")
	}
	if err != nil {
		return u.fail(exitFailed, err.Error())
	}
	if *container {
		root := m.dir
		if m.work != "" {
			root = filepath.Dir(m.work)
		}
		if err := writeDevcontainer(u, root); err != nil {
			return u.fail(exitFailed, "write the dev container: "+err.Error())
		}
	}
	return exitOK
}

// findInitModule asks go which module and workspace this folder is in.
func findInitModule(ctx context.Context) (*initModule, error) {
	out, err := goOutput(ctx, "", nil, "env", "-json", "GOMOD", "GOWORK")
	if err != nil {
		return nil, err
	}
	var env struct{ GOMOD, GOWORK string }
	if err := json.Unmarshal(out, &env); err != nil {
		return nil, fmt.Errorf("read the output of go env: %w", err)
	}
	m := &initModule{gomod: env.GOMOD, dir: filepath.Dir(env.GOMOD), work: env.GOWORK}
	if m.work == "off" {
		m.work = ""
	}
	if m.gomod != "" && m.gomod != os.DevNull {
		return m, nil
	}
	if m.work == "" {
		return nil, errors.New("there is no go.mod here or above; run go mod init NAME first")
	}
	list, err := goOutput(ctx, "", nil, "list", "-m", "-f", "{{.Dir}}")
	if err != nil {
		return nil, err
	}
	var dirs []string
	for dir := range strings.Lines(string(list)) {
		dirs = append(dirs, nearPath(strings.TrimSpace(dir)))
	}
	return nil, fmt.Errorf("this is a workspace; run restep init in the module whose tests shall import sim: %s", strings.Join(dirs, ", "))
}

// provide makes package sim importable and says how.
func (m *initModule) provide(ctx context.Context, u *ui) error {
	file, err := readGoMod(ctx, m.gomod)
	if err != nil {
		return err
	}
	if file.Module.Path == inject.SimModule || m.inWorkspace(ctx) {
		u.printf("package sim is in this checkout: nothing to add\n")
		return nil
	}
	if m.source, err = inject.StoreSim(); err != nil {
		return err
	}
	have, err := m.present(ctx, file)
	if err != nil {
		return err
	}
	if have != "" {
		u.printf("package sim can be imported already, from %s\n", text.Escape(have))
		return nil
	}
	undo, err := m.remember(ctx)
	if err != nil {
		return err
	}
	how, err := m.add(ctx, u, file)
	if err == nil {
		err = m.verify(ctx)
	}
	if err != nil {
		return errors.Join(err, undo())
	}
	u.printf("%s %s\nno other version was changed\n", text.Escape(nearPath(m.gomod)), escapeLines(how))
	if m.work != "" && isFile(filepath.Join(filepath.Dir(m.work), "vendor", "modules.txt")) {
		u.say("this workspace is vendored: when a test imports package sim, run go work vendor")
	}
	u.printf("import %q in a test, then run: restep test .\n", simPackage)
	return nil
}

// present returns where package sim is when nothing is to be done. It fails
// when what is there does not fit and is the user's own business.
func (m *initModule) present(ctx context.Context, file *goModFile) (dir string, err error) {
	dir, version, err := findSim(ctx, m.dir)
	if err != nil {
		return "", nil // there is none, or what go.mod names is gone
	}
	err = inject.CheckSim(dir, version)
	var api *inject.SimAPIError
	switch {
	case errors.As(err, &api) && version == "" && !m.ours(filepath.Dir(dir)):
		return "", api // it names the way
	case err != nil:
		return "", nil
	case m.work != "" && !file.requires(inject.SimModule):
		return "", nil // another module of the workspace has it; this one alone has not
	case m.vendored() && !isFile(filepath.Join(m.vendorDir(), "sim", "sim.go")):
		return "", nil
	}
	if m.ours(filepath.Dir(dir)) && filepath.Dir(dir) != m.source {
		return "", nil // an older copy of ours: bring it up to date
	}
	return dir, nil
}

// findSim asks go where package sim is for the module in a folder, and of which
// version, "" when a folder stands for it.
func findSim(ctx context.Context, moduleDir string) (dir, version string, err error) {
	const format = "{{.Dir}}\n{{with .Module}}{{if not .Replace}}{{.Version}}{{end}}{{end}}"
	out, err := goOutput(ctx, moduleDir, nil, "list", "-mod=readonly", "-find", "-f", format, simPackage)
	dir, version, _ = strings.Cut(strings.TrimSpace(string(out)), "\n")
	return dir, version, err
}

// ours reports a folder that some restep's StoreSim has made.
func (m *initModule) ours(dir string) bool { return filepath.Dir(dir) == filepath.Dir(m.source) }

// inWorkspace reports that a checkout of restep is a module of the workspace.
func (m *initModule) inWorkspace(ctx context.Context) bool {
	if m.work == "" {
		return false
	}
	out, err := goOutput(ctx, m.dir, nil, "list", "-m")
	for path := range strings.FieldsSeq(string(out)) {
		if err == nil && path == inject.SimModule {
			return true
		}
	}
	return false
}

// add changes go.mod, and vendor if there is one.
func (m *initModule) add(ctx context.Context, u *ui, file *goModFile) (how string, err error) {
	why := "this restep is no release"
	if v := version(); isRelease(v) {
		u.status("restep: looking for " + inject.SimModule + " " + v)
		why, err = m.addRelease(ctx, v)
		u.status("")
		if err != nil {
			return "", err
		}
		if why == "" {
			return "requires " + inject.SimModule + " " + v, m.addVendor(ctx)
		}
	}
	if err := m.addReplace(ctx, file); err != nil {
		return "", err
	}
	return "requires " + inject.SimModule + ", replaced by " + m.source +
		"\n  a folder of this computer, for " + why + ";\n  others run restep init, too", m.addVendor(ctx)
}

// addReplace points go.mod to the copy below the cache.
func (m *initModule) addReplace(ctx context.Context, file *goModFile) error {
	args := []string{"mod", "edit", "-dropreplace=" + inject.SimModule}
	for _, r := range file.Replace {
		if r.Old.Path == inject.SimModule && r.Old.Version != "" {
			args = append(args, "-dropreplace="+inject.SimModule+"@"+r.Old.Version)
		}
	}
	if !file.requires(inject.SimModule) {
		args = append(args, "-require="+inject.SimModule+"@v0.0.0")
	}
	_, err := goOutput(ctx, m.dir, nil, append(args, "-replace="+inject.SimModule+"="+m.source, m.gomod)...)
	if err != nil {
		return err
	}
	others, err := m.othersOfOurs(ctx)
	for _, gomod := range others {
		if err == nil {
			_, err = goOutput(ctx, m.dir, nil, "mod", "edit", "-replace="+inject.SimModule+"="+m.source, gomod)
		}
	}
	return err
}

// othersOfOurs returns the go.mod files of other modules of the workspace that
// point to an older copy: go wants all replacements of a workspace to agree.
func (m *initModule) othersOfOurs(ctx context.Context) (gomods []string, err error) {
	if m.work == "" {
		return nil, nil
	}
	out, err := goOutput(ctx, m.dir, nil, "work", "edit", "-json")
	if err != nil {
		return nil, err
	}
	var work struct{ Use []struct{ DiskPath string } }
	if err := json.Unmarshal(out, &work); err != nil {
		return nil, fmt.Errorf("read the output of go work edit: %w", err)
	}
	for _, use := range work.Use {
		dir := use.DiskPath
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(filepath.Dir(m.work), dir)
		}
		gomod := filepath.Join(dir, "go.mod")
		if gomod == m.gomod {
			continue
		}
		file, err := readGoMod(ctx, gomod)
		if err != nil {
			return nil, err
		}
		for _, r := range file.Replace {
			if r.Old.Path == inject.SimModule && m.ours(r.New.Path) {
				gomods = append(gomods, gomod)
			}
		}
	}
	return gomods, nil
}

// verify asks go whether the package is there now, and whether go.mod is as
// complete as go wants it. What is vendored may be nowhere else.
func (m *initModule) verify(ctx context.Context) error {
	mode, env := "-mod=readonly", []string(nil)
	if m.vendored() {
		mode, env = "-mod=vendor", []string{"GOWORK=off"}
	}
	_, err := goOutput(ctx, m.dir, env, "list", mode, "-find", simPackage)
	if err == nil && m.work != "" && m.vendored() {
		_, err = goOutput(ctx, m.dir, nil, "list", "-mod=readonly", "-find", simPackage)
	}
	if err != nil {
		return fmt.Errorf("go does not accept the change, so it was taken back: %w", err)
	}
	return nil
}

// remember returns a function that puts the files back that init changes.
func (m *initModule) remember(ctx context.Context) (undo func() error, err error) {
	type old struct {
		path string
		text []byte
	}
	var files []old
	names, err := m.othersOfOurs(ctx)
	if err != nil {
		return nil, err
	}
	names = append(names, m.gomod, filepath.Join(m.dir, "go.sum"), filepath.Join(m.dir, "vendor", "modules.txt"))
	_, noVendor := os.Stat(m.vendorDir())
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil && !os.IsNotExist(err) {
			return nil, err
		}
		files = append(files, old{name, text})
	}
	return func() (err error) {
		for _, f := range files {
			now, readErr := os.ReadFile(f.path)
			switch {
			case os.IsNotExist(readErr) && f.text == nil, readErr == nil && bytes.Equal(now, f.text):
			case f.text == nil:
				err = errors.Join(err, os.Remove(f.path))
			default:
				err = errors.Join(err, os.WriteFile(f.path, f.text, 0o644))
			}
		}
		if os.IsNotExist(noVendor) {
			err = errors.Join(err, os.RemoveAll(m.vendorDir()))
		}
		return err
	}, nil
}

func readGoMod(ctx context.Context, path string) (*goModFile, error) {
	out, err := goOutput(ctx, "", nil, "mod", "edit", "-json", path)
	if err != nil {
		return nil, err
	}
	file := new(goModFile)
	if err := json.Unmarshal(out, file); err != nil {
		return nil, fmt.Errorf("read the output of go mod edit: %w", err)
	}
	return file, nil
}

// goOutput runs the user's go command; an error reads as go printed it. env is
// added to the environment.
func goOutput(ctx context.Context, dir string, env []string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	if dir != "" {
		cmd.Env = append(cmd.Env, "PWD="+dir)
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = 5 * time.Second
	err := cmd.Run()
	if errors.Is(err, exec.ErrNotFound) {
		return nil, errors.New("there is no go command; install Go and put it into PATH")
	}
	if text := strings.TrimSpace(stderr.String()); err != nil && text != "" {
		return nil, errors.New(text)
	}
	if err != nil {
		return nil, fmt.Errorf("go %s: %w", args[0], err)
	}
	return stdout.Bytes(), nil
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
