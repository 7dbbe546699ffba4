package sim

import (
	"errors"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// What simLink does; the simulated kernel has the same numbers.
const (
	opDelay = iota
	opConnected
	opLink
	opPartition
	opHeal
	opAddAddr
	opDNS
	opDNSFault
	opDNSStale
)

// LinkState is what a link does with every message.
type LinkState uint8

// The states of a link. What is on its way while a link is not up is lost.
const (
	// Up is a link that carries messages.
	Up LinkState = iota
	// Blackhole loses every message without a word: connections time out.
	Blackhole
	// Refuse answers like a firewall that rejects: ECONNREFUSED for an attempt
	// to connect and for UDP, a reset for an open connection.
	Refuse
	// Unreachable answers that the host cannot be reached: EHOSTUNREACH.
	Unreachable
	// NoRoute takes the route from the sender itself: ENETUNREACH at once.
	NoRoute
)

// Link is what the network does to messages from one machine to another. The
// zero Link is a good one.
type Link struct {
	// Delay is how long a message takes, one way; 0 draws 1 to 10 µs for each.
	Delay time.Duration
	// Jitter is drawn for each message, evenly up to this, and added. Messages
	// do not overtake each other by it.
	Jitter time.Duration
	// Loss, Duplicate and Reorder are probabilities, 0 to 1, drawn for each
	// message. One that is reordered is held back for up to twice the delay,
	// and at least one millisecond. TCP sends again what was lost.
	Loss, Duplicate, Reorder float64
	// Corrupt is the probability that a bit of a message changes. UDP programs
	// get it so; TCP finds out by its checksum and sends again.
	Corrupt float64
	// Bandwidth is in bits per second, 0 for no limit.
	Bandwidth int64
	// Queue is how many bytes wait for the bandwidth before further ones are
	// lost, 0 for no limit.
	Queue int
	// State is what the link does instead of all that.
	State LinkState
}

// SetLink sets the network from one machine to another, in this direction
// alone. from and to are labels, addresses, or "*" for every machine, also
// those made later: SetLink("*", "*", l) is for all links, and a topology is a
// few links that are up after SetLink("*", "*", Link{State: Blackhole}). It
// replaces what was set before for the same links, SetDelay included.
func SetLink(from, to string, l Link) error {
	need("SetLink")
	spec := make([]byte, 0, 80)
	number := func(n int64) {
		if len(spec) > 0 {
			spec = append(spec, ' ')
		}
		spec = strconv.AppendInt(spec, n, 10)
	}
	switch {
	case l.Delay < 0 || l.Jitter < 0:
		return errors.New("sim.SetLink: a delay is negative")
	case l.Delay == 0:
		number(-1)
	default:
		number(int64(l.Delay))
	}
	number(int64(l.Jitter))
	for _, p := range [...]float64{l.Loss, l.Duplicate, l.Reorder, l.Corrupt} {
		if !(p >= 0 && p <= 1) {
			return errors.New("sim.SetLink: the probability " + strconv.FormatFloat(p, 'g', -1, 64) + " is not in 0 to 1")
		}
		number(int64(math.Round(p * (1 << 32))))
	}
	number(l.Bandwidth)
	number(int64(l.Queue))
	number(int64(l.State))
	return linkError("SetLink", simLink(opLink, from, to+"\x00"+string(spec), 0))
}

// SetLinks is SetLink in both directions.
func SetLinks(a, b string, l Link) error {
	if err := SetLink(a, b, l); err != nil || a == b {
		return err
	}
	return SetLink(b, a, l)
}

// SetDelay sets the one-way delay of the network between two machines, in both
// directions. a and b are labels or addresses.
func SetDelay(a, b string, d time.Duration) error {
	need("SetDelay")
	if d < 0 {
		return errors.New("sim.SetDelay: the delay " + d.String() + " is negative")
	}
	return linkError("SetDelay", simLink(opDelay, a, b, int64(d)))
}

// SetConnected cuts the network between two machines, in both directions, or
// heals it. While it is cut, packets vanish without a trace.
func SetConnected(a, b string, connected bool) error {
	need("SetConnected")
	v := int64(0)
	if connected {
		v = 1
	}
	return linkError("SetConnected", simLink(opConnected, a, b, v))
}

// Partition cuts the network between machines of different sets and mends it
// within each set. Machines in no set keep the links they have. A set is a
// list of labels or addresses.
func Partition(sets ...[]string) error {
	need("Partition")
	var b strings.Builder
	for _, set := range sets {
		for _, name := range set {
			if name == "" || strings.Contains(name, "\x00") {
				return errors.New("sim.Partition: " + strconv.Quote(name) + " is no machine's name")
			}
			b.WriteString(name + "\x00")
		}
		b.WriteByte(0)
	}
	return linkError("Partition", simLink(opPartition, b.String(), "", 0))
}

// Heal mends all that SetConnected and Partition cut and ends every fault and
// state that SetLink set. Delays, bandwidths and queues stay.
func Heal() {
	need("Heal")
	simLink(opHeal, "", "", 0)
}

// addAddrs gives a machine that was just made its further addresses.
func addAddrs(label string, addrs []netip.Addr) error {
	for _, a := range addrs {
		if !a.IsValid() || a.Zone() != "" {
			return errors.New("MachineConfig.Addrs: " + a.String() + " is not an address that a machine can have")
		}
		raw := a.As16()
		if text := simLink(opAddAddr, label, string(raw[:]), 0); text != "" {
			return errors.New(text)
		}
	}
	return nil
}

func linkError(function, text string) error {
	if text == "" {
		return nil
	}
	return errors.New("sim." + function + ": " + text)
}
