package kernel

import (
	"strings"

	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/kernel/socket"
	"github.com/restep/restep/sim/steplog"
)

// Every machine has a name server at 127.0.0.53, where systemd-resolved has
// its own: it answers over UDP what the test has set (SetDNS) and the labels
// and addresses of all machines. Sources: RFC 1035, RFC 2782 (SRV), RFC 3596
// (AAAA), RFC 6891 (EDNS).

// dnsPort is where the name server listens.
const dnsPort = 53

func dnsIP() socket.IP { return socket.V4(127, 0, 0, 53) }

// DNSFault is what the name server of a machine does wrong.
type DNSFault uint8

// The faults.
const (
	DNSFine     DNSFault = iota
	DNSSilent            // no answer: the resolver waits, then tries again
	DNSServFail          // SERVFAIL
	DNSNXDomain          // there is no such name, whatever the name
	DNSRefused           // REFUSED
	dnsFaults
)

// nameServer is what the name servers of all machines know.
type nameServer struct {
	net   *network
	names []dnsName // in the order in which they were first set
	// stale is how long ago a change must be to be known.
	stale  Nanos
	faults []machineFault // of machines that were named
	all    DNSFault       // of all others
}

// dnsName is what was ever set for a name.
type dnsName struct {
	name     string // in lower case, without a dot at its end
	versions []dnsVersion
}

type dnsVersion struct {
	at      Nanos
	records []dnsRecord
}

// dnsRecord is one resource record: data is RDATA, and for CNAME target what
// it leads to.
type dnsRecord struct {
	kind   int
	data   []byte
	target string
}

// serves reports whether addr is the name server's.
func (d *nameServer) serves(addr socket.Addr) bool { return addr.Port == dnsPort && addr.IP == dnsIP() }

// machineFault is what is wrong with the name server of one machine.
type machineFault struct {
	id    MachineID
	fault DNSFault
}

func (d *nameServer) fault(id MachineID) DNSFault {
	for _, f := range d.faults {
		if f.id == id {
			return f.fault
		}
	}
	return d.all
}

// forget drops what was set for a machine.
func (d *nameServer) forget(id MachineID) {
	for i, f := range d.faults {
		if f.id == id {
			d.faults = append(d.faults[:i], d.faults[i+1:]...)
			return
		}
	}
}

// query answers a message to the name server of machine s.
func (d *nameServer) query(s *netStack, g *datagram) {
	q, ok := parseDNSQuery(g.data)
	fault := d.fault(s.m.id)
	if !ok || fault == DNSSilent {
		why := "no question for a name server"
		if ok {
			why = "the name server does not answer"
		}
		d.net.message(steplog.KindDrop, s, g.from, true, nil, g, why)
		return
	}
	var answers []dnsAnswer
	rcode := dnsNoError
	switch {
	case fault == DNSServFail:
		rcode = dnsServFail
	case fault == DNSNXDomain:
		rcode = dnsNXDomain
	case fault == DNSRefused:
		rcode = dnsRefused
	default:
		answers, rcode = d.answer(q.name, q.kind)
	}
	d.net.send(s, s, nil, &datagram{
		from: s, src: g.dst, dst: g.src, srcText: g.dstText, dstText: g.srcText,
		data: q.reply(g.data, answers, rcode),
	})
}

// cnameMax is how many CNAMEs are followed.
const cnameMax = 8

// answer looks a name up, and follows a CNAME.
func (d *nameServer) answer(name string, kind int) (answers []dnsAnswer, rcode int) {
	for range cnameMax {
		records, known := d.records(name)
		if !known {
			if len(answers) > 0 {
				return answers, dnsNoError
			}
			return nil, dnsNXDomain
		}
		next := ""
		for _, r := range records {
			if r.kind == kind || r.kind == dnsCNAME {
				answers = append(answers, dnsAnswer{name, r})
			}
			if r.kind == dnsCNAME && kind != dnsCNAME {
				next = r.target
			}
		}
		if next == "" {
			return answers, dnsNoError
		}
		name = next
	}
	return nil, dnsServFail
}

