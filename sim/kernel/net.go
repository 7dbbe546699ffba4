package kernel

import (
	"math/bits"
	"unsafe"

	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/kernel/socket"
	"github.com/restep/restep/sim/sched"
	"github.com/restep/restep/sim/steplog"
)

// arpFailure is the time until a host on the same net that does not exist is
// given up: three requests, one second apart, arp(7) mcast_solicit and
// retrans_time.
const arpFailure Nanos = 3_000_000_000

// network is what lies between the machines: one link for each ordered pair.
// All machines are on one net, so that an address nobody has is like a host
// that does not answer ARP.
//
// Invariant: messages on a link that are sent while its settings do not change
// arrive in the order in which they were sent, but for those that the link
// holds back on purpose (LinkSettings.Reorder).
type network struct {
	k      *Kernel
	stacks []*netStack // of the machines in the world, by rising id
	byIP   map[socket.IP]*netStack
	moves  uint64     // how often byIP changed, from 1 on
	rules  []linkRule // in the order in which they were set
	dns    nameServer
	conns  uint64
	inodes uint64
	free   *packet
	ev     Event // scratch, so that recording does not allocate
	// out and in are the message of the system call that is being carried
	// out: there is one at a time.
	out outMessage
	in  inMessage
}

// packet is a message under way. Packets are used again, with their closure.
type packet struct {
	net      *network
	from, to *netStack
	seg      socket.Segment
	gram     *datagram // a UDP message if not nil
	damaged  bool      // bits were changed on the way
	run      func()
	next     *packet // in the free list
}

func newNetwork(k *Kernel) *network {
	n := &network{k: k, stacks: make([]*netStack, 0, 8), byIP: map[socket.IP]*netStack{}, moves: 1}
	n.dns.net = n
	return n
}

// attach connects a new machine to the network.
func (n *network) attach(m *Machine) *netStack {
	s := &netStack{net: n, m: m}
	s.tcp = socket.NewStack(s)
	s.nextUDP = socket.FirstEphemeral
	n.stacks = append(n.stacks, s)
	for _, ip := range m.addrs {
		s.addIP(ip)
	}
	return s
}

// addIP gives the machine one more address.
func (s *netStack) addIP(ip socket.IP) {
	s.ips = append(s.ips, ip)
	s.net.byIP[ip] = s
	s.net.moves++
}

// draw is a number in [min, max] from the stream of delays.
func (n *network) draw(min, max Nanos) Nanos {
	r := n.k.host.Rand(sched.Latency)
	hi, _ := bits.Mul64(r, uint64(max-min+1))
	return min + Nanos(hi)
}

// send puts a message on its way. to is nil if nobody has the address.
func (n *network) send(from, to *netStack, seg *socket.Segment, gram *datagram) {
	n.message(steplog.KindSend, from, to, false, seg, gram, "")
	if to == nil {
		n.message(steplog.KindDrop, from, nil, false, seg, gram, "no machine has this address")
		return
	}
	l := n.link(from, to)
	if !n.enters(l, from, to, seg, gram) {
		return
	}
	size := messageSize(seg, gram)
	c := from.traffic(to)
	c.outBytes, c.out = c.outBytes+uint64(size), c.out+1
	wait, fits := l.queue(n.k.now(), size)
	if !fits {
		n.message(steplog.KindDrop, from, to, false, seg, gram, "the queue of the link is full")
		return
	}
	copies := 1
	if n.chance(l.set.Duplicate) {
		n.message(steplog.KindFault, from, to, false, seg, gram, "duplicated")
		copies = 2
	}
	for range copies {
		p := n.packet(from, to, seg, gram)
		p.damaged = n.chance(l.set.Corrupt)
		held := n.chance(l.set.Reorder)
		if held {
			n.message(steplog.KindFault, from, to, false, seg, gram, "held back")
		}
		n.k.at(n.arrival(l, from == to, wait, held), p.run)
	}
}

// packet takes a packet from the free list, or makes one.
func (n *network) packet(from, to *netStack, seg *socket.Segment, gram *datagram) *packet {
	p := n.free
	if p == nil {
		p = &packet{net: n}
		p.run = p.arrive
	} else {
		n.free = p.next
		p.next = nil
	}
	p.from, p.to, p.gram = from, to, gram
	if seg != nil {
		p.seg = *seg
	}
	return p
}

