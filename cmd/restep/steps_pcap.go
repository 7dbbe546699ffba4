package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/restep/restep/replay/pcap"
	"github.com/restep/restep/replay/runs"
	"github.com/restep/restep/replay/text"
	"github.com/restep/restep/sim/steplog"
)

// capture writes the messages among the steps asked for to a file.
func (c *stepsConfig) capture(ctx context.Context, u *ui, log *runs.Log) int {
	f, err := os.Create(c.pcap)
	if err != nil {
		return u.fail(exitFailed, text.Escape(err.Error()), "-pcap names the file to write")
	}
	out := bufio.NewWriter(f)
	w := pcap.NewWriter(out, log.Machines())
	var failed error
	err = c.each(ctx, log, func(s *steplog.Step) {
		if failed == nil {
			failed = w.Step(s)
		}
	})
	if err = errors.Join(err, failed, out.Flush(), f.Close()); err != nil {
		return u.fail(exitFailed, text.Escape(fmt.Sprintf("write %s: %v", c.pcap, err)))
	}
	if ctx.Err() != nil {
		return exitInterrupt
	}
	u.say(fmt.Sprintf("%s holds %s", text.Escape(c.pcap), plural(uint64(w.Packets()), "packet")))
	return exitOK
}
