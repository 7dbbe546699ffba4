package sim

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// DNSFault is what the name server of a machine does wrong.
type DNSFault uint8

// The faults of a name server.
const (
	// DNSFine is a name server that works.
	DNSFine DNSFault = iota
	// DNSSilent does not answer: resolvers wait, try again and give up.
	DNSSilent
	// DNSServFail answers SERVFAIL, "server misbehaving".
	DNSServFail
	// DNSNXDomain answers that there is no such name, whatever the name.
	DNSNXDomain
	// DNSRefused answers REFUSED.
	DNSRefused
)

// SetDNS sets what the name servers of all machines answer for a name, in
// place of what was set before. Records are written as in a zone file, without
// name, class and time to live:
//
//	sim.SetDNS("db.example.com", "A 10.0.0.1", "AAAA fd00::1")
//	sim.SetDNS("_sql._tcp.example.com", "SRV 10 5 5432 db.example.com")
//	sim.SetDNS("example.com", `TXT "v=1 a"`, "MX 10 mail.example.com")
//	sim.SetDNS("www.example.com", "CNAME db.example.com")
//
// Types are A, AAAA, CNAME, MX, PTR, SRV and TXT; addresses can be looked up
// in reverse. Without records there is no such name. Labels of machines need
// no records: /etc/hosts and the name servers know them.
func SetDNS(name string, records ...string) error {
	need("SetDNS")
	var b strings.Builder
	for _, r := range records {
		if r == "" || strings.Contains(r, "\x00") {
			return errors.New("sim.SetDNS: " + strconv.Quote(r) + " is no record")
		}
		b.WriteString(r + "\x00")
	}
	return linkError("SetDNS", simLink(opDNS, name, b.String(), 0))
}

// SetDNSFault sets what the name server of a machine does wrong from now on;
// "*" is every machine, also those made later. /etc/hosts still works.
func SetDNSFault(machine string, f DNSFault) error {
	need("SetDNSFault")
	return linkError("SetDNSFault", simLink(opDNSFault, machine, "", int64(f)))
}

// SetDNSStale makes all name servers answer what SetDNS had set that long ago,
// as caches do; 0 ends it.
func SetDNSStale(age time.Duration) error {
	need("SetDNSStale")
	return linkError("SetDNSStale", simLink(opDNSStale, "", "", int64(age)))
}
