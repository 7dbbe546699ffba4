package dap

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strings"

	"github.com/google/go-dap"

	"github.com/restep/restep/dap/target"
)

// onScopes lists the scopes of a frame: Delve's, but for package variables,
// which Delve takes from the package of the thread and not of the frame.
func (s *session) onScopes(_ context.Context, m dap.Message) error {
	req := m.(*dap.ScopesRequest)
	owner, known := s.frameOwner(req.Arguments.FrameId)
	return s.forwardIn(owner, req, func(answer dap.Message) {
		r, ok := answer.(*dap.ScopesResponse)
		if !ok {
			return
		}
		if s.launch.ShowGlobalVariables && known {
			r.Body.Scopes = append(r.Body.Scopes, s.globals(owner))
		}
		r.Body.Scopes = append(r.Body.Scopes, s.simulation(owner))
	})
}

// globals is the scope of the package variables that a frame sees.
func (s *session) globals(owner frameOwner) dap.Scope {
	name := "Globals"
	if owner.machine != 0 {
		name += " of machine " + s.label(owner.machine)
	}
	return dap.Scope{Name: name, Expensive: true, VariablesReference: s.addSynthetic(owner, func(context.Context) ([]dap.Variable, error) {
		pkg, names, err := s.target.Globals(owner.goroutine, owner.index)
		if err != nil {
			return nil, userError(idDebugger, "%v", err)
		}
		list := make([]dap.Variable, 0, len(names))
		for _, n := range names {
			ask := &dap.EvaluateRequest{Request: newRequest("evaluate")}
			v := dap.Variable{Name: n.Name, EvaluateName: pkg + "." + n.Name}
			v.Value, v.Type, v.VariablesReference = s.evaluateOn(owner, ask, v.EvaluateName)
			list = append(list, v)
		}
		return list, nil
	})}
}

// Expressions that Delve's session treats in ways of its own.
var (
	delvesCommand = regexp.MustCompile(`^\s*dlv\s+\S+`)
	delvesCall    = regexp.MustCompile(`^\s*call\s+\S+`)
)

// onEvaluate evaluates an expression in a frame, with the package variables of
// the frame's machine, or of those that the expression names.
func (s *session) onEvaluate(ctx context.Context, m dap.Message) error {
	req := m.(*dap.EvaluateRequest)
	expr := req.Arguments.Expression
	switch {
	case delvesCommand.MatchString(expr):
		return s.forward(ctx, req)
	case delvesCall.MatchString(expr):
		return s.onCall(req)
	case wouldChange(expr):
		return userError(idArguments, "%s would change the program: type call %s to do so; what follows is not the recorded run then", expr, expr)
	case !target.HasMachine(expr):
		owner, ok := s.frameOwner(req.Arguments.FrameId)
		if !ok {
			owner = frameOwner{goroutine: -1}
		}
		return s.forwardIn(owner, req, explainCalls)
	}
	answer, err := s.evaluate(req)
	if err != nil {
		return err
	}
	answer.Response = response(&req.Request)
	s.out.send(answer)
	return nil
}

// explainCalls says in an error of Delve's what a call does here.
func explainCalls(answer dap.Message) {
	e, ok := answer.(*dap.ErrorResponse)
	if !ok || e.Body.Error == nil || !strings.Contains(e.Body.Error.Format, "function calls not allowed") {
		return
	}
	e.Body.Error.Format += "; a call would change the program, and what follows would not be the recorded run"
	e.Message = e.Body.Error.Format
}

// wouldChange reports whether a text is a statement that changes something.
func wouldChange(expr string) bool {
	if target.HasMachine(expr) {
		_, expr, _ = target.SplitMachine(expr)
	}
	if _, err := parser.ParseExpr(expr); err == nil {
		return false
	}
	file, err := parser.ParseFile(token.NewFileSet(), "", "package p; func _() { "+expr+"\n}", 0)
	if err != nil || len(file.Decls) != 1 {
		return false
	}
	f, ok := file.Decls[0].(*ast.FuncDecl)
	if !ok || len(f.Body.List) != 1 {
		return false
	}
	switch f.Body.List[0].(type) {
	case *ast.AssignStmt, *ast.IncDecStmt, *ast.SendStmt:
		return true
	}
	return false
}

