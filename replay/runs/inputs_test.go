package runs

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestInputs(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := s.AddInputs("ab", []byte(`{"a":1}`))
	if err != nil {
		t.Fatal(err)
	}
	again, err := s.AddInputs("ab", []byte(`{"a":1}`))
	if err != nil || again != kept {
		t.Fatalf("the same content is %q and %q, %v", kept, again, err)
	}
	stray, err := s.AddInputs("ab", []byte(`{"a":2}`))
	if err != nil {
		t.Fatal(err)
	}
	log, err := s.NewLog(make([]byte, 1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Add(Result{Test: "TestX", Result: Pass, Inputs: kept}, log, ""); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-2 * strayAge)
	for _, name := range []string{kept, stray} {
		if err := os.Chtimes(filepath.Join(dir, Dir, "inputs", name), old, old); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = OpenRead(dir); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if b, err := s.Inputs(kept); err != nil || string(b) != `{"a":1}` {
		t.Errorf("%q, %v", b, err)
	}
	if b, err := s.InputsOf("ab"); err != nil || string(b) != `{"a":1}` {
		t.Errorf("of the build: %q, %v", b, err)
	}
	if b, err := s.InputsOf("other"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of another build: %q, %v", b, err)
	}
	for _, name := range []string{stray, "", "../index", "0011223344556677-0011223344556677.json"} {
		if b, err := s.Inputs(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("inputs %q: %q, %v; want none", name, b, err)
		}
	}
}
