package links

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/restep/restep/sim"
)

// TestDNS: Go's resolver gets what the test has set.
func TestDNS(t *testing.T) {
	ctx := context.Background()
	sim.NewMachine(sim.MachineConfig{Label: "db", MainFunc: web})
	must(t, sim.SetDNS("db.example.com", "A 10.0.0.9", "AAAA fd00::9", `TXT "two words" x`))
	must(t, sim.SetDNS("_sql._tcp.example.com", "SRV 10 5 5432 db.example.com", "SRV 1 0 5433 first.example.com"))
	must(t, sim.SetDNS("www.example.com", "CNAME db.example.com"))
	must(t, sim.SetDNS("example.com", "MX 20 b.example.com", "MX 10 a.example.com"))
	must(t, sim.SetDNS("web.example.com", "A 11.0.0.2"))
	var r net.Resolver
	for host, want := range map[string]string{
		"db.example.com": "10.0.0.9 fd00::9", "www.example.com": "10.0.0.9 fd00::9", "db": "11.0.0.2", "localhost": "127.0.0.1 ::1",
	} {
		got, err := r.LookupHost(ctx, host)
		slices.Sort(got)
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%s is %q, %v; want %s", host, got, err, want)
		}
	}
	if name, err := r.LookupCNAME(ctx, "www.example.com"); err != nil || name != "db.example.com." {
		t.Error(name, err)
	}
	_, srv, err := r.LookupSRV(ctx, "sql", "tcp", "example.com")
	if err != nil || len(srv) != 2 || *srv[0] != (net.SRV{Target: "first.example.com.", Port: 5433, Priority: 1}) {
		t.Error(srv, err)
	}
	if txt, err := r.LookupTXT(ctx, "db.example.com"); err != nil || len(txt) != 1 || txt[0] != "two wordsx" {
		t.Errorf("%q, %v", txt, err)
	}
	if mx, err := r.LookupMX(ctx, "example.com"); err != nil || len(mx) != 2 || mx[0].Host != "a.example.com." {
		t.Error(mx, err)
	}
	for addr, want := range map[string]string{"10.0.0.9": "[db.example.com.]", "fd00::9": "[db.example.com.]", "11.0.0.1": "[main]"} {
		if names, err := r.LookupAddr(ctx, addr); err != nil || fmt.Sprint(names) != want {
			t.Error(addr, names, err)
		}
	}
	var missing *net.DNSError
	if _, err := r.LookupHost(ctx, "none.example.com"); !errors.As(err, &missing) || !missing.IsNotFound {
		t.Error(err)
	}
	c, err := net.Dial("tcp", "web.example.com:80")
	must(t, err)
	c.Close()
	if err := sim.SetDNS("x", "A nonsense"); err == nil {
		t.Error("nonsense is a record")
	}
}

// TestDNSFaults: what a resolver makes of a name server that fails.
func TestDNSFaults(t *testing.T) {
	must(t, sim.SetDNS("db.example.com", "A 10.0.0.9"))
	for _, x := range []struct {
		fault                        sim.DNSFault
		notFound, timeout, temporary bool
		least, most                  time.Duration
	}{
		{fault: sim.DNSSilent, timeout: true, temporary: true, least: 10 * time.Second, most: 21 * time.Second},
		{fault: sim.DNSServFail, temporary: true, most: time.Second},
		{fault: sim.DNSNXDomain, notFound: true, most: time.Second},
		{fault: sim.DNSRefused, most: time.Second, temporary: true},
	} {
		must(t, sim.SetDNSFault("main", x.fault))
		start := time.Now()
		_, err := net.LookupHost("db.example.com")
		took := time.Since(start)
		var e *net.DNSError
		if !errors.As(err, &e) || e.IsNotFound != x.notFound || e.IsTimeout != x.timeout || took < x.least || took > x.most {
			t.Errorf("fault %d: %v after %v: %+v", x.fault, err, took, e)
		}
	}
	must(t, sim.SetDNSFault("*", sim.DNSFine))
	if _, err := net.LookupHost("db.example.com"); err != nil {
		t.Error(err)
	}
	must(t, sim.SetDNSStale(time.Minute))
	time.Sleep(2 * time.Minute)
	must(t, sim.SetDNS("db.example.com", "A 10.0.0.10"))
	for _, want := range []string{"10.0.0.9", "10.0.0.10"} {
		if got, err := net.LookupHost("db.example.com"); err != nil || got[0] != want {
			t.Errorf("%q, %v; want %s", got, err, want)
		}
		time.Sleep(time.Minute)
	}
}
