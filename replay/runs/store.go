package runs

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// Dir is the name of the folder in the module's root.
const Dir = ".restep"

// Caps of the folder.
const (
	maxLogs      = 200       // files
	maxLogBytes  = 256 << 20 // of all logs together
	maxLines     = 100_000   // of the index
	maxIndex     = 64 << 20  // bytes of the index that are read, from its end
	keptPasses   = 5         // logs of the last runs that did not fail
	trimInterval = 64        // logs added between two trims
)

// ErrReadOnly is returned by Open, wrapped, when the folder cannot be written.
var ErrReadOnly = errors.New("the folder for step logs cannot be written")

// Result is one run in the index.
type Result struct {
	Time     time.Time `json:"time"`           // of the host, when the run ended
	Begun    time.Time `json:"begun,omitzero"` // of the host, when the build of the binary began; zero = unknown
	Build    string    `json:"build"`
	Package  string    `json:"package"`
	Module   string    `json:"module,omitempty"`
	Test     string    `json:"test"`
	Seed     uint64    `json:"seed"`
	Variant  uint64    `json:"variant,omitempty"`
	Result   string    `json:"result"` // Pass, Fail, Skip
	Failure  *Failure  `json:"failure,omitempty"`
	Steps    uint64    `json:"steps"`
	Checksum uint32    `json:"checksum"`
	SimNs    int64     `json:"simNs"`
	RealNs   int64     `json:"realNs"`
	Log      string    `json:"log,omitempty"`    // file name in logs/; List leaves out what is gone
	Inputs   string    `json:"inputs,omitempty"` // name for Store.Inputs; "" = not known
}

// key names the test of a result.
type key struct{ pkg, test string }

func (r *Result) key() key { return key{r.Package, r.Test} }

// Store is an open folder.
type Store struct {
	dir  string
	root *os.Root
	tmp  string   // name below root of this process's own folder, "" = not writing
	hold *os.File // lock file in tmp, locked as long as the process lives

	mu     sync.Mutex
	serial int            // of temporary logs
	added  int            // logs since the last trim
	newest map[key]string // log of each test, this process's runs only
	passes []string       // logs of the last runs of this process that did not fail
}

// Open opens the folder in a module's root for writing and makes it if
// needed. The error wraps ErrReadOnly when that is not allowed; OpenTemp is
// the way on then.
func Open(moduleDir string) (*Store, error) {
	if err := checkFolder(moduleDir); err != nil {
		return nil, err
	}
	return open(filepath.Join(moduleDir, Dir))
}

// OpenTemp opens a folder for the same purpose below the host's temporary
// folder. Later calls for the same module and user find it again.
func OpenTemp(moduleDir string) (*Store, error) {
	dir, err := tempDir(moduleDir)
	if err != nil {
		return nil, err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("make a temporary folder for step logs: %w; set TMPDIR", err)
	}
	if err := ownFolder(dir); err != nil {
		return nil, err
	}
	return open(dir)
}

// OpenRead opens the folder of a module to read, the temporary one if there is
// no other. The error wraps fs.ErrNotExist when nothing was recorded yet.
func OpenRead(moduleDir string) (*Store, error) {
	err := checkFolder(moduleDir)
	dir := filepath.Join(moduleDir, Dir)
	if err == nil {
		if _, err = os.Stat(filepath.Join(dir, "index")); err == nil {
			return openRoot(dir)
		}
	}
	if temp, tempErr := tempDir(moduleDir); tempErr == nil && ownFolder(temp) == nil {
		return openRoot(temp)
	}
	return nil, fmt.Errorf("no run is recorded in %s: %w; run restep test first", dir, err)
}

