package launch_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/restep/restep/replay/launch"
	"github.com/restep/restep/sim/steplog"
)

func TestRequest(t *testing.T) {
	spec := launch.Spec{
		Build: "00ff", Package: "example.com/bank/store", Module: "example.com/bank", Test: "TestX", Seed: 7,
		Flags: []string{"-test.short"}, Args: []string{"-dir", "x"}, Env: []string{"HOME=/home/u", "A=1", "A=2"},
	}
	h := spec.Header()
	block, err := steplog.EncodeHeader(&h)
	if err != nil {
		t.Fatal(err)
	}
	if h, err = steplog.DecodeHeader(block); err != nil { // a debugger has only this
		t.Fatal(err)
	}
	r, err := launch.Request(&h, "/home/u/bank", "/tmp/x.steplog")
	if err != nil {
		t.Fatal(err)
	}
	if r.Root != "/src/example.com/bank" || r.Cwd != r.Root+"/store" || r.Real != "/home/u/bank" || r.Seed != 7 ||
		!r.Start.Equal(launch.Start()) || r.Timeout != launch.SimTimeout {
		t.Errorf("%+v", r)
	}
	if got := strings.Join(r.Args, " "); got !=
		"/tmp/store.test -test.run=^TestX$ -test.v=test2json -test.timeout=0 -test.benchtime=1x -test.short -dir x" {
		t.Error(got)
	}
	if want := []string{"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/home/u", "USER=root", "TMPDIR=/tmp", "LANG=C.UTF-8", "A=2"}; !slices.Equal(r.Env, want) {
		t.Errorf("%q", r.Env)
	}
	for _, v := range append(slices.Concat(r.Args, r.Env), r.Root, r.Cwd) {
		if strings.Contains(v, "/home/u/bank") {
			t.Errorf("the program sees the host's folder in %q", v)
		}
	}
}

func TestRequestOfRoot(t *testing.T) {
	spec := launch.Spec{Package: "example", Module: "example", Test: "TestX", Run: "^TestX$/a"}
	h := spec.Header()
	r, err := launch.Request(&h, "/m", "")
	if err != nil || r.Cwd != "/src/example" || r.Args[1] != "-test.run=^TestX$/a" {
		t.Errorf("%+v %v", r, err)
	}
	list := spec.ListHeader()
	if !slices.Contains(list.Args, "-test.list=.") || list.Test != "" {
		t.Errorf("%+v", list)
	}
}

func TestRequestRefusesHostileHeaders(t *testing.T) {
	for _, h := range []steplog.Header{
		{}, {Module: "example.com/a", Package: "example.com/ab"}, {Module: "example.com/a", Package: "example.com/a/../../../etc"},
		{Module: "example.com/a", Package: "example.com/a/.."},
	} {
		if r, err := launch.Request(&h, "/m", ""); err == nil {
			t.Errorf("%+v gives %+v", h, r)
		}
	}
}

func TestCover(t *testing.T) {
	spec := launch.Spec{Package: "example", Module: "example", Test: "TestX", Args: []string{"x"}}
	plain := spec.Header().Args
	spec.Cover = true
	h := spec.Header()
	if slices.Equal(h.Args, plain) || !slices.Contains(h.Args, "-test.coverprofile="+launch.CoverFile) || h.Args[len(h.Args)-1] != "x" {
		t.Errorf("%q", h.Args)
	}
	if got := launch.WithoutCover(h.Args); !slices.Equal(got, plain) {
		t.Errorf("%q, want %q", got, plain)
	}
	if got := launch.WithoutCover(plain); !slices.Equal(got, plain) {
		t.Errorf("%q, want %q", got, plain)
	}
	if r, err := launch.Request(&h, "/m", ""); err != nil || r.Export != "" {
		t.Errorf("%+v %v", r, err) // whoever runs it says where to
	}
}

func TestMemory(t *testing.T) {
	for _, bytes := range []uint64{0, 1, launch.Memory, 1<<63 - 1} {
		s := launch.Spec{Test: "TestX", Memory: bytes}
		h := s.Header()
		block, err := steplog.EncodeHeader(&h)
		if err != nil {
			t.Fatal(err)
		}
		if h, err = steplog.DecodeHeader(block); err != nil || launch.MemoryOf(&h) != bytes {
			t.Errorf("%d became %d, %v", bytes, launch.MemoryOf(&h), err)
		}
	}
	if n := launch.MemoryOf(&steplog.Header{Extra: []steplog.Pair{{Key: "memory", Value: "-1"}}}); n != 0 {
		t.Errorf("nonsense is %d", n)
	}
}

// TestArchitecture: the log of a run on another CPU than amd64 says so, for its
// steps are others.
func TestArchitecture(t *testing.T) {
	for goarch, want := range map[string][]steplog.Pair{"": nil, "amd64": nil, "arm64": {{Key: "goarch", Value: "arm64"}}} {
		s := launch.Spec{Test: "TestX", GOARCH: goarch}
		if h := s.Header(); !slices.Equal(h.Extra, want) {
			t.Errorf("%q: %v, want %v", goarch, h.Extra, want)
		}
	}
}

// TestBenchmark: a benchmark is run by -test.bench, and no test with it.
func TestBenchmark(t *testing.T) {
	s := launch.Spec{Test: "BenchmarkX", Flags: []string{"-test.benchtime=5x"}}
	args := s.Header().Args
	for _, want := range []string{"-test.run=^$", "-test.bench=^BenchmarkX$", "-test.benchtime=1x"} {
		if !slices.Contains(args, want) {
			t.Errorf("%q lacks %s", args, want)
		}
	}
	if last := args[len(args)-1]; last != "-test.benchtime=5x" {
		t.Errorf("the user's flag does not come last, but %s", last)
	}
}
