package inject

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// ErrNoTests is returned by Build for a package that has no test files.
var ErrNoTests = errors.New("no test files")

// BuildTag is set in every build of a program under test.
const BuildTag = "restep"

// zones is the tag by which package time carries the time zone database of the
// Go release: a simulated machine has no /usr/share/zoneinfo, and the host's
// differs from one to the next.
const zones = "timetzdata"

// BuildConfig says what to build. The zero value builds the tests of the
// package in the working directory.
type BuildConfig struct {
	Dir        string       // where the go command runs; "" is the working directory
	Package    string       // one package, as on go's command line; "" is "."
	Tags       []string     // build tags besides BuildTag; they replace those of GOFLAGS
	BuildFlags []string     // further flags of `go build`, "-mod=vendor"
	Env        []string     // environment of the go command; nil is the process's own
	Cover      *Cover       // coverage, if wanted
	Vet        *Vet         // go vet, if wanted; what it finds is an error of the build
	Instrument bool         // runs may be preempted at accesses, calls and atomics of the user's modules
	Progress   func(string) // is told what takes long; what is done but once says so; may be nil
	// Patch changes the generated files, by path below GOROOT/src. It is for
	// tests that need a simulator with a fault; nil changes nothing.
	Patch func(files map[string]string)
}

// Cover asks for coverage counters, as the flags of `go test` do.
type Cover struct {
	Mode     string   // -covermode: "set", "count", "atomic"; "" is go's choice
	Packages []string // -coverpkg; nil is the package itself
}

// Binary is a test binary that runs as a simulation.
type Binary struct {
	Path       string // in the user's cache; its content never changes
	LayoutPath string // the encoded Layout, beside it
	BuildID    string // first 16 bytes, in hex, of the SHA-256 of the file
	ImportPath string // of the package under test
	ModulePath string
	ModuleDir  string
	PackageDir string
	GoVersion  string // "go1.26.8"
	GOARCH     string // "amd64", "arm64"; "" is this computer's
	Goroot     string // what GOROOT stood for in the build
	OverlayDir string // patched and added files, by path below GOROOT/src
	// Instrumented says that BuildConfig.Instrument was set.
	Instrumented bool
	Layout       *Layout
}

// Here reports whether the binary is for the CPU of this computer; another needs
// an emulator, and no debugger can hold it.
func (b *Binary) Here() bool { return b.GOARCH == "" || b.GOARCH == runtime.GOARCH }

// builder is one call of Build.
type builder struct {
	BuildConfig
	goroot  *Goroot
	overlay *Overlay
	flags   *userFlags
	linker  string
	modules []string // import paths of the user's own modules
	file    string   // -overlay for the go command
	// plainFile is the same for a build of the program as it is, "" for none.
	plainFile string
	askSim    bool // the module says which package sim it uses

	programs    []*program
	packageDir  string // of the package under test, and
	linkPackage string // the package of its file that names programs
	withoutFile string // -overlay without programs

	generate func(*Goroot) (*Overlay, error) // Generate, but in tests
}

// Build compiles the test binary of a package for simulation, with the user's
// Go installation. The binary is up to date with the files as they were at
// some time during the call. An error of the go command is a *ToolError, which
// reads exactly as go printed it.
func Build(ctx context.Context, cfg BuildConfig) (*Binary, error) {
	b := &builder{BuildConfig: cfg, generate: Generate}
	if cfg.Patch != nil {
		b.generate = func(g *Goroot) (*Overlay, error) { return generatePatched(g, cfg.Patch) }
	}
	return b.build(ctx)
}

func (b *builder) build(ctx context.Context) (*Binary, error) {
	if err := b.prepare(ctx); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type listed struct {
		pkg, sim *listedPackage
		err      error
	}
	vetted := make(chan error, 1)
	go func() {
		if b.Vet == nil {
			vetted <- nil
			return
		}
		vetted <- b.vet(ctx)
	}()
	list := make(chan listed, 1)
	go func() {
		pkg, sim, err := b.list(ctx)
		list <- listed{pkg, sim, err}
	}()
	path, err := b.compile(ctx)
	if err != nil {
		if mentionsSim(err) {
			if err := b.checkSim((<-list).sim); err != nil {
				return nil, err
			}
		}
		return nil, b.explain(ctx, err)
	}
	l := <-list
	if l.err != nil {
		return nil, l.err
	}
	if err := b.checkLinkedSim(path, l.sim); err != nil {
		return nil, err
	}
	select {
	case err = <-vetted:
	default:
		b.Progress("running go vet on " + b.Package)
		err = <-vetted
	}
	if err != nil {
		return nil, err
	}
	return b.finish(ctx, path, l.pkg)
}

