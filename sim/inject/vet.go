package inject

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Vet asks for go vet, as go test runs it.
type Vet struct {
	// Checks are names of analyzers. nil are those that go test of the
	// release chooses; an empty list are all.
	Checks []string
}

// testChecks are what go test vets by default, by release
// (cmd/go/internal/test: defaultVetFlags).
var testChecks = map[string][]string{
	"go1.26": {"atomic", "bools", "buildtag", "directive", "errorsas", "ifaceassert", "nilfunc", "printf", "slog", "stringintconv", "tests"},
	"go1.27": {"atomic", "bools", "buildtag", "directive", "errorsas", "ifaceassert", "nilfunc", "printf", "slog", "stdversion", "stringintconv", "tests"},
}

// args returns the arguments of the go command, but for the package.
func (v *Vet) args(release string) []string {
	checks := v.Checks
	if checks == nil {
		checks = testChecks[release]
	}
	args := []string{"vet"}
	for _, c := range checks {
		args = append(args, "-"+c)
	}
	return args
}

// vet runs go vet over the package and its tests. It looks at the plain
// standard library, not at the patched one: vet follows imports into folders
// that exist in an overlay only, and cannot. The user's own setting of cgo
// counts, so that what his go test has compiled is used again.
func (b *builder) vet(ctx context.Context) error {
	args := append(b.Vet.args(b.goroot.Release), b.tagsFlag())
	if b.plainFile != "" {
		args = append(args, "-overlay="+b.plainFile)
	}
	args = append(append(args, b.flags.flags...), b.Package)
	cmd := b.goroot.command(ctx, b.Dir, b.Env, args...)
	if i := slices.Index(cmd.Env, noCgo); i >= 0 {
		cmd.Env = slices.Delete(cmd.Env, i, i+1)
	}
	cmd.Env = append(cmd.Env, "GOFLAGS="+joinQuoted(b.flags.goflagsOrNone()))
	_, err := output(cmd)
	var tool *ToolError
	if errors.As(err, &tool) && ctx.Err() == nil {
		tool.Stderr = fmt.Sprintf("# %[1]s\n# [%[1]s]\n%[2]s", b.Package, tool.Stderr)
	}
	return err
}