// arrive ends a message's way.
func (p *packet) arrive() {
	n, from, to := p.net, p.from, p.to
	var seg *socket.Segment
	if p.gram == nil {
		seg = &p.seg
	}
	switch l := n.link(from, to); {
	case l.cut || l.set.State != LinkUp:
		n.message(steplog.KindDrop, to, from, true, seg, p.gram, "the link was cut on the way")
	case !to.powered:
		n.message(steplog.KindDrop, to, from, true, seg, p.gram, "the machine is off")
	case p.damaged && (seg != nil || len(p.gram.data) == 0):
		n.message(steplog.KindDrop, to, from, true, seg, p.gram, "damaged on the way")
	default:
		why := ""
		if p.damaged {
			p.gram, why = n.damage(p.gram), "damaged on the way"
		}
		n.message(steplog.KindDeliver, to, from, true, seg, p.gram, why)
		c := to.traffic(from)
		c.inBytes, c.in = c.inBytes+uint64(messageSize(seg, p.gram)), c.in+1
		switch {
		case seg != nil:
			to.tcp.Input(seg)
		case p.gram.proto != 0:
			to.inputRaw(p.gram)
		default:
			to.inputUDP(p.gram)
		}
	}
	p.seg, p.gram, p.from, p.to, p.damaged = socket.Segment{}, nil, nil, nil, false
	p.next = n.free
	n.free = p
}

// message records that a message was sent, delivered or dropped, as seen by
// machine s: its receiver if arrived, else its sender. Segments without data are no steps of their own; if they are
// dropped they are, unless they only acknowledge.
func (n *network) message(kind steplog.Kind, s, other *netStack, arrived bool, seg *socket.Segment, gram *datagram, why string) {
	ev := &n.ev
	*ev = Event{Kind: kind, Machine: s.m.id, FD: -1, Nr: -1, Text: textBytes(why)}
	if other != nil {
		ev.Link = other.m.id
	}
	if gram != nil {
		if gram.icmp != abi.OK && kind != steplog.KindDrop {
			return
		}
		ev.Bytes = len(gram.data)
		ev.Local, ev.Peer = gram.srcText, gram.dstText
		if arrived {
			ev.Local, ev.Peer = gram.dstText, gram.srcText
		}
		n.k.record(ev)
		return
	}
	const control = socket.SYN | socket.FIN | socket.RST
	if len(seg.Data) == 0 && (kind != steplog.KindDrop || seg.Flags&control == 0) {
		return
	}
	if why == "" && seg.Again {
		ev.Text = textBytes("again")
	}
	ev.Bytes, ev.Conn = len(seg.Data), seg.Conn
	local, peer := seg.Src, seg.Dst
	if arrived {
		local, peer = peer, local
	}
	if c := s.tcp.Find(local, peer); c != nil {
		ev.Local, ev.Peer = c.LocalText, c.RemoteText
	} else {
		ev.Local, ev.Peer = local.String(), peer.String()
	}
	n.k.record(ev)
}

// textBytes is a constant text as bytes, without a copy. Nobody writes to
// them.
func textBytes(s string) []byte {
	if s == "" {
		return nil
	}
	return unsafe.Slice(unsafe.StringData(s), len(s))
}

// disturbed lets every connection check whether its peer is still there.
func (n *network) disturbed() {
	for _, s := range n.stacks {
		s.tcp.Disturbed()
	}
}

// netStack is the network of one machine. It is up from the first boot until
// the power goes off: the end of the process alone leaves it answering.
type netStack struct {
	net     *network
	m       *Machine
	ips     []socket.IP // the first one is the machine's name in steps
	powered bool
	tcp     *socket.Stack
	out     []link // by Machine.slot of the other end
	udp     map[uint16][]*udpSocket
	raw     []*rawSocket
	nextUDP uint32
	joined  map[socket.IP]int // multicast groups: how many sockets
	unix    unixNames
	counts  [deviceEth + 1]traffic // by device, since the power went on
	// near is what neighbour found last, when the network was as moves says.
	near struct {
		ip    socket.IP
		stack *netStack
		moves uint64
	}
}

// up is called at each boot of the machine.
func (s *netStack) up() {
	if !s.powered {
		s.powered = true
		s.udp = map[uint16][]*udpSocket{}
		s.joined = map[socket.IP]int{}
		s.unix = newUnixNames()
		s.counts = [deviceEth + 1]traffic{}
	}
}

// powerOff makes all sockets vanish. What the machine sent before still
// arrives.
func (s *netStack) powerOff() {
	s.powered = false
	s.tcp.PowerOff()
	s.udp, s.raw, s.joined, s.unix = nil, nil, nil, unixNames{}
	s.net.disturbed()
}

// The methods below are socket.Env.

// Now is simulated time.
func (s *netStack) Now() socket.Time { return socket.Time(s.net.k.now()) }

// At asks for a call at a time.
func (s *netStack) At(when socket.Time, fn func()) { s.net.k.at(Nanos(when), fn) }

// Random draws from the stream of the network.
func (s *netStack) Random() uint64 { return s.net.k.host.Rand(sched.Network) }

// Output sends a segment.
func (s *netStack) Output(seg *socket.Segment) {
	to := s.machineAt(seg.Dst.IP)
	s.net.send(s, to, seg, nil)
	if to == nil && seg.Flags&socket.SYN != 0 && !seg.Again {
		local, remote := seg.Src, seg.Dst
		s.net.k.at(s.net.k.now()+arpFailure, func() { s.tcp.Unreachable(local, remote, abi.EHOSTUNREACH) })
	}
}

