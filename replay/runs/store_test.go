package runs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/restep/restep/replay/logtest"
	"github.com/restep/restep/sim/steplog"
)

var testTime = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func mustStore(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// addRun adds a run with a log of some blocks.
func addRun(t *testing.T, s *Store, test string, seed uint64, result string, blocks int) Result {
	t.Helper()
	block := make([]byte, blocks*steplog.BlockSize)
	for i := range blocks {
		block[i*steplog.BlockSize] = 1
	}
	temp, err := s.NewLog(append(block, make([]byte, 3*steplog.BlockSize)...))
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Add(Result{Time: testTime, Package: "example.com/p", Test: test, Seed: seed, Result: result}, temp, "")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func seedsWithLogs(t *testing.T, s *Store) (seeds []uint64) {
	t.Helper()
	all, err := s.List()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		if r.Log != "" {
			seeds = append(seeds, r.Seed)
		}
	}
	return seeds
}

func TestStoreKeepsFailuresAndLastRuns(t *testing.T) {
	dir := t.TempDir()
	s := mustStore(t, dir)
	addRun(t, s, "TestOnce", 100, Pass, 1)
	for seed := uint64(1); seed <= 20; seed++ {
		result := Pass
		if seed == 3 {
			result = Fail
		}
		addRun(t, s, "TestX", seed, result, 1)
	}
	want := []uint64{100, 3, 16, 17, 18, 19, 20}
	if got := seedsWithLogs(t, s); !slices.Equal(got, want) {
		t.Errorf("in the process: %v, want %v", got, want)
	}
	addRun(t, s, "TestX", 21, Pass, 1)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, Dir, "tmp", "*")); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
	s = mustStore(t, dir)
	want = []uint64{100, 3, 17, 18, 19, 20, 21}
	if got := seedsWithLogs(t, s); !slices.Equal(got, want) {
		t.Errorf("after closing: %v, want %v", got, want)
	}
	all, err := s.List()
	if err != nil || len(all) != 22 {
		t.Errorf("%d runs in the index, want 22 (%v)", len(all), err)
	}
	// A later process lets go of what an earlier one kept.
	for seed := uint64(30); seed < 36; seed++ {
		addRun(t, s, "TestY", seed, Pass, 1)
	}
	if err := s.trim(); err != nil {
		t.Fatal(err)
	}
	want = []uint64{100, 3, 21, 31, 32, 33, 34, 35}
	if got := seedsWithLogs(t, s); !slices.Equal(got, want) {
		t.Errorf("after another process: %v, want %v", got, want)
	}
}

func TestStoreSameRunHasOneLog(t *testing.T) {
	s := mustStore(t, t.TempDir())
	a, b := addRun(t, s, "TestX/sub one", 7, Fail, 1), addRun(t, s, "TestX/sub one", 7, Fail, 2)
	if a.Log != b.Log || !strings.HasPrefix(a.Log, "TestX_sub_one-7-") {
		t.Errorf("%q and %q", a.Log, b.Log)
	}
	info, err := os.Stat(s.Path(b.Log))
	if err != nil || info.Size() != 2*steplog.BlockSize {
		t.Errorf("the log is not the newer one, cut to its two blocks: %v %v", info.Size(), err)
	}
}

// TestStoreTrim: the room that a run did not use goes, before its log is read,
// and a file that is not a log under way is let alone.
func TestStoreTrim(t *testing.T) {
	s := mustStore(t, t.TempDir())
	block := make([]byte, 5*steplog.BlockSize)
	block[0], block[steplog.BlockSize] = 1, 1
	temp, err := s.NewLog(block)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Trim(temp); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(temp); err != nil || info.Size() != 2*steplog.BlockSize {
			t.Errorf("%d bytes, %v; want two blocks", info.Size(), err)
		}
	}
	kept := addRun(t, s, "TestX", 1, Fail, 1)
	for _, path := range []string{s.Path(kept.Log), s.dir, "/etc/passwd", "log"} {
		if err := s.Trim(path); err == nil {
			t.Errorf("%s was trimmed", path)
		}
	}
}

