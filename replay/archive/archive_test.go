package archive

import (
	"archive/zip"
	"bytes"
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/restep/restep/replay/inputs"
	"github.com/restep/restep/replay/logtest"
	"github.com/restep/restep/replay/moment"
	"github.com/restep/restep/replay/runs"
	"github.com/restep/restep/sim/steplog"
)

// sample is an archive of a short run.
func sample(t testing.TB) *Archive {
	l := logtest.New(t, steplog.Header{Seed: 7, Build: "ab12", Package: "example.com/m", Module: "example.com/m", Test: "TestX"})
	l.Add(logtest.Event{Kind: steplog.KindLog, Machine: 1, Goroutine: 1, Text: "hello"})
	return &Archive{
		Moment: moment.Moment{Build: "ab12", Package: "example.com/m", Test: "TestX", Seed: 7, Step: 1},
		Log:    l.Bytes(),
		Info: Info{Result: &runs.Result{Build: "ab12", Package: "example.com/m", Test: "TestX", Seed: 7, Result: runs.Fail,
			Failure: &runs.Failure{Message: "sum is 3"}}},
		Inputs: &inputs.Manifest{Format: inputs.Version, Build: "ab12", Sources: map[string]string{"example.com/m/m.go": "00"}},
	}
}

func packed(t testing.TB, a *Archive) []byte {
	var b bytes.Buffer
	if err := Write(&b, a); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestRoundTrip(t *testing.T) {
	b := packed(t, sample(t))
	if !bytes.Equal(b, packed(t, sample(t))) {
		t.Error("the same run gives other bytes the second time")
	}
	a, r, err := Read(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	s, err := r.Step(1)
	if err != nil || string(s.Text) != "hello" {
		t.Fatalf("step 1 is %q, %v", s.Text, err)
	}
	if a.Moment.Step != 1 || a.Info.Result.Failure.Message != "sum is 3" || a.Inputs.Sources["example.com/m/m.go"] != "00" {
		t.Fatalf("read %+v", a)
	}
}

// entry is a file of a hostile archive.
type entry struct {
	head    zip.FileHeader
	content string
}

func TestHostile(t *testing.T) {
	good, _, err := Read(bytes.NewReader(packed(t, sample(t))), int64(len(packed(t, sample(t)))))
	if err != nil {
		t.Fatal(err)
	}
	info := entry{zip.FileHeader{Name: infoName, Method: zip.Deflate}, `{"format":1,"link":"` + good.Info.Link + `"}`}
	log := entry{zip.FileHeader{Name: logName, Method: zip.Deflate}, string(good.Log)}
	file := func(name, content string) entry {
		return entry{zip.FileHeader{Name: name, Method: zip.Deflate}, content}
	}
	link := file(inputsName, "/etc/passwd")
	link.head.SetMode(0o777 | 1<<27) // fs.ModeSymlink
	for name, test := range map[string]struct {
		files []entry
		want  string
	}{
		"a way up":         {[]entry{info, log, file("../../evil", "x")}, `a file named "../../evil"`},
		"an absolute name": {[]entry{file("/etc/cron.d/x", "x"), info, log}, `a file named "/etc/cron.d/x"`},
		"a windows name":   {[]entry{info, log, file(`..\evil`, "x")}, `a file named`},
		"a folder":         {[]entry{info, log, file("run.steplog/", "")}, `a file named "run.steplog/"`},
		"twice":            {[]entry{info, log, log}, "run.steplog twice"},
		"no log":           {[]entry{info}, "it has no run.steplog"},
		"no info":          {[]entry{log}, "it has no moment.json"},
		"an empty log":     {[]entry{info, file(logName, "")}, "is empty"},
		"no step log":      {[]entry{info, file(logName, "hello")}, "too short"},
		"a link":           {[]entry{info, log, link}, "no regular file"},
		"a bomb":           {[]entry{file(infoName, strings.Repeat(" ", maxInfo+1)), log}, "more than"},
		"another version":  {[]entry{file(infoName, `{"format":2}`), log}, "format version 2"},
		"another run":      {[]entry{file(infoName, strings.Replace(info.content, "seed=7", "seed=8", 1)), log}, "not of the run that it names"},
		"another link":     {[]entry{file(infoName, `{"format":1,"link":"https://example.com"}`), log}, "does not start with"},
		"a wrong index":    {[]entry{file(infoName, strings.Replace(info.content, "{", `{"result":{"test":"TestY"},`, 1)), log}, "its line of the index"},
		"wrong inputs":     {[]entry{info, log, file(inputsName, "[]")}, "list of inputs"},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			z := zip.NewWriter(&b)
			for _, e := range test.files {
				f, err := z.CreateHeader(&e.head)
				if err == nil && e.content != "" {
					_, err = f.Write([]byte(e.content))
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if err := z.Close(); err != nil {
				t.Fatal(err)
			}
			_, _, err := Read(bytes.NewReader(b.Bytes()), int64(b.Len()))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("error %v, want one with %q", err, test.want)
			}
		})
	}
}

// TestLies: an archive that holds more than its directory says is refused, and
// no more is unpacked than was said.
func TestLies(t *testing.T) {
	a := sample(t)
	a.Log = append(a.Log, make([]byte, 32<<20)...)
	b := packed(t, a)
	at := bytes.LastIndex(b, []byte(logName)) - 46 // central directory header
	for i := range 4 {
		b[at+24+i] = 0 // uncompressed size
	}
	b[at+24] = 200
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, _, err := Read(bytes.NewReader(b), int64(len(b)))
	runtime.ReadMemStats(&after)
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v, want an *Error", err)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
		t.Errorf("reading it took %d bytes", n)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(packed(f, sample(f)))
	f.Add([]byte("PK\x05\x06" + strings.Repeat("\x00", 18)))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, r, err := Read(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		if r.Header().Test != a.Moment.Test {
			t.Fatal("log and moment of different runs")
		}
	})
}
