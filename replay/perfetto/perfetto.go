package perfetto

import (
	"bytes"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/restep/restep/replay/text"
	"github.com/restep/restep/sim/steplog"
)

// sequence is the one packet sequence of a trace.
const sequence = 1

// simulatorPid stands for what no machine did.
const simulatorPid = 1 << 20

// What the clock moves while somebody runs: a scheduling decision takes 50 ns
// of simulated time, and so does a look at the clock, of which a goroutine may
// take some between two steps. What is more is a wait.
const (
	tickNs = 50
	looks  = 20 * 50
)

// maxText bounds an event's description, in bytes.
const maxText = 1 << 10

// Writer turns steps into a trace.
type Writer struct {
	w      io.Writer
	r      *steplog.Reader
	src    text.Source
	err    error
	start  int64  // ns since Unix epoch
	now    uint64 // timestamp of the last event
	events int

	tracks  map[uint64]bool
	running uint64 // track with an open stretch, 0 = none
	lastNs  int64  // time and tick of the step before
	tick    uint64

	flows uint64              // number of the last flow
	sent  map[string][]flight // by sender and receiver
	last  struct {            // the last message that was sent
		key  string
		step uint64
	}
	packet message
	event  message
	frames []steplog.Frame
}

// flight is a message on its way.
type flight struct {
	flow uint64
	left uint64 // bytes that have not arrived
}

// NewWriter starts a trace of steps of a log. Call Close behind the last one.
func NewWriter(w io.Writer, r *steplog.Reader, src text.Source) *Writer {
	return &Writer{w: w, r: r, src: src, start: r.Header().StartNs, tracks: map[uint64]bool{}, sent: map[string][]flight{}}
}

// Events is how many events were written: slices and instants.
func (p *Writer) Events() int { return p.events }

// put writes a packet of one of a packet's messages.
func (p *Writer) put(at uint64, field int, content message) {
	b := p.packet[:0]
	if field == packetEvent {
		b = b.number(packetTimestamp, at)
	}
	b = b.number(packetSequence, sequence)
	b = b.bytes(field, content)
	p.packet = b
	if p.err == nil {
		_, p.err = p.w.Write(message(nil).bytes(tracePacket, b))
	}
}

// track returns the track of a step and describes it when it is new. The
// network and the simulator have threads of their own.
func (p *Writer) track(s *steplog.Step) uint64 {
	pid, name := uint64(s.Machine), "machine-"+strconv.Itoa(int(s.Machine))
	if m, ok := p.r.Machine(s.Machine); ok {
		name = text.Escape(m.Label)
	}
	thread := "goroutine " + strconv.FormatUint(uint64(s.Goroutine), 10)
	if s.Machine == 0 {
		pid, name = simulatorPid, "simulator"
	}
	if s.Goroutine == 0 {
		thread = "network and clock"
	}
	process := pid << 32
	if !p.tracks[process] {
		p.tracks[process] = true
		d := message(nil).number(trackUUID, process)
		p.put(0, packetDescriptor, d.bytes(trackProcess, message(nil).number(processPid, pid).text(processName, name)))
	}
	// A thread's number equals the process's for its main thread alone, so
	// goroutines begin behind all machines.
	const threads = 1 << 21
	uuid := process | (uint64(s.Goroutine)&(1<<30-1) + 1)
	if !p.tracks[uuid] {
		p.tracks[uuid] = true
		d := message(nil).number(trackUUID, uuid).number(trackParent, process)
		tid := threads + uint64(s.Goroutine)&(1<<30-1)
		p.put(0, packetDescriptor, d.bytes(trackThread, message(nil).number(threadPid, pid).number(threadTid, tid).text(threadName, thread)))
	}
	return uuid
}

// Step writes one step. Steps come in order, not necessarily all of them.
func (p *Writer) Step(s *steplog.Step) error {
	at := uint64(max(s.TimeNs-p.start, 0))
	track := p.track(s)
	// The clock runs with the ticks while somebody runs; where it has jumped,
	// everybody waited.
	jumped := s.TimeNs-p.lastNs > int64(s.Tick-p.tick)*tickNs+looks
	if p.running != 0 && (track != p.running || jumped) {
		p.stop()
	}
	p.lastNs, p.tick = s.TimeNs, s.Tick
	p.now = max(p.now, at)
	if s.Goroutine != 0 && p.running == 0 {
		e := p.begin(sliceBegin, track)
		p.put(p.now, packetEvent, e.text(eventCategory, "running").text(eventName, "running"))
		p.running = track
		p.events++
	}
	e := p.describe(s, track)
	if slice(s.Kind) {
		p.put(p.now, packetEvent, e)
		p.now++
		p.put(p.now, packetEvent, p.begin(sliceEnd, track))
	} else {
		p.put(p.now, packetEvent, e)
		p.now++
	}
	p.events++
	return p.err
}

// Close ends what is open.
func (p *Writer) Close() error {
	if p.running != 0 {
		p.stop()
	}
	return p.err
}

// stop ends the stretch in which a goroutine ran.
func (p *Writer) stop() {
	p.put(p.now, packetEvent, p.begin(sliceEnd, p.running))
	p.running = 0
}

