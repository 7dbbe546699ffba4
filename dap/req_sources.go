package dap

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/go-dap"

	"github.com/restep/restep/dap/target"
)

// onLoadedSources lists the user's files.
func (s *session) onLoadedSources(_ context.Context, m dap.Message) error {
	req := m.(*dap.LoadedSourcesRequest)
	files, err := s.target.Sources()
	if err != nil {
		return userError(idDebugger, "%v", err)
	}
	answer := &dap.LoadedSourcesResponse{Response: response(&req.Request)}
	answer.Body.Sources = []dap.Source{}
	for _, f := range files {
		answer.Body.Sources = append(answer.Body.Sources, dap.Source{
			Name: s.prog.Source.Name(f), Path: s.prog.Source.Path(f),
		})
	}
	s.out.send(answer)
	return nil
}

// sourceTypes are the kinds of files that a Go program is built from.
var sourceTypes = []string{".go", ".s", ".h", ".c"}

// onSource reads a source file for a client that cannot reach this host's
// files: one of the module, its dependencies, GOROOT or what restep added.
func (s *session) onSource(_ context.Context, m dap.Message) error {
	req := m.(*dap.SourceRequest)
	if req.Arguments.SourceReference != 0 || req.Arguments.Source == nil || req.Arguments.Source.Path == "" {
		return silentError(idArguments, "all sources are files: give source.path")
	}
	path := req.Arguments.Source.Path
	if !s.isSource(path) {
		return userError(idArguments, "%s is no source file of the program, of a module that it uses or of Go", path)
	}
	info, err := os.Stat(path)
	if err != nil {
		return userError(idArguments, "read the source: %v", err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxContent/2 {
		return userError(idArguments, "%s is no file of at most %d bytes", path, maxContent/2)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return userError(idArguments, "read the source: %v", err)
	}
	answer := &dap.SourceResponse{Response: response(&req.Request)}
	answer.Body.Content = strings.ToValidUTF8(string(content), "\ufffd")
	if strings.HasSuffix(path, ".go") {
		answer.Body.MimeType = "text/x-go"
	}
	s.out.send(answer)
	return nil
}

// isSource reports whether a path, links resolved, is of a source file in one
// of the folders that the program was built from.
func (s *session) isSource(path string) bool {
	if !filepath.IsAbs(path) || !slices.Contains(sourceTypes, filepath.Ext(path)) {
		return false
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return false
	}
	for _, r := range s.rules {
		root, err := filepath.EvalSymlinks(r.Host)
		if err != nil {
			continue
		}
		if rel, err := filepath.Rel(root, real); err == nil && filepath.IsLocal(rel) {
			return true
		}
	}
	return false
}

// page is the part of a list that a client wants: count elements from start on,
// all that are left when count is not positive. Both may be anything at all.
func page[T any](list []T, start, count int) []T {
	list = list[min(max(0, start), len(list)):]
	if count > 0 {
		list = list[:min(count, len(list))]
	}
	return list
}

// onModules lists the Go modules that the program was built from.
func (s *session) onModules(_ context.Context, m dap.Message) error {
	req := m.(*dap.ModulesRequest)
	list := target.Modules(s.prog.Bin, s.deps)
	answer := &dap.ModulesResponse{Response: response(&req.Request)}
	answer.Body.TotalModules = len(list)
	answer.Body.Modules = []dap.Module{}
	for _, mod := range page(list, req.Arguments.StartModule, req.Arguments.ModuleCount) {
		answer.Body.Modules = append(answer.Body.Modules, dap.Module{
			Id: mod.Path, Name: mod.Path, Path: mod.Dir, Version: mod.Version, IsUserCode: mod.Main,
			IsOptimized: !mod.Main, SymbolStatus: "Symbols Loaded",
		})
	}
	s.out.send(answer)
	return nil
}

// onBreakpointLocations lists the lines of a range that have code.
func (s *session) onBreakpointLocations(_ context.Context, m dap.Message) error {
	req := m.(*dap.BreakpointLocationsRequest)
	if req.Arguments == nil || req.Arguments.Source.Path == "" {
		return silentError(idArguments, "breakpointLocations needs the path of a source")
	}
	from := req.Arguments.Line
	lines, err := s.target.Lines(target.BinaryPath(s.rules, req.Arguments.Source.Path), from, max(from, req.Arguments.EndLine))
	if err != nil {
		return silentError(idArguments, "%v", err)
	}
	answer := &dap.BreakpointLocationsResponse{Response: response(&req.Request)}
	answer.Body.Breakpoints = []dap.BreakpointLocation{}
	for _, l := range lines {
		answer.Body.Breakpoints = append(answer.Body.Breakpoints, dap.BreakpointLocation{Line: l})
	}
	s.out.send(answer)
	return nil
}
