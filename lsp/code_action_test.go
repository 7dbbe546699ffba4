package lsp

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/restep/restep/replay/logtest"
	"github.com/restep/restep/replay/runs"
)

// withActions makes a client that takes code actions.
func withActions(p *protocol.InitializeParams) {
	p.Capabilities.TextDocument.CodeAction = &protocol.CodeActionClientCapabilities{}
	p.Capabilities.TextDocument.CodeAction.CodeActionLiteralSupport.CodeActionKind.ValueSet = []protocol.CodeActionKind{"quickfix"}
}

// actions returns the titles of the actions at a line, from 0, with their kind.
func (c *client) actions(t *testing.T, id protocol.TextDocumentIdentifier, line uint32, about protocol.CodeActionContext) (
	titles []string, all map[string]*protocol.CodeAction,
) {
	t.Helper()
	at := protocol.Position{Line: line, Character: 2}
	list, err := c.CodeAction(c.ctx, &protocol.CodeActionParams{TextDocument: id, Range: protocol.Range{Start: at, End: at}, Context: about})
	if err != nil {
		t.Fatal(err)
	}
	all = map[string]*protocol.CodeAction{}
	for _, x := range list {
		action, ok := x.(*protocol.CodeAction)
		if !ok {
			t.Fatalf("%T for a client that takes code actions", x)
		}
		title := string(*action.Kind) + ": " + action.Title
		titles = append(titles, title)
		all[title] = action
	}
	return titles, all
}

func TestCodeActions(t *testing.T) {
	dir, file, content := module(t)
	r := runs.Result{Build: "b1", Package: "example.com/m", Module: "example.com/m", Test: "TestPass", Seed: 37, Result: runs.Fail,
		Failure: &runs.Failure{Message: "broken", File: "example.com/m/m_test.go", Line: 4, Step: 2}}
	record(t, dir, &r, func(l *logtest.Log) {
		l.Add(passEvent)
		l.Add(passEvent)
	})
	c := start(t, dir, withActions)
	id := c.open(t, file, content)
	c.until(t, "an error", func() bool { return len(c.diagnostics[uri.URI(id.URI)]) == 1 })
	c.mu.Lock()
	known := c.diagnostics[uri.URI(id.URI)]
	c.mu.Unlock()

	fixes := []string{"quickfix: Debug TestPass seed 37 at #2", "quickfix: Run TestPass seed 37 again"}
	hits := []string{"restep: Debug at #1 main/2", "restep: Copy link to #1", "restep: Show next hit #2", "restep: Show previous hit #2"}
	tests := []string{"restep: Run TestPass with seed 1", "restep: Run TestPass with another seed", "restep: Explore TestPass with seeds 1–100",
		"restep: Debug TestPass seed 37 at #2", "restep: Copy link to TestPass seed 37 at #2"}
	for _, x := range []struct {
		line  uint32
		about protocol.CodeActionContext
		want  []string
	}{
		{3, protocol.CodeActionContext{Diagnostics: known}, slices.Concat(fixes, hits)},
		{3, protocol.CodeActionContext{TriggerKind: protocol.CodeActionTriggerKindAutomatic}, fixes},
		{3, protocol.CodeActionContext{Only: []protocol.CodeActionKind{"quickfix"}}, fixes},
		{3, protocol.CodeActionContext{Only: []protocol.CodeActionKind{"refactor", "restep"}}, hits},
		{3, protocol.CodeActionContext{Only: []protocol.CodeActionKind{"refactor"}}, nil},
		{2, protocol.CodeActionContext{}, tests},
		{0, protocol.CodeActionContext{}, nil},
	} {
		got, all := c.actions(t, id, x.line, x.about)
		if !slices.Equal(got, x.want) {
			t.Errorf("line %d, %+v: %q, want %q", x.line, x.about, got, x.want)
		}
		if len(x.about.Diagnostics) > 0 && len(all[fixes[0]].Diagnostics) != 1 {
			t.Error("the fix does not say what it fixes")
		}
	}

	// What they carry can be executed.
	_, all := c.actions(t, id, 3, protocol.CodeActionContext{})
	execute := func(title string) string {
		a := all[title]
		out, err := c.ExecuteCommand(c.ctx, &protocol.ExecuteCommandParams{Command: a.Command.Command, Arguments: a.Command.Arguments})
		if err != nil {
			t.Errorf("%s: %v", title, err)
		}
		return string(out)
	}
	const link = "restep://v1/example.org"
	want := `{"link":"restep://v1/example.com/m?test=TestPass&seed=37&step=1&build=b1"}`
	if got := strings.ReplaceAll(execute(hits[1]), `\u0026`, "&"); got != want {
		t.Errorf("the link is %s, want %s", got, want)
	}
	c.until(t, "the link", func() bool {
		return slices.Contains(c.messages, "restep: restep://v1/example.com/m?test=TestPass&seed=37&step=1&build=b1")
	})
	if got := execute(fixes[0]); !strings.Contains(got, `"seed":37,"step":2`) {
		t.Errorf("debug answers %s", got)
	}
	command := "restep: in " + dir + " run restep debug -test TestPass -seed 37 -step 2 ."
	c.until(t, command, func() bool { return slices.Contains(c.messages, command) })
	execute(hits[2])
	if got, _ := c.actions(t, id, 3, protocol.CodeActionContext{Only: []protocol.CodeActionKind{"restep"}}); got[0] != "restep: Debug at #2 main/2" {
		t.Errorf("after the next hit: %q", got)
	}
	if _, err := c.execute(copyLink, arguments{URI: string(id.URI), Test: "TestPass", Link: link + "/x?test=-x&seed=1"}); err == nil {
		t.Error("a link that is none is shown")
	}

	// An edited line offers nothing that may be wrong.
	c.edit(t, id, strings.Replace(content, "t.Log(1)", "t.Log(2)", 1))
	if got, _ := c.actions(t, id, 3, protocol.CodeActionContext{}); len(got) != 0 {
		t.Errorf("actions %q of an edited line", got)
	}
}

