// Package assembly makes system calls that pass no hook in package syscall.
package assembly

import (
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestNoError(t *testing.T) {
	if unix.Getpid() != syscall.Getpid() || unix.Getppid() != syscall.Getppid() || unix.Getuid() != 0 || unix.Getegid() != 0 {
		t.Error("pid", unix.Getpid(), syscall.Getpid(), "parent", unix.Getppid(), "uid", unix.Getuid())
	}
	if unix.Gettid() != syscall.Gettid() {
		t.Error("tid", unix.Gettid(), syscall.Gettid())
	}
	if old := unix.Umask(0o77); old != 0o22 || unix.Umask(old) != 0o77 {
		t.Errorf("umask %o", old)
	}
	unix.Sync() // not supported this way: leaves a step
}

func TestClocks(t *testing.T) {
	var tv unix.Timeval
	var ts unix.Timespec
	now := time.Now()
	if err := unix.Gettimeofday(&tv); err != nil || now.Unix() != tv.Sec {
		t.Error("gettimeofday", tv, err, "now", now)
	}
	if err := unix.ClockGettime(unix.CLOCK_REALTIME, &ts); err != nil || now.Unix() != ts.Sec {
		t.Error("clock_gettime", ts, err, "now", now)
	}
	var stv syscall.Timeval
	if err := syscall.Gettimeofday(&stv); err != nil || now.Unix() != stv.Sec {
		t.Error("syscall.Gettimeofday", stv, err)
	}
}
