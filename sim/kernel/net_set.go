package kernel

import (
	"strconv"

	"github.com/restep/restep/sim/steplog"
)

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
		l.set.Delay, l.set.Fixed, l.last = d, true, 0
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

// Anybody stands for every machine, also those made later, as an end of a link.
const Anybody = "*"

// SetLink sets what the link from one machine to another does with messages.
// Both ends are a label, an address or Anybody. What is under way keeps its
// time. The answer is an error text, "" when it is done.
func (k *Kernel) SetLink(from, to string, set LinkSettings) string {
	rule := linkRule{set: set}
	what := "set the link from " + from + " to " + to
	var text string
	if rule.from, text = k.end(what, from); text != "" {
		return text
	}
	if rule.to, text = k.end(what, to); text != "" {
		return text
	}
	if rule.from == rule.to && rule.from != 0 {
		return "cannot " + what + ": both ends are " + from + "; a link joins two machines"
	}
	if text := set.check(); text != "" {
		return "cannot " + what + ": " + text
	}
	n := k.net
	n.rules = append(n.rules, rule)
	for _, a := range n.stacks {
		for _, b := range n.stacks {
			if a != b && rule.covers(a.m.id, b.m.id) {
				l := n.link(a, b)
				l.set, l.last, l.busy = set, 0, 0
			}
		}
	}
	ev := Event{
		Kind: steplog.KindFault, Machine: rule.from, Link: rule.to, FD: -1, Nr: -1,
		Text: []byte("link " + from + " -> " + to + set.String()),
	}
	k.record(&ev)
	n.disturbed()
	return ""
}

// end is the machine at one end of a link, 0 for Anybody.
func (k *Kernel) end(what, name string) (MachineID, string) {
	if name == Anybody {
		return 0, ""
	}
	m := k.Lookup(name)
	if m == nil {
		return 0, "cannot " + what + ": there is no machine " + name + "; give the label or address of a machine that was made, or *"
	}
	return m.id, ""
}

// check tells what is wrong with settings.
func (s *LinkSettings) check() string {
	switch {
	case s.Delay < 0 || s.Jitter < 0:
		return "a delay is negative; give 0 or more"
	case s.Loss > certain || s.Duplicate > certain || s.Reorder > certain || s.Corrupt > certain:
		return "a probability is above 1; give 0 to 1"
	case s.Bandwidth < 0 || s.Queue < 0:
		return "the bandwidth or the queue is negative; give 0 for no limit"
	case s.State >= linkStates:
		return "there is no such state of a link"
	}
	return ""
}

var linkStateNames = [...]string{"", " blackhole", " refuses", " unreachable", " no route"}

// String tells what differs from a link that nobody set.
func (s *LinkSettings) String() string {
	b := make([]byte, 0, 80)
	duration := func(name string, d Nanos) {
		b = append(append(b, name...), durationText(d)...)
	}
	chance := func(name string, c Chance) {
		if c > 0 {
			b = append(append(b, name...), percent(c)...)
		}
	}
	b = append(b, linkStateNames[s.State]...)
	if s.Fixed {
		duration(" delay ", s.Delay)
	}
	if s.Jitter > 0 {
		duration(" jitter ", s.Jitter)
	}
	chance(" loss ", s.Loss)
	chance(" duplicate ", s.Duplicate)
	chance(" reorder ", s.Reorder)
	chance(" corrupt ", s.Corrupt)
	if s.Bandwidth > 0 {
		b = append(strconv.AppendInt(append(b, " bandwidth "...), s.Bandwidth, 10), " bit/s"...)
	}
	if s.Queue > 0 {
		b = append(strconv.AppendInt(append(b, " queue "...), s.Queue, 10), " B"...)
	}
	if len(b) == 0 {
		return " as made"
	}
	return string(b)
}

// percent is a probability as "12.5%", in thousandths of a percent.
func percent(c Chance) string {
	n := (uint64(c)*100_000 + 1<<31) >> 32
	b := strconv.AppendUint(nil, n/1000, 10)
	if r := n % 1000; r != 0 {
		b = append(b, '.', byte('0'+r/100), byte('0'+r/10%10), byte('0'+r%10))
		for b[len(b)-1] == '0' {
			b = b[:len(b)-1]
		}
	}
	return string(append(b, '%'))
}

// Partition cuts every link between machines of different sets, in both
// directions, and mends those within a set. Machines that are in no set keep
// the links they have. The answer is an error text, "" when it is done.
func (k *Kernel) Partition(sets [][]string) string {
	of := make([]int, len(k.slots)) // the set of the machine in each slot, from 1
	text := []byte("partition")
	for i, set := range sets {
		if i > 0 {
			text = append(text, " |"...)
		}
		for _, name := range set {
			m := k.Lookup(name)
			switch {
			case m == nil:
				return "cannot partition: there is no machine " + name + "; give the label or address of a machine that was made"
			case of[m.slot] != 0 && of[m.slot] != i+1:
				return "cannot partition: machine " + m.label + " is in two sets"
			}
			of[m.slot] = i + 1
			text = append(append(text, ' '), m.label...)
		}
	}
	n := k.net
	for _, a := range n.stacks {
		for _, b := range n.stacks {
			if a != b && of[a.m.slot] != 0 && of[b.m.slot] != 0 {
				n.link(a, b).cut = of[a.m.slot] != of[b.m.slot]
			}
		}
	}
	k.record(&Event{Kind: steplog.KindFault, Text: text, FD: -1, Nr: -1})
	n.disturbed()
	return ""
}

// Heal mends every link that SetConnected or Partition cut, and makes every
// link up and free of faults; delays, bandwidths and queues stay.
func (k *Kernel) Heal() {
	n := k.net
	mend := func(s *LinkSettings) {
		s.Loss, s.Duplicate, s.Reorder, s.Corrupt, s.State = 0, 0, 0, 0, LinkUp
	}
	for i := range n.rules {
		mend(&n.rules[i].set)
	}
	for _, a := range n.stacks {
		for i := range a.out {
			a.out[i].cut = false
			mend(&a.out[i].set)
		}
	}
	k.record(&Event{Kind: steplog.KindFault, Text: []byte("heal"), FD: -1, Nr: -1})
}
