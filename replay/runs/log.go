package runs

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/restep/restep/sim/steplog"
)

// Log is an open step log. Its bytes are mapped; nothing of it may be used
// after Close.
type Log struct {
	*steplog.Reader
	mapped []byte
}

// maxLogFile bounds the address space that one log may take.
const maxLogFile = 1 << 36

// Load opens a step log by path. Errors of its content are *steplog.Error.
func Load(path string) (*Log, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open step log: %w", err)
	}
	return load(f)
}

// Load opens a log of the store by its name in a Result.
func (s *Store) Load(name string) (*Log, error) {
	if !goodName(name) {
		return nil, fmt.Errorf("%q is no name of a step log", name)
	}
	f, err := s.root.OpenFile("logs/"+name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open step log: %w", err)
	}
	return load(f)
}

// Path returns the path of a log of the store.
func (s *Store) Path(name string) string { return filepath.Join(s.dir, "logs", name) }

// load maps a file and closes it.
func load(f *os.File) (*Log, error) {
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("open step log: %w", err)
	}
	size := info.Size()
	if !info.Mode().IsRegular() || size > maxLogFile {
		return nil, fmt.Errorf("open step log %s: not a file of a size that a step log has", f.Name())
	}
	l := &Log{}
	if size > 0 {
		l.mapped, err = mapFile(f, int(size))
		if err != nil {
			return nil, fmt.Errorf("map step log %s: %w", f.Name(), err)
		}
	}
	if l.Reader, err = steplog.Open(l.mapped); err != nil {
		l.Close()
		return nil, fmt.Errorf("read step log %s: %w", f.Name(), err)
	}
	return l, nil
}

// Close gives the memory back.
func (l *Log) Close() {
	if l.mapped != nil {
		unmapFile(l.mapped)
		l.mapped = nil
	}
}

// cut takes the unused end off a log: the writer makes room in large pieces. A
// block that was never written starts with a zero word.
func (s *Store) cut(name string) error {
	f, err := s.root.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	var magic [4]byte
	for off := int64(0); off < info.Size(); off += steplog.BlockSize {
		if _, err := f.ReadAt(magic[:], off); err != nil || magic == [4]byte{} {
			return f.Truncate(off)
		}
	}
	return nil
}
