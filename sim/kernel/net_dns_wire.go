package kernel

import (
	"strconv"
	"strings"

	"github.com/restep/restep/sim/kernel/socket"
)

// Types of resource records and response codes, RFC 1035 3.2.2 and 4.1.1.
const (
	dnsA     = 1
	dnsCNAME = 5
	dnsPTR   = 12
	dnsMX    = 15
	dnsTXT   = 16
	dnsAAAA  = 28
	dnsSRV   = 33
	dnsOPT   = 41

	dnsNoError  = 0
	dnsServFail = 2
	dnsNXDomain = 3
	dnsRefused  = 5

	dnsClassIN   = 1
	dnsHeader    = 12
	dnsTTL       = 30  // seconds
	dnsPlainSize = 512 // the longest answer without EDNS, in bytes
	dnsNameMax   = 253
	dnsLabelMax  = 63
)

// dnsQuery is the question in a message.
type dnsQuery struct {
	name string // in lower case, without a dot at its end
	kind int
	end  int // where the question ends
	size int // the longest answer that the resolver takes
	edns bool
}

// dnsAnswer is a record under the name that it is told of.
type dnsAnswer struct {
	name string
	dnsRecord
}

func be16(b []byte) int { return int(b[0])<<8 | int(b[1]) }

// parseDNSQuery reads a query with one question of class IN; ok is false for
// everything else.
func parseDNSQuery(b []byte) (q dnsQuery, ok bool) {
	if len(b) < dnsHeader || b[2]&0xf8 != 0 || be16(b[4:]) != 1 || be16(b[6:]) != 0 {
		return q, false
	}
	name, at, ok := readDNSName(b, dnsHeader)
	if !ok || at+4 > len(b) || be16(b[at+2:]) != dnsClassIN {
		return q, false
	}
	q = dnsQuery{name: strings.ToLower(name), kind: be16(b[at:]), end: at + 4, size: dnsPlainSize}
	// What else may come is an OPT record: name of one byte, type, size.
	if rest := b[q.end:]; be16(b[10:]) > 0 && len(rest) >= 11 && rest[0] == 0 && be16(rest[1:]) == dnsOPT {
		q.edns = true
		q.size = min(max(be16(rest[3:]), dnsPlainSize), datagramMax)
	}
	return q, true
}

// readDNSName reads labels that are not compressed, as queries have them.
func readDNSName(b []byte, at int) (name string, end int, ok bool) {
	var text []byte
	for at < len(b) {
		n := int(b[at])
		at++
		if n == 0 {
			return string(text), at, true
		}
		if n > dnsLabelMax || at+n > len(b) || len(text)+n+1 > dnsNameMax {
			return "", 0, false
		}
		if len(text) > 0 {
			text = append(text, '.')
		}
		for _, c := range b[at : at+n] {
			if c == '.' {
				return "", 0, false // it would read as two labels
			}
			text = append(text, c)
		}
		at += n
	}
	return "", 0, false
}

// appendDNSName writes a name, which is valid, as labels.
func appendDNSName(b []byte, name string) []byte {
	for name != "" {
		label, rest, _ := strings.Cut(name, ".")
		b = append(append(b, byte(len(label))), label...)
		name = rest
	}
	return append(b, 0)
}

func validDNSName(name string) bool {
	if name == "" || len(name) > dnsNameMax {
		return false
	}
	for rest, more := name, true; more; {
		var label string
		label, rest, more = strings.Cut(rest, ".")
		if label == "" || len(label) > dnsLabelMax {
			return false
		}
	}
	return true
}

// reply writes the answer to query q, which is in b.
func (q *dnsQuery) reply(b []byte, answers []dnsAnswer, rcode int) []byte {
	out := append(make([]byte, 0, 512), b[:q.end]...)
	out[2], out[3] = 0x80|b[2]&1, 0x80|byte(rcode) // QR, RD as asked; RA
	clear(out[6:dnsHeader])
	const optSize = 11
	n := 0
	for i := range answers {
		a := &answers[i]
		mark := len(out)
		out = appendDNSName(out, a.name)
		out = append(out, byte(a.kind>>8), byte(a.kind), 0, dnsClassIN, 0, 0, 0, dnsTTL)
		out = append(out, byte(len(a.data)>>8), byte(len(a.data)))
		out = append(out, a.data...)
		if len(out)+optSize > q.size {
			out = out[:mark]
			out[2] |= 2 // TC
			break
		}
		n++
	}
	out[6], out[7] = byte(n>>8), byte(n)
	if q.edns {
		out = append(out, 0, 0, dnsOPT, dnsPlainSize>>8, dnsPlainSize&0xff, 0, 0, 0, 0, 0, 0)
		out[11] = 1
	}
	return out
}

