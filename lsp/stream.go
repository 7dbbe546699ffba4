package lsp

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"
)

// stream reads frames itself: it bounds what a client can make it keep, answers
// frames that are no message with an error and goes on with the next one, and
// says when no further one will come. Writing is that of jsonrpc2.
type stream struct {
	jsonrpc2.Stream
	in   *bufio.Reader
	over func(error)
}

func newStream(conn io.ReadWriteCloser, over func(error)) *stream {
	return &stream{jsonrpc2.NewHeaderStream(conn), bufio.NewReader(conn), over}
}

const (
	// maxFrame is the size in bytes of the largest message. A Go file of that
	// size is one that no compiler takes.
	maxFrame = 64 << 20
	// maxHeader bounds the header of a frame.
	maxHeader = 8 << 10
)

// errTooLong is a frame that was left out.
var errTooLong = errors.New("the message is too long")

// Read implements [jsonrpc2.Stream].
func (s *stream) Read(ctx context.Context) (jsonrpc2.Message, int64, error) {
	for {
		frame, err := s.frame()
		if err != nil && !errors.Is(err, errTooLong) {
			s.over(err)
			return nil, 0, err
		}
		code := jsonrpc2.InvalidRequest
		if err == nil {
			var message jsonrpc2.Message
			if message, err = jsonrpc2.DecodeMessage(frame); err == nil {
				return message, int64(len(frame)), nil
			}
			if !json.Valid(frame) {
				code = jsonrpc2.ParseError
			}
		}
		answer, _ := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": nil,
			"error": map[string]any{"code": code, "message": plain(err.Error(), maxText)}})
		if _, err := s.Stream.(framed).WriteFrame(ctx, answer); err != nil {
			s.over(err)
			return nil, 0, err
		}
	}
}

// framed is what the stream of jsonrpc2 with headers can do besides.
type framed interface {
	WriteFrame(context.Context, []byte) (int64, error)
}

// frame reads the next frame. LSP 3.17, "Base Protocol": header fields end with
// \r\n, an empty one ends the header; Content-Length is in bytes. io.EOF means
// that there is none.
func (s *stream) frame() ([]byte, error) {
	length, size := int64(-1), 0
	for {
		line, err := s.in.ReadSlice('\n')
		if size += len(line); err == io.EOF && size > 0 {
			return nil, io.ErrUnexpectedEOF
		}
		if err == bufio.ErrBufferFull || size > maxHeader {
			return nil, fmt.Errorf("%w: it is longer than %d bytes", jsonrpc2.ErrInvalidHeader, maxHeader)
		}
		if err != nil {
			return nil, err
		}
		field := strings.TrimRight(string(line), "\r\n")
		if field == "" {
			break
		}
		name, value, _ := strings.Cut(field, ":")
		if !strings.EqualFold(strings.TrimSpace(name), "Content-Length") {
			continue // Content-Type: there is but one
		}
		n, err := strconv.ParseUint(strings.TrimSpace(value), 10, 62)
		if err != nil {
			return nil, fmt.Errorf("%w: Content-Length is %q", jsonrpc2.ErrInvalidHeader, value)
		}
		length = int64(n)
	}
	if length < 0 {
		return nil, fmt.Errorf("%w: it has no Content-Length", jsonrpc2.ErrInvalidHeader)
	}
	if length > maxFrame {
		if _, err := io.CopyN(io.Discard, s.in, length); err != nil {
			return nil, io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("%w: %d bytes, at most %d", errTooLong, length, maxFrame)
	}
	var body bytes.Buffer // grows as the bytes come, whatever was announced
	body.Grow(int(min(length, 64<<10)))
	if _, err := io.CopyN(&body, s.in, length); err != nil {
		return nil, io.ErrUnexpectedEOF
	}
	return body.Bytes(), nil
}

// codec lets protocol encode and decode, which knows the unions of LSP.
type codec struct{}

func (codec) Marshal(v any) ([]byte, error) {
	if raw, ok := v.(jsonrpc2.RawMessage); ok {
		if raw == nil {
			return []byte("null"), nil
		}
		return raw, nil
	}
	switch list := v.(type) {
	case []protocol.CodeLens:
		return marshalList(list, appendLens)
	case []protocol.InlayHint:
		return marshalList(list, appendHint)
	case []protocol.DocumentLink:
		return marshalList(list, appendLink)
	}
	return protocol.Marshal(v)
}

func (codec) Unmarshal(data []byte, v any) error {
	if raw, ok := v.(*jsonrpc2.RawMessage); ok {
		*raw = slices.Clone(data)
		return nil
	}
	return protocol.Unmarshal(data, v)
}

type snapshotKey struct{}

// snapshotOf returns the state at the moment when a request was read.
func (s *server) snapshotOf(ctx context.Context) *snapshot {
	if snap, ok := ctx.Value(snapshotKey{}).(*snapshot); ok {
		return snap
	}
	return s.snapshot()
}

// handler dispatches messages: notifications one after the other, requests
// beside each other.
func (s *server) handler() jsonrpc2.Handler {
	dispatch := protocol.ServerHandler(s, jsonrpc2.MethodNotFoundHandler)
	return func(ctx context.Context, req *jsonrpc2.Request) (any, error) {
		method := req.Method()
		switch {
		case req.IsCall():
			return s.request(ctx, req, dispatch)
		case method == protocol.MethodCancelRequest:
			s.cancelRequest(req.Params())
		case method == protocol.MethodExit || s.admits(method) == nil:
			if _, err := s.safely(ctx, req, dispatch); err != nil && !errors.Is(err, jsonrpc2.ErrMethodNotFound) {
				s.log(protocol.MessageTypeWarning, fmt.Sprintf("notification %s: %v", method, err))
			}
		}
		return nil, nil // an error would end the connection
	}
}

// request handles a request. The context that jsonrpc2 gives is used again for
// other requests once the handler is done, and it may not be the parent of
// another one: contexts look at their parents later.
func (s *server) request(ctx context.Context, req *jsonrpc2.Request, dispatch jsonrpc2.Handler) (any, error) {
	method := req.Method()
	if err := s.admits(method); err != nil {
		return nil, err
	}
	own, cancel := context.WithCancel(jsonrpc2.DetachContext(ctx))
	defer cancel()
	id := req.ID()
	s.mu.Lock()
	own = context.WithValue(own, snapshotKey{}, s.snap)
	s.requests[id] = cancel
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.requests, id)
		s.mu.Unlock()
	}()
	if method != protocol.MethodInitialize && method != protocol.MethodShutdown { // what follows depends on these
		jsonrpc2.Async(ctx)
	}
	return s.safely(own, req, dispatch)
}

