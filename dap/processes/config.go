package processes

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Config is a launch configuration of mode "processes". Its JSON is that of
// the launch request.
type Config struct {
	Processes  []Process          `json:"processes"`
	EndWith    string             `json:"endWith"`    // name of a process with which the session ends
	Cwd        string             `json:"cwd"`        // where the go command and, by default, programs run
	Env        map[string]*string `json:"env"`        // of all programs, on top of the adapter's; null removes
	BuildFlags StringList         `json:"buildFlags"` // of go build
	BuildTags  string             `json:"buildTags"`  // with commas
	NoDebug    bool               `json:"noDebug"`    // breakpoints are not set

	display map[string]any // Delve's attributes, as they came
}

// Process is one program.
type Process struct {
	Name        string             `json:"name"`
	Program     string             `json:"program"` // directory, .go file or import path of a main package, or of tests
	Test        string             `json:"test"`    // "TestX" or "TestX/sub": the program is the package's tests
	Args        []string           `json:"args"`
	Cwd         string             `json:"cwd"` // "" is Config.Cwd; that of a test its package, as in go test
	Env         map[string]*string `json:"env"`
	BuildFlags  StringList         `json:"buildFlags"` // on top of Config.BuildFlags
	DependsOn   []string           `json:"dependsOn"`  // names of processes that must be ready before
	Ready       *Ready             `json:"ready"`      // nil: when it was started
	StopTimeout Duration           `json:"stopTimeout"`
}

// Ready says when a process is ready. Both must hold when both are given.
type Ready struct {
	Port    Port     `json:"port"`    // of this host: something listens there
	Log     string   `json:"log"`     // a regular expression; a line of output matches it
	Timeout Duration `json:"timeout"` // 30 s

	log *regexp.Regexp
}

// Limits and defaults.
const (
	maxProcesses = 1 << processBits
	readyTimeout = 30 * time.Second
	stopTimeout  = 10 * time.Second
)

// Duration is a time as text, "1m30s".
type Duration time.Duration

// UnmarshalJSON reads the text.
func (d *Duration) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return fmt.Errorf("want a time such as \"10s\", not %s", b)
	}
	v, err := time.ParseDuration(text)
	if err != nil || v <= 0 {
		return fmt.Errorf("want a time such as \"10s\", not %q", text)
	}
	*d = Duration(v)
	return nil
}

// Port is a TCP port, 1 to 65535; it may come as a text, as from a prompt.
type Port uint16

// UnmarshalJSON reads a number or a text.
func (p *Port) UnmarshalJSON(b []byte) error {
	v, err := strconv.ParseUint(strings.Trim(string(b), `"`), 10, 16)
	if err != nil || v == 0 {
		return fmt.Errorf("want a port from 1 to 65535, not %s", b)
	}
	*p = Port(v)
	return nil
}

// StringList is a list of strings, or one string with spaces between them.
type StringList []string

// UnmarshalJSON reads a list or a string.
func (l *StringList) UnmarshalJSON(b []byte) error {
	var list []string
	if json.Unmarshal(b, &list) == nil {
		*l = list
		return nil
	}
	var one string
	if err := json.Unmarshal(b, &one); err != nil {
		return errors.New("want a string or a list of strings")
	}
	*l = strings.Fields(one)
	return nil
}

// display are the attributes that go to each Delve.
var display = []string{
	"stackTraceDepth", "maxStringLen", "maxArrayValues", "showGlobalVariables", "showRegisters", "showRawStrings",
	"hideSystemGoroutines", "goroutineFilters", "showPprofLabels", "substitutePath",
}

