package socket

import (
	"math/rand/v2"
	"net/netip"
	"testing"
)

// TestAddrText compares the text of addresses with net/netip's.
func TestAddrText(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		var ip IP
		for i := 0; i < 16; i += 2 {
			if r.IntN(2) == 0 {
				ip[i], ip[i+1] = byte(r.Uint32()&r.Uint32()), byte(r.Uint32())
			}
		}
		if r.IntN(4) == 0 {
			ip = V4(ip[0], ip[1], ip[2], ip[3])
		}
		a := Addr{ip, uint16(r.Uint32())}
		want := netip.AddrPortFrom(netip.AddrFrom16(ip).Unmap(), a.Port).String()
		if a.String() != want {
			t.Fatalf("%v is %q, want %q", ip[:], a.String(), want)
		}
		std := netip.AddrFrom16(ip).Unmap()
		if ip.Loopback() != std.IsLoopback() || ip.Multicast() != std.IsMulticast() || ip.Unspecified() != std.IsUnspecified() {
			t.Fatalf("%s: loopback %v, multicast %v, unspecified %v", ip, ip.Loopback(), ip.Multicast(), ip.Unspecified())
		}
	}
}

func TestSets(t *testing.T) {
	any4, v4, v6 := V4(0, 0, 0, 0), V4(10, 0, 0, 1), IP{0xfd, 15: 1}
	all, only := Set{}, Set{V6Only: true}
	for _, x := range []struct {
		a, b Set
		want bool
	}{
		{all, all, true}, {all, only, true}, {only, only, true}, {all, Set{IP: any4}, true}, {only, Set{IP: any4}, false},
		{all, Set{IP: v4}, true}, {only, Set{IP: v4}, false}, {only, Set{IP: v6}, true}, {Set{IP: any4}, Set{IP: v6}, false},
		{Set{IP: any4}, Set{IP: v4}, true}, {Set{IP: v4}, Set{IP: v4}, true}, {Set{IP: v4}, Set{IP: V4(10, 0, 0, 2)}, false},
		{Set{IP: any4}, Set{IP: any4}, true},
	} {
		if x.a.Meets(x.b) != x.want || x.b.Meets(x.a) != x.want {
			t.Errorf("%v and %v: want %v", x.a, x.b, x.want)
		}
	}
	if !(Set{IP: v4}.Score(v4) > Set{IP: any4}.Score(v4) && Set{IP: any4}.Score(v4) > all.Score(v4) && all.Score(v4) > only.Score(v4)) {
		t.Error("narrower sets do not score higher")
	}
	if got := Common(V4(11, 0, 0, 1), V4(11, 0, 0, 2)); got != 126 {
		t.Errorf("%d common bits, want 126", got)
	}
}