// records is what is known of a name, and whether there is such a name.
func (d *nameServer) records(name string) (records []dnsRecord, known bool) {
	now := d.net.k.now()
	for i := range d.names {
		if d.names[i].name != name {
			continue
		}
		versions := d.names[i].versions
		for j := len(versions) - 1; j >= 0; j-- {
			if versions[j].at <= now-d.stale {
				return versions[j].records, len(versions[j].records) > 0
			}
		}
		break
	}
	for _, m := range d.net.k.machines {
		if strings.EqualFold(m.label, name) {
			for _, ip := range m.addrs {
				records = append(records, addressRecord(ip))
			}
			return records, true
		}
	}
	if ip, ok := reverseName(name); ok {
		return d.reverse(ip, now)
	}
	return nil, false
}

// reverse is who has an address: PTR records.
func (d *nameServer) reverse(ip socket.IP, now Nanos) (records []dnsRecord, known bool) {
	if s := d.net.byIP[ip]; s != nil {
		records = append(records, dnsRecord{kind: dnsPTR, data: appendDNSName(nil, s.m.label)})
	}
	want := addressRecord(ip)
	for i := range d.names {
		n := &d.names[i]
		for j := len(n.versions) - 1; j >= 0; j-- {
			if n.versions[j].at > now-d.stale {
				continue
			}
			for _, r := range n.versions[j].records {
				if r.kind == want.kind && string(r.data) == string(want.data) {
					records = append(records, dnsRecord{kind: dnsPTR, data: appendDNSName(nil, n.name)})
				}
			}
			break
		}
	}
	return records, len(records) > 0
}

func addressRecord(ip socket.IP) dnsRecord {
	if ip.Is4() {
		v4 := ip.As4()
		return dnsRecord{kind: dnsA, data: v4[:]}
	}
	return dnsRecord{kind: dnsAAAA, data: ip[:]}
}

// SetDNS sets what the name servers answer for a name: records as in a zone
// file, without name, class and time to live; none for no such name. The
// answer is an error text, "" when it is done.
func (k *Kernel) SetDNS(name string, records []string) string {
	key := strings.ToLower(strings.TrimSuffix(name, "."))
	if !validDNSName(key) {
		return "cannot set the records of " + name + ": it is no domain name"
	}
	v := dnsVersion{at: k.now()}
	for _, text := range records {
		r, ok := parseDNSRecord(text)
		if !ok {
			return "cannot set the records of " + name + ": " + text + " is no record of type A, AAAA, CNAME, MX, PTR, SRV or TXT"
		}
		v.records = append(v.records, r)
	}
	d := &k.net.dns
	at := -1
	for i := range d.names {
		if d.names[i].name == key {
			at = i
		}
	}
	if at < 0 {
		at = len(d.names)
		d.names = append(d.names, dnsName{name: key})
	}
	d.names[at].versions = append(d.names[at].versions, v)
	k.dnsStep("dns " + key + " " + strings.Join(records, ", "))
	return ""
}

// SetDNSFault sets what the name server of a machine, or of Anybody, does
// wrong from now on.
func (k *Kernel) SetDNSFault(machine string, f DNSFault) string {
	id, text := k.end("set a fault of the name server", machine)
	if text != "" {
		return text
	}
	if f >= dnsFaults {
		return "there is no such fault of a name server"
	}
	d := &k.net.dns
	if id == 0 {
		d.all, d.faults = f, nil
	} else {
		d.forget(id)
		d.faults = append(d.faults, machineFault{id, f})
	}
	k.dnsStep("dns of " + machine + " " + [...]string{"works", "is silent", "fails", "knows no name", "refuses"}[f])
	return ""
}

// SetDNSStale makes the name servers answer what was true that long ago.
func (k *Kernel) SetDNSStale(age Nanos) string {
	if age < 0 {
		return "the age of stale answers is negative"
	}
	k.net.dns.stale = age
	k.dnsStep("dns stale by " + durationText(age))
	return ""
}

func (k *Kernel) dnsStep(text string) {
	k.record(&Event{Kind: steplog.KindFault, Text: []byte(text), FD: -1, Nr: -1, Errno: abi.OK})
}