// machineAt is the stack that has an address, seen from s.
func (s *netStack) machineAt(ip socket.IP) *netStack {
	if s.Local(ip) {
		return s
	}
	return s.neighbour(ip)
}

// neighbour is the stack that has an address in the network, nil for none. A
// machine mostly asks for the same one again.
func (s *netStack) neighbour(ip socket.IP) *netStack {
	n := s.net
	if s.near.moves != n.moves || s.near.ip != ip {
		s.near.stack, s.near.ip, s.near.moves = n.byIP[ip], ip, n.moves
	}
	return s.near.stack
}

// RTT is the time a message and its answer need at most at present.
func (s *netStack) RTT(_, remote socket.IP) socket.Time {
	to := s.machineAt(remote)
	if to == nil {
		return 0
	}
	n := s.net
	return socket.Time(n.longest(n.link(s, to), s == to) + n.longest(n.link(to, s), s == to))
}

// Healthy reports whether the other end of c exists and everything reaches it
// and comes back.
func (s *netStack) Healthy(c *socket.Conn) bool {
	to := s.machineAt(c.Remote.IP)
	if to == nil || !to.powered || !s.net.link(s, to).healthy() || !s.net.link(to, s).healthy() {
		return false
	}
	peer := to.tcp.Find(c.Remote, c.Local)
	return peer != nil && peer.ID == c.ID
}

// Local reports whether ip is the machine's own.
func (s *netStack) Local(ip socket.IP) bool {
	for _, own := range s.ips {
		if own == ip {
			return true
		}
	}
	return ip.Loopback()
}

// Route is the source address for a destination: of the machine's own of the
// same kind the one that shares the longest prefix with it (RFC 6724 5, rule
// 8). Reserved addresses have no route, nor has a kind of address that the
// machine has none of.
func (s *netStack) Route(remote socket.IP) (socket.IP, abi.Errno) {
	if remote.Loopback() {
		return socket.LocalOf(remote), abi.OK
	}
	if remote.Is4() && (remote[12] == 0 || remote[12] >= 240 && !s.broadcast(remote)) {
		return socket.IP{}, abi.ENETUNREACH
	}
	if to := s.neighbour(remote); to != nil && s.net.link(s, to).set.State == LinkNoRoute {
		return socket.IP{}, abi.ENETUNREACH
	}
	best, most := socket.IP{}, -1
	for _, own := range s.ips {
		if own == remote {
			return own, abi.OK
		}
		if n := socket.Common(own, remote); own.Is4() == remote.Is4() && n > most {
			best, most = own, n
		}
	}
	if most < 0 {
		return socket.IP{}, abi.ENETUNREACH
	}
	return best, abi.OK
}

// NextConn numbers connections, across all machines.
func (s *netStack) NextConn() uint64 {
	s.net.conns++
	return s.net.conns
}

// Happened records what became of a connection.
func (s *netStack) Happened(c *socket.Conn, what socket.What, errno abi.Errno) {
	kind, text := steplog.KindClose, ""
	other := s.machineAt(c.Remote.IP)
	switch what {
	case socket.Connected:
		kind = steplog.KindConnect
	case socket.Accepted:
		kind = steplog.KindAccept
	case socket.FinSent:
		text = "sent"
	case socket.FinReceived:
		text = "received"
	case socket.ResetSent:
		kind, text = steplog.KindReset, "sent"
	case socket.ResetReceived:
		kind, text = steplog.KindReset, "received"
	case socket.TimedOut:
		kind, text = steplog.KindReset, "timed out"
	case socket.Forgotten:
		if other != nil {
			if peer := other.tcp.Find(c.Remote, c.Local); peer != nil {
				peer.Disturbed()
			}
		}
		return
	}
	ev := &s.net.ev
	*ev = Event{
		Kind: kind, Machine: s.m.id, FD: -1, Nr: -1, Text: textBytes(text), Errno: errno,
		Local: c.LocalText, Peer: c.RemoteText, Conn: c.ID,
	}
	if other != nil {
		ev.Link = other.m.id
	}
	s.net.k.record(ev)
}

// detach takes a machine that is off out of the network.
func (n *network) detach(m *Machine) {
	for _, ip := range m.stack.ips {
		if n.byIP[ip] == m.stack {
			delete(n.byIP, ip)
		}
	}
	n.moves++
	for i, s := range n.stacks {
		if s == m.stack {
			n.stacks = append(n.stacks[:i], n.stacks[i+1:]...)
			break
		}
	}
	rules := n.rules[:0]
	for _, r := range n.rules {
		if r.from != m.id && r.to != m.id {
			rules = append(rules, r)
		}
	}
	n.rules = rules
	n.dns.forget(m.id)
}
