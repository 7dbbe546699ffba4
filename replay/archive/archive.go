package archive

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/restep/restep/replay/inputs"
	"github.com/restep/restep/replay/moment"
	"github.com/restep/restep/replay/runs"
	"github.com/restep/restep/sim/steplog"
)

// Suffix is how names of archives end.
const Suffix = ".zip"

// Bounds.
const (
	MaxLog    = 1 << 30   // bytes of the step log
	maxInfo   = 256 << 10 // bytes of moment.json
	maxInputs = 8 << 20   // bytes of inputs.json
	maxFile   = 1 << 30   // bytes of the archive itself
)

// The files, in the order in which they are written, and their bounds.
const (
	infoName   = "moment.json"
	logName    = "run.steplog"
	inputsName = "inputs.json"
)

var bounds = map[string]uint64{infoName: maxInfo, logName: MaxLog, inputsName: maxInputs}

// version is the format's.
const version = 1

// Info is moment.json.
type Info struct {
	Format int          `json:"format"`
	Link   string       `json:"link"`             // of the step to look at first (package moment)
	Result *runs.Result `json:"result,omitempty"` // line of the index; nil when the run is not in one
}

// Archive is an archive's content.
type Archive struct {
	Info   Info
	Moment moment.Moment
	Log    []byte           // the step log
	Inputs *inputs.Manifest // nil when it is not known
}

// Error says why a file is no archive of a run. It comes from a file of
// unknown origin: escape it before it reaches a terminal.
type Error struct{ What string }

func (e *Error) Error() string { return "not an archive of a run: " + e.What }

func refuse(format string, args ...any) error { return &Error{fmt.Sprintf(format, args...)} }

// Write writes an archive. The same content gives the same bytes.
func Write(w io.Writer, a *Archive) error {
	if len(a.Log) > MaxLog {
		return fmt.Errorf("the step log has %d bytes, more than the %d that an archive holds", len(a.Log), MaxLog)
	}
	info := a.Info
	info.Format, info.Link = version, a.Moment.String()
	var head bytes.Buffer
	e := json.NewEncoder(&head)
	e.SetEscapeHTML(false) // for people who copy the link
	e.SetIndent("", "  ")
	if err := e.Encode(&info); err != nil {
		return err
	}
	z := zip.NewWriter(w)
	add := func(name string, content []byte) error {
		if uint64(len(content)) > bounds[name] {
			return fmt.Errorf("%s has %d bytes, more than the %d that an archive holds", name, len(content), bounds[name])
		}
		f, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)})
		if err == nil {
			_, err = f.Write(content)
		}
		return err
	}
	if err := errors.Join(add(infoName, head.Bytes()), add(logName, a.Log)); err != nil {
		return err
	}
	if a.Inputs != nil {
		list, err := a.Inputs.Encode()
		if err == nil {
			err = add(inputsName, list)
		}
		if err != nil {
			return err
		}
	}
	return z.Close()
}

// Load reads an archive by path. Errors of its content are *Error or
// *steplog.Error.
func Load(path string) (*Archive, *steplog.Reader, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("open archive: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fs.ErrInvalid
	}
	if err != nil {
		return nil, nil, fmt.Errorf("open archive %s: %w", path, err)
	}
	a, r, err := Read(f, info.Size())
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return a, r, nil
}

// Read reads an archive of size bytes.
func Read(r io.ReaderAt, size int64) (*Archive, *steplog.Reader, error) {
	if size > maxFile {
		return nil, nil, refuse("it is larger than %d bytes", maxFile)
	}
	z, err := zip.NewReader(r, size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return nil, nil, refuse("%v", err)
	}
	files := map[string][]byte{}
	for _, f := range z.File {
		if err := check(f, files); err != nil {
			return nil, nil, err
		}
		if files[f.Name], err = content(f); err != nil {
			return nil, nil, err
		}
	}
	for _, name := range []string{infoName, logName} {
		if files[name] == nil {
			return nil, nil, refuse("it has no %s", name)
		}
	}
	return parse(files)
}

// check refuses a file that Write does not make.
func check(f *zip.File, have map[string][]byte) error {
	bound, known := bounds[f.Name]
	switch _, twice := have[f.Name]; {
	case !known:
		return refuse("it holds a file named %q", clip(f.Name))
	case twice:
		return refuse("it holds %s twice", f.Name)
	case !f.Mode().IsRegular():
		return refuse("%s is no regular file", f.Name)
	case f.Method != zip.Deflate && f.Method != zip.Store:
		return refuse("%s is compressed by method %d", f.Name, f.Method)
	case f.Flags&1 != 0:
		return refuse("%s is encrypted", f.Name)
	case f.UncompressedSize64 > bound:
		return refuse("%s is said to have %d bytes, more than %d", f.Name, f.UncompressedSize64, bound)
	}
	return nil
}

// content unpacks a file, at most one byte more than it is said to have.
// Memory grows with what comes, not with what is said.
func content(f *zip.File) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, refuse("%s: %v", f.Name, err)
	}
	defer r.Close()
	var b bytes.Buffer
	n, err := io.Copy(&b, io.LimitReader(r, int64(f.UncompressedSize64)+1))
	switch {
	case err != nil:
		return nil, refuse("%s: %v", f.Name, err)
	case uint64(n) != f.UncompressedSize64:
		return nil, refuse("%s is not of the size that is said", f.Name)
	case n == 0:
		return nil, refuse("%s is empty", f.Name)
	}
	return b.Bytes(), nil
}

// parse reads the parts and compares what they are about.
func parse(files map[string][]byte) (*Archive, *steplog.Reader, error) {
	a := &Archive{Log: files[logName]}
	if err := json.Unmarshal(files[infoName], &a.Info); err != nil {
		return nil, nil, refuse("%s: %v", infoName, err)
	}
	if a.Info.Format != version {
		return nil, nil, refuse("it has format version %d, this restep reads version %d", a.Info.Format, version)
	}
	var err error
	if a.Moment, err = moment.Parse(a.Info.Link); err != nil {
		return nil, nil, refuse("%v", err)
	}
	log, err := steplog.Open(a.Log)
	if err != nil {
		return nil, nil, err
	}
	h, m := log.Header(), a.Moment
	if h.Build != m.Build || h.Package != m.Package || h.Test != m.Test || h.Seed != m.Seed || h.Variant != m.Variant {
		return nil, nil, refuse("its step log is not of the run that it names")
	}
	if r := a.Info.Result; r != nil && (r.Build != m.Build || r.Package != m.Package || r.Test != m.Test ||
		r.Seed != m.Seed || r.Variant != m.Variant || r.Result != runs.Pass && r.Result != runs.Fail && r.Result != runs.Skip) {
		return nil, nil, refuse("its line of the index is not of the run that it names")
	}
	if b := files[inputsName]; b != nil {
		if a.Inputs, err = inputs.Decode(b); err != nil {
			return nil, nil, refuse("%v", err)
		}
	}
	return a, log, nil
}

// Is reports whether a name is one of an archive.
func Is(name string) bool { return strings.HasSuffix(name, Suffix) }

func clip(s string) string {
	if len(s) > 100 {
		return s[:100] + "..."
	}
	return s
}
