package runs

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"unicode/utf8"
)

const (
	logSuffix   = ".steplog"
	maxLine     = 64 << 10 // bytes of one line of the index
	maxMessage  = 8 << 10  // bytes of a failure's message that the index keeps
	maxTestName = 80       // bytes of a test's name in a file name
)

// Add appends a run to the index. temp is its log from NewLog, which Add takes:
// it is kept or removed; the result that comes back says under which name.
// "" = there is none. id tells runs of one test and seed apart that are not
// the same run (arguments, environment).
func (s *Store) Add(r Result, temp, id string) (Result, error) {
	r.Log = ""
	if temp != "" {
		rel, err := s.temporary(temp)
		if err != nil {
			return r, err
		}
		r.Log = logName(&r, id)
		if err := s.cut(rel); err != nil {
			return r, fmt.Errorf("keep the step log: %w", err)
		}
		if err := s.root.Rename(rel, "logs/"+r.Log); err != nil {
			return r, fmt.Errorf("keep the step log: %w", err)
		}
	}
	if r.Failure != nil && len(r.Failure.Message) > maxMessage {
		f := *r.Failure
		f.Message = cutText(f.Message, maxMessage)
		r.Failure = &f
	}
	line, err := json.Marshal(&r)
	if err != nil {
		return r, err
	}
	if len(line) >= maxLine {
		return r, fmt.Errorf("the run of %s does not fit into a line of the index", cutText(r.Test, 100))
	}
	if err := s.append(append(line, '\n')); err != nil {
		return r, fmt.Errorf("note the run in %s: %w", filepath.Join(s.dir, "index"), err)
	}
	if r.Log == "" {
		return r, nil
	}
	return r, s.kept(&r)
}

// append writes one line. The file is opened each time because trimming may
// have put another in its place.
func (s *Store) append(line []byte) error {
	unlock, err := s.lock(false)
	if err != nil {
		return err
	}
	defer unlock()
	f, err := s.root.OpenFile("index", os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(line)
	return errors.Join(err, f.Close())
}

// kept drops logs of this process that a newer one made superfluous, and trims
// the folder from time to time.
func (s *Store) kept(r *Result) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.newest[r.key()] = r.Log
	var drop []string
	if r.Result != Fail {
		if i := slices.Index(s.passes, r.Log); i >= 0 {
			s.passes = slices.Delete(s.passes, i, i+1)
		}
		s.passes = append(s.passes, r.Log)
		if over := len(s.passes) - keptPasses; over > 0 {
			drop = append(drop, s.passes[:over]...)
			s.passes = slices.Delete(s.passes, 0, over)
		}
	}
	s.dropUnused(drop)
	if s.added++; s.added >= trimInterval {
		s.added = 0
		return s.trim()
	}
	return nil
}

// dropUnused removes logs unless they are the newest of their test.
func (s *Store) dropUnused(names []string) {
	for _, name := range names {
		newest := false
		for _, n := range s.newest {
			newest = newest || n == name
		}
		if !newest {
			_ = s.root.Remove("logs/" + name)
		}
	}
}

// logName is the file name of a run's log; the same run has the same name.
func logName(r *Result, id string) string {
	key := strings.Join([]string{r.Build, r.Package, r.Test, strconv.FormatUint(r.Variant, 16), id}, "\x00")
	return cleanName(r.Test) + "-" + strconv.FormatUint(r.Seed, 10) + "-" + shortHash(key) + logSuffix
}

// cleanName makes a file name of a test's name.
func cleanName(test string) string {
	b := []byte(cutText(test, maxTestName))
	for i, c := range b {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' {
			continue
		}
		b[i] = '_'
	}
	return string(b)
}

// goodName reports names that logName can have made.
func goodName(name string) bool {
	base, ok := strings.CutSuffix(name, logSuffix)
	return ok && len(name) <= 255 && base != "" && strings.IndexFunc(base, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-')
	}) < 0
}

func shortHash(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:8])
}

// cutText cuts s to n bytes, not within a character.
func cutText(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// lines reads the end of the index.
func (s *Store) lines() ([]byte, error) {
	f, err := s.root.OpenFile("index", os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a file", filepath.Join(s.dir, "index"))
	}
	from := max(0, info.Size()-maxIndex)
	b, err := io.ReadAll(io.NewSectionReader(f, from, maxIndex))
	if err != nil {
		return nil, err
	}
	if from > 0 {
		_, b, _ = bytes.Cut(b, []byte("\n"))
	}
	return b, nil
}

// parseLine reads a line of the index. ok is false for a damaged one.
func parseLine(line []byte) (r Result, ok bool) {
	if len(line) > maxLine || json.Unmarshal(line, &r) != nil || r.Test == "" {
		return r, false
	}
	switch r.Result {
	case Pass, Fail, Skip:
	default:
		return r, false
	}
	if r.Log != "" && !goodName(r.Log) {
		r.Log = ""
	}
	if r.Inputs != "" && !goodInputs(r.Inputs) {
		r.Inputs = ""
	}
	return r, true
}

// logFile is a file in logs/.
type logFile struct {
	size  int64
	mtime int64 // ns since Unix epoch
}

// logs lists the files in logs/ by name.
func (s *Store) logs() (map[string]logFile, error) {
	dir, err := s.root.Open("logs")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	entries, err := dir.ReadDir(100_000)
	if err != nil && err != io.EOF {
		return nil, err
	}
	files := map[string]logFile{}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() && goodName(e.Name()) {
			files[e.Name()] = logFile{info.Size(), info.ModTime().UnixNano()}
		}
	}
	return files, nil
}

// List returns the runs of the index, oldest first, at most as many as the
// index keeps. Log is "" where the log is gone.
func (s *Store) List() ([]Result, error) {
	b, err := s.lines()
	if err != nil {
		return nil, fmt.Errorf("read the index of runs: %w", err)
	}
	files, err := s.logs()
	if err != nil {
		return nil, fmt.Errorf("list the step logs: %w", err)
	}
	var all []Result
	for line := range bytes.Lines(b) {
		r, ok := parseLine(bytes.TrimSuffix(line, []byte("\n")))
		if !ok {
			continue
		}
		if _, there := files[r.Log]; !there {
			r.Log = ""
		}
		all = append(all, r)
	}
	return all[max(0, len(all)-maxLines):], nil
}

// Query selects runs. Zero fields select all.
type Query struct {
	Build   string
	Package string
	Test    string
	Seed    *uint64
	Variant *uint64
	Result  string // Pass, Fail, Skip
	NeedLog bool
}

func (q *Query) selects(r *Result) bool {
	return (q.Build == "" || q.Build == r.Build) && (q.Package == "" || q.Package == r.Package) &&
		(q.Test == "" || q.Test == r.Test) && (q.Seed == nil || *q.Seed == r.Seed) &&
		(q.Variant == nil || *q.Variant == r.Variant) && (q.Result == "" || q.Result == r.Result) && (!q.NeedLog || r.Log != "")
}

// Find returns the newest run that a query selects. The error wraps
// fs.ErrNotExist when there is none.
func (s *Store) Find(q Query) (Result, error) {
	all, err := s.List()
	if err != nil {
		return Result{}, err
	}
	for _, r := range slices.Backward(all) {
		if q.selects(&r) {
			return r, nil
		}
	}
	return Result{}, fmt.Errorf("no such run is recorded in %s: %w", s.dir, fs.ErrNotExist)
}
