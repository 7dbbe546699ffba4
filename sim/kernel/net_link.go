package kernel

import (
	"math/bits"

	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/kernel/socket"
	"github.com/restep/restep/sim/sched"
	"github.com/restep/restep/sim/steplog"
)

// Delays of links that nobody set, in nanoseconds: drawn for each message,
// evenly from this range (stream Latency). Small enough that a handful of
// round trips stays below a tenth of a millisecond.
const (
	linkDelayMin     Nanos = 1_000
	linkDelayMax     Nanos = 10_000
	loopbackDelayMin Nanos = 500
	loopbackDelayMax Nanos = 2_000
)

// LinkState is what a link does with messages.
type LinkState uint8

// The states. A link that is not up loses what is on its way.
const (
	LinkUp          LinkState = iota
	LinkBlackhole             // messages vanish without a word
	LinkRefuse                // TCP gets a reset, UDP "port unreachable"
	LinkUnreachable           // "host unreachable" comes back
	LinkNoRoute               // the sender itself has no route: ENETUNREACH
	linkStates
)

// Chance is a probability in units of 1/2^32, at most 1<<32.
type Chance uint64

const certain Chance = 1 << 32

// LinkSettings is what a link does to messages, in one direction.
type LinkSettings struct {
	Delay  Nanos
	Fixed  bool  // Delay counts; else it is drawn for each message
	Jitter Nanos // up to this much is added to the delay of each message
	// Loss, Duplicate, Reorder and Corrupt are drawn for each message.
	Loss, Duplicate, Reorder, Corrupt Chance
	Bandwidth                         int64 // bits per second, 0 for no limit
	Queue                             int64 // bytes that may wait for the bandwidth, 0 for no limit
	State                             LinkState
}

// link is one direction between two machines.
type link struct {
	to   MachineID // 0 for a link that was not yet used
	set  LinkSettings
	cut  bool  // by SetConnected or Partition
	last Nanos // arrival of the message that comes last, but for those held back
	busy Nanos // when the last byte that waits for the bandwidth will have left
}

// linkRule are settings for links that are made later; 0 is any machine.
type linkRule struct {
	from, to MachineID
	set      LinkSettings
}

// link is the direction from one machine to another.
func (n *network) link(from, to *netStack) *link {
	for len(from.out) <= int(to.m.slot) {
		from.out = append(from.out, link{})
	}
	l, id := &from.out[to.m.slot], to.m.id
	if l.to != id {
		*l = link{to: id}
		for i := range n.rules {
			if r := &n.rules[i]; id != from.m.id && r.covers(from.m.id, id) {
				l.set = r.set
			}
		}
	}
	return l
}

func (r *linkRule) covers(from, to MachineID) bool {
	return (r.from == 0 || r.from == from) && (r.to == 0 || r.to == to)
}

// healthy reports whether the link delivers everything.
func (l *link) healthy() bool {
	s := &l.set
	return !l.cut && s.State == LinkUp && s.Loss == 0 && s.Corrupt == 0 && (s.Bandwidth == 0 || s.Queue == 0)
}

// chance draws whether something happens. What never happens draws nothing, so
// that links without faults leave the stream alone.
func (n *network) chance(c Chance) bool {
	return c > 0 && Chance(n.k.host.Rand(sched.Faults)>>32) < c
}

// enters decides whether a message gets onto a link at all.
func (n *network) enters(l *link, from, to *netStack, seg *socket.Segment, gram *datagram) bool {
	why := ""
	switch {
	case l.cut, l.set.State == LinkBlackhole:
		why = "the link is cut"
	case l.set.State == LinkRefuse:
		why = "refused on the way"
		n.reject(l, from, seg, gram, abi.ECONNREFUSED)
	case l.set.State == LinkUnreachable:
		why = "host unreachable"
		n.reject(l, from, seg, gram, abi.EHOSTUNREACH)
	case l.set.State == LinkNoRoute:
		why = "no route"
	case n.chance(l.set.Loss):
		why = "lost on the way"
	default:
		return true
	}
	n.message(steplog.KindDrop, from, to, false, seg, gram, why)
	return false
}

