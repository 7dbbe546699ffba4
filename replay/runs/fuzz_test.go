package runs

import (
	"bytes"
	"encoding/json"
	"path"
	"strings"
	"testing"
)

// FuzzIndexLine: a line of the index, which lies in the user's workspace, is a
// result or nothing; a result names no file elsewhere and reads the same once
// it has been written.
func FuzzIndexLine(f *testing.F) {
	good, err := json.Marshal(Result{Test: "TestX", Package: "example.com/m", Result: Fail, Log: "TestX-1-0011223344556677.steplog",
		Failure: &Failure{Message: "a\nb", Step: 3, File: "example.com/m/x.go", Line: 7}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"test":"TestX","result":"pass","log":"../../etc/passwd"}`))
	f.Add([]byte(`{"test":"T","result":"fail","failure":{"line":-1,"file":"/etc/passwd","step":18446744073709551615}}`))
	f.Add([]byte(`[[[[[[[[`))
	f.Fuzz(func(t *testing.T, line []byte) {
		r, ok := parseLine(line)
		if !ok {
			return
		}
		if r.Log != "" && (path.Base(r.Log) != r.Log || strings.ContainsAny(r.Log, "/\\\x00\x1b\n") || strings.HasPrefix(r.Log, ".")) {
			t.Fatalf("log %q", r.Log)
		}
		b, err := json.Marshal(r)
		if err != nil {
			return // a time that JSON cannot hold
		}
		again, ok := parseLine(b)
		if len(b) > maxLine {
			return
		}
		b2, err := json.Marshal(again)
		if !ok || err != nil || !bytes.Equal(b, b2) {
			t.Fatalf("%s\nthen %s", b, b2)
		}
	})
}
