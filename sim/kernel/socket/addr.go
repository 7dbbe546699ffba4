package socket

import "strconv"

// IP is an IPv6 address. IPv4 addresses are mapped, ::ffff:a.b.c.d (RFC 4291
// 2.5.5.2): a dual-stack socket sees them so, and one table serves both. The
// zero IP is ::, every address of a machine.
type IP [16]byte

// V4 is an IPv4 address.
func V4(a, b, c, d byte) IP { return IP{10: 0xff, 11: 0xff, 12: a, 13: b, 14: c, 15: d} }

// Loopback6 is ::1.
func Loopback6() IP { return IP{15: 1} }

// Is4 reports whether ip is an IPv4 address.
func (ip IP) Is4() bool {
	return ip[0]|ip[1]|ip[2]|ip[3]|ip[4]|ip[5]|ip[6]|ip[7]|ip[8]|ip[9] == 0 && ip[10] == 0xff && ip[11] == 0xff
}

// As4 is the last four bytes: the IPv4 address, if it is one.
func (ip IP) As4() [4]byte { return [4]byte(ip[12:]) }

// Unspecified reports whether ip is 0.0.0.0 or ::.
func (ip IP) Unspecified() bool { return ip == IP{} || ip == V4(0, 0, 0, 0) }

// Loopback reports whether ip is in 127.0.0.0/8 (RFC 1122 3.2.1.3 g) or ::1.
func (ip IP) Loopback() bool { return ip[12] == 127 && ip.Is4() || ip == Loopback6() }

// Multicast reports whether ip is in 224.0.0.0/4 or ff00::/8.
func (ip IP) Multicast() bool { return ip[0] == 0xff || ip[12]>>4 == 0xe && ip.Is4() }

// LocalOf is the address that a connection to 0.0.0.0 or :: goes to; ip(7):
// INADDR_ANY there stands for the machine itself.
func LocalOf(ip IP) IP {
	if ip.Is4() {
		return V4(127, 0, 0, 1)
	}
	return Loopback6()
}

// Common is how many leading bits a and b share, RFC 6724 2.2.
func Common(a, b IP) int {
	for i := range a {
		if x := a[i] ^ b[i]; x != 0 {
			n := 8 * i
			for x&0x80 == 0 {
				x <<= 1
				n++
			}
			return n
		}
	}
	return 8 * len(a)
}

// String is the address as "11.0.0.1" or "fd00::1" (RFC 5952).
func (ip IP) String() string { return string(ip.append(make([]byte, 0, 39))) }

func (ip IP) append(b []byte) []byte {
	if ip.Is4() {
		for i, x := range ip[12:] {
			if i > 0 {
				b = append(b, '.')
			}
			b = strconv.AppendUint(b, uint64(x), 10)
		}
		return b
	}
	group := func(i int) uint64 { return uint64(ip[2*i])<<8 | uint64(ip[2*i+1]) }
	from, length := 0, 1 // the longest run of zero groups, of two at least
	for i := 0; i < 8; i++ {
		n := 0
		for i+n < 8 && group(i+n) == 0 {
			n++
		}
		if n > length {
			from, length = i, n
		}
	}
	for i := 0; i < 8; i++ {
		if length > 1 && i == from {
			b = append(b, "::"...)
			i += length - 1
			continue
		}
		if i > 0 && !(length > 1 && i == from+length) {
			b = append(b, ':')
		}
		b = strconv.AppendUint(b, group(i), 16)
	}
	return b
}

// Addr is an IP address and a port.
type Addr struct {
	IP   IP
	Port uint16
}

// String is the address as "11.0.0.1:80" or "[fd00::1]:80".
func (a Addr) String() string {
	b := make([]byte, 0, 47)
	if a.IP.Is4() {
		b = a.IP.append(b)
	} else {
		b = append(a.IP.append(append(b, '[')), ']')
	}
	return string(strconv.AppendUint(append(b, ':'), uint64(a.Port), 10))
}

// Set is which addresses of a machine a bound socket hears: one, all IPv4 ones
// (0.0.0.0), or all (::), without the IPv4 ones if V6Only.
type Set struct {
	IP     IP
	V6Only bool // IPV6_V6ONLY; counts for :: alone
}

// Score tells how well s fits messages for ip: 0 for not at all, and more the
// narrower s is. net/ipv4/inet_hashtables.c:compute_score prefers an IPv4
// socket to a dual-stack one.
func (s Set) Score(ip IP) int {
	switch {
	case s.IP == ip:
		return 3
	case s.IP == V4(0, 0, 0, 0) && ip.Is4():
		return 2
	case s.IP == (IP{}) && !(s.V6Only && ip.Is4()):
		return 1
	}
	return 0
}

// Meets reports whether two sets share an address.
// net/ipv6/ipv6_sockglue.c, net/ipv4/inet_connection_sock.c:ipv6_rcv_saddr_equal.
func (s Set) Meets(o Set) bool {
	if s.IP.Unspecified() && o.IP.Unspecified() {
		return s.IP == o.IP || !s.onlyV6() && !o.onlyV6()
	}
	return s.Score(o.IP) > 0 || o.Score(s.IP) > 0
}

func (s Set) onlyV6() bool { return s.IP == IP{} && s.V6Only }