// prepare finds the installation and makes the overlay and the linker.
func (b *builder) prepare(ctx context.Context) error {
	dir, err := filepath.Abs(b.Dir)
	if err != nil {
		return err
	}
	b.Dir = dir
	if b.Package == "" {
		b.Package = "."
	}
	if b.Progress == nil {
		b.Progress = func(string) {}
	}
	if b.goroot, err = FindGoroot(ctx, b.Dir, b.Env); err != nil {
		return err
	}
	if b.flags, err = splitFlags(b.goroot.goEnv.GOFLAGS, b.BuildFlags, b.Tags); err != nil {
		return err
	}
	if f := b.flags.named("gcflags"); f != "" && b.Instrument {
		return fmt.Errorf("%s cannot be used together with -preempt, which has compiler flags of its own: leave one of them out", f)
	}
	if b.modules, err = b.mainModules(ctx); err != nil {
		return err
	}
	if b.overlay, err = b.generate(b.goroot); err != nil {
		return err
	}
	if err := b.checkCover(); err != nil {
		return err
	}
	if err := b.mergeOverlays(ctx); err != nil {
		return err
	}
	b.linker, err = buildLinker(ctx, b.goroot, b.Progress)
	return err
}

// mergeOverlays adds the user's own -overlay to ours, and a go.mod where
// package sim would be missing.
func (b *builder) mergeOverlays(ctx context.Context) error {
	extra := map[string]string{}
	b.askSim = true
	if e := b.goroot.goEnv; e.GOMOD != "" && e.GOMOD != os.DevNull && (e.GOWORK == "" || e.GOWORK == "off") {
		gomod, err := b.provideSim(ctx) // clears askSim where go would have to search
		if err != nil {
			return err
		}
		if gomod != "" {
			extra[e.GOMOD] = gomod
		}
	}
	var err error
	if b.Vet != nil {
		if b.plainFile, err = mergeOverlay(b.goroot, &Overlay{}, b.flags.overlay, b.Dir, extra); err != nil {
			return err
		}
	}
	if b.file, err = mergeOverlay(b.goroot, b.overlay, b.flags.overlay, b.Dir, extra); err != nil {
		return err
	}
	b.withoutFile = b.file
	if err := b.addPrograms(ctx, extra); err != nil || len(b.programs) == 0 {
		return err
	}
	b.file, err = mergeOverlay(b.goroot, b.overlay, b.flags.overlay, b.Dir, extra)
	return err
}

// mainModules returns the import paths of the modules that are the user's own.
func (b *builder) mainModules(ctx context.Context) ([]string, error) {
	e := b.goroot.goEnv
	if e.GOWORK != "" && e.GOWORK != "off" {
		out, err := b.run(ctx, "list", "-m")
		if err != nil {
			return nil, err
		}
		return strings.Fields(string(out)), nil
	}
	if e.GOMOD == "" || e.GOMOD == os.DevNull {
		return nil, fmt.Errorf("no go.mod in %s or above: run go mod init there first", b.Dir)
	}
	text, err := os.ReadFile(e.GOMOD)
	if err != nil {
		return nil, fmt.Errorf("read the module's name: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "//")
		if f := strings.Fields(line); len(f) == 2 && f[0] == "module" {
			return []string{strings.Trim(f[1], "\"`")}, nil
		}
	}
	return nil, fmt.Errorf("%s has no module line: run go mod edit -module=NAME", e.GOMOD)
}

// run runs a go command with the user's environment and what is left of his
// flags in GOFLAGS.
func (b *builder) run(ctx context.Context, args ...string) ([]byte, error) {
	return output(b.command(ctx, args...))
}

func (b *builder) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := b.goroot.command(ctx, b.Dir, b.Env, args...)
	cmd.Env = append(cmd.Env, "GOFLAGS="+joinQuoted(b.flags.goflagsOrNone()))
	return cmd
}

func (b *builder) tagsFlag() string {
	return "-tags=" + strings.Join(append([]string{BuildTag}, b.flags.tags...), ",")
}

// Std is the module path of a binary of the standard library's own tests. The
// import paths of that module's packages do not start with it.
const Std = "std"

// listedPackage is what is needed of `go list -json`.
type listedPackage struct {
	ImportPath string
	Dir        string
	Standard   bool
	Module     *struct {
		Path, Dir, Version string
		Replace            *struct{ Path string }
	}
}

