package pcap

import (
	"encoding/binary"
	"fmt"
	"io"
	"net/netip"

	"github.com/restep/restep/sim/steplog"
)

// Control bits of TCP, RFC 9293 3.1.
const (
	fin = 1 << iota
	syn
	rst
	psh
	ack
)

// Protocols of IP.
const (
	protoTCP = 6
	protoUDP = 17
)

// Writer turns steps into packets.
type Writer struct {
	w          io.Writer
	err        error
	buf        []byte
	interfaces map[uint16]uint32 // by machine
	conns      map[uint64]*conn
	packets    int
}

// conn is what is known of a TCP connection.
type conn struct{ ends [2]end }

// end is one direction of a connection: what the end at addr has sent.
type end struct {
	addr    netip.AddrPort
	next    uint32 // sequence number of the next byte
	arrived uint32 // the other end has everything below
	again   uint32 // where the next retransmission begins, 0 if none is under way
}

// NewWriter writes the head of a capture: one interface for each machine.
func NewWriter(w io.Writer, machines []steplog.Machine) *Writer {
	p := &Writer{w: w, interfaces: map[uint16]uint32{}, conns: map[uint64]*conn{}}
	head := []byte{0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	p.block(blockSection, option(head, optUserAppl, []byte("restep")))
	for i, m := range machines {
		p.interfaces[uint16(m.ID)] = uint32(i)
		b := []byte{linkRaw, 0, 0, 0, 0, 0, 0, 0} // no snap length
		b = option(b, optName, []byte(m.Label))
		p.block(blockInterface, option(b, optResolution, []byte{9})) // ns
	}
	return p
}

// Packets is how many packets were written.
func (p *Writer) Packets() int { return p.packets }

// Step writes the packets of one step, which may be none. Steps come in order.
func (p *Writer) Step(s *steplog.Step) error {
	local, ok1 := address(s, steplog.TagLocal)
	peer, ok2 := address(s, steplog.TagPeer)
	if !ok1 || !ok2 || p.err != nil {
		return p.err
	}
	id, tcp := s.Field(steplog.TagConn)
	size, _ := s.Field(steplog.TagCount)
	errno, failed := s.Field(steplog.TagErrno)
	if !tcp {
		if s.Kind == steplog.KindSend {
			p.packet(s, outbound, local, peer, protoUDP, 0, 0, 0, size.Num)
		}
		return p.err
	}
	c := p.conns[id.Num]
	if c == nil {
		c = &conn{}
		c.ends[0].addr, c.ends[1].addr = local, peer
		p.conns[id.Num] = c
	}
	me, you := &c.ends[0], &c.ends[1]
	if me.addr != local {
		me, you = you, me
	}
	segment := func(from, to *end, seq uint32, flags int, n uint64) {
		direction := byte(outbound)
		if from != me {
			direction = inbound
		}
		p.packet(s, direction, from.addr, to.addr, protoTCP, seq, to.arrived, flags, n)
	}
	switch {
	case s.Kind == steplog.KindConnect:
		segment(me, you, 0, syn, 0)
		me.next, me.arrived = 1, 1
		const refused = 111
		switch {
		case failed && errno.Num == refused:
			segment(you, me, 0, rst|ack, 0)
		case !failed:
			segment(you, me, 0, syn|ack, 0)
			you.next, you.arrived = 1, 1
			segment(me, you, 1, ack, 0)
		}
	case s.Kind == steplog.KindSend:
		segment(me, you, me.send(uint32(size.Num), string(s.Text) == "again"), psh|ack, size.Num)
	case s.Kind == steplog.KindDeliver:
		you.arrived = min(you.arrived+uint32(size.Num), you.next)
	case s.Kind == steplog.KindClose && string(s.Text) == "sent":
		segment(me, you, me.next, fin|ack, 0)
		me.next++
	case s.Kind == steplog.KindReset && string(s.Text) != "received":
		segment(me, you, me.next, rst|ack, 0)
	}
	return p.err
}

// send gives the sequence number of n bytes. A retransmission starts at what
// the other end does not have yet, and goes on from there.
func (e *end) send(n uint32, again bool) (seq uint32) {
	if !again {
		seq, e.again = e.next, 0
		e.next += n
		return seq
	}
	seq = e.again
	if seq == 0 || seq < e.arrived {
		seq = e.arrived
	}
	e.again = seq + n
	e.next = max(e.next, e.again)
	return seq
}

func address(s *steplog.Step, tag steplog.Tag) (netip.AddrPort, bool) {
	f, ok := s.Field(tag)
	if !ok {
		return netip.AddrPort{}, false
	}
	a, err := netip.ParseAddrPort(string(f.Bytes))
	return a, err == nil
}

// packet writes one packet of n bytes of data: its headers, and its length.
func (p *Writer) packet(s *steplog.Step, direction byte, from, to netip.AddrPort, proto byte, seq, acked uint32, flags int, n uint64) {
	device, ok := p.interfaces[uint16(s.Machine)]
	if !ok || from.Addr().Is4() != to.Addr().Is4() {
		return
	}
	head := transport(from, to, proto, seq, acked, flags, n)
	data := append(internet(from.Addr(), to.Addr(), proto, len(head)+int(n)), head...)
	b := binary.LittleEndian.AppendUint32(p.buf[:0], device)
	b = binary.LittleEndian.AppendUint32(b, uint32(uint64(s.TimeNs)>>32))
	b = binary.LittleEndian.AppendUint32(b, uint32(s.TimeNs))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(data)))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(data))+uint32(n))
	b = pad(append(b, data...))
	b = option(b, optFlags, []byte{direction, 0, 0, 0})
	p.buf = option(b, optComment, fmt.Appendf(nil, "#%d", s.Number))
	p.block(blockPacket, p.buf)
	p.packets++
}

