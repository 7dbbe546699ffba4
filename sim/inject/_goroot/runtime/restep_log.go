package runtime

import "unsafe"

// The step log is a file mapped as a whole into a window far from everything
// else; the file grows in pieces before the pages are touched. It grows by zeros
// that are written to it: to make pages present that a file has already takes a
// third of what it takes where the file has a hole. A piece is 32 KB at first
// and 128 KB in a log that is long.
const (
	restepLogBase     = 0x100000000000
	restepLogWindow   = 1 << 36
	restepLogPiece    = 32 << 10
	restepLogPieceMax = 128 << 10
)

// restepLogZeros is what it grows by.
var restepLogZeros [restepPageSize]byte

var restepLog struct {
	fd, size, ready, mapped uintptr
}

func restepOpenLog(path string) []byte {
	if path == "" {
		return nil
	}
	// The path lies in the request, a NUL behind it. It is not copied: its
	// length must not show in the program's heap.
	fd, errno := restepSys(restepSysOpenat, ^uintptr(99), uintptr(unsafe.Pointer(unsafe.StringData(path))), 0x80002, 0, 0, 0)
	if errno != 0 {
		restepDie("open the step log", errno)
	}
	restepLog.fd = fd
	if size, errno := restepSys(restepSysLseek, fd, 0, 2, 0, 0, 0); errno == 0 {
		restepLog.size = size
	}
	if errno := restepMapLog(restepLogPiece); errno != 0 {
		restepDie("map the step log", errno)
	}
	restepGrowLog(restepLogPiece)
	return unsafe.Slice((*byte)(unsafe.Pointer(uintptr(restepLogBase))), restepLogWindow)
}

// restepMapLog maps the first need bytes of the window at least.
func restepMapLog(need uintptr) (errno uintptr) {
	for restepLog.mapped < need {
		flags := uintptr(0x11) // MAP_SHARED | MAP_FIXED: after going back the mapping may be there
		if restepLog.mapped == 0 {
			flags = 0x100001 // MAP_SHARED | MAP_FIXED_NOREPLACE
		}
		want := restepLogBase + restepLog.mapped
		addr, errno := restepSys(restepSysMmap, want, restepLogMap, 3, flags, restepLog.fd, restepLog.mapped)
		if errno == 0 && addr != want {
			errno = 17 // EEXIST
		}
		if errno != 0 {
			return errno
		}
		restepSys(restepSysMadvise, want, restepLogMap, 1, 0, 0, 0) // MADV_RANDOM: it has nothing to read ahead
		restepLog.mapped += restepLogMap
	}
	return 0
}

func restepGrowLog(need uint64) bool {
	if uintptr(need) <= restepLog.ready {
		return true
	}
	if uintptr(need) > restepLog.size && !restepExtendLog(uintptr(need)) || restepMapLog(uintptr(need)) != 0 {
		return false
	}
	from := restepLog.ready
	end := restepLogPieceEnd(uintptr(need) - 1)
	restepLog.ready = min(end, restepLog.size) // after going back the file may be much longer
	before := restepFaults()
	restepSys(restepSysMadvise, restepLogBase+from, restepLog.ready-from, 23, 0, 0, 0) // MADV_POPULATE_WRITE, Linux 5.14
	if restepReusing {
		restepReuse().logFaults += restepFaults() - before
	}
	return true
}

func restepExtendLog(need uintptr) bool {
	// After going back the file is longer than this process remembers.
	if end, errno := restepSys(restepSysLseek, restepLog.fd, 0, 2, 0, 0, 0); errno == 0 && end >= need {
		restepLog.size = end
		return true
	}
	size := restepLog.size
	for size < need {
		end := restepLogPieceEnd(size)
		if end > restepLogWindow || !restepWriteZeros(size, end) {
			return false
		}
		size = end
	}
	restepLog.size = size
	return true
}

// restepLogPieceEnd is the end of the piece that holds the byte at an offset.
func restepLogPieceEnd(at uintptr) uintptr {
	piece := uintptr(restepLogPiece)
	if at >= 4*restepLogPieceMax {
		piece = restepLogPieceMax
	}
	return (at + piece) &^ (piece - 1)
}

// restepWriteZeros makes the file longer, from one size to another; pwritev(2).
func restepWriteZeros(from, to uintptr) bool {
	var pieces [restepLogPieceMax / restepPageSize]struct{ base, size uintptr }
	n := uintptr(0)
	for at := from; at < to; n++ {
		size := min(to-at, restepPageSize)
		pieces[n].base, pieces[n].size = uintptr(unsafe.Pointer(&restepLogZeros)), size
		at += size
	}
	done, errno := restepSys(restepSysPwritev, restepLog.fd, uintptr(unsafe.Pointer(&pieces)), n, from, 0, 0)
	return errno == 0 && done == to-from
}

// restepCloseLog runs at the end of the run, after the last step.
func restepCloseLog() {
	if restepLog.size != 0 {
		restepSys(restepSysClose, restepLog.fd, 0, 0, 0, 0, 0)
	}
}
