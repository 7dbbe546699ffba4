package kernel

import (
	"unsafe"

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

// arpFailure is the time until a host on the same net that does not exist is
// given up: three requests, one second apart, arp(7) mcast_solicit and
// retrans_time.
const arpFailure Nanos = 3_000_000_000

// network is what lies between the machines: one link for each ordered pair.
// All machines are on one net, so that an address nobody has is like a host
// that does not answer ARP.
//
// Invariant: messages on a link that are sent while its delay does not change
// arrive in the order in which they were sent.
type network struct {
	k      *Kernel
	stacks []*netStack // index MachineID, [0] is nil
	byIP   map[socket.IP]*netStack
	conns  uint64
	inodes uint64
	free   *packet
	ev     Event // scratch, so that recording does not allocate
	// out and in are the message of the system call that is being carried
	// out: there is one at a time.
	out outMessage
	in  inMessage
}

// link is one direction between two machines.
type link struct {
	delay Nanos
	fixed bool // delay was set; else it is drawn
	cut   bool
	last  Nanos // arrival of the message sent last
}

// packet is a message under way. Packets are used again, with their closure.
type packet struct {
	net      *network
	from, to *netStack
	seg      socket.Segment
	gram     *datagram // a UDP message if not nil
	run      func()
	next     *packet // in the free list
}

func newNetwork(k *Kernel) *network {
	return &network{k: k, stacks: make([]*netStack, 1, 8), byIP: map[socket.IP]*netStack{}}
}

// attach connects a new machine to the network.
func (n *network) attach(m *Machine) *netStack {
	assert(int(m.id) == len(n.stacks), "machines are attached in order")
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
}

// link is the direction from one machine to another.
func (n *network) link(from, to *netStack) *link {
	for len(from.out) <= int(to.m.id) {
		from.out = append(from.out, link{})
	}
	return &from.out[to.m.id]
}

// draw is a number in [min, max] from the stream of delays.
func (n *network) draw(min, max Nanos) Nanos {
	r := n.k.host.Rand(sched.Latency)
	return min + Nanos(r>>32*uint64(max-min+1)>>32)
}

// arrival is when a message sent now on l comes to its end.
func (n *network) arrival(l *link, loopback bool) Nanos {
	d := l.delay
	switch {
	case l.fixed:
	case loopback:
		d = n.draw(loopbackDelayMin, loopbackDelayMax)
	default:
		d = n.draw(linkDelayMin, linkDelayMax)
	}
	at := max(n.k.now()+d, l.last)
	l.last = at
	return at
}

// send puts a message on its way. to is nil if nobody has the address.
func (n *network) send(from, to *netStack, seg *socket.Segment, gram *datagram) {
	n.message(steplog.KindSend, from, to, false, seg, gram, "")
	if to == nil {
		n.message(steplog.KindDrop, from, nil, false, seg, gram, "no machine has this address")
		return
	}
	l := n.link(from, to)
	if l.cut {
		n.message(steplog.KindDrop, from, to, false, seg, gram, "the link is cut")
		return
	}
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
	n.k.at(n.arrival(l, from == to), p.run)
}

// arrive ends a message's way.
func (p *packet) arrive() {
	n, from, to := p.net, p.from, p.to
	var seg *socket.Segment
	if p.gram == nil {
		seg = &p.seg
	}
	switch {
	case n.link(from, to).cut:
		n.message(steplog.KindDrop, to, from, true, seg, p.gram, "the link was cut on the way")
	case !to.powered:
		n.message(steplog.KindDrop, to, from, true, seg, p.gram, "the machine is off")
	default:
		n.message(steplog.KindDeliver, to, from, true, seg, p.gram, "")
		if seg != nil {
			to.tcp.Input(seg)
		} else {
			to.inputUDP(p.gram)
		}
	}
	p.seg, p.gram, p.from, p.to = socket.Segment{}, nil, nil, nil
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
	for _, s := range n.stacks[1:] {
		s.tcp.Disturbed()
	}
}

// SetDelay sets the one-way delay between two machines, named by label or
// address, in both directions. Messages under way keep theirs. The answer is
// an error text, "" when it is done.
func (k *Kernel) SetDelay(a, b string, d Nanos) string {
	ma, mb, text := k.ends("set the delay", a, b)
	if text != "" {
		return text
	}
	if d < 0 {
		return "cannot set the delay between " + a + " and " + b + ": it is negative; give 0 or more"
	}
	for _, l := range [...]*link{k.net.link(ma.stack, mb.stack), k.net.link(mb.stack, ma.stack)} {
		l.delay, l.fixed, l.last = d, true, 0
	}
	k.fault(ma, mb, "delay "+ma.label+" - "+mb.label+" "+durationText(d))
	return ""
}

// SetConnected cuts the link between two machines in both directions, or
// mends it. A message is lost if the link is cut when it is sent or when it
// would arrive. The answer is an error text, "" when it is done.
func (k *Kernel) SetConnected(a, b string, connected bool) string {
	verb := "disconnect"
	if connected {
		verb = "connect"
	}
	ma, mb, text := k.ends(verb, a, b)
	if text != "" {
		return text
	}
	k.net.link(ma.stack, mb.stack).cut = !connected
	k.net.link(mb.stack, ma.stack).cut = !connected
	k.fault(ma, mb, verb+" "+ma.label+" - "+mb.label)
	if !connected {
		k.net.disturbed()
	}
	return ""
}

// ends finds the two machines of a link.
func (k *Kernel) ends(what, a, b string) (ma, mb *Machine, text string) {
	ma, mb = k.Lookup(a), k.Lookup(b)
	switch {
	case ma == nil:
		text = "cannot " + what + ": there is no machine " + a + "; give the label or address of a machine that was made"
	case mb == nil:
		text = "cannot " + what + ": there is no machine " + b + "; give the label or address of a machine that was made"
	case ma == mb:
		text = "cannot " + what + ": both ends are " + a + "; a link joins two machines"
	}
	return ma, mb, text
}

// fault records a change of the network that a test asked for.
func (k *Kernel) fault(a, b *Machine, text string) {
	k.record(&Event{
		Kind: steplog.KindFault, Machine: a.id, Link: b.id, Text: []byte(text),
		Local: a.addrText(), Peer: b.addrText(), FD: -1, Nr: -1,
	})
}

// durationText is a duration in the largest unit that shows it exactly.
func durationText(d Nanos) string {
	for _, u := range [...]struct {
		size Nanos
		name string
	}{{1_000_000_000, "s"}, {1_000_000, "ms"}, {1_000, "µs"}} {
		if d >= u.size && d%u.size == 0 {
			return itoa(int(d/u.size)) + u.name
		}
	}
	return itoa(int(d)) + "ns"
}

// netStack is the network of one machine. It is up from the first boot until
// the power goes off: the end of the process alone leaves it answering.
type netStack struct {
	net     *network
	m       *Machine
	ips     []socket.IP // the first one is the machine's name in steps
	powered bool
	tcp     *socket.Stack
	out     []link // by MachineID of the other end
	udp     map[uint16][]*udpSocket
	nextUDP uint32
	joined  map[socket.IP]int // multicast groups: how many sockets
	unix    unixNames
}

// up is called at each boot of the machine.
func (s *netStack) up() {
	if !s.powered {
		s.powered = true
		s.udp = map[uint16][]*udpSocket{}
		s.joined = map[socket.IP]int{}
		s.unix = newUnixNames()
	}
}

// powerOff makes all sockets vanish. What the machine sent before still
// arrives.
func (s *netStack) powerOff() {
	s.powered = false
	s.tcp.PowerOff()
	s.udp, s.joined, s.unix = nil, nil, unixNames{}
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
		s.net.k.at(s.net.k.now()+arpFailure, func() { s.tcp.Unreachable(local, remote) })
	}
}

// machineAt is the stack that has an address, seen from s.
func (s *netStack) machineAt(ip socket.IP) *netStack {
	if s.Local(ip) {
		return s
	}
	return s.net.byIP[ip]
}

// RTT is the time a message and its answer need at present.
func (s *netStack) RTT(_, remote socket.IP) socket.Time {
	to := s.machineAt(remote)
	if to == nil {
		return 0
	}
	return socket.Time(s.delayTo(to) + to.delayTo(s))
}

func (s *netStack) delayTo(to *netStack) Nanos {
	l := s.net.link(s, to)
	switch {
	case l.fixed:
		return l.delay
	case s == to:
		return loopbackDelayMax
	}
	return linkDelayMax
}

// Healthy reports whether the other end of c exists and can be reached.
func (s *netStack) Healthy(c *socket.Conn) bool {
	to := s.machineAt(c.Remote.IP)
	if to == nil || !to.powered || s.net.link(s, to).cut || s.net.link(to, s).cut {
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
	best, bits := socket.IP{}, -1
	for _, own := range s.ips {
		if own == remote {
			return own, abi.OK
		}
		if n := socket.Common(own, remote); own.Is4() == remote.Is4() && n > bits {
			best, bits = own, n
		}
	}
	if bits < 0 {
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
