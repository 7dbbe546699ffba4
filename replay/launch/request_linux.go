package launch

import (
	"fmt"
	"strings"
	"time"

	"github.com/restep/restep/sim/inject"
	"github.com/restep/restep/sim/steplog"
	"github.com/restep/restep/sim/zygote"
)

// Request returns the request that makes a run with this header. moduleDir is
// the module's folder on this host, log the path of the step log with its
// header block written, "" to record nothing. It fails for a header whose
// package is not of its module.
func Request(h *steplog.Header, moduleDir, log string) (*zygote.Request, error) {
	rel, ok := strings.CutPrefix(h.Package, h.Module)
	if h.Module == inject.Std {
		rel, ok = "/"+h.Package, true
	}
	if h.Module == "" || !ok || rel != "" && rel[0] != '/' || strings.Contains(rel+"/", "/../") {
		return nil, fmt.Errorf("package %q is not of module %q: record the run again", h.Package, h.Module)
	}
	root := "/src/" + h.Module
	return &zygote.Request{
		Seed: h.Seed, Variant: h.Variant, Start: time.Unix(0, h.StartNs), Timeout: SimTimeout, Log: log,
		Root: root, Real: moduleDir, Cwd: root + rel, Args: h.Args, Env: h.Env,
	}, nil
}