// parseDNSRecord reads a record as in a zone file: "A 10.0.0.1",
// "SRV 10 5 80 web.example", `TXT "some text" "more"`.
func parseDNSRecord(text string) (r dnsRecord, ok bool) {
	f := strings.Fields(text)
	if len(f) < 2 {
		return r, false
	}
	number := func(s string) []byte {
		n, err := strconv.ParseUint(s, 10, 16)
		ok = ok && err == nil
		return []byte{byte(n >> 8), byte(n)}
	}
	name := func(s string) string {
		s = strings.ToLower(strings.TrimSuffix(s, "."))
		ok = ok && validDNSName(s)
		return s
	}
	ok = true
	switch kind := strings.ToUpper(f[0]); {
	case kind == "A" && len(f) == 2, kind == "AAAA" && len(f) == 2:
		ip, good := parseIP(f[1])
		r = addressRecord(ip)
		ok = good && (r.kind == dnsA) == (kind == "A")
	case kind == "CNAME" && len(f) == 2:
		r = dnsRecord{kind: dnsCNAME, target: name(f[1])}
		r.data = appendDNSName(nil, r.target)
	case kind == "PTR" && len(f) == 2:
		r = dnsRecord{kind: dnsPTR, data: appendDNSName(nil, name(f[1]))}
	case kind == "MX" && len(f) == 3:
		r = dnsRecord{kind: dnsMX, data: appendDNSName(number(f[1]), name(f[2]))}
	case kind == "SRV" && len(f) == 5:
		data := append(append(number(f[1]), number(f[2])...), number(f[3])...)
		r = dnsRecord{kind: dnsSRV, data: appendDNSName(data, name(f[4]))}
	case kind == "TXT":
		_, rest, _ := strings.Cut(strings.TrimSpace(text), f[0])
		r, ok = parseTXT(strings.TrimSpace(rest))
	default:
		ok = false
	}
	return r, ok
}

// parseTXT reads one or more strings, quoted as in Go or a word each.
func parseTXT(s string) (r dnsRecord, ok bool) {
	r.kind = dnsTXT
	for s != "" {
		word, rest := "", ""
		if s[0] == '"' {
			quoted, err := strconv.QuotedPrefix(s)
			if err != nil {
				return r, false
			}
			word, _ = strconv.Unquote(quoted)
			rest = s[len(quoted):]
		} else {
			word, rest, _ = strings.Cut(s, " ")
		}
		if len(word) > 255 {
			return r, false
		}
		r.data = append(append(r.data, byte(len(word))), word...)
		s = strings.TrimLeft(rest, " \t")
	}
	return r, true
}

// parseIP reads an address as text, RFC 4291 2.2.
func parseIP(s string) (ip socket.IP, ok bool) {
	if !strings.Contains(s, ":") {
		v4, ok := parseIPv4(s)
		return socket.V4(v4[0], v4[1], v4[2], v4[3]), ok
	}
	head, tail, gap := strings.Cut(s, "::")
	var groups []byte
	read := func(part string, ends bool) bool {
		if part == "" {
			return true
		}
		for rest, more := part, true; more; {
			var word string
			word, rest, more = strings.Cut(rest, ":")
			if v4, is := parseIPv4(word); is && !more && ends {
				groups = append(groups, v4[:]...)
				continue
			}
			n, err := strconv.ParseUint(word, 16, 16)
			if err != nil || len(word) > 4 {
				return false
			}
			groups = append(groups, byte(n>>8), byte(n))
		}
		return len(groups) <= len(ip)
	}
	if !read(head, !gap) {
		return ip, false
	}
	before := copy(ip[:], groups)
	groups = nil
	if !read(tail, true) || before+len(groups) > len(ip) || gap == (before+len(groups) == len(ip)) {
		return ip, false
	}
	copy(ip[len(ip)-len(groups):], groups)
	return ip, true
}

func parseIPv4(s string) (v4 [4]byte, ok bool) {
	for i := range v4 {
		word, rest, more := strings.Cut(s, ".")
		n, err := strconv.ParseUint(word, 10, 8)
		if err != nil || more != (i < 3) || len(word) > 1 && word[0] == '0' {
			return v4, false
		}
		v4[i], s = byte(n), rest
	}
	return v4, true
}

// reverseName is the address that a name below in-addr.arpa or ip6.arpa asks
// for, RFC 1035 3.5, RFC 3596 2.5.
func reverseName(name string) (ip socket.IP, ok bool) {
	if rest, is := strings.CutSuffix(name, ".in-addr.arpa"); is {
		v4, ok := parseIPv4(rest)
		return socket.V4(v4[3], v4[2], v4[1], v4[0]), ok
	}
	rest, is := strings.CutSuffix(name, ".ip6.arpa")
	if !is || len(rest) != 63 {
		return ip, false
	}
	for i := range 32 {
		n, err := strconv.ParseUint(rest[2*i:2*i+1], 16, 8)
		if err != nil || i < 31 && rest[2*i+1] != '.' {
			return ip, false
		}
		ip[15-i/2] |= byte(n) << (4 * (i % 2))
	}
	return ip, true
}
