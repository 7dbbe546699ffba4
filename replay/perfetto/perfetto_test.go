package perfetto

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/restep/restep/replay/logtest"
	"github.com/restep/restep/replay/text"
	"github.com/restep/restep/sim/steplog"
)

// field is a field of an encoded message.
type field struct {
	number int
	num    uint64
	bytes  []byte
}

// decode reads a message by the rules of Protocol Buffers alone.
func decode(t *testing.T, b []byte) (list []field) {
	t.Helper()
	for len(b) > 0 {
		tag, n := binary.Uvarint(b)
		if n <= 0 {
			t.Fatalf("no tag in % x", b)
		}
		f := field{number: int(tag >> 3)}
		switch b = b[n:]; tag & 7 {
		case wireVarint:
			if f.num, n = binary.Uvarint(b); n <= 0 {
				t.Fatalf("no number in % x", b)
			}
		case wireFixed64:
			if n = 8; len(b) < n {
				t.Fatalf("% x is cut short", b)
			}
			f.num = binary.LittleEndian.Uint64(b)
		case wireBytes:
			size, m := binary.Uvarint(b)
			if m <= 0 || uint64(len(b)-m) < size {
				t.Fatalf("% x is cut short", b)
			}
			n = m + int(size)
			f.bytes = b[m:n]
		default:
			t.Fatalf("wire type %d", tag&7)
		}
		b = b[n:]
		list = append(list, f)
	}
	return list
}

func get(list []field, number int) (field, bool) {
	for _, f := range list {
		if f.number == number {
			return f, true
		}
	}
	return field{}, false
}

// trace is a decoded trace, checked by the rules of the format.
type trace struct {
	lines []string         // of events, in order
	flows map[uint64][]int // lines by flow
	ended map[string]int   // slices by track
}

func parse(t *testing.T, b []byte) *trace {
	tr := &trace{flows: map[uint64][]int{}, ended: map[string]int{}}
	tracks, open := map[uint64]string{}, map[uint64][]string{}
	last := uint64(0)
	for _, p := range decode(t, b) {
		if p.number != tracePacket {
			t.Fatalf("field %d of a trace", p.number)
		}
		packet := decode(t, p.bytes)
		if seq, ok := get(packet, packetSequence); !ok || seq.num == 0 {
			t.Fatal("a packet without a sequence")
		}
		if d, ok := get(packet, packetDescriptor); ok {
			describe(t, tracks, decode(t, d.bytes))
			continue
		}
		at, ok := get(packet, packetTimestamp)
		if !ok || at.num < last {
			t.Fatalf("timestamp %d after %d", at.num, last)
		}
		last = at.num
		e, ok := get(packet, packetEvent)
		if !ok {
			t.Fatal("a packet of nothing")
		}
		event := decode(t, e.bytes)
		track, _ := get(event, eventTrack)
		kind, _ := get(event, eventType)
		name, _ := get(event, eventName)
		if tracks[track.num] == "" {
			t.Fatalf("track %d is not described", track.num)
		}
		if !utf8.Valid(name.bytes) || bytes.ContainsAny(name.bytes, "\x00\x1b\n") {
			t.Fatalf("name %q", name.bytes)
		}
		switch kind.num {
		case sliceBegin:
			open[track.num] = append(open[track.num], string(name.bytes))
		case sliceEnd:
			if len(open[track.num]) == 0 {
				t.Fatalf("the end of a slice that has not begun, on %s", tracks[track.num])
			}
			open[track.num] = open[track.num][:len(open[track.num])-1]
			tr.ended[tracks[track.num]]++
			continue
		case instant:
		default:
			t.Fatalf("event of type %d", kind.num)
		}
		for _, f := range event {
			if f.number == eventFlow {
				tr.flows[f.num] = append(tr.flows[f.num], len(tr.lines))
			}
		}
		tr.lines = append(tr.lines, fmt.Sprintf("%d %s %s%s", at.num, tracks[track.num], strings.Repeat("> ", len(open[track.num])), name.bytes))
	}
	for track, names := range open {
		if len(names) > 0 {
			t.Errorf("slices %v of %s have no end", names, tracks[track])
		}
	}
	return tr
}

// describe notes a track's name.
func describe(t *testing.T, tracks map[uint64]string, d []field) {
	uuid, _ := get(d, trackUUID)
	if uuid.num == 0 || tracks[uuid.num] != "" {
		t.Fatalf("track %d is described twice, or is 0", uuid.num)
	}
	if p, ok := get(d, trackProcess); ok {
		name, _ := get(decode(t, p.bytes), processName)
		tracks[uuid.num] = string(name.bytes)
		return
	}
	parent, _ := get(d, trackParent)
	thread, ok := get(d, trackThread)
	if !ok || tracks[parent.num] == "" {
		t.Fatalf("track %d has neither a process nor a parent", uuid.num)
	}
	fields := decode(t, thread.bytes)
	name, _ := get(fields, threadName)
	pid, _ := get(fields, threadPid)
	tid, _ := get(fields, threadTid)
	if pid.num == tid.num || tid.num > 1<<31-1 {
		t.Fatalf("thread %d of process %d", tid.num, pid.num)
	}
	tracks[uuid.num] = tracks[parent.num] + "/" + string(name.bytes)
}

