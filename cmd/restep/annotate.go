package main

import (
	"path/filepath"
	"strconv"
	"strings"
)

// annotation is a failure as GitHub Actions shows it beside the source, "" when
// this is no such job.
//
// Sources: GitHub Docs, "Workflow commands for GitHub Actions"; the escapes are
// those of actions/toolkit, packages/core/src/command.ts.
type annotation struct {
	file  string // absolute path; "" = none
	line  int
	title string
	text  []string
}

// command returns the workflow command, given the variables of the job.
func (a *annotation) command(env func(string) string) string {
	if env("GITHUB_ACTIONS") != "true" {
		return ""
	}
	var props []string
	if rel, ok := belowWorkspace(env("GITHUB_WORKSPACE"), a.file); ok {
		props = append(props, "file="+escapeProperty(rel))
		if a.line > 0 {
			props = append(props, "line="+strconv.Itoa(a.line))
		}
	}
	props = append(props, "title="+escapeProperty(a.title))
	return "::error " + strings.Join(props, ",") + "::" + escapeData(strings.Join(a.text, "\n"))
}

// belowWorkspace is a path as GitHub knows it: relative to the checkout.
func belowWorkspace(workspace, file string) (string, bool) {
	if file == "" || workspace == "" {
		return "", false
	}
	for _, f := range []func(string) (string, error){
		func(p string) (string, error) { return p, nil },
		filepath.EvalSymlinks, // the workspace may be a link, or the module
	} {
		root, errRoot := f(workspace)
		path, errPath := f(file)
		if errRoot != nil || errPath != nil {
			continue
		}
		if rel, err := filepath.Rel(root, path); err == nil && filepath.IsLocal(rel) {
			return filepath.ToSlash(rel), true
		}
	}
	return "", false
}

func escapeData(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

func escapeProperty(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(s)
}
