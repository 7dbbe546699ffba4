package kernel

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/restep/restep/sim/kernel/socket"
)

func TestParseIP(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	check := func(s string) {
		t.Helper()
		want, err := netip.ParseAddr(s)
		got, ok := parseIP(s)
		if ok != (err == nil) || ok && got != socket.IP(want.As16()) {
			t.Errorf("%q: %v %v, want %v, %v", s, got, ok, want, err)
		}
	}
	for range 5000 {
		var a [16]byte
		for i := range a {
			a[i] = byte(r.Uint32()) * byte(r.IntN(2))
		}
		check(netip.AddrFrom16(a).String())
		check(netip.AddrFrom16(a).StringExpanded())
		check(netip.AddrFrom4([4]byte(a[:4])).String())
	}
	for _, s := range []string{
		"", ":", "::", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:8::", "::12345",
		"::1.2.3.4", "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:7:1.2.3.4", "1.2.3.4::", "::1.2.3", "1.2.3", "01.2.3.4", "1.2.3.256",
		"1.2.3.4.5", "g::", "1:", ":1", "1.2.3.4:1::",
	} {
		check(s)
	}
}

// ask builds a query as net's resolver does.
func ask(name string, kind int, edns bool) []byte {
	b := []byte{0xab, 0xcd, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0}
	b = append(appendDNSName(b, name), byte(kind>>8), byte(kind), 0, dnsClassIN)
	if edns {
		b[11] = 1
		b = append(b, 0, 0, dnsOPT, 4, 208, 0, 0, 0, 0, 0, 0)
	}
	return b
}

func TestDNSRecords(t *testing.T) {
	w := newNetWorld(t, 2)
	for name, records := range map[string][]string{
		"db.Example.com.": {"A 10.0.0.9", "AAAA fd00::9", `TXT "two words" three`},
		"_sql._tcp.a":     {"SRV 10 5 5432 db.example.com"},
		"www.a":           {"CNAME db.example.com"},
		"loop.a":          {"CNAME loop.a"},
		"mail.a":          {"MX 10 mx.a."},
	} {
		if text := w.k.SetDNS(name, records); text != "" {
			t.Fatal(text)
		}
	}
	d := &w.k.net.dns
	for _, x := range []struct {
		name  string
		kind  int
		rcode int
		data  []string
	}{
		{"db.example.com", dnsA, dnsNoError, []string{"\x0a\x00\x00\x09"}},
		{"db.example.com", dnsTXT, dnsNoError, []string{"\x09two words\x05three"}},
		{"db.example.com", dnsMX, dnsNoError, nil},
		{"_sql._tcp.a", dnsSRV, dnsNoError, []string{"\x00\x0a\x00\x05\x15\x38\x02db\x07example\x03com\x00"}},
		{"www.a", dnsA, dnsNoError, []string{"\x02db\x07example\x03com\x00", "\x0a\x00\x00\x09"}},
		{"mail.a", dnsMX, dnsNoError, []string{"\x00\x0a\x02mx\x01a\x00"}},
		{"loop.a", dnsA, dnsServFail, nil},
		{"other.a", dnsA, dnsNXDomain, nil},
		{"m2", dnsA, dnsNoError, []string{"\x0b\x00\x00\x02"}},
		{"2.0.0.11.in-addr.arpa", dnsPTR, dnsNoError, []string{"\x02m2\x00"}},
		{"9.0.0.10.in-addr.arpa", dnsPTR, dnsNoError, []string{"\x02db\x07example\x03com\x00"}},
		{"8.0.0.10.in-addr.arpa", dnsPTR, dnsNXDomain, nil},
		{"9" + strings.Repeat(".0", 27) + ".0.0.d.f.ip6.arpa", dnsPTR, dnsNoError, []string{"\x02db\x07example\x03com\x00"}},
	} {
		answers, rcode := d.answer(x.name, x.kind)
		var data []string
		for _, a := range answers {
			data = append(data, string(a.data))
		}
		if rcode != x.rcode || !slices.Equal(data, x.data) {
			t.Errorf("%s type %d: code %d, %q; want %d, %q", x.name, x.kind, rcode, data, x.rcode, x.data)
		}
	}
	w.k.SetDNSStale(10 * second)
	if _, rcode := d.answer("mail.a", dnsMX); rcode != dnsNXDomain {
		t.Error("what was just set is known to a stale server")
	}
	w.run(11 * second)
	w.k.SetDNS("mail.a", nil)
	if _, rcode := d.answer("mail.a", dnsMX); rcode != dnsNoError {
		t.Error("a stale server knows of a removal at once")
	}
	w.k.SetDNSStale(0)
	if _, rcode := d.answer("mail.a", dnsMX); rcode != dnsNXDomain {
		t.Error("a removed name is still known")
	}
	for _, bad := range []string{"", "A", "A 1.2.3", "AAAA 1.2.3.4", "A ::1", "SRV 1 2 x y", "MX 70000 a", "NS a", "CNAME a..b", `TXT "`} {
		if text := w.k.SetDNS("x", []string{bad}); text == "" {
			t.Errorf("%q is taken for a record", bad)
		}
	}
	for _, bad := range []string{"", ".", "a..b", strings.Repeat("x", 64), strings.Repeat("x.", 150) + "x"} {
		if text := w.k.SetDNS(bad, nil); text == "" {
			t.Errorf("%q is taken for a name", bad)
		}
	}
}

// TestDNSTruncates: an answer that is too long says so and stays whole.
func TestDNSTruncates(t *testing.T) {
	w := newNetWorld(t, 1)
	var many []string
	for i := range 100 {
		many = append(many, "A 10.0.0."+itoa(i))
	}
	w.k.SetDNS("many", many)
	for _, edns := range []bool{false, true} {
		b := ask("many", dnsA, edns)
		q, ok := parseDNSQuery(b)
		if !ok || q.edns != edns {
			t.Fatal(q, ok)
		}
		answers, rcode := w.k.net.dns.answer(q.name, q.kind)
		out := q.reply(b, answers, rcode)
		limit := map[bool]int{false: 512, true: 1232}[edns]
		if len(out) > limit || len(out) < limit-40 || out[2]&2 == 0 {
			t.Errorf("an answer of %d bytes, flags %#x, for a limit of %d", len(out), out[2], limit)
		}
	}
}
