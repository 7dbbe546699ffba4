package dap

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/go-dap"

	"github.com/restep/restep/dap/target"
)

// What a client sees of a frame or a value belongs to a machine: package
// variables have one address and a value for each machine. The front knows
// whose a frame is, hands that on to all that is reached from it, and puts the
// machine's variables in place while Delve reads them.

// firstSynthetic is the first reference of variables that the front itself
// answers for. Delve counts from 1000.
const firstSynthetic = 1 << 30

// synthetic are variables that Delve does not know, read when the client asks.
type synthetic func(context.Context) ([]dap.Variable, error)

// addSynthetic returns the reference for variables of the front's own, valid
// until the program moves.
func (s *session) addSynthetic(owner frameOwner, f synthetic) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.synthetic = append(s.synthetic, f)
	ref := firstSynthetic + len(s.synthetic) - 1
	s.owners[ref] = owner
	return ref
}

func (s *session) findSynthetic(ref int) (synthetic, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ref < firstSynthetic || ref-firstSynthetic >= len(s.synthetic) {
		return nil, false
	}
	return s.synthetic[ref-firstSynthetic], true
}

// owner is the frame that a reference to variables belongs to; that of no
// machine when it belongs to none in particular.
func (s *session) owner(ref int) frameOwner {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o, ok := s.owners[ref]; ok {
		return o
	}
	return frameOwner{goroutine: -1}
}

// own notes whose the references in an answer are.
func (s *session) own(owner frameOwner, answer dap.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	note := func(ref int) {
		if ref != 0 {
			s.owners[ref] = owner
		}
	}
	switch m := answer.(type) {
	case *dap.ScopesResponse:
		for i := range m.Body.Scopes {
			note(m.Body.Scopes[i].VariablesReference)
		}
	case *dap.VariablesResponse:
		for i := range m.Body.Variables {
			note(m.Body.Variables[i].VariablesReference)
		}
	case *dap.EvaluateResponse:
		note(m.Body.VariablesReference)
	case *dap.SetVariableResponse:
		note(m.Body.VariablesReference)
	}
}

// isForeign reports whether the variables of a machine are not in place.
func (s *session) isForeign(machine uint32) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return machine != 0 && s.inPlace != 0 && machine != s.inPlace
}

// forwardIn is forwardWith for what belongs to a machine.
func (s *session) forwardIn(owner frameOwner, m dap.RequestMessage, rewrite func(dap.Message)) error {
	if !s.isForeign(owner.machine) {
		return s.forwardWith(m, func(answer dap.Message) {
			s.own(owner, answer)
			if rewrite != nil {
				rewrite(answer)
			}
		})
	}
	answer, err := s.askIn(owner, m)
	if err != nil {
		return err
	}
	if rewrite != nil {
		rewrite(answer)
	}
	s.pass(m.GetRequest(), answer)
	return nil
}

// askIn asks Delve while the variables of a frame's machine are in place. A response
// that tells an error is no error here. What Delve was asked before is answered
// first: it must not see them.
func (s *session) askIn(owner frameOwner, m dap.RequestMessage) (answer dap.Message, err error) {
	// Never cut short: the variables stay until Delve has answered.
	ctx := context.Background()
	if err := s.backend.idle(ctx); err != nil {
		return nil, err
	}
	err = s.target.In(owner.machine, false, func() error {
		answer, err = s.backend.call(ctx, m)
		if answer != nil {
			return nil
		}
		return err
	})
	if err != nil {
		return nil, userError(idDebugger, "machine %s: %v", s.label(owner.machine), err)
	}
	s.own(owner, answer)
	return answer, nil
}

// onVariables lists the variables behind a reference.
func (s *session) onVariables(ctx context.Context, m dap.Message) error {
	req := m.(*dap.VariablesRequest)
	ref := req.Arguments.VariablesReference
	if ref < firstSynthetic {
		return s.forwardIn(s.owner(ref), req, nil)
	}
	f, ok := s.findSynthetic(ref)
	if !ok {
		return silentError(idArguments, "there are no variables %d any more", ref)
	}
	list, err := f(ctx)
	if err != nil {
		return err
	}
	if req.Arguments.Filter == "indexed" {
		list = nil
	}
	answer := &dap.VariablesResponse{Response: response(&req.Request)}
	answer.Body.Variables = append([]dap.Variable{}, page(list, req.Arguments.Start, req.Arguments.Count)...)
	s.out.send(answer)
	return nil
}

