// Command gensim writes sim.txtar, the copy of package sim that sim/inject
// embeds. `go generate ./sim/inject` calls it in that folder.
//
// It deliberately does no more than that; what is packed is simsource's
// business, the only package of this module it may import.
package main

import (
	"fmt"
	"os"

	"github.com/restep/restep/sim/inject/internal/simsource"
)

func main() {
	if err := generate("../..", "sim.txtar"); err != nil {
		fmt.Fprintf(os.Stderr, "gensim: %v; run it by: go generate ./sim/inject\n", err)
		os.Exit(1)
	}
}

func generate(root, out string) error {
	files, err := simsource.Files(root)
	if err != nil {
		return err
	}
	text, err := simsource.Format(files)
	if err != nil {
		return err
	}
	return os.WriteFile(out, []byte(text), 0o644)
}