// Parse reads and checks a configuration. Relative paths are relative to dir.
func Parse(raw json.RawMessage, dir string) (*Config, error) {
	cfg := &Config{}
	if err := json.Unmarshal(raw, cfg); err != nil {
		return nil, fmt.Errorf("the launch configuration is wrong: %w", err)
	}
	all := map[string]any{}
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, fmt.Errorf("the launch configuration is wrong: %w", err)
	}
	maps.DeleteFunc(all, func(k string, _ any) bool { return !slices.Contains(display, k) })
	cfg.display = all
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	cfg.Cwd = below(dir, cfg.Cwd)
	switch n := len(cfg.Processes); {
	case n == 0:
		return nil, errors.New("mode \"processes\" needs \"processes\", a list with at least one")
	case n > maxProcesses:
		return nil, fmt.Errorf("%d processes; the limit is %d", n, maxProcesses)
	}
	if err := checkEnv("env", cfg.Env); err != nil {
		return nil, err
	}
	names := map[string]int{}
	for i := range cfg.Processes {
		p := &cfg.Processes[i]
		if err := p.check(); err != nil {
			return nil, fmt.Errorf("process %d, %q: %w", i+1, p.Name, err)
		}
		if _, twice := names[p.Name]; twice {
			return nil, fmt.Errorf("there are two processes %q", p.Name)
		}
		names[p.Name] = i
		if p.Cwd != "" {
			p.Cwd = below(cfg.Cwd, p.Cwd)
		}
	}
	if _, ok := names[cfg.EndWith]; cfg.EndWith != "" && !ok {
		return nil, fmt.Errorf("\"endWith\" names no process: %q", cfg.EndWith)
	}
	return cfg, cfg.checkOrder(names)
}

// below is a path that may be relative to a folder.
func below(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// nameForm is what may name a process: it is a part of threads' names, of lines
// of output and of expressions.
var nameForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]{0,63}$`)

func (p *Process) check() error {
	if !nameForm.MatchString(p.Name) {
		return errors.New("\"name\" must begin with a letter, and have letters, digits and _ . - only")
	}
	if p.Program == "" {
		return errors.New("there is no \"program\": give the folder or import path of a main package, or of a test's package")
	}
	if err := checkEnv("env", p.Env); err != nil {
		return err
	}
	if p.StopTimeout == 0 {
		p.StopTimeout = Duration(stopTimeout)
	}
	r := p.Ready
	if r == nil {
		return nil
	}
	if r.Timeout == 0 {
		r.Timeout = Duration(readyTimeout)
	}
	if r.Port == 0 && r.Log == "" {
		return errors.New("\"ready\" needs \"port\" or \"log\"")
	}
	if r.Log != "" {
		re, err := regexp.Compile(r.Log)
		if err != nil {
			return fmt.Errorf("\"ready\": \"log\": %w", err)
		}
		r.log = re
	}
	return nil
}

func checkEnv(what string, env map[string]*string) error {
	for k := range env {
		if k == "" || strings.ContainsAny(k, "=\x00") {
			return fmt.Errorf("%q has the impossible name %q", what, k)
		}
	}
	return nil
}

// checkOrder refuses dependencies on what is not there, and circles.
func (c *Config) checkOrder(names map[string]int) error {
	const open, done = 1, 2
	mark := make([]int, len(c.Processes))
	var visit func(i int) error
	visit = func(i int) error {
		p := &c.Processes[i]
		switch mark[i] {
		case open:
			return fmt.Errorf("process %q waits for itself by \"dependsOn\"", p.Name)
		case done:
			return nil
		}
		mark[i] = open
		for _, d := range p.DependsOn {
			j, ok := names[d]
			if !ok {
				return fmt.Errorf("process %q depends on %q, which is not there", p.Name, d)
			}
			if err := visit(j); err != nil {
				return err
			}
		}
		mark[i] = done
		return nil
	}
	for i := range c.Processes {
		if err := visit(i); err != nil {
			return err
		}
	}
	return nil
}

// environment is what a process sees.
func (c *Config) environment(p *Process) []string {
	set := map[string]string{}
	for _, kv := range os.Environ() {
		k, v, _ := strings.Cut(kv, "=")
		set[k] = v
	}
	for _, env := range []map[string]*string{c.Env, p.Env} {
		for k, v := range env {
			if delete(set, k); v != nil {
				set[k] = *v
			}
		}
	}
	var list []string
	for _, k := range slices.Sorted(maps.Keys(set)) {
		list = append(list, k+"="+set[k])
	}
	return list
}
