package dap

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"sync"

	"github.com/google/go-dap"
)

// Limits of what is read.
const (
	maxHeader  = 4 << 10 // bytes of all header lines of a message
	maxContent = 4 << 20 // bytes of a message
)

// readFrame reads one message: header lines, an empty line, content. The
// error is io.EOF when the other side closed between two messages.
// DAP, "Base Protocol".
func readFrame(r *bufio.Reader) ([]byte, error) {
	length, used := -1, 0
	for {
		line, err := readLine(r, maxHeader-used)
		if err != nil {
			if err == io.EOF && used > 0 {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
		used += len(line) + 2
		if line == "" {
			break
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return nil, fmt.Errorf("header line %.40q has no colon", line)
		}
		if strings.EqualFold(name, "Content-Length") {
			length, err = strconv.Atoi(strings.TrimSpace(value))
			if err != nil || length < 0 {
				return nil, fmt.Errorf("header line %.40q has no length", line)
			}
		}
	}
	if length < 0 {
		return nil, errors.New("message has no Content-Length")
	}
	if length > maxContent {
		return nil, fmt.Errorf("message of %d bytes; the limit is %d", length, maxContent)
	}
	b := make([]byte, length)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, io.ErrUnexpectedEOF
	}
	return b, nil
}

// readLine reads up to CR LF or LF.
func readLine(r *bufio.Reader, limit int) (string, error) {
	var b []byte
	for {
		c, err := r.ReadByte()
		if err != nil {
			if len(b) > 0 {
				err = io.ErrUnexpectedEOF
			}
			return "", err
		}
		if c == '\n' {
			return strings.TrimSuffix(string(b), "\r"), nil
		}
		if b = append(b, c); len(b) > limit {
			return "", errors.New("header is too long")
		}
	}
}

// writer sends messages to the client and numbers them.
type writer struct {
	// edit may change a message before it is sent, or keep it back by
	// returning false; nil changes nothing.
	edit func(dap.Message) bool

	mu  sync.Mutex
	w   io.Writer
	seq int
	err error
}

// send numbers and writes a message. After an error nothing is written any
// more; the reader notices the end of the connection.
func (w *writer) send(m dap.Message) {
	if w.edit != nil && !w.edit(m) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return
	}
	w.seq++
	setSeq(m, w.seq)
	b, err := json.Marshal(m)
	if err == nil {
		_, err = fmt.Fprintf(w.w, "Content-Length: %d\r\n\r\n%s", len(b), b)
	}
	w.err = err
}

// setSeq sets the number of any message: all of go-dap's types embed a
// ProtocolMessage at some depth.
func setSeq(m dap.Message, seq int) {
	switch m := m.(type) {
	case dap.ResponseMessage:
		m.GetResponse().Seq = seq
	case dap.EventMessage:
		m.GetEvent().Seq = seq
	case dap.RequestMessage:
		m.GetRequest().Seq = seq
	default:
		panic("dap: message of unknown form " + reflect.TypeOf(m).String())
	}
}
