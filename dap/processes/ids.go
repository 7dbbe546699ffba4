package processes

import "github.com/google/go-dap"

// processBits are the low bits of the client's numbers of threads, frames and
// variables: the process. Above them is Delve's number.
const processBits = 6

// outer is the client's number of one of Delve's; 0 stays 0, "none".
func (p *proc) outer(inner int) int {
	if inner == 0 {
		return 0
	}
	return inner<<processBits | p.index
}

// inner takes a client's number apart. p is nil for one that is nobody's.
func (s *Session) inner(outer int) (p *proc, inner int) {
	i := outer & (1<<processBits - 1)
	if i >= len(s.procs) || outer>>processBits == 0 {
		return nil, 0
	}
	return s.procs[i], outer >> processBits
}

// outward puts the client's numbers into a response.
func (p *proc) outward(m dap.Message) {
	switch m := m.(type) {
	case *dap.StackTraceResponse:
		for i := range m.Body.StackFrames {
			f := &m.Body.StackFrames[i]
			f.Id, f.InstructionPointerReference = p.outer(f.Id), ""
		}
	case *dap.ScopesResponse:
		for i := range m.Body.Scopes {
			m.Body.Scopes[i].VariablesReference = p.outer(m.Body.Scopes[i].VariablesReference)
		}
	case *dap.VariablesResponse:
		for i := range m.Body.Variables {
			v := &m.Body.Variables[i]
			v.VariablesReference, v.MemoryReference = p.outer(v.VariablesReference), ""
		}
	case *dap.EvaluateResponse:
		m.Body.VariablesReference, m.Body.MemoryReference = p.outer(m.Body.VariablesReference), ""
	case *dap.SetVariableResponse:
		m.Body.VariablesReference = p.outer(m.Body.VariablesReference)
	}
}
