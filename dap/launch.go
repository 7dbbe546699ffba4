package dap

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/google/go-dap"

	"github.com/restep/restep/dap/processes"
	"github.com/restep/restep/dap/target"
	"github.com/restep/restep/replay/program"
	"github.com/restep/restep/replay/text"
)

// launchArguments are the attributes of a launch request that are the front's.
// Others go to Delve: stackTraceDepth, maxStringLen, maxArrayValues,
// showGlobalVariables, showRegisters, showRawStrings, hideSystemGoroutines,
// goroutineFilters, showPprofLabels, substitutePath.
type launchArguments struct {
	Program     string               `json:"program"`     // directory, file or import path; "" is cwd
	Cwd         string               `json:"cwd"`         // where the go command runs
	Test        string               `json:"test"`        // "TestX" or "TestX/sub"
	Seed        *number              `json:"seed"`        // 1
	Variant     string               `json:"variant"`     // as in a link, hexadecimal; "" is that of the newest run
	Step        *number              `json:"step"`        // where to stop first
	StopOnEntry bool                 `json:"stopOnEntry"` // at the first step of the test's own code
	StopAtEnd   bool                 `json:"stopAtEnd"`   // at the last step, before the program ends
	Env         map[string]*string   `json:"env"`         // what the program under test sees, null = nothing
	Args        []string             `json:"args"`        // of the program, as after -args
	BuildFlags  processes.StringList `json:"buildFlags"`  // of go build
	BuildTags   string               `json:"buildTags"`   // with commas
	Token       string               `json:"token"`       // for restep dap --listen
	Reconnect   string               `json:"reconnect"`   // name under which the session waits when its connection ends
	MaxThreads  int                  `json:"maxThreads"`  // goroutines that a threads request lists, 1024

	// Delve's, which the front heeds as well.
	HideSystemGoroutines bool   `json:"hideSystemGoroutines"`
	GoroutineFilters     string `json:"goroutineFilters"`
	ShowGlobalVariables  bool   `json:"showGlobalVariables"`
}

// maxThreads is how many goroutines a threads request lists.
func (a *launchArguments) maxThreads() int {
	if a.MaxThreads > 0 {
		return a.MaxThreads
	}
	return defaultThreads
}

// number is a number, or a text that is one, as editors' prompts give.
type number uint64

func (n *number) UnmarshalJSON(b []byte) error {
	text := string(b)
	if len(b) > 0 && b[0] == '"' {
		if err := json.Unmarshal(b, &text); err != nil {
			return err
		}
	}
	v, err := strconv.ParseUint(strings.TrimPrefix(strings.TrimSpace(text), "#"), 10, 64)
	if err != nil {
		return fmt.Errorf("want a number from 0 to 18446744073709551615, not %s", b)
	}
	*n = number(v)
	return nil
}

// spec checks the arguments and says which run they mean.
func (a *launchArguments) spec(dir string) (program.Spec, error) {
	spec := program.Spec{Test: a.Test, Seed: 1, Args: a.Args, BuildFlags: a.BuildFlags}
	if a.Test == "" {
		return spec, userError(idArguments, "the launch configuration has no \"test\": give the name of a test")
	}
	if a.Seed != nil {
		spec.Seed = uint64(*a.Seed)
	}
	if a.Variant != "" {
		v, err := strconv.ParseUint(a.Variant, 16, 64)
		if err != nil {
			return spec, userError(idArguments, "\"variant\" is a hexadecimal number, as in a link to a step, not %q", a.Variant)
		}
		spec.Variant = &v
	}
	if a.BuildTags != "" {
		spec.Tags = strings.Split(a.BuildTags, ",")
	}
	for _, k := range slices.Sorted(maps.Keys(a.Env)) {
		if k == "" || strings.ContainsAny(k, "=\x00") {
			return spec, userError(idArguments, "\"env\" has the impossible name %q", k)
		}
		if v := a.Env[k]; v != nil {
			spec.Env = append(spec.Env, k+"="+*v)
		}
	}
	if a.Cwd != "" {
		dir = a.Cwd
	}
	spec.Dir, spec.Package = dir, "."
	at := a.Program
	if at != "" && !filepath.IsAbs(at) {
		at = filepath.Join(dir, at)
	}
	switch info, err := os.Stat(at); {
	case a.Program == "":
	case err == nil && info.IsDir():
		spec.Dir = at
	case err == nil && strings.HasSuffix(at, ".go"):
		spec.Dir = filepath.Dir(at)
	case filepath.IsAbs(a.Program) || strings.HasPrefix(a.Program, "."):
		return spec, userError(idArguments, "there is no program %s", a.Program)
	default:
		spec.Package = a.Program // an import path
	}
	return spec, nil
}

