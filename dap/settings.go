package dap

import (
	"sync"

	"github.com/google/go-dap"
)

// settings are the requests that set breakpoints, which a restart says again to
// a new debugger, and the numbers by which the client knows the breakpoints.
// Delve numbers them anew after a restart; the client does not.
type settings struct {
	mu     sync.Mutex
	list   []*setting
	client map[int]int // the client's number by Delve's, where they differ
	base   int         // added to Delve's numbers that have no entry in client
	again  chan dap.Message
}

// setting is one request, with the answer that the client got.
type setting struct {
	key string
	m   dap.RequestMessage
	seq int
	ids []int // the client's, in the order of the request
}

// settingStride keeps the numbers of breakpoints before and after a restart
// apart.
const settingStride = 1 << 20

// settingKey names what a request replaces as a whole, "" for a request that
// sets nothing that outlives the program.
func settingKey(m dap.Message) string {
	switch m := m.(type) {
	case *dap.SetBreakpointsRequest:
		return m.Command + " " + m.Arguments.Source.Path
	case *dap.SetFunctionBreakpointsRequest, *dap.SetExceptionBreakpointsRequest, *dap.SetInstructionBreakpointsRequest:
		return m.(dap.RequestMessage).GetRequest().Command
	}
	return ""
}

// note keeps a request.
func (c *settings) note(m dap.Message) {
	key := settingKey(m)
	if key == "" {
		return
	}
	req := m.(dap.RequestMessage)
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.list {
		if s.key == key {
			s.m, s.seq = req, req.GetRequest().Seq
			return
		}
	}
	c.list = append(c.list, &setting{key: key, m: req, seq: req.GetRequest().Seq})
}

// id is the client's number of one of Delve's breakpoints.
func (c *settings) id(delve int) int {
	if n, ok := c.client[delve]; ok {
		return n
	}
	if delve <= 0 {
		return delve
	}
	return delve + c.base
}

// outgoing puts the client's numbers into a message. It returns false for an
// answer that the client does not wait for.
func (c *settings) outgoing(m dap.Message) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch m := m.(type) {
	case *dap.StoppedEvent:
		for i, id := range m.Body.HitBreakpointIds {
			m.Body.HitBreakpointIds[i] = c.id(id)
		}
	case *dap.BreakpointEvent:
		m.Body.Breakpoint.Id = c.id(m.Body.Breakpoint.Id)
	case dap.ResponseMessage:
		return c.answer(m)
	}
	return true
}

func (c *settings) answer(m dap.ResponseMessage) bool {
	seq := m.GetResponse().RequestSeq
	list := breakpointsOf(m)
	for _, s := range c.list {
		if s.seq != seq {
			continue
		}
		if c.again != nil && seq < 0 {
			for i, b := range list {
				if i < len(s.ids) && b.Id > 0 {
					c.client[b.Id] = s.ids[i]
				}
			}
			c.again <- m
			return false
		}
		s.ids = s.ids[:0]
		for i := range list {
			list[i].Id = c.id(list[i].Id)
			s.ids = append(s.ids, list[i].Id)
		}
		return true
	}
	for i := range list { // a request that was overtaken by another one
		list[i].Id = c.id(list[i].Id)
	}
	return seq >= 0
}

func breakpointsOf(m dap.Message) []dap.Breakpoint {
	switch m := m.(type) {
	case *dap.SetBreakpointsResponse:
		return m.Body.Breakpoints
	case *dap.SetFunctionBreakpointsResponse:
		return m.Body.Breakpoints
	case *dap.SetInstructionBreakpointsResponse:
		return m.Body.Breakpoints
	case *dap.SetExceptionBreakpointsResponse:
		return m.Body.Breakpoints
	case *dap.SetDataBreakpointsResponse:
		return m.Body.Breakpoints
	}
	return nil
}

// repeat says all settings to a new debugger. refused is called with those
// that it does not take.
func (c *settings) repeat(do func(dap.Message) error, done <-chan struct{}, refused func(setting, string)) {
	c.mu.Lock()
	c.base += settingStride
	c.client = map[int]int{}
	c.again = make(chan dap.Message, 1)
	for i, s := range c.list {
		s.seq = -1 - i
		s.m.GetRequest().Seq = s.seq
	}
	list := append([]*setting(nil), c.list...)
	c.mu.Unlock()
	for _, s := range list {
		if err := do(s.m); err != nil {
			refused(*s, err.Error())
			continue
		}
		select {
		case m := <-c.again:
			if r := m.(dap.ResponseMessage).GetResponse(); !r.Success {
				refused(*s, r.Message)
			}
		case <-done:
			return
		}
	}
}
