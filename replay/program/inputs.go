package program

import (
	"slices"
	"strings"

	"github.com/restep/restep/replay/inputs"
	"github.com/restep/restep/sim/inject"
)

// InputsSpec says of what the manifest of a binary is taken: the same for the
// one who records a run and the one who opens it.
func InputsSpec(bin *inject.Binary, version string, tags, buildFlags, goEnv []string) *inputs.Spec {
	s := &inputs.Spec{
		Build: bin.BuildID, Go: bin.GoVersion, Restep: version, Package: bin.ImportPath, Module: bin.ModulePath,
		ModuleDir: bin.ModuleDir, PackageDir: bin.PackageDir, Env: goEnv,
		GoFlags: append([]string{"-tags=" + strings.Join(append([]string{inject.BuildTag}, tags...), ",")}, buildFlags...),
		Flags:   slices.Clone(buildFlags),
	}
	if len(tags) > 0 {
		s.Flags = append([]string{"-tags=" + strings.Join(tags, ",")}, s.Flags...)
	}
	return s
}
