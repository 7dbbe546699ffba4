package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/restep/restep/replay/pcap"
	"github.com/restep/restep/replay/perfetto"
	"github.com/restep/restep/replay/runs"
	"github.com/restep/restep/replay/text"
	"github.com/restep/restep/sim/steplog"
)

// capture writes the steps asked for to files, for other programs to show.
func (c *stepsConfig) capture(ctx context.Context, u *ui, log *runs.Log, src text.Source) int {
	if c.pcap != "" {
		err := c.write(ctx, log, c.pcap, "-pcap", func(out io.Writer) (func(*steplog.Step) error, func() (string, error)) {
			w := pcap.NewWriter(out, log.Machines())
			return w.Step, func() (string, error) { return plural(uint64(w.Packets()), "packet"), nil }
		}, u)
		if err != nil {
			return u.fail(exitFailed, text.Escape(err.Error()))
		}
	}
	if c.trace != "" {
		err := c.write(ctx, log, c.trace, "-perfetto", func(out io.Writer) (func(*steplog.Step) error, func() (string, error)) {
			w := perfetto.NewWriter(out, log.Reader, src)
			return w.Step, func() (string, error) { return plural(uint64(w.Events()), "event"), w.Close() }
		}, u)
		if err != nil {
			return u.fail(exitFailed, text.Escape(err.Error()))
		}
	}
	if ctx.Err() != nil {
		return exitInterrupt
	}
	return exitOK
}

// write writes one file. start returns what takes the steps, and what ends the
// file and says what it holds.
func (c *stepsConfig) write(ctx context.Context, log *runs.Log, path, flag string,
	start func(io.Writer) (step func(*steplog.Step) error, end func() (string, error)), u *ui) error {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("%w; %s names the file to write", err, flag)
	}
	out := bufio.NewWriter(f)
	step, end := start(out)
	var failed error
	err = c.each(ctx, log, func(s *steplog.Step) {
		if failed == nil {
			failed = step(s)
		}
	})
	holds, last := end()
	if err = errors.Join(err, failed, last, out.Flush(), f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if ctx.Err() == nil {
		u.say(fmt.Sprintf("%s holds %s", text.Escape(path), holds))
	}
	return nil
}
