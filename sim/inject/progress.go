package inject

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
)

// counter tells how many packages a go command has begun to compile, which it
// reads in what the command prints with -x.
type counter struct {
	tell  func(string)
	what  string
	of    int // packages that there are at most; 0 = unknown
	begun int
	line  []byte // the beginning of a line whose end has not come
}

// maxLine is how much of a line is looked at: what names the tool is at its
// beginning.
const maxLine = 4096

// compiles is in each command of -x that compiles a package, and in no other.
var compiles = []byte("/compile -o $WORK")

// Write takes what the go command prints.
func (c *counter) Write(b []byte) (int, error) {
	n := len(b)
	for len(b) > 0 {
		i := bytes.IndexByte(b, '\n')
		part := b
		if i >= 0 {
			part = b[:i]
		}
		c.line = append(c.line, part[:min(len(part), max(0, maxLine-len(c.line)))]...)
		if i < 0 {
			break
		}
		if bytes.Contains(c.line, compiles) {
			c.begun++
			c.say()
		}
		c.line, b = c.line[:0], b[i+1:]
	}
	return n, nil
}

func (c *counter) say() {
	if c.of > 0 && c.begun <= c.of {
		c.tell(fmt.Sprintf("%s: %d of up to %d packages", c.what, c.begun, c.of))
	}
}

// counted runs a go command that compiles what is listed, and tells how far it
// is. make returns the command with some more flags; it is run again, for its
// words, when it fails, for what -x prints is not among the user's.
func counted(ctx context.Context, c *counter, listed []byte, make func(flags ...string) *exec.Cmd) ([]byte, error) {
	for line := range bytes.Lines(listed) {
		if line = bytes.TrimSpace(line); len(line) > 0 && string(line) != "unsafe" {
			c.of++
		}
	}
	cmd := make("-x")
	cmd.Stderr = c
	out, err := output(cmd)
	var tool *ToolError
	if errors.As(err, &tool) && ctx.Err() == nil {
		return output(make())
	}
	return out, err
}
