package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/restep/restep/sim/inject"
)

// devcontainer is devcontainer.json: https://containers.dev/implementors/json_reference
type devcontainer struct {
	Name        string   `json:"name"`
	Image       string   `json:"image"`
	CapAdd      []string `json:"capAdd"`
	SecurityOpt []string `json:"securityOpt"`
	PostCreate  string   `json:"postCreateCommand,omitempty"`
	Custom      any      `json:"customizations"`
}

// newDevcontainer describes a container with this binary's release of Go in
// which a debugger may attach: ptrace(2) needs the capability, personality(2)
// is not in the default filter of system calls.
func newDevcontainer(goVersion, restepVersion string) devcontainer {
	parts := strings.SplitN(strings.TrimPrefix(goVersion, "go"), ".", 3)
	c := devcontainer{
		Name: "restep", Image: "golang:" + strings.Join(parts[:min(2, len(parts))], "."),
		CapAdd: []string{"SYS_PTRACE"}, SecurityOpt: []string{"seccomp=unconfined"},
		Custom: map[string]any{"vscode": map[string]any{"extensions": []string{"golang.go"}}},
	}
	if isRelease(restepVersion) {
		c.PostCreate = "go install " + inject.SimModule + "/cmd/restep@" + restepVersion
	}
	return c
}

// writeDevcontainer writes the file below a folder unless there is one.
func writeDevcontainer(u *ui, root string) error {
	path := filepath.Join(root, ".devcontainer", "devcontainer.json")
	for _, p := range []string{path, filepath.Join(root, ".devcontainer.json")} {
		if isFile(p) {
			u.printf("%s is there already and stays; to debug in it, it needs\n"+
				"  \"capAdd\": [\"SYS_PTRACE\"], \"securityOpt\": [\"seccomp=unconfined\"]\n", nearPath(p))
			return nil
		}
	}
	c := newDevcontainer(runtime.Version(), version())
	b, err := json.MarshalIndent(c, "", "\t")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(append(b, '\n'))
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	u.printf("wrote %s; open the folder in the container by \"Reopen in Container\"\n", nearPath(path))
	if c.PostCreate == "" {
		u.printf("this restep is no release: install it in the container yourself\n")
	}
	return nil
}