// transport is a header of UDP or TCP. Checksums over data that is not there
// are left out.
func transport(from, to netip.AddrPort, proto byte, seq, acked uint32, flags int, n uint64) []byte {
	b := binary.BigEndian.AppendUint16(nil, from.Port())
	b = binary.BigEndian.AppendUint16(b, to.Port())
	if proto == protoUDP {
		b = binary.BigEndian.AppendUint16(b, uint16(8+n))
		return append(b, 0, 0)
	}
	b = binary.BigEndian.AppendUint32(b, seq)
	if flags&ack == 0 {
		acked = 0
	}
	b = binary.BigEndian.AppendUint32(b, acked)
	return append(b, 5<<4, byte(flags), 0xff, 0xff, 0, 0, 0, 0)
}

// internet is a header of IPv4 or IPv6 for n bytes.
func internet(from, to netip.Addr, proto byte, n int) []byte {
	var b []byte
	if from.Is4() {
		b = append(b, 0x45, 0)
		b = binary.BigEndian.AppendUint16(b, uint16(20+n))
		b = append(b, 0, 0, 0x40, 0, 64, proto, 0, 0) // do not fragment
		b = append(append(b, from.AsSlice()...), to.AsSlice()...)
		sum := uint32(0)
		for i := 0; i < len(b); i += 2 {
			sum += uint32(binary.BigEndian.Uint16(b[i:]))
		}
		for sum > 0xffff {
			sum = sum>>16 + sum&0xffff
		}
		binary.BigEndian.PutUint16(b[10:], ^uint16(sum))
		return b
	}
	b = append(b, 6<<4, 0, 0, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(n))
	b = append(b, proto, 64)
	return append(append(b, from.AsSlice()...), to.AsSlice()...)
}

// Types of blocks and options.
const (
	blockSection   = 0x0a0d0d0a
	blockInterface = 1
	blockPacket    = 6

	inbound  = 1 // values of optFlags
	outbound = 2

	linkRaw = 101 // packets begin with the header of IPv4 or IPv6

	optComment    = 1
	optFlags      = 2
	optName       = 2
	optUserAppl   = 4
	optResolution = 9
)

func pad(b []byte) []byte {
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

func option(b []byte, code uint16, value []byte) []byte {
	b = binary.LittleEndian.AppendUint16(b, code)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(value)))
	return pad(append(b, value...))
}

// block writes one block, whose options are the last thing in body.
func (p *Writer) block(kind uint32, body []byte) {
	if p.err != nil {
		return
	}
	size := uint32(len(body) + 16) // with the end of the options
	b := binary.LittleEndian.AppendUint32(make([]byte, 0, size), kind)
	b = binary.LittleEndian.AppendUint32(b, size)
	b = append(append(b, body...), 0, 0, 0, 0)
	_, p.err = p.w.Write(binary.LittleEndian.AppendUint32(b, size))
}