// cancelRequest is $/cancelRequest: the id is a number or a string.
func (s *server) cancelRequest(raw []byte) {
	var params struct{ ID json.RawMessage }
	var number int64
	var text string
	var id jsonrpc2.ID
	switch {
	case json.Unmarshal(raw, &params) != nil:
		return
	case json.Unmarshal(params.ID, &number) == nil:
		id = jsonrpc2.NewNumberID(number)
	case json.Unmarshal(params.ID, &text) == nil:
		id = jsonrpc2.NewStringID(text)
	}
	s.mu.Lock()
	cancel := s.requests[id]
	s.mu.Unlock()
	if cancel != nil {
		cancel()
	}
}

// admits checks a message against the phase of the connection.
func (s *server) admits(method string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.phase == fresh && method != protocol.MethodInitialize:
		return jsonrpc2.NewError(jsonrpc2.ServerNotInitialized, "the first request must be initialize")
	case s.phase == running && method == protocol.MethodInitialize:
		return jsonrpc2.NewError(jsonrpc2.InvalidRequest, "the server is already initialized")
	case s.phase == shutDown:
		return jsonrpc2.NewError(jsonrpc2.InvalidRequest, "the server is shut down; only exit may follow")
	}
	return nil
}

// safely runs a handler. A panic of it becomes an error of this one request.
func (s *server) safely(ctx context.Context, req *jsonrpc2.Request, handler jsonrpc2.Handler) (result any, err error) {
	if !s.begin() {
		return nil, protocol.ErrRequestCancelled
	}
	defer s.work.Done()
	method := req.Method()
	defer func() {
		if p := recover(); p != nil {
			stack := sync.OnceValue(func() string { return string(debug.Stack()) })
			s.log(protocol.MessageTypeError, fmt.Sprintf("%s panicked: %v\n%s", method, p, stack()))
			result, err = nil, jsonrpc2.Errorf(jsonrpc2.InternalError, "%s: %v", method, p)
		}
	}()
	result, err = handler(ctx, req)
	switch {
	case err == nil:
	case ctx.Err() != nil || errors.Is(err, context.Canceled):
		err = protocol.ErrRequestCancelled
	case errors.Is(err, jsonrpc2.ErrParse):
		err = jsonrpc2.NewError(jsonrpc2.InvalidParams, "parameters of "+method+": "+err.Error())
	}
	return result, err
}