// load builds, finds or records the run, and attaches to a copy of it.
// request is the number of the request that it is done for.
func (s *session) load(ctx context.Context, request int, args *launchArguments) error {
	spec, err := args.spec(s.opt.Dir)
	if err != nil {
		return err
	}
	spec.Version = s.opt.Version
	p := s.startProgress(request, "Building and recording "+args.Test, 0)
	defer p.done()
	spec.Progress = p.say
	prog, err := program.Load(ctx, spec)
	if err != nil {
		return s.launchFailure(ctx, err)
	}
	s.prog = prog
	if prog.Stale || prog.Changed != nil {
		s.console("restep: the recorded run is not of the program as it is; it was made anew, steps may have other numbers now")
		for _, change := range prog.Changed {
			s.console("  " + text.Escape(change))
		}
	}
	if args.Step != nil {
		if n := prog.Log.Steps(); *args.Step == 0 || uint64(*args.Step) > n {
			return userError(idNoStep, "there is no step #%d: the run has steps #1 to #%d", *args.Step, n)
		}
	}
	listed := make(chan error, 1)
	go func() { // as long as the debugger reads its information
		var err error
		s.deps, err = target.Dependencies(ctx, prog.Bin, spec.GoFlags(), spec.GoEnv)
		listed <- err
	}()
	t, err := target.Open(prog)
	if lost := <-listed; lost != nil && ctx.Err() == nil {
		s.console("restep: sources of other modules will not be found: " + lost.Error())
	}
	if err == nil {
		s.rules, err = target.Rules(prog.Bin, s.deps)
		if err != nil {
			t.Close()
		}
	}
	if err != nil {
		return s.launchFailure(ctx, err)
	}
	s.mu.Lock()
	s.target = t
	s.mu.Unlock()
	return nil
}

func (s *session) launchFailure(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return silentError(idCancelled, "cancelled")
	}
	return userError(idLaunch, "%v", err)
}

// delveArguments are the launch arguments for Delve's session, which believes
// that it attaches to a debugger that is there already.
func (s *session) delveArguments(raw json.RawMessage) (json.RawMessage, error) {
	var args map[string]any
	if err := json.Unmarshal(raw, &args); err != nil {
		return nil, err
	}
	for _, own := range []string{
		"program", "cwd", "test", "seed", "variant", "step", "stopAtEnd", "env", "args", "buildFlags", "buildTags", "token",
		"reconnect", "maxThreads", "showGlobalVariables", "noDebug", "followExec", "followExecRegex", "backend", "processId", "waitFor",
	} {
		delete(args, own)
	}
	args["mode"] = "remote"
	args["stopOnEntry"] = true
	var paths []any
	if user, ok := args["substitutePath"].([]any); ok {
		paths = user
	}
	for _, r := range s.rules {
		paths = append(paths, map[string]string{"from": r.Host, "to": r.Binary})
	}
	args["substitutePath"] = paths
	return json.Marshal(args)
}

// connect starts Delve's session on the target.
func (s *session) connect(ctx context.Context, raw json.RawMessage) error {
	args, err := s.delveArguments(raw)
	if err != nil {
		return userError(idArguments, "%v", err)
	}
	s.target.Resume = s.resume
	s.backend = startBackend(s.target.Serve, s.onEvent)
	hello := &dap.InitializeRequest{Request: newRequest("initialize"), Arguments: s.client}
	if _, err := s.backend.call(ctx, hello); err != nil {
		return fmt.Errorf("start the debugger's session: %w", err)
	}
	attach := &dap.AttachRequest{Request: newRequest("attach"), Arguments: args}
	if _, err := s.backend.call(ctx, attach); err != nil {
		return userError(idArguments, "%v", err)
	}
	return nil
}

func newRequest(command string) dap.Request {
	return dap.Request{ProtocolMessage: dap.ProtocolMessage{Type: "request"}, Command: command}
}