// scope is what an expression of the client is evaluated in.
func (s *session) scope(frame int) target.Scope {
	owner, ok := s.frameOwner(frame)
	if !ok {
		owner = frameOwner{goroutine: -1}
	}
	scope := target.Scope{Goroutine: owner.goroutine, Frame: owner.index, Labels: s.labels()}
	return scope
}

// labels are the machines of the run, by the numbers that they have now.
func (s *session) labels() []target.Label {
	var list []target.Label
	for _, m := range s.engine.Log().Machines() {
		list = append(list, target.Label{ID: uint32(m.ID), Name: m.Label})
	}
	if t := s.target; t != nil {
		return t.Labels(list)
	}
	return list
}

// evaluate evaluates an expression that may name machines, see
// target.EvalMachines, and returns Delve's answer, or one of the same form.
func (s *session) evaluate(req *dap.EvaluateRequest) (*dap.EvaluateResponse, error) {
	ask := *req
	owner, ok := s.frameOwner(req.Arguments.FrameId)
	if !ok {
		owner = frameOwner{goroutine: -1}
	}
	if target.HasMachine(req.Arguments.Expression) {
		scope := s.scope(req.Arguments.FrameId)
		label, rest, scoped := target.SplitMachine(req.Arguments.Expression)
		var err error
		switch {
		case scoped && label == "*":
			return s.evaluateEverywhere(scope, req, rest)
		case scoped:
			var l target.Label
			if l, err = scope.Find(label); err != nil {
				break
			}
			owner.machine = l.ID
			ask.Arguments.Expression, err = s.target.Qualify(scope, rest)
		default:
			err = s.target.In(owner.machine, false, func() error {
				ask.Arguments.Expression, err = s.target.Expand(scope, rest)
				return err
			})
		}
		if err != nil {
			return nil, silentError(idArguments, "%v", err)
		}
	}
	answer, err := s.askIn(owner, &ask)
	if err != nil {
		return nil, err
	}
	if err := responseError(answer); err != nil {
		return nil, err
	}
	return answer.(*dap.EvaluateResponse), nil
}

// evaluateEverywhere has a value with one child for each machine.
func (s *session) evaluateEverywhere(scope target.Scope, req *dap.EvaluateRequest, expr string) (*dap.EvaluateResponse, error) {
	full, err := s.target.Qualify(scope, expr)
	if err != nil {
		return nil, silentError(idArguments, "%v", err)
	}
	machines, err := s.target.MachineList()
	if err != nil {
		return nil, userError(idDebugger, "%v", err)
	}
	var children []dap.Variable
	var values []string
	for _, m := range machines {
		if m.LogID == 0 && m.Pid == 0 {
			continue // it was removed
		}
		label := s.label(m.ID)
		child := dap.Variable{Name: label, Value: "off", EvaluateName: "@" + label + " " + expr}
		if m.Alive {
			child.Value, child.Type, child.VariablesReference = s.evaluateOn(frameOwner{goroutine: scope.Goroutine, machine: m.ID, index: scope.Frame}, req, full)
		}
		children = append(children, child)
		values = append(values, label+": "+child.Value)
	}
	answer := &dap.EvaluateResponse{}
	answer.Body = dap.EvaluateResponseBody{
		Result: strings.Join(values, ", "), Type: fmt.Sprintf("%d machines", len(children)), NamedVariables: len(children),
	}
	owner := frameOwner{goroutine: scope.Goroutine, index: scope.Frame}
	answer.Body.VariablesReference = s.addSynthetic(owner, func(context.Context) ([]dap.Variable, error) { return children, nil })
	return answer, nil
}

func (s *session) evaluateOn(owner frameOwner, req *dap.EvaluateRequest, expr string) (value, kind string, ref int) {
	ask := *req
	ask.Arguments.Expression = expr
	answer, err := s.askIn(owner, &ask)
	if err == nil {
		err = responseError(answer)
	}
	if err != nil {
		return err.Error(), "", 0
	}
	body := answer.(*dap.EvaluateResponse).Body
	return body.Result, body.Type, body.VariablesReference
}