func TestStoreCaps(t *testing.T) {
	s := mustStore(t, t.TempDir())
	for seed := range uint64(maxLogs + 30) {
		addRun(t, s, "TestX", seed, Fail, 1)
	}
	if err := s.trim(); err != nil {
		t.Fatal(err)
	}
	got := seedsWithLogs(t, s)
	if len(got) != maxLogs || got[0] != 30 {
		t.Errorf("%d logs from seed %d, want %d from 30", len(got), got[0], maxLogs)
	}
	files := map[string]logFile{"a": {size: maxLogBytes}, "b": {size: 1}, "c": {size: 1}, "d": {size: maxLogBytes - 2}}
	keep := keepLogs([]Result{
		{Test: "A", Log: "b", Result: Fail}, {Test: "A", Log: "a", Result: Fail}, {Test: "B", Log: "c", Result: Pass}, {Test: "A", Log: "d", Result: Fail},
	}, files)
	if !keep["b"] || keep["a"] || !keep["c"] || !keep["d"] {
		t.Errorf("%v", keep)
	}
}

func TestStoreShortensIndex(t *testing.T) {
	s := mustStore(t, t.TempDir())
	old := addRun(t, s, "TestOld", 1, Fail, 1)
	var b strings.Builder
	for i := range maxLines {
		fmt.Fprintf(&b, `{"test":"TestX","seed":%d,"result":"pass"}`+"\n", i)
	}
	if err := s.append([]byte(b.String())); err != nil {
		t.Fatal(err)
	}
	if err := s.trim(); err != nil {
		t.Fatal(err)
	}
	all, err := s.List()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != maxLines*9/10+1 || all[0].Log != old.Log || all[len(all)-1].Seed != maxLines-1 {
		t.Errorf("%d lines, first %+v", len(all), all[0])
	}
}

func TestStoreFind(t *testing.T) {
	s := mustStore(t, t.TempDir())
	addRun(t, s, "TestX", 7, Pass, 1)
	addRun(t, s, "TestY", 7, Fail, 1)
	last := addRun(t, s, "TestX", 8, Pass, 1)
	if _, err := s.Add(Result{Package: "example.com/p", Test: "TestX", Seed: 9, Result: Pass}, "", ""); err != nil {
		t.Fatal(err)
	}
	seven, eleven := uint64(7), uint64(11)
	for _, test := range []struct {
		q    Query
		seed uint64
	}{
		{Query{}, 9}, {Query{NeedLog: true}, last.Seed}, {Query{Test: "TestX", Seed: &seven}, 7},
		{Query{Test: "TestY"}, 7}, {Query{Package: "example.com/p"}, 9},
	} {
		if r, err := s.Find(test.q); err != nil || r.Seed != test.seed {
			t.Errorf("%+v: seed %d, %v, want %d", test.q, r.Seed, err, test.seed)
		}
	}
	for _, q := range []Query{{Test: "TestX", Seed: &eleven}, {Package: "other"}, {Test: "TestZ"}} {
		if _, err := s.Find(q); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%+v: %v", q, err)
		}
	}
}