func (p *Writer) begin(kind, track uint64) message {
	p.event = p.event[:0].number(eventType, kind).number(eventTrack, track)
	return p.event
}

// slice reports kinds that are drawn with an extent, which arrows need.
func slice(k steplog.Kind) bool {
	switch k {
	case steplog.KindSyscall, steplog.KindUnsupported, steplog.KindConnect, steplog.KindAccept, steplog.KindClose, steplog.KindReset,
		steplog.KindSend, steplog.KindDeliver, steplog.KindDrop:
		return true
	}
	return false
}

// describe is the event of a step.
func (p *Writer) describe(s *steplog.Step, track uint64) message {
	kind := uint64(instant)
	if slice(s.Kind) {
		kind = sliceBegin
	}
	what := clean(text.AppendDescription(nil, p.r, s))
	e := p.begin(kind, track)
	e = e.text(eventCategory, s.Kind.String()).text(eventName, name(s, what))
	note := func(key string, value message) {
		e = e.bytes(eventAnnotation, append(message(nil).text(annotationName, key), value...))
	}
	note("step", message(nil).number(annotationUint, s.Number))
	note("tick", message(nil).number(annotationUint, s.Tick))
	note("time", message(nil).text(annotationString, strconv.FormatInt(s.TimeNs-p.start, 10)+" ns"))
	note("what", message(nil).text(annotationString, what))
	p.frames = p.r.Stack(s.StackID, p.frames[:0])
	if f, ok := p.src.PlaceOf(s, p.frames); ok {
		note("place", message(nil).text(annotationString, text.Escape(p.src.Name(f.File))+":"+strconv.Itoa(f.Line)))
	}
	for _, flow := range p.flow(s) {
		e = e.fixed64(eventFlow, flow)
	}
	p.event = e
	return e
}

// name is an event's short name: what viewers group by.
func name(s *steplog.Step, what string) string {
	switch s.Kind {
	case steplog.KindSyscall, steplog.KindUnsupported:
		first, _, _ := strings.Cut(what, " ")
		return first
	case steplog.KindLog, steplog.KindTest, steplog.KindMark:
		if r := []rune(what); len(r) > 60 {
			return string(r[:59]) + "…"
		}
		if what != "" {
			return what
		}
	}
	return s.Kind.String()
}

// clean makes foreign text fit for a viewer.
func clean(b []byte) string {
	if len(b) > maxText {
		b = append(bytes.ToValidUTF8(b[:maxText], nil), "…"...)
	}
	return strings.ToValidUTF8(text.Escape(string(b)), "?")
}

// flow returns the numbers of the arrows that begin or end at a step.
func (p *Writer) flow(s *steplog.Step) []uint64 {
	from, ok1 := s.Field(steplog.TagLocal)
	to, ok2 := s.Field(steplog.TagPeer)
	if !ok1 || !ok2 {
		return nil
	}
	_, stream := s.Field(steplog.TagConn)
	count, _ := s.Field(steplog.TagCount)
	size := count.Num
	switch s.Kind {
	case steplog.KindSend:
		if string(s.Text) == "again" || size == 0 && stream {
			return nil // the first sending's arrow stays
		}
		p.flows++
		p.last.key, p.last.step = key(from, to), s.Number
		p.sent[p.last.key] = append(p.sent[p.last.key], flight{p.flows, size})
		return []uint64{p.flows}
	case steplog.KindDeliver, steplog.KindDrop:
		if s.Kind == steplog.KindDrop && stream {
			return nil // it is sent again, and that arrives
		}
		if s.Kind == steplog.KindDrop && p.last.step+1 == s.Number && p.last.key == key(from, to) {
			return p.unsend() // it did not leave the sender
		}
		// The step is the receiver's: what is local here was the peer there.
		return p.arrive(key(to, from), size, stream)
	}
	return nil
}

func key(from, to steplog.Field) string { return string(from.Bytes) + " " + string(to.Bytes) }

// unsend takes back the last message that was sent.
func (p *Writer) unsend() []uint64 {
	list := p.sent[p.last.key]
	f := list[len(list)-1]
	p.sent[p.last.key] = list[:len(list)-1]
	return []uint64{f.flow}
}

// arrive takes bytes, or a datagram, off what is on its way.
func (p *Writer) arrive(key string, size uint64, stream bool) (flows []uint64) {
	list := p.sent[key]
	if !stream {
		// Datagrams overtake one another; their sizes tell them apart, mostly.
		i := slices.IndexFunc(list, func(f flight) bool { return f.left == size })
		if i < 0 {
			return nil
		}
		flows = []uint64{list[i].flow}
		list = slices.Delete(list, i, i+1)
		size = 0
	}
	for len(list) > 0 && size > 0 {
		f := &list[0]
		flows = append(flows, f.flow)
		n := min(size, f.left)
		size, f.left = size-n, f.left-n
		if f.left == 0 {
			list = list[1:]
		}
	}
	if p.sent[key] = list; len(list) == 0 {
		delete(p.sent, key)
	}
	return flows
}