// list describes the package, and package sim where the module may have one of
// its own choice, else nil.
func (b *builder) list(ctx context.Context) (pkg, sim *listedPackage, err error) {
	args := []string{"list", "-json=ImportPath,Dir,Standard,Module", b.tagsFlag(), "-overlay=" + b.file}
	args = append(args, b.flags.flags...)
	if b.askSim {
		args = append(args, "-e", b.Package, simPackage)
	} else {
		args = append(args, b.Package)
	}
	out, err := b.run(ctx, args...)
	if err != nil {
		return nil, nil, err
	}
	var all []*listedPackage
	for dec := json.NewDecoder(strings.NewReader(string(out))); dec.More(); {
		p := new(listedPackage)
		if err := dec.Decode(p); err != nil {
			return nil, nil, fmt.Errorf("read the output of go list: %w", err)
		}
		all = append(all, p)
	}
	if n := len(all) - 1; b.askSim && n >= 0 && all[n].ImportPath == simPackage {
		if sim = all[n]; n > 0 { // else it is the package itself
			all = all[:n]
		}
	}
	switch len(all) {
	case 0:
		return nil, sim, fmt.Errorf("%s is no package", b.Package)
	case 1:
		return all[0], sim, nil
	}
	return nil, sim, fmt.Errorf("%s is more than one package: build them one by one", b.Package)
}

// instrument lets the compiler call the runtime at each start of a function and
// at each access to memory that may be shared, and treat the functions of
// sync/atomic as functions. That is the compiler's share of the race detector;
// what it calls is in restep_access.go.
const instrument = " -race"

// compile runs `go test -c`. Its output has a place of its own for each
// configuration, so that go sees when there is nothing to link.
func (b *builder) compile(ctx context.Context) (string, error) {
	args := []string{"test", "-c", "-vet=off", "-trimpath", "-overlay=" + b.file, "-toolexec=" + quoteArg(b.linker), b.tagsFlag() + "," + zones}
	gcflags := "-N -l"
	if b.Instrument {
		gcflags += instrument
	}
	for _, m := range b.modules {
		args = append(args, "-gcflags="+m+"/...="+gcflags)
	}
	if b.Cover != nil {
		args = append(args, b.Cover.flags()...)
	}
	args = append(args, b.flags.flags...)
	key := append([]string{b.Dir, b.goroot.Root, b.goroot.goEnv.GOARCH, b.overlay.Key, b.Package}, args...)
	dir, err := cacheDir("out", shortHash(append(key, b.flags.goflags...)...))
	if err != nil {
		return "", err
	}
	unlock, err := lockDir(dir)
	if err != nil {
		return "", err
	}
	defer unlock()
	name := filepath.Base(filepath.Join(b.Dir, b.Package)) + ".test"
	path := filepath.Join(dir, name)
	if err := markUsed(dir); err != nil {
		return "", err
	}
	out, err := b.compiled(ctx, append(args, "-o", path, b.Package))
	if err != nil {
		return "", err
	}
	if strings.Contains(string(out), "[no test files]") {
		return "", fmt.Errorf("%s: %w", b.Package, ErrNoTests)
	}
	return keepBinary(path)
}

// compiled runs the go command that compiles the package, and with it the
// standard library, unless go has that in its cache from a build before: that
// takes a while, so it says how far it is.
func (b *builder) compiled(ctx context.Context, args []string) ([]byte, error) {
	dir, err := cacheDir("library", shortHash(b.overlay.Key, b.goroot.Root, b.goroot.goEnv.GOARCH, b.goroot.goEnv.GOCACHE))
	if err != nil {
		return nil, err
	}
	done := filepath.Join(dir, "compiled")
	if _, err := os.Lstat(done); err == nil {
		b.Progress("compiling " + b.Package)
		if err := markUsed(dir); err != nil {
			return nil, err
		}
		return b.run(ctx, args...)
	}
	c := &counter{tell: b.Progress, what: "compiling the standard library, once, and " + b.Package}
	b.Progress(c.what)
	list := append([]string{"list", "-e", "-deps", "-test", "-overlay=" + b.file, b.tagsFlag() + "," + zones}, b.flags.flags...)
	all, err := b.run(ctx, append(list, b.Package)...)
	if err != nil {
		all = nil // it is not for us to say what is wrong
	}
	out, err := counted(ctx, c, all, func(flags ...string) *exec.Cmd {
		return b.command(ctx, slices.Concat(args[:2], flags, args[2:])...)
	})
	if err != nil {
		return nil, err
	}
	return out, storeFile(done, nil)
}

