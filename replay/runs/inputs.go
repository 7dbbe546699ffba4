package runs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"
)

const (
	inputsSuffix  = ".json"
	maxInputsFile = 8 << 20 // bytes of one list of inputs
)

// AddInputs keeps what a program of a build was made of, encoded (package
// inputs), for a [Result] to name: the same content has the same name.
func (s *Store) AddInputs(build string, content []byte) (name string, err error) {
	name = inputsPrefix(build) + shortHash(string(content)) + inputsSuffix
	if info, err := s.root.Lstat("inputs/" + name); err == nil && info.Size() == int64(len(content)) {
		return name, nil
	}
	if err := s.root.Mkdir("inputs", 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("keep the list of inputs: %w", err)
	}
	temp := s.tmp + "/" + name
	if err := s.root.WriteFile(temp, content, 0o644); err != nil {
		return "", fmt.Errorf("keep the list of inputs: %w", err)
	}
	if err := s.root.Rename(temp, "inputs/"+name); err != nil {
		return "", fmt.Errorf("keep the list of inputs: %w", err)
	}
	return name, nil
}

// inputsPrefix is how names of the lists of a build begin.
func inputsPrefix(build string) string { return shortHash(build) + "-" }

// InputsOf reads a list of inputs of any run of a build. The error wraps
// fs.ErrNotExist when there is none.
func (s *Store) InputsOf(build string) ([]byte, error) {
	dir, err := s.root.Open("inputs")
	if err != nil {
		return nil, fmt.Errorf("read the list of inputs: %w", err)
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(10_000)
	for _, name := range names {
		if strings.HasPrefix(name, inputsPrefix(build)) && goodInputs(name) {
			return s.Inputs(name)
		}
	}
	return nil, fmt.Errorf("list of inputs of build %s: %w", build, fs.ErrNotExist)
}

// Inputs reads what AddInputs kept, by its name in a Result. The error wraps
// fs.ErrNotExist when it is gone or there never was one.
func (s *Store) Inputs(name string) ([]byte, error) {
	if name == "" || !goodInputs(name) {
		return nil, fmt.Errorf("list of inputs %q: %w", name, fs.ErrNotExist)
	}
	f, err := s.root.OpenFile("inputs/"+name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("read the list of inputs: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil && (!info.Mode().IsRegular() || info.Size() > maxInputsFile) {
		err = fs.ErrInvalid
	}
	if err != nil {
		return nil, fmt.Errorf("read the list of inputs: %w", err)
	}
	return io.ReadAll(io.LimitReader(f, maxInputsFile))
}

// goodInputs reports names that AddInputs can have made.
func goodInputs(name string) bool {
	sum, ok := strings.CutSuffix(name, inputsSuffix)
	return ok && len(sum) == 33 && sum[16] == '-' && strings.Trim(sum[:16]+sum[17:], "0123456789abcdef") == ""
}

// trimInputs removes lists that no run with a log names. Call it with the lock
// taken alone.
func (s *Store) trimInputs(named map[string]bool) {
	dir, err := s.root.Open("inputs")
	if err != nil {
		return
	}
	defer dir.Close()
	entries, _ := dir.ReadDir(10_000)
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && !named[e.Name()] && time.Since(info.ModTime()) > strayAge {
			_ = s.root.Remove("inputs/" + e.Name())
		}
	}
}
