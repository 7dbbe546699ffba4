package runtime

import "unsafe"

// The step log is a file mapped as a whole into a window far from everything
// else; the file grows in pieces before the pages are touched.
const (
	restepLogBase   = 0x100000000000
	restepLogWindow = 1 << 36
	restepLogPiece  = 1 << 20
	restepLogReady  = 32 << 10 // made present at a time: two faults a page less
)

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
	if errno := restepMapLog(restepLogReady); errno != 0 {
		restepDie("map the step log", errno)
	}
	restepGrowLog(restepLogReady)
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
	restepLog.ready = min((uintptr(need)+restepLogReady-1)&^(restepLogReady-1), restepLog.size)
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
	size := (need + restepLogPiece - 1) &^ (restepLogPiece - 1)
	if size > restepLogWindow {
		return false
	}
	if _, errno := restepSys(restepSysFtruncate, restepLog.fd, size, 0, 0, 0, 0); errno != 0 {
		return false
	}
	restepLog.size = size
	return true
}

// restepCloseLog runs at the end of the run, after the last step.
func restepCloseLog() {
	if restepLog.size != 0 {
		restepSys(restepSysClose, restepLog.fd, 0, 0, 0, 0, 0)
	}
}
