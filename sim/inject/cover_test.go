package inject

import (
	"strings"
	"testing"
)

func TestCoverOfPatchedPackages(t *testing.T) {
	g := &Goroot{Root: "/go"}
	b := &builder{goroot: g, overlay: &Overlay{Replace: map[string]string{
		"/go/src/log/log.go": "", "/go/src/net/hosts.go": "", "/go/src/internal/restep/sched/choice.go": "", "/go/src/runtime/proc.go": "",
	}}}
	for pattern, want := range map[string]string{
		"./...": "", ".": "", "../x": "", "/home/u/m": "", "example.com/m/...": "", "strings": "", "net/http": "", "net/http/...": "",
		"log": "log", "net/...": "net", "runtime": "runtime", "all": "internal/restep/sched", "std": "internal/restep/sched",
		"...": "internal/restep/sched", "l...g": "log", "internal/...": "internal/restep/sched", "log.": "",
	} {
		b.Cover = &Cover{Packages: []string{"./...", pattern}}
		err := b.checkCover()
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), " takes in "+want+" of ") {
			t.Errorf("%s: %v, want %q", pattern, err, want)
		}
	}
	if b.Cover = nil; b.checkCover() != nil {
		t.Error("without coverage")
	}
}