func write(t *testing.T, r *steplog.Reader) []byte {
	var b bytes.Buffer
	w := NewWriter(&b, r, text.Source{Module: "example.com/m", Package: "example.com/m"})
	c := r.Cursor(steplog.Filter{})
	for c.Next() {
		if err := w.Step(c.Step()); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestTrace(t *testing.T) {
	l := logtest.New(t, steplog.Header{StartNs: 1_579_097_403_000_000_000})
	stack := []steplog.Frame{{Func: "example.com/m.f", File: "example.com/m/m.go", Line: 7}}
	message := func(local, peer string, conn, count uint64) func() {
		return func() {
			l.String(steplog.TagLocal, local)
			l.String(steplog.TagPeer, peer)
			if conn != 0 {
				l.Uint(steplog.TagConn, conn)
			}
			l.Uint(steplog.TagCount, count)
		}
	}
	add := func(e logtest.Event) { l.Add(e) }
	add(logtest.Event{Kind: steplog.KindBoot, Machine: 1, Text: "main"})
	add(logtest.Event{Kind: steplog.KindLog, Machine: 1, Goroutine: 2, Text: "hello\x1b[31m\nworld\xff", Stack: stack})
	add(logtest.Event{Kind: steplog.KindSyscall, Machine: 1, Goroutine: 2, Text: `openat "x" O_RDONLY`, Ticks: -1})
	add(logtest.Event{Kind: steplog.KindSend, Machine: 1, Goroutine: 2, Fields: message("a:1", "b:2", 1, 5), Ticks: -1})
	add(logtest.Event{Kind: steplog.KindSend, Machine: 1, Goroutine: 2, Fields: message("a:1", "b:2", 1, 5), Ticks: -1})
	add(logtest.Event{Kind: steplog.KindClock, AtMs: 1})
	add(logtest.Event{Kind: steplog.KindDeliver, Machine: 2, AtMs: 1, Fields: message("b:2", "a:1", 1, 7)})
	add(logtest.Event{Kind: steplog.KindLog, Machine: 2, Goroutine: 3, AtMs: 1, Text: "got it"})
	add(logtest.Event{Kind: steplog.KindDeliver, Machine: 2, AtMs: 1, Fields: message("b:2", "a:1", 1, 3)})
	// A datagram that does not leave, and two that overtake one another.
	add(logtest.Event{Kind: steplog.KindSend, Machine: 2, Goroutine: 3, AtMs: 2, Fields: message("b:9", "a:9", 0, 1)})
	add(logtest.Event{Kind: steplog.KindDrop, Machine: 2, AtMs: 2, Fields: message("b:9", "a:9", 0, 1)})
	add(logtest.Event{Kind: steplog.KindSend, Machine: 2, Goroutine: 3, AtMs: 2, Fields: message("b:9", "a:9", 0, 2)})
	add(logtest.Event{Kind: steplog.KindSend, Machine: 2, Goroutine: 3, AtMs: 2, Fields: message("b:9", "a:9", 0, 0)})
	add(logtest.Event{Kind: steplog.KindDeliver, Machine: 1, AtMs: 3, Fields: message("a:9", "b:9", 0, 0)})
	add(logtest.Event{Kind: steplog.KindDeliver, Machine: 1, AtMs: 3, Fields: message("a:9", "b:9", 0, 2)})
	add(logtest.Event{Kind: steplog.KindEnd, Machine: 1, Goroutine: 2, AtMs: 3})
	r := l.Reader()
	b := write(t, r)
	if !bytes.Equal(b, write(t, r)) {
		t.Error("the same run gives another trace the second time")
	}
	tr := parse(t, b)
	want := []string{
		"0 main/network and clock boot",
		"1 main/goroutine 2 > running",
		`1 main/goroutine 2 > hello\x1b[31m\x0aworld\xff`,
		"2 main/goroutine 2 > > openat",
		"3 main/goroutine 2 > > send",
		"4 main/goroutine 2 > > send",
		"1000000 simulator/network and clock clock",
		"1000001 server/network and clock > deliver",
		"1000002 server/goroutine 3 > running",
		"1000002 server/goroutine 3 > got it",
		"1000003 server/network and clock > deliver",
		"2000000 server/goroutine 3 > running",
		"2000000 server/goroutine 3 > > send",
		"2000001 server/network and clock > drop",
		"2000002 server/goroutine 3 > running",
		"2000002 server/goroutine 3 > > send",
		"2000003 server/goroutine 3 > > send",
		"3000000 main/network and clock > deliver",
		"3000001 main/network and clock > deliver",
		"3000002 main/goroutine 2 > running",
		"3000002 main/goroutine 2 > end",
	}
	if got := strings.Join(tr.lines, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("events\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	// Sends in lines 4, 5; 12, 15, 16. Deliveries in 7, 10; the drop in 13; 17, 18.
	if got, want := fmt.Sprint(tr.flows), "map[1:[4 7] 2:[5 7 10] 3:[12 13] 4:[15 18] 5:[16 17]]"; got != want {
		t.Errorf("arrows %s, want %s", got, want)
	}
}
