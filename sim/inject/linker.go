package inject

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

//go:embed all:_link classes.go
var linkerFiles embed.FS

// linkerSources returns the files of the patched linker, by path below
// GOROOT/src, and the id it reports to the go command.
func linkerSources(g *Goroot) (files map[string]string, id string, err error) {
	files, err = g.patch(linkerEdits)
	if err != nil {
		return nil, "", err
	}
	const root = "_link"
	err = fs.WalkDir(linkerFiles, root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := linkerFiles.ReadFile(name)
		files[strings.TrimPrefix(name, root+"/")] = string(text)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	classes, err := linkerFiles.ReadFile("classes.go")
	if err != nil {
		return nil, "", err
	}
	files["cmd/link/internal/ld/restep_classes.go"] = strings.Replace(string(classes), "package inject\n", "package ld\n", 1)
	id = hash(generatorVersion, g.Version, hashFiles(files))[:32]
	files["cmd/link/restep_id.go"] = fmt.Sprintf("package main\n\nconst restepID = %q\n", id)
	return files, id, nil
}

// buildLinker returns the path of the patched linker, which is also its own
// -toolexec wrapper. It is built once for each content of its sources; that
// takes about 15 s.
func buildLinker(ctx context.Context, g *Goroot, progress func(string)) (string, error) {
	files, id, err := linkerSources(g)
	if err != nil {
		return "", fmt.Errorf("patch the linker of %s: %w", g.Version, err)
	}
	dir, err := cacheDir("linker", id)
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "link")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	what := "building the linker of " + g.Version + ", once"
	progress(what)
	o, err := g.store("linker-src", files)
	if err != nil {
		return "", err
	}
	temp, err := os.MkdirTemp(dir, ".new-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(temp)
	// In GOROOT/src, so that the user's go.mod and workspace play no part.
	command := func(args ...string) *exec.Cmd {
		cmd := g.command(ctx, filepath.Join(g.Root, "src"), nil, args...)
		cmd.Env = append(cmd.Env, "GOFLAGS=", "GOWORK=off", "GOEXPERIMENT=", "GOARCH="+g.goEnv.GOHOSTARCH)
		return cmd
	}
	all, err := output(command("list", "-deps", "-overlay="+o.File, "cmd/link"))
	if err == nil {
		_, err = counted(ctx, &counter{tell: progress, what: what}, all, func(flags ...string) *exec.Cmd {
			return command(slices.Concat([]string{"build"}, flags, []string{"-trimpath", "-ldflags=-s -w", "-overlay=" + o.File,
				"-o", filepath.Join(temp, "link"), "cmd/link"})...)
		})
	}
	if err != nil {
		return "", fmt.Errorf("build the patched linker of %s: %w", g.Version, err)
	}
	return path, os.Rename(filepath.Join(temp, "link"), path)
}
