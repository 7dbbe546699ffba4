//go:build linux && amd64

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strconv"
	"time"

	"github.com/restep/restep/dap"
)

// session is an editor's end of a debug session.
type session struct {
	conn   net.Conn
	r      *bufio.Reader
	cancel context.CancelFunc
	done   chan error
	seq    int
	output string // what the adapter said last
}

// message is what is looked at of an answer or an event.
type message struct {
	Type       string `json:"type"`
	RequestSeq int    `json:"request_seq"`
	Success    bool   `json:"success"`
	Message    string `json:"message"`
	Event      string `json:"event"`
	Body       struct {
		Reason   string `json:"reason"`
		Text     string `json:"text"`
		ThreadID int    `json:"threadId"`
		Total    uint64 `json:"total"`
		Output   string `json:"output"`
	} `json:"body"`
}

// dial starts an adapter and connects to it.
func dial(ctx context.Context) *session {
	ours, theirs := net.Pipe()
	ctx, cancel := context.WithCancel(ctx)
	s := &session{conn: ours, r: bufio.NewReader(ours), cancel: cancel, done: make(chan error, 1)}
	go func() { s.done <- dap.Serve(ctx, theirs, dap.Options{Version: "bench"}) }()
	return s
}

// close ends the session and waits until nothing of it is left.
func (s *session) close() {
	s.conn.Close()
	<-s.done
	s.cancel()
}

func (s *session) send(command string, args any) (seq int, err error) {
	s.seq++
	b, err := json.Marshal(map[string]any{"seq": s.seq, "type": "request", "command": command, "arguments": args})
	if err != nil {
		return 0, err
	}
	_, err = fmt.Fprintf(s.conn, "Content-Length: %d\r\n\r\n%s", len(b), b)
	return s.seq, err
}

func (s *session) read() (m message, err error) {
	head, err := textproto.NewReader(s.r).ReadMIMEHeader()
	if err != nil {
		return m, fmt.Errorf("the session has ended: %w; it said last: %s", err, s.output)
	}
	n, err := strconv.Atoi(head.Get("Content-Length"))
	if err != nil {
		return m, err
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(s.r, b); err != nil {
		return m, err
	}
	err = json.Unmarshal(b, &m)
	if m.Event == "output" {
		s.output = m.Body.Output
	}
	return m, err
}

// refusal is an answer that says no.
type refusal struct{ text string }

func (r *refusal) Error() string { return r.text }

func refused(err error) bool {
	var r *refusal
	return errors.As(err, &r)
}

// ask sends a request and waits for its answer.
func (s *session) ask(command string, args any) (message, error) {
	seq, err := s.send(command, args)
	if err != nil {
		return message{}, err
	}
	for {
		m, err := s.read()
		if err != nil || m.Type == "response" && m.RequestSeq == seq {
			if err == nil && !m.Success {
				err = &refusal{m.Message}
			}
			return m, err
		}
	}
}

// event waits for an event.
func (s *session) event(name string) (message, error) {
	for {
		m, err := s.read()
		switch {
		case err != nil:
			return m, err
		case m.Event == name:
			return m, nil
		case m.Event == "terminated":
			return m, fmt.Errorf("the program has ended: %s", s.output)
		}
	}
}

// took is how long a request took.
type took struct {
	real time.Duration
	cpu  time.Duration // of all processes of the session
}

// timed sends a request that moves the program and waits until it is stopped.
func (s *session) timed(command string, args any) (took, message, error) {
	children := childrenCPU()
	own, start := ownCPU(), time.Now()
	if _, err := s.ask(command, args); err != nil {
		return took{}, message{}, err
	}
	m, err := s.event("stopped")
	t := took{real: time.Since(start)}
	t.cpu = ownCPU() - own + childrenCPU().since(children)
	return t, m, err
}

// launch starts the run and waits for its first stop.
func (s *session) launch(args map[string]any) error {
	if _, err := s.ask("initialize", map[string]any{"adapterID": "restep", "supportsProgressReporting": false}); err != nil {
		return err
	}
	seq, err := s.send("launch", args)
	if err != nil {
		return err
	}
	for {
		m, err := s.read()
		switch {
		case err != nil:
			return err
		case m.Type == "response" && m.RequestSeq == seq && !m.Success:
			return &refusal{m.Message}
		case m.Event == "initialized":
			if _, err := s.send("configurationDone", nil); err != nil {
				return err
			}
		case m.Event == "stopped":
			return nil
		}
	}
}

// breakpoints sets the only breakpoints of a file.
func (s *session) breakpoints(file string, lines ...int) error {
	list := []map[string]any{}
	for _, n := range lines {
		list = append(list, map[string]any{"line": n})
	}
	_, err := s.ask("setBreakpoints", map[string]any{"source": map[string]any{"path": file}, "breakpoints": list})
	return err
}
