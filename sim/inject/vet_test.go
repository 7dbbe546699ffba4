package inject

import (
	"cmp"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestVetChecks: the table is what go test of this installation vets.
func TestVetChecks(t *testing.T) {
	eachRelease(t, func(t *testing.T, g *Goroot) {
		text, err := os.ReadFile(g.src("cmd/go/internal/test/test.go"))
		if err != nil {
			t.Fatal(err)
		}
		_, list, ok := strings.Cut(string(text), "\nvar defaultVetFlags = []string{\n")
		list, _, ok2 := strings.Cut(list, "\n}\n")
		if !ok || !ok2 {
			t.Fatalf("%s no longer lists its checks in cmd/go/internal/test/test.go", g.Version)
		}
		older := map[string]string{"bool": "bools", "buildtags": "buildtag"} // vet knows both names
		var want []string
		for _, m := range regexp.MustCompile(`(?m)^\t"-([a-z]+)",$`).FindAllStringSubmatch(list, -1) {
			want = append(want, cmp.Or(older[m[1]], m[1]))
		}
		if got := testChecks[g.Release]; !slices.Equal(got, want) {
			t.Errorf("testChecks[%q] is %q, go test has %q", g.Release, got, want)
		}
	})
}

func TestVetArgs(t *testing.T) {
	for _, test := range []struct {
		vet  Vet
		want string
	}{
		{Vet{}, "vet -atomic -bools -buildtag -directive -errorsas -ifaceassert -nilfunc -printf -slog -stringintconv -tests"},
		{Vet{Checks: []string{}}, "vet"},
		{Vet{Checks: []string{"printf"}}, "vet -printf"},
	} {
		if got := strings.Join(test.vet.args("go1.26"), " "); got != test.want {
			t.Errorf("%+v: %s", test.vet, got)
		}
	}
}