// reject lets a message's sender know, after the time of one way there and
// back, that it did not arrive.
func (n *network) reject(l *link, from *netStack, seg *socket.Segment, gram *datagram, errno abi.Errno) {
	at := n.k.now() + 2*n.longest(l, false)
	if gram != nil {
		if gram.icmp == abi.OK && gram.proto == 0 {
			answer := &datagram{
				from: from, src: gram.dst, dst: gram.src, srcText: gram.dstText, dstText: gram.srcText, icmp: errno,
			}
			n.k.at(at, func() { from.answered(answer) })
		}
		return
	}
	s := *seg
	s.Data = nil
	length := seg.Length()
	n.k.at(at, func() {
		switch {
		case !from.powered:
		case errno == abi.ECONNREFUSED:
			from.tcp.Refused(&s, length)
		default:
			from.tcp.Unreachable(s.Src, s.Dst, errno)
		}
	})
}

// answered takes an ICMP message that no machine sent.
func (s *netStack) answered(g *datagram) {
	if s.powered {
		s.inputUDP(g)
	}
}

// messageSize is the bytes that a message takes on the wire, headers included.
func messageSize(seg *socket.Segment, gram *datagram) int {
	if seg != nil {
		return 54 + len(seg.Data)
	}
	return 42 + len(gram.data)
}

// queue lets a message of that size wait for the bandwidth: how long until its
// last byte has left, and whether the queue takes it.
func (l *link) queue(now Nanos, size int) (wait Nanos, fits bool) {
	if l.set.Bandwidth == 0 {
		return 0, true
	}
	start := max(l.busy, now)
	if l.set.Queue > 0 && start > now && l.waiting(now)+int64(size) > l.set.Queue {
		return 0, false
	}
	l.busy = start + transmission(int64(size), l.set.Bandwidth)
	return l.busy - now, true
}

// waiting is how many bytes wait for the bandwidth.
func (l *link) waiting(now Nanos) int64 {
	if l.busy <= now {
		return 0
	}
	hi, lo := bits.Mul64(uint64(l.busy-now), uint64(l.set.Bandwidth))
	bytes, _ := bits.Div64(hi%8_000_000_000, lo, 8_000_000_000)
	return int64(bytes)
}

// transmission is how long size bytes take at so many bits a second.
func transmission(size, bandwidth int64) Nanos {
	hi, lo := bits.Mul64(uint64(size), 8_000_000_000)
	ns, _ := bits.Div64(hi%uint64(bandwidth), lo, uint64(bandwidth))
	return Nanos(max(ns, 1))
}

// arrival is when a message sent now on l comes to its end. wait is its time
// in the queue; one that is held back lets later ones overtake it.
func (n *network) arrival(l *link, loopback bool, wait Nanos, held bool) Nanos {
	d := l.set.Delay
	switch {
	case l.set.Fixed:
	case loopback:
		d = n.draw(loopbackDelayMin, loopbackDelayMax)
	default:
		d = n.draw(linkDelayMin, linkDelayMax)
	}
	if l.set.Jitter > 0 {
		d += n.draw(0, l.set.Jitter)
	}
	at := n.k.now() + wait + d
	if held {
		return max(at, l.last) + n.draw(1, l.heldMax())
	}
	at = max(at, l.last)
	l.last = at
	return at
}

// heldMax is how long a message is held back at most: long enough for others
// to overtake it.
func (l *link) heldMax() Nanos { return max(2*l.set.Delay, 2*l.set.Jitter, 1_000_000) }

// longest is how long a message on l takes at most at present.
func (n *network) longest(l *link, loopback bool) Nanos {
	d := l.set.Delay
	switch {
	case l.set.Fixed:
	case loopback:
		d = loopbackDelayMax
	default:
		d = linkDelayMax
	}
	d += l.set.Jitter + max(0, l.busy-n.k.now())
	if l.set.Bandwidth > 0 {
		d += transmission(54+socket.SegmentMax, l.set.Bandwidth)
	}
	if l.set.Reorder > 0 {
		d += l.heldMax()
	}
	return d
}

// damage is a message with one bit changed.
func (n *network) damage(g *datagram) *datagram {
	c := *g
	c.data = append(make([]byte, 0, len(g.data)), g.data...)
	at, _ := bits.Mul64(n.k.host.Rand(sched.Faults), uint64(8*len(c.data)))
	c.data[at/8] ^= 1 << (at % 8)
	return &c
}
