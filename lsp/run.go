package lsp

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"

	"github.com/restep/restep/lsp/source"
)

// runResult is what a command that runs tests answers.
type runResult struct {
	Result   string `json:"result"` // pass, fail, or error when it did not get to run
	ExitCode int    `json:"exitCode"`
	Message  string `json:"message"`
}

// outputParams is restep/output.
type outputParams struct {
	Package string `json:"package"`
	Test    string `json:"test"`
	Text    string `json:"text"` // one line with its newline
}

// killDelay is how long restep test may take to end when it is told to.
const killDelay = 3 * time.Second

// runTests runs restep test in the package's folder and says how it ended.
func (s *server) runTests(ctx context.Context, c *call, seeds, what string) (any, error) {
	if len(s.opt.Restep) == 0 {
		return nil, jsonrpc2.NewError(jsonrpc2.InternalError, "the server does not know how to start restep; reinstall it")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	title := c.Test + " " + what
	done := s.beginProgress(ctx, c, title, cancel)
	defer done()
	argv := slices.Concat(s.opt.Restep, []string{"test", "-run=^" + c.Test + "$", seeds}, c.snap.config.testFlags(), []string{"."})
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir = c.dir
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = killDelay
	detach(cmd)
	out := &lineWriter{each: func(line string) { s.output(c, line) }}
	cmd.Stdout, cmd.Stderr = out, out
	err := s.start(ctx, cmd)
	out.close()
	if ctx.Err() != nil {
		return nil, protocol.ErrRequestCancelled
	}
	r := runResult{Result: "pass", Message: title + ": pass"}
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		r.Result, r.ExitCode = "fail", exit.ExitCode()
		r.Message = title + ": " + plain(strings.TrimPrefix(out.reason(), c.Test+" failed: "), maxText)
	case err != nil:
		r.Result, r.ExitCode = "error", -1
		r.Message = "start restep test: " + err.Error()
	case out.nothing:
		r.Result, r.Message = "error", c.notRun()
	}
	kind := protocol.MessageTypeInfo
	if r.Result != "pass" {
		kind = protocol.MessageTypeError
	}
	s.show(kind, r.Message)
	return r, nil
}

// notRun says why a run of a test ran nothing.
func (c *call) notRun() string {
	what := c.Test + " was not run: "
	if slices.ContainsFunc(c.doc.parsed().Tests, func(t source.Test) bool { return t.Name == c.Test }) {
		if line, tags := source.Constraint(c.doc.text.Content()); line != "" {
			what += filepath.Base(c.doc.path) + " has " + plain(line, maxText)
			if len(tags) > 0 {
				what += `; set restep.buildFlags, for example to ["-tags=` + label(strings.Join(tags, ",")) + `"]`
			}
			return what
		}
	}
	return what + "package " + c.Package + " has no such test; save its file, and see that go list -f '{{.TestGoFiles}} {{.XTestGoFiles}}' has it"
}

// runProcess runs a process to its end.
func runProcess(_ context.Context, cmd *exec.Cmd) error { return cmd.Run() }

// output passes a line of restep test on.
func (s *server) output(c *call, line string) {
	if c.snap.features.output {
		_ = s.conn.Notify(s.ctx, "restep/output", outputValue(outputParams{c.Package, c.Test, line}))
	}
}

func outputValue(v any) jsonrpc2.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		return nil // strings cannot fail
	}
	return b
}

// beginProgress shows that a run is under way, with a button to cancel it. The
// token is the client's, or a new one if the client can show progress.
func (s *server) beginProgress(ctx context.Context, c *call, title string, cancel func()) (done func()) {
	token := c.token
	if token == nil {
		if !c.snap.features.progress {
			return func() {}
		}
		s.mu.Lock()
		s.tokens++
		token = protocol.String(fmt.Sprintf("restep-%d", s.tokens))
		s.mu.Unlock()
		if s.client.WorkDoneProgressCreate(ctx, &protocol.WorkDoneProgressCreateParams{Token: token}) != nil {
			return func() {}
		}
	}
	id := fmt.Sprintf("%T %v", token, token)
	s.mu.Lock()
	s.progress[id] = cancel
	s.mu.Unlock()
	report := func(value any) {
		_ = s.client.Progress(s.ctx, &protocol.ProgressParams{Token: token, Value: protocol.LSPAny(outputValue(value))})
	}
	report(map[string]any{"kind": "begin", "title": "restep: " + title, "cancellable": true})
	return func() {
		s.mu.Lock()
		delete(s.progress, id)
		s.mu.Unlock()
		report(map[string]any{"kind": "end"})
	}
}

// WorkDoneProgressCancel ends the run that a progress is about.
func (s *server) WorkDoneProgressCancel(_ context.Context, params *protocol.WorkDoneProgressCancelParams) error {
	s.mu.Lock()
	cancel := s.progress[fmt.Sprintf("%T %v", params.Token, params.Token)]
	s.mu.Unlock()
	if cancel != nil {
		cancel()
	}
	return nil
}

// lineWriter splits output into lines and remembers why a test failed.
type lineWriter struct {
	each  func(line string)
	rest  []byte
	first string // line of restep with a failure
	last  string // last line that is not empty

	nothing bool // a package had no test to run
}

const maxLine = 64 << 10

// Write implements io.Writer.
func (w *lineWriter) Write(b []byte) (int, error) {
	r := bufio.NewReader(io.MultiReader(strings.NewReader(string(w.rest)), strings.NewReader(string(b))))
	w.rest = nil
	for {
		line, err := r.ReadString('\n')
		if err != nil && len(line) < maxLine {
			w.rest = []byte(line)
			return len(b), nil
		}
		w.line(line)
		if err != nil {
			return len(b), nil
		}
	}
}

func (w *lineWriter) line(line string) {
	w.each(line)
	if text := strings.TrimSpace(line); text != "" {
		if rest, ok := strings.CutPrefix(text, "restep: "); ok && w.first == "" {
			w.first = rest
		}
		w.last = text
		w.nothing = w.nothing || strings.HasPrefix(line, "ok  \t") && strings.HasSuffix(text, "[no tests to run]")
	}
}

func (w *lineWriter) close() {
	if len(w.rest) > 0 {
		w.line(string(w.rest) + "\n")
		w.rest = nil
	}
}

// reason is what restep said about the failure, or the last line.
func (w *lineWriter) reason() string {
	if w.first != "" {
		return w.first
	}
	return w.last
}
