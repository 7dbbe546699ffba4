package dap

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"strings"

	"github.com/google/go-dap"

	"github.com/restep/restep/dap/target"
)

// Data breakpoints are the front's own (target.Watch): Delve's know no machines
// and no way back.

// onDataBreakpointInfo says whether a variable can be watched. DAP,
// "DataBreakpointInfo Request".
func (s *session) onDataBreakpointInfo(_ context.Context, m dap.Message) error {
	req := m.(*dap.DataBreakpointInfoRequest)
	args := req.Arguments
	answer := &dap.DataBreakpointInfoResponse{Response: response(&req.Request)}
	var w *target.Watch
	err := error(silentError(idArguments, "%s is no variable of the program", args.Name))
	switch {
	case args.VariablesReference == 0:
		w, err = s.findWatch(args.FrameId, args.Name)
	case args.VariablesReference < firstSynthetic:
		w, err = s.findChild(req)
	}
	if err != nil { // which is an answer, too
		answer.Body.Description = err.Error()
	} else {
		answer.Body.DataId, answer.Body.Description = w.DataID(), w.Expr
		answer.Body.AccessTypes = []dap.DataBreakpointAccessType{"write", "readWrite"}
	}
	s.out.send(answer)
	return nil
}

// findWatch finds the variable that an expression names in a frame.
func (s *session) findWatch(frame int, expr string) (*target.Watch, error) {
	owner, ok := s.frameOwner(frame)
	if !ok {
		owner = frameOwner{goroutine: -1}
	}
	return s.watchOf(owner, target.Scope{Goroutine: owner.goroutine, Frame: owner.index}, expr)
}

func (s *session) watchOf(owner frameOwner, scope target.Scope, expr string) (w *target.Watch, err error) {
	if err := s.backend.idle(context.Background()); err != nil {
		return nil, err
	}
	err = s.target.In(owner.machine, false, func() error {
		w, err = s.target.FindWatch(scope, expr)
		return err
	})
	if err == nil && owner.machine != 0 {
		w.Of(owner.machine)
	}
	return w, err
}

// findChild finds a variable of a list that the client has, of which Delve knows
// the address.
func (s *session) findChild(req *dap.DataBreakpointInfoRequest) (*target.Watch, error) {
	owner := s.owner(req.Arguments.VariablesReference)
	m, err := s.askIn(owner, req)
	if err != nil {
		return nil, err
	}
	if err := responseError(m); err != nil {
		return nil, err
	}
	body := m.(*dap.DataBreakpointInfoResponse).Body
	id, _ := body.DataId.(string)
	f := strings.SplitN(id, ",", 3) // goroutine, frame, expression
	if len(f) != 3 {
		return nil, silentError(idDebugger, "%s", body.Description)
	}
	w, err := s.watchOf(owner, target.Scope{Goroutine: owner.goroutine, Frame: owner.index}, f[2])
	if err == nil {
		w.Expr = body.Description
	}
	return w, err
}

// onSetDataBreakpoints watches variables. DAP, "SetDataBreakpoints Request".
func (s *session) onSetDataBreakpoints(_ context.Context, m dap.Message) error {
	req := m.(*dap.SetDataBreakpointsRequest)
	answer := &dap.SetDataBreakpointsResponse{Response: response(&req.Request)}
	answer.Body.Breakpoints = make([]dap.Breakpoint, len(req.Arguments.Breakpoints))
	var list []*target.Watch
	var places []int // in the answer, by index of list
	conditions := map[int]condition{}
	for i, b := range req.Arguments.Breakpoints {
		w, err := target.FindData(b.DataId)
		if err == nil && b.AccessType == "read" {
			err = fmt.Errorf("reads alone cannot be watched; readWrite can")
		}
		if err != nil {
			answer.Body.Breakpoints[i].Message = err.Error()
			continue
		}
		w.ID, w.Read, w.HitCond = target.WatchID(i), b.AccessType == "readWrite", b.HitCondition
		if target.HasMachine(b.Condition) {
			conditions[w.ID] = condition{key: req.Command, text: b.Condition}
		} else {
			w.Cond = s.machineCondition(b.Condition)
		}
		list, places = append(list, w), append(places, i)
	}
	errs, err := s.target.SetWatches(list)
	if err != nil {
		return userError(idDebugger, "%v", err)
	}
	for i, place := range places {
		b := &answer.Body.Breakpoints[place]
		if errs[i] != nil {
			b.Message = errs[i].Error()
		} else {
			b.Id, b.Verified = list[i].ID, true
		}
	}
	s.mu.Lock()
	maps.DeleteFunc(s.conditions, func(_ int, c condition) bool { return c.key == req.Command })
	if s.conditions == nil {
		s.conditions = map[int]condition{}
	}
	maps.Copy(s.conditions, conditions)
	s.mu.Unlock()
	s.out.send(answer)
	return nil
}

// onLastWrite goes back to the last write to a variable.
func (s *session) onLastWrite(ctx context.Context, m dap.Message) error {
	req := m.(*LastWriteRequest)
	var w *target.Watch
	var err error
	if req.Arguments.DataID != "" {
		w, err = target.FindData(req.Arguments.DataID)
	} else {
		w, err = s.findWatch(req.Arguments.FrameID, req.Arguments.Expression)
	}
	if err != nil {
		return silentError(idArguments, "%v", err)
	}
	search := func(ctx context.Context) (bool, error) { return s.target.LastWrite(ctx, w) }
	answer := &LastWriteResponse{Response: response(&req.Request)}
	return s.reverse(ctx, req, answer, "data breakpoint", search, func() (uint64, string, string) {
		return 1, "entry", "the run starts here; " + strconv.Quote(w.Expr) + " was not written before"
	})
}
