package conform

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/restep/restep/sim/kernel/abi"
)

func inotify(e *Env, a args) string { // inotify F [FLAGS]
	r, errno := e.call(abi.SYS_INOTIFY_INIT1, a.numOr(1, abi.O_NONBLOCK))
	return e.opened(a.str(0), r, errno)
}

func watch(e *Env, a args) string { // watch F PATH MASK: tells the watch's number
	r, errno := e.call(abi.SYS_INOTIFY_ADD_WATCH, e.fd(a, 0), e.path(a, 1), a.num(2))
	if errno != abi.OK {
		return errnoName(errno)
	}
	return fmt.Sprint(r)
}

var noticeNames = []struct {
	bit  uint32
	name string
}{
	{abi.IN_ACCESS, "ACCESS"}, {abi.IN_MODIFY, "MODIFY"}, {abi.IN_ATTRIB, "ATTRIB"},
	{abi.IN_CLOSE_WRITE, "CLOSE_WRITE"}, {abi.IN_CLOSE_NOWRITE, "CLOSE_NOWRITE"}, {abi.IN_OPEN, "OPEN"},
	{abi.IN_MOVED_FROM, "MOVED_FROM"}, {abi.IN_MOVED_TO, "MOVED_TO"}, {abi.IN_CREATE, "CREATE"},
	{abi.IN_DELETE, "DELETE"}, {abi.IN_DELETE_SELF, "DELETE_SELF"}, {abi.IN_MOVE_SELF, "MOVE_SELF"},
	{abi.IN_Q_OVERFLOW, "Q_OVERFLOW"}, {abi.IN_IGNORED, "IGNORED"}, {abi.IN_ISDIR, "ISDIR"},
}

// notices reads the events of an instance: notices F [SIZE]. Each is shown as
// watch, mask and name; the two halves of a rename have a letter in common.
func notices(e *Env, a args) string {
	b := make([]byte, int(a.numOr(1, 4096)))
	n, errno := e.call(abi.SYS_READ, e.fd(a, 0), e.bytes(b), uintptr(len(b)))
	if errno != abi.OK {
		return errnoName(errno)
	}
	var all []string
	var cookies []uint32
	for b = b[:n]; len(b) >= abi.InotifyEventSize; {
		wd, mask := int32(binary.LittleEndian.Uint32(b)), binary.LittleEndian.Uint32(b[4:])
		cookie, size := binary.LittleEndian.Uint32(b[8:]), binary.LittleEndian.Uint32(b[12:])
		text := fmt.Sprint(wd)
		for _, m := range noticeNames {
			if mask&m.bit != 0 {
				text += " " + m.name
			}
		}
		name, _, _ := bytes.Cut(b[abi.InotifyEventSize:abi.InotifyEventSize+size], []byte{0})
		if size > 0 {
			text += fmt.Sprintf(" %q/%d", name, size)
		}
		if cookie != 0 {
			i := 0
			for i < len(cookies) && cookies[i] != cookie {
				i++
			}
			if i == len(cookies) {
				cookies = append(cookies, cookie)
			}
			text += " " + string(rune('A'+i))
		}
		all = append(all, text)
		b = b[abi.InotifyEventSize+size:]
	}
	return strings.Join(all, "; ")
}