// TestPlainActions: a client that knows commands only gets commands.
func TestPlainActions(t *testing.T) {
	dir, file, content := module(t)
	recordPass(t, dir, 1)
	c := start(t, dir, nil)
	id := c.open(t, file, content)
	at := protocol.Position{Line: 3}
	list, err := c.CodeAction(c.ctx, &protocol.CodeActionParams{TextDocument: id, Range: protocol.Range{Start: at, End: at}})
	if err != nil || len(list) != 2 {
		t.Fatalf("%d actions, %v", len(list), err)
	}
	for _, x := range list {
		if _, ok := x.(*protocol.Command); !ok {
			t.Errorf("%T for a client that knows commands only", x)
		}
	}
}

func TestDocumentLinks(t *testing.T) {
	dir := t.TempDir()
	const content = `package m

// See restep://v1/example.org/bank?test=TestSum&seed=37&step=412&build=9f é€😀 vscode://restep.restep/v1/example.org/bank?test=TestSum&seed=1844674407370955161.
// #412 is an issue, restep://v1/?test=T&seed=1, restep://v2/x?test=T&seed=1, restep://v1/x?test=-rf&seed=1 are nothing.
const a = "restep://v1/x?test=T&seed=1&step=2" // <restep://v1/y?test=T&seed=3>
`
	for _, prefix := range []string{"restep://v1/", "vscode-insiders://restep.restep/v1/"} {
		r := connectRaw(t)
		r.send(strings.Replace(initialize, `"capabilities":{}`, `"capabilities":{},"initializationOptions":{"linkPrefix":"`+prefix+`"}`, 1))
		r.receive()
		u := uri.File(filepath.Join(dir, "m.go"))
		r.send(message("textDocument/didOpen", 0, map[string]any{
			"textDocument": map[string]any{"uri": u, "languageId": "go", "version": 1, "text": content}}))
		r.send(message("textDocument/documentLink", 2, map[string]any{"textDocument": map[string]any{"uri": u}}))
		var links []struct {
			Range           protocol.Range
			Target, Tooltip string // as they are on the wire
		}
		if err := json.Unmarshal(r.receive().Result, &links); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, l := range links {
			got = append(got, fmt.Sprintf("%d:%d-%d %s %s", l.Range.Start.Line, l.Range.Start.Character, l.Range.End.Character, l.Target, l.Tooltip))
		}
		want := []string{
			"2:7-74 " + prefix + "example.org/bank?test=TestSum&seed=37&step=412&build=9f Go to #412 of TestSum, seed 37",
			"4:11-45 " + prefix + "x?test=T&seed=1&step=2 Go to #2 of T, seed 1",
			"4:51-78 " + prefix + "y?test=T&seed=3 Go to T, seed 3",
			"2:80-160 " + prefix + "example.org/bank?test=TestSum&seed=1844674407370955161 Go to TestSum, seed 1844674407370955161",
		}
		if !slices.Equal(got, want) {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}