// TestStoreTwoProcesses stands for processes by stores of their own: they
// share nothing but the folder.
func TestStoreTwoProcesses(t *testing.T) {
	dir := t.TempDir()
	const each = 200
	var wg sync.WaitGroup
	for p := range uint64(4) {
		s := mustStore(t, dir)
		wg.Go(func() {
			for i := range uint64(each) {
				addRun(t, s, fmt.Sprintf("Test%d", p), i, Pass, 1)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	s := mustStore(t, dir)
	all, err := s.List()
	if err != nil || len(all) != 4*each {
		t.Fatalf("%d runs, want %d (%v)", len(all), 4*each, err)
	}
	for p := range 4 {
		if r, err := s.Find(Query{Test: fmt.Sprintf("Test%d", p), NeedLog: true}); err != nil || r.Seed != each-1 {
			t.Errorf("newest log of Test%d is of seed %d, %v", p, r.Seed, err)
		}
	}
}

func TestStoreSweepsDeadProcesses(t *testing.T) {
	dir := t.TempDir()
	alive := mustStore(t, dir)
	dead := filepath.Join(dir, Dir, "tmp", "1-DEAD")
	for _, sub := range []string{dead, dead + "2"} {
		if err := os.MkdirAll(sub, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(dead+"/lock", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	mustStore(t, dir)
	left, err := os.ReadDir(filepath.Join(dir, Dir, "tmp"))
	if err != nil || len(left) != 2 {
		t.Errorf("%v %v, want the folders of the two that live", left, err)
	}
	if _, err := os.Stat(filepath.Join(dir, Dir, alive.tmp)); err != nil {
		t.Error(err)
	}
}

func TestStoreHostileFolder(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret.steplog")
	if err := os.WriteFile(secret, []byte("secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	s := mustStore(t, dir)
	if err := os.Symlink(secret, filepath.Join(s.Dir(), "logs", "link.steplog")); err != nil {
		t.Fatal(err)
	}
	index := strings.Join([]string{
		`{"test":"T1","result":"pass","log":"../../secret.steplog"}`, `{"test":"T2","result":"pass","log":"link.steplog"}`,
		`{"test":"T3","result":"boom"}`, `nonsense`, `{"test":"T4","result":"pass","log":"` + strings.Repeat("x", maxLine) + `"}`,
		`{"test":"T5","result":"fail","log":"."}`, "\x00\xff", `{"test":"T6","result":"skip"}`, `{"test":"T7","res`,
	}, "\n")
	if err := os.WriteFile(filepath.Join(s.Dir(), "index"), []byte(index), 0o644); err != nil {
		t.Fatal(err)
	}
	all, err := s.List()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range all {
		names = append(names, r.Test+r.Log)
	}
	if got := strings.Join(names, " "); got != "T1 T2 T5 T6" {
		t.Error(got)
	}
	for _, name := range []string{"../../secret.steplog", "link.steplog", "", ".steplog", "a/b.steplog"} {
		if l, err := s.Load(name); err == nil {
			l.Close()
			t.Errorf("Load(%q) worked", name)
		}
	}
	if _, err := s.Add(Result{Test: "T", Result: Pass}, secret, ""); err == nil {
		t.Error("Add took a file that is not its own")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(secret); err != nil || string(b) != "secret" {
		t.Errorf("%q %v", b, err)
	}
}

func TestOpenRefusesLinks(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink(t.TempDir(), filepath.Join(dir, Dir)); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); !errors.Is(err, ErrReadOnly) {
		t.Errorf("link: %v", err)
	}
	if _, err := OpenRead(t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing there: %v", err)
	}
}

func TestOpenTemp(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	dir := filepath.Join(t.TempDir(), "gone") // cannot be made: its parent is missing
	if _, err := Open(dir); !errors.Is(err, ErrReadOnly) {
		t.Fatalf("%v", err)
	}
	s, err := OpenTemp(dir)
	if err != nil {
		t.Fatal(err)
	}
	addRun(t, s, "TestX", 1, Pass, 1)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	read, err := OpenRead(dir)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := read.Find(Query{}); err != nil || r.Test != "TestX" {
		t.Errorf("%+v %v", r, err)
	}
	if err := os.Chmod(read.Dir(), 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenTemp(dir); err == nil {
		t.Error("a folder that everybody may write was taken")
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	log := logtest.New(t, steplog.Header{Seed: 1, Test: "TestX"})
	log.Add(logtest.Event{Kind: steplog.KindEnd, Machine: 1})
	path := filepath.Join(dir, "x.steplog")
	if err := os.WriteFile(path, log.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	l, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if l.Steps() != 1 || l.Header().Test != "TestX" {
		t.Errorf("%d steps, %+v", l.Steps(), l.Header())
	}
	l.Close()
	if err := os.WriteFile(path, []byte("RESTEPLG"), 0o644); err != nil {
		t.Fatal(err)
	}
	var damage *steplog.Error
	if _, err := Load(path); !errors.As(err, &damage) || damage.Offset != 8 {
		t.Errorf("%v", err)
	}
	if _, err := Load(dir); err == nil {
		t.Error("a folder was opened as a log")
	}
}

// TestLoadThenCut: a log that was opened stays as it was, whatever becomes of
// its file.
func TestLoadThenCut(t *testing.T) {
	l := logtest.New(t, steplog.Header{Seed: 1, Test: "TestX"})
	for range 3000 {
		l.Add(logtest.Event{Kind: steplog.KindLog, Machine: 1, Text: strings.Repeat("x", 100)})
	}
	path := filepath.Join(t.TempDir(), "x.steplog")
	if err := os.WriteFile(path, l.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	log, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	n := 0
	for s := range log.Forward(steplog.Filter{}) {
		n += len(s.Text)
	}
	if n != 300_000 || log.Steps() != 3000 {
		t.Errorf("%d bytes of %d steps", n, log.Steps())
	}
}
