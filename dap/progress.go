package dap

import (
	"fmt"
	"sync"
	"time"

	"github.com/google/go-dap"
)

// progressDelay is how long a jump may take, in real time, before the client
// hears that it is under way. Most are over by then.
const progressDelay = 300 * time.Millisecond

// progress tells the client of a request that takes its time. A client that
// cannot show that gets the messages of a build as output, and nothing of a
// jump.
type progress struct {
	s     *session
	body  dap.ProgressStartEventBody
	timer *time.Timer

	mu         sync.Mutex
	begun, end bool
}

// progressID names the progress of a request, so that a client can cancel it.
func progressID(request int) string { return fmt.Sprintf("restep-%d", request) }

// startProgress begins to tell of a request, once delay has passed. done must
// be called.
func (s *session) startProgress(request int, title string, delay time.Duration) *progress {
	p := &progress{s: s, body: dap.ProgressStartEventBody{
		ProgressId: progressID(request), Title: title, RequestId: request, Cancellable: true,
	}}
	if !s.client.SupportsProgressReporting {
		return p
	}
	if delay <= 0 {
		p.begin()
	} else {
		p.timer = time.AfterFunc(delay, p.begin)
	}
	return p
}

func (p *progress) begin() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.end || p.begun {
		return
	}
	p.begun = true
	p.s.out.send(&dap.ProgressStartEvent{Event: event("progressStart"), Body: p.body})
}

// say tells what is being done now.
func (p *progress) say(what string) {
	if !p.s.client.SupportsProgressReporting {
		p.s.console("restep: " + what)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.begun && !p.end {
		p.s.out.send(&dap.ProgressUpdateEvent{
			Event: event("progressUpdate"), Body: dap.ProgressUpdateEventBody{ProgressId: p.body.ProgressId, Message: what},
		})
	}
}

// done ends it.
func (p *progress) done() {
	if p.timer != nil {
		p.timer.Stop()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.end = true
	if p.begun {
		p.s.out.send(&dap.ProgressEndEvent{
			Event: event("progressEnd"), Body: dap.ProgressEndEventBody{ProgressId: p.body.ProgressId},
		})
	}
}