// onCall calls a function of the program, or assigns to a variable. Delve can
// do that in the innermost frame alone; at a step that is the simulator's.
func (s *session) onCall(req *dap.EvaluateRequest) error {
	if state, err := s.target.State(); err == nil && state.AtStep {
		return userError(idArguments, "the program is inside the simulator here: step over once, then call")
	}
	expr := strings.TrimSpace(req.Arguments.Expression)
	return s.forwardWith(req, func(answer dap.Message) {
		// A call that a breakpoint or a panic interrupted has begun.
		if err := responseError(answer); err == nil || strings.Contains(err.Error(), "call stopped") {
			s.diverge(expr)
		}
	})
}

// onSetVariable changes a variable.
func (s *session) onSetVariable(_ context.Context, m dap.Message) error {
	req := m.(*dap.SetVariableRequest)
	ref, name := req.Arguments.VariablesReference, req.Arguments.Name
	what := name + " = " + req.Arguments.Value
	owner := s.owner(ref)
	if ref < firstSynthetic && !s.isForeign(owner.machine) {
		return s.forwardWith(req, func(answer dap.Message) {
			s.own(owner, answer)
			if responseError(answer) == nil {
				s.diverge(what)
			}
		})
	}
	full, owner, err := s.nameOf(owner, ref, name)
	if err != nil {
		return err
	}
	if err := s.set(owner, full, req.Arguments.Value); err != nil {
		return userError(idArguments, "set %s: %v", name, err)
	}
	s.out.send(&dap.SetVariableResponse{
		Response: response(&req.Request), Body: dap.SetVariableResponseBody{Value: req.Arguments.Value},
	})
	s.diverge(what)
	return nil
}

// nameOf finds the expression for a variable behind a reference.
func (s *session) nameOf(owner frameOwner, ref int, name string) (string, frameOwner, error) {
	var list []dap.Variable
	if f, ok := s.findSynthetic(ref); ok {
		var err error
		if list, err = f(s.ctx); err != nil {
			return "", owner, err
		}
	} else {
		ask := &dap.VariablesRequest{Request: newRequest("variables"), Arguments: dap.VariablesArguments{VariablesReference: ref}}
		answer, err := s.askIn(owner, ask)
		if err == nil {
			err = responseError(answer)
		}
		if err != nil {
			return "", owner, err
		}
		list = answer.(*dap.VariablesResponse).Body.Variables
	}
	for _, v := range list {
		if v.Name == name && v.EvaluateName != "" {
			if label, rest, ok := target.SplitMachine(v.EvaluateName); ok {
				scope := target.Scope{Labels: s.labels()}
				l, err := scope.Find(label)
				if err == nil {
					owner.machine = l.ID
					rest, err = s.target.Qualify(target.Scope{Goroutine: owner.goroutine, Frame: owner.index}, rest)
				}
				return rest, owner, err
			}
			return v.EvaluateName, owner, nil
		}
	}
	return "", owner, userError(idArguments, "%s cannot be set", name)
}

// set changes what an expression stands for in a frame.
func (s *session) set(owner frameOwner, expr, value string) error {
	if err := s.backend.idle(s.ctx); err != nil {
		return err
	}
	return s.target.In(owner.machine, true, func() error {
		return s.target.SetExpression(owner.goroutine, owner.index, expr, value)
	})
}

// onWriteMemory changes the program's memory.
func (s *session) onWriteMemory(_ context.Context, m dap.Message) error {
	req := m.(*dap.WriteMemoryRequest)
	return s.forwardWith(req, func(answer dap.Message) {
		if responseError(answer) == nil {
			s.diverge("memory at " + req.Arguments.MemoryReference)
		}
	})
}

// onSetExpression gives what an expression stands for another value.
func (s *session) onSetExpression(_ context.Context, m dap.Message) error {
	req := m.(*dap.SetExpressionRequest)
	scope := s.scope(req.Arguments.FrameId)
	owner, ok := s.frameOwner(req.Arguments.FrameId)
	if !ok {
		owner = frameOwner{goroutine: -1}
	}
	expr := strings.TrimSpace(req.Arguments.Expression)
	if label, rest, ok := target.SplitMachine(expr); ok {
		l, err := scope.Find(label)
		if err == nil {
			owner.machine = l.ID
			expr, err = s.target.Qualify(scope, rest)
		}
		if err != nil {
			return userError(idArguments, "set %s: %v", req.Arguments.Expression, err)
		}
	}
	if err := s.set(owner, expr, req.Arguments.Value); err != nil {
		return userError(idArguments, "set %s: %v", req.Arguments.Expression, err)
	}
	s.out.send(&dap.SetExpressionResponse{
		Response: response(&req.Request), Body: dap.SetExpressionResponseBody{Value: req.Arguments.Value},
	})
	s.diverge(req.Arguments.Expression + " = " + req.Arguments.Value)
	return nil
}