func quoteArg(arg string) string { return joinQuoted([]string{arg}) }

func (c *Cover) flags() []string {
	flags := []string{"-cover"}
	if c.Mode != "" {
		flags = append(flags, "-covermode="+c.Mode)
	}
	if len(c.Packages) > 0 {
		flags = append(flags, "-coverpkg="+strings.Join(c.Packages, ","))
	}
	return flags
}

// keepBinary gives a finished binary a second name that holds its content's
// hash, so that a later build does not change it under a run. Call it with
// the lock of its directory. What is there already is not believed: unless it
// is the very same file it takes the new one's place.
func keepBinary(path string) (string, error) {
	id, err := buildID(path)
	if err != nil {
		return "", err
	}
	dir, err := cacheDir("bin", id)
	if err != nil {
		return "", err
	}
	kept := filepath.Join(dir, filepath.Base(path))
	err = os.Link(path, kept)
	if errors.Is(err, os.ErrExist) {
		err = replaceOther(path, kept)
	}
	if err == nil {
		err = markUsed(dir)
	}
	if err != nil {
		return "", fmt.Errorf("keep the binary: %w", err)
	}
	return kept, trimCache()
}

// replaceOther makes kept another name of path, unless its content is the same:
// a run may have been started from it.
func replaceOther(path, kept string) error {
	a, err := os.Stat(path)
	if err != nil {
		return err
	}
	b, err := os.Lstat(kept)
	if err != nil {
		return err
	}
	if os.SameFile(a, b) {
		return nil
	}
	if id, err := buildID(kept); err == nil && b.Mode().IsRegular() && id == filepath.Base(filepath.Dir(kept)) {
		return nil
	}
	temp := kept + ".new"
	if err := os.Remove(temp); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.Link(path, temp); err != nil {
		return err
	}
	return os.Rename(temp, kept)
}

func buildID(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)[:16]), nil
}

// finish describes the binary and writes its layout beside it.
func (b *builder) finish(ctx context.Context, path string, pkg *listedPackage) (*Binary, error) {
	layout, err := ReadLayout(path)
	if err != nil {
		return nil, err
	}
	if len(b.programs) > 0 {
		tests, err := b.programDeps(ctx)
		if err != nil {
			return nil, err
		}
		if err := layout.addPrograms(path, b.programs, tests); err != nil {
			return nil, err
		}
	}
	bin := &Binary{
		Path:       path,
		LayoutPath: filepath.Join(filepath.Dir(path), "layout"),
		BuildID:    filepath.Base(filepath.Dir(path)),
		ImportPath: pkg.ImportPath,
		PackageDir: pkg.Dir,
		GoVersion:  b.goroot.Version,
		GOARCH:     b.goroot.goEnv.GOARCH,
		Goroot:     b.goroot.Root,
		OverlayDir: b.overlay.Dir, Instrumented: b.Instrument,
		Layout: layout,
	}
	switch {
	case pkg.Module != nil:
		bin.ModulePath, bin.ModuleDir = pkg.Module.Path, pkg.Module.Dir
	case pkg.Standard:
		bin.ModulePath, bin.ModuleDir = Std, filepath.Join(b.goroot.Root, "src")
	}
	if err := storeFile(bin.LayoutPath, layout.Encode()); err != nil {
		return nil, fmt.Errorf("store the layout of %s: %w", path, err)
	}
	return bin, nil
}

// explain adds one sentence to the errors of a program that needs cgo, which
// otherwise read as if names were missing.
func (b *builder) explain(ctx context.Context, err error) error {
	var tool *ToolError
	if !errors.As(err, &tool) || ctx.Err() != nil {
		return err
	}
	cmd := b.goroot.command(ctx, b.Dir, b.Env, "list", "-e", "-deps", "-test", b.tagsFlag(),
		"-f", "{{if and .CgoFiles (not .Standard)}}{{.ImportPath}}{{end}}", b.Package)
	cmd.Env = append(cmd.Env, "CGO_ENABLED=1", "GOFLAGS="+joinQuoted(b.flags.goflagsOrNone()))
	out, listErr := output(cmd)
	if listErr != nil {
		return err
	}
	var cgo []string
	for name := range strings.FieldsSeq(string(out)) {
		if strings.Contains(tool.Stderr, name) && !slices.Contains(cgo, name) {
			cgo = append(cgo, name)
		}
	}
	if len(cgo) == 0 {
		return err
	}
	return fmt.Errorf("%w\nrestep: %s needs cgo, which cannot be simulated: use a build without it, by a build tag or another package",
		err, strings.Join(cgo, ", "))
}
