package runs

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"github.com/restep/restep/sim/steplog"
)

// Log is an open step log. Nothing of it may be used after Close.
//
// Logs of ordinary size are read into memory: what happens to the file
// afterwards does not matter. Larger ones are mapped, and reading one that
// somebody cuts short meanwhile is a fault, which [debug.SetPanicOnFault]
// makes a panic.
type Log struct {
	*steplog.Reader
	bytes  []byte
	mapped []byte // nil when the log was read
}

// Bytes returns the log as it is in its file, valid until Close.
func (l *Log) Bytes() []byte { return l.bytes }

const (
	maxLogRead = 64 << 20 // bytes; a larger log is mapped
	maxLogFile = 1 << 36  // bounds the address space that one log may take
)

// Load opens a step log by path. Errors of its content are *steplog.Error.
func Load(path string) (*Log, error) {
	f, err := openLog(path)
	if err != nil {
		return nil, err
	}
	return load(f, maxLogRead)
}

// LoadGrowing is Load for a log that is being written; its bytes are mapped. A
// Reader does not follow it: what it tells of steps that were recorded since
// the log was opened may be incomplete.
func LoadGrowing(path string) (*Log, error) {
	f, err := openLog(path)
	if err != nil {
		return nil, err
	}
	return load(f, 0)
}

func openLog(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open step log: %w", err)
	}
	return f, nil
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
	return load(f, maxLogRead)
}

// Path returns the path of a log of the store.
func (s *Store) Path(name string) string { return filepath.Join(s.dir, "logs", name) }

// load reads a file, or maps one of more than limit bytes, and closes it.
func load(f *os.File, limit int64) (*Log, error) {
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
	var b []byte
	switch {
	case size > 0 && size <= limit:
		b = make([]byte, size)
		n, err := f.ReadAt(b, 0)
		if err != nil && err != io.EOF {
			return nil, fmt.Errorf("read step log %s: %w", f.Name(), err)
		}
		b = b[:n] // it may have become shorter
	case size > 0:
		if l.mapped, err = mapFile(f, int(size)); err != nil {
			return nil, fmt.Errorf("map step log %s: %w", f.Name(), err)
		}
		b = l.mapped
	}
	l.bytes = b
	if l.Reader, err = steplog.Open(b); err != nil {
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

// Trim takes the unused end off a log of NewLog whose run is over: the writer
// makes room in large pieces.
func (s *Store) Trim(path string) error {
	rel, err := s.temporary(path)
	if err != nil {
		return err
	}
	return s.cut(rel)
}

// temporary is the name of a log of NewLog below the store's folder.
func (s *Store) temporary(path string) (rel string, err error) {
	rel, err = filepath.Rel(s.dir, path)
	if err != nil || filepath.Dir(rel) != filepath.FromSlash(s.tmp) {
		return "", fmt.Errorf("%s is not a log of this store", path)
	}
	return rel, nil
}

// cut is Trim by the name below the store's folder. A block that was never
// written starts with a zero word.
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
