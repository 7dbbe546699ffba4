package inputs

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Bounds of what is read.
const (
	maxData     = 2_000     // files beside the tests
	maxDataSize = 64 << 20  // bytes of them together
	maxSource   = 256 << 20 // bytes of all sources
)

// Spec says of which test binary a manifest is taken.
type Spec struct {
	Build      string // build id
	Go         string
	Restep     string
	Package    string   // import path
	Module     string   // module path
	ModuleDir  string   // where the go command runs
	PackageDir string   // folder of the package
	GoFlags    []string // flags for go list: -tags and those of the build
	Flags      []string // flags of the build as the user gave them
	Env        []string // of the go command; nil is the process's own
}

// Take reads the files of a program.
func Take(ctx context.Context, s *Spec) (*Manifest, error) {
	m := &Manifest{
		Format: Version, Build: s.Build, Go: s.Go, Restep: s.Restep, Flags: s.Flags,
		Modules: map[string]string{}, Sources: map[string]string{},
	}
	if err := s.sources(ctx, m); err != nil {
		return nil, err
	}
	return m, TakeData(s, m)
}

// listed is what go list says of a package.
type listed struct {
	ImportPath, Dir string
	Standard        bool
	Module          *struct {
		Path, Version, Dir string
		Main               bool
		Replace            *struct{ Path, Version string }
	}
	// With -test the package under test is listed a second time, with the files
	// of its tests.
	GoFiles, CgoFiles, SFiles, HFiles, EmbedFiles []string
}

const listFields = "-json=ImportPath,Dir,Standard,Module,GoFiles,CgoFiles,SFiles,HFiles,EmbedFiles"

// sources lists modules and the files of the user's own packages.
func (s *Spec) sources(ctx context.Context, m *Manifest) error {
	args := append([]string{"list", "-e", "-deps", "-test", listFields}, s.GoFlags...)
	cmd := exec.CommandContext(ctx, "go", append(args, "--", s.Package)...)
	cmd.Dir, cmd.Env = s.ModuleDir, s.Env
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("list the files of %s: %w: %s", s.Package, err, strings.TrimSpace(errs.String()))
	}
	size := int64(0)
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); err == io.EOF {
			return nil
		} else if err != nil {
			return fmt.Errorf("list the files of %s: %w", s.Package, err)
		}
		if p.Standard || p.Module == nil || strings.HasSuffix(p.ImportPath, ".test") {
			continue
		}
		if !p.Module.Main && (p.Module.Replace == nil || p.Module.Replace.Version != "") {
			m.Modules[p.Module.Path] = p.Module.Version
			if r := p.Module.Replace; r != nil {
				m.Modules[p.Module.Path] = r.Path + " " + r.Version
			}
			continue
		}
		if err := p.hash(m, &size); err != nil {
			return err
		}
	}
}

// hash adds the files of a package.
func (p *listed) hash(m *Manifest, size *int64) error {
	for _, list := range [][]string{p.GoFiles, p.CgoFiles, p.SFiles, p.HFiles, p.EmbedFiles} {
		for _, name := range list {
			file := name
			if !filepath.IsAbs(file) {
				file = filepath.Join(p.Dir, name)
			}
			rel, err := filepath.Rel(p.Module.Dir, file)
			if err != nil || !filepath.IsLocal(rel) {
				continue // what go itself has made
			}
			key := p.Module.Path + "/" + filepath.ToSlash(rel)
			if _, done := m.Sources[key]; done {
				continue
			}
			if len(m.Sources) >= maxFiles || *size > maxSource {
				m.Partial = true
				return nil
			}
			sum, n, err := hashFile(file)
			if err != nil {
				return err
			}
			*size += n
			m.Sources[key] = sum
		}
	}
	return nil
}

// TakeData reads, into m, the files that tests of the package find in their
// working folder, in its testdata, and in the testdata of the folders above it
// up to the module's.
func TakeData(s *Spec, m *Manifest) error {
	m.Data = map[string]string{}
	d := data{spec: s, m: m}
	err := d.folder(s.PackageDir, false)
	for dir := s.PackageDir; err == nil && dir != s.ModuleDir && filepath.Dir(dir) != dir; {
		dir = filepath.Dir(dir)
		if rel, bad := filepath.Rel(s.ModuleDir, dir); bad != nil || !filepath.IsLocal(rel) {
			break
		}
		if err = d.folder(filepath.Join(dir, "testdata"), true); errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
	}
	if err != nil && err != errEnough {
		return fmt.Errorf("read the files beside the tests: %w", err)
	}
	return nil
}

// data is one call of TakeData.
type data struct {
	spec *Spec
	m    *Manifest
	size int64
}

var errEnough = errors.New("enough files")

// folder reads the files of a folder: all below it, or those in it and in its
// testdata.
func (d *data) folder(dir string, all bool) error {
	return filepath.WalkDir(dir, func(file string, e fs.DirEntry, err error) error {
		rel, relErr := filepath.Rel(dir, file)
		switch {
		case relErr != nil:
			return relErr
		case err != nil:
			if rel == "." {
				return err
			}
			return nil // not readable: nor is it for the test
		case e.IsDir() && !all && rel != "." && rel != "testdata" && !strings.HasPrefix(rel, "testdata"+string(filepath.Separator)):
			return fs.SkipDir
		case !e.Type().IsRegular() || !all && filepath.Dir(rel) == "." && strings.HasSuffix(rel, ".go"):
			return nil
		}
		return d.file(file, e)
	})
}

func (d *data) file(file string, e fs.DirEntry) error {
	info, err := e.Info()
	if err != nil {
		return nil // it is gone
	}
	if d.size += info.Size(); len(d.m.Data) >= maxData || d.size > maxDataSize {
		d.m.Partial = true
		return errEnough
	}
	rel, err := filepath.Rel(d.spec.ModuleDir, file)
	if err != nil {
		return err
	}
	if sum, _, err := hashFile(file); err == nil {
		d.m.Data[d.spec.Module+"/"+filepath.ToSlash(rel)] = sum
	}
	return nil
}

func hashFile(path string) (sum string, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	h := sha256.New()
	if size, err = io.Copy(h, f); err != nil {
		return "", 0, err
	}
	return hex.EncodeToString(h.Sum(nil)), size, nil
}