// checkFolder makes sure that the folder is none that a link leads elsewhere:
// a repository from a stranger may hold one.
func checkFolder(moduleDir string) error {
	info, err := os.Lstat(filepath.Join(moduleDir, Dir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err == nil && !info.IsDir() {
		return fmt.Errorf("%w: %s is not a folder; remove it", ErrReadOnly, filepath.Join(moduleDir, Dir))
	}
	return nil
}

// ownFolder checks that a folder in a place where everybody may write is this
// user's alone.
func ownFolder(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if !isPrivate(info) {
		return fmt.Errorf("%s is not a private folder of yours; remove it or set TMPDIR", dir)
	}
	return nil
}

func tempDir(moduleDir string) (string, error) {
	abs, err := filepath.Abs(moduleDir)
	if err != nil {
		return "", err
	}
	if real, err := filepath.EvalSymlinks(abs); err == nil {
		abs = real // whichever name the module was opened by
	}
	return filepath.Join(os.TempDir(), "restep-"+strconv.Itoa(os.Getuid())+"-"+shortHash(abs)), nil
}

func openRoot(dir string) (*Store, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open the folder of step logs: %w", err)
	}
	return &Store{dir: dir, root: root, newest: map[key]string{}}, nil
}

// open makes what is missing and prepares writing.
func open(dir string) (*Store, error) {
	err := os.Mkdir(dir, 0o755)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%w: %w", ErrReadOnly, err)
	}
	s, err := openRoot(dir)
	if err != nil {
		return nil, err
	}
	if err := s.prepare(); err != nil {
		_ = s.root.Close()
		return nil, fmt.Errorf("%w: %w", ErrReadOnly, err)
	}
	return s, nil
}

func (s *Store) prepare() error {
	f, err := s.root.OpenFile(".gitignore", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err == nil {
		_, err = f.WriteString("*\n")
		err = errors.Join(err, f.Close())
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	unlock, err := s.lock(true)
	if err != nil {
		return err
	}
	defer unlock()
	for _, name := range []string{"logs", "tmp"} {
		if err := s.root.Mkdir(name, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	s.sweep()
	s.tmp = "tmp/" + strconv.Itoa(os.Getpid()) + "-" + rand.Text()[:8]
	if err := s.root.Mkdir(s.tmp, 0o755); err != nil {
		return err
	}
	if s.hold, err = s.root.OpenFile(s.tmp+"/lock", os.O_RDWR|os.O_CREATE, 0o644); err != nil {
		return err
	}
	return lockFile(s.hold, true, true)
}

// sweep removes the folders of processes that died. Call it with the lock
// taken alone: a folder without a locked file is then nobody's.
func (s *Store) sweep() {
	dir, err := s.root.Open("tmp")
	if err != nil {
		return
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(10_000)
	for _, name := range names {
		f, err := s.root.OpenFile("tmp/"+name+"/lock", os.O_RDWR|syscall.O_NONBLOCK, 0)
		if err == nil {
			err = lockFile(f, true, false)
			_ = f.Close()
			if err != nil {
				continue // its process lives
			}
		}
		_ = s.root.RemoveAll("tmp/" + name)
	}
}

// lock takes the lock file, shared or alone.
func (s *Store) lock(alone bool) (unlock func(), err error) {
	f, err := s.root.OpenFile("lock", os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	if err := lockFile(f, alone, true); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("lock %s: %w", s.dir, err)
	}
	return func() { _ = f.Close() }, nil
}

// Dir returns the folder's path.
func (s *Store) Dir() string { return s.dir }

// NewLog makes a file for a run that is about to start and writes the header
// block into it. Give the path to Add, or remove the file.
func (s *Store) NewLog(header []byte) (path string, err error) {
	s.mu.Lock()
	s.serial++
	name := s.tmp + "/" + strconv.Itoa(s.serial) + logSuffix
	s.mu.Unlock()
	if err := s.root.WriteFile(name, header, 0o644); err != nil {
		return "", fmt.Errorf("make a step log: %w", err)
	}
	return filepath.Join(s.dir, name), nil
}

// Close trims the folder and removes what this process has under way.
func (s *Store) Close() error {
	defer s.root.Close()
	if s.tmp == "" {
		return nil
	}
	err := s.trim()
	err = errors.Join(err, s.hold.Close()) // first: not every system removes open files
	return errors.Join(err, s.root.RemoveAll(s.tmp))
}
