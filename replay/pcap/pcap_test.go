package pcap

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/restep/restep/replay/logtest"
	"github.com/restep/restep/sim/steplog"
)

// sample is a capture of a small run: a connection over IPv4 with a
// retransmission and a reset, one that is refused, and a datagram over IPv6.
func sample(t *testing.T) []byte {
	l := logtest.New(t, steplog.Header{Test: "TestX", Seed: 1, StartNs: 1_600_000_000_000_000_001})
	const client, server = "11.0.0.1:10000", "10.0.0.1:80"
	add := func(kind steplog.Kind, m steplog.MachineID, local, peer string, conn, size uint64, text string, errno uint64) {
		l.Add(logtest.Event{Kind: kind, Machine: m, AtMs: 5, Text: text, Fields: func() {
			if errno != 0 {
				l.Uint(steplog.TagErrno, errno)
			}
			if size != 0 {
				l.Uint(steplog.TagCount, size)
			}
			if conn != 0 {
				l.Uint(steplog.TagConn, conn)
			}
			l.String(steplog.TagLocal, local)
			l.String(steplog.TagPeer, peer)
		}})
	}
	add(steplog.KindConnect, 1, client, server, 1, 0, "", 0)
	add(steplog.KindAccept, 2, server, client, 1, 0, "", 0)
	add(steplog.KindSend, 1, client, server, 1, 100, "", 0)
	add(steplog.KindDrop, 1, client, server, 1, 100, "lost on the way", 0)
	add(steplog.KindSend, 1, client, server, 1, 100, "again", 0)
	add(steplog.KindDeliver, 2, server, client, 1, 100, "", 0)
	add(steplog.KindSend, 2, server, client, 1, 65483, "", 0)
	add(steplog.KindDeliver, 1, client, server, 1, 65483, "", 0)
	add(steplog.KindClose, 1, client, server, 1, 0, "sent", 0)
	add(steplog.KindClose, 2, server, client, 1, 0, "received", 0)
	add(steplog.KindReset, 2, server, client, 1, 0, "sent", 0)
	add(steplog.KindConnect, 1, "11.0.0.1:10001", "10.0.0.1:81", 2, 0, "", 111)
	add(steplog.KindSend, 1, "[fd00::1]:5000", "[fd00::2]:53", 0, 33, "", 0)
	add(steplog.KindSend, 1, "unix:@a", "unix:/b", 0, 33, "", 0)
	r := l.Reader()
	var b bytes.Buffer
	w := NewWriter(&b, r.Machines())
	for n := uint64(1); n <= r.Steps(); n++ {
		s, err := r.Step(n)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Step(&s); err != nil {
			t.Fatal(err)
		}
	}
	if w.Packets() != 11 {
		t.Errorf("%d packets", w.Packets())
	}
	return b.Bytes()
}

// readBlocks is a reader of pcapng of its own: it checks lengths, padding and
// options of each block, and describes packets.
func readBlocks(t *testing.T, b []byte) (lines []string) {
	t.Helper()
	le := binary.LittleEndian
	var names []string
	for len(b) > 0 {
		size := le.Uint32(b[4:])
		if size%4 != 0 || int(size) > len(b) || le.Uint32(b[size-4:]) != size {
			t.Fatalf("a block of %d bytes in %d", size, len(b))
		}
		body := b[8 : size-4]
		switch kind := le.Uint32(b); kind {
		case blockSection:
			if le.Uint32(body) != 0x1a2b3c4d || le.Uint16(body[4:]) != 1 {
				t.Fatalf("section %x", body)
			}
			readOptions(t, body[16:])
		case blockInterface:
			o := readOptions(t, body[8:])
			if le.Uint16(body) != linkRaw || !bytes.Equal(o[optResolution], []byte{9}) {
				t.Fatalf("interface %x", body)
			}
			names = append(names, string(o[optName]))
		case blockPacket:
			captured, length := le.Uint32(body[12:]), le.Uint32(body[16:])
			data := body[20 : 20+captured]
			o := readOptions(t, body[20+(captured+3)&^3:])
			at := uint64(le.Uint32(body[4:]))<<32 | uint64(le.Uint32(body[8:]))
			lines = append(lines, fmt.Sprintf("%s %s %d ns %s", o[optComment], names[le.Uint32(body)], at-1_600_000_000_000_000_001, packetText(t, data, length)))
		default:
			t.Fatalf("block of type %d", kind)
		}
		b = b[size:]
	}
	return lines
}

func readOptions(t *testing.T, b []byte) map[uint16][]byte {
	t.Helper()
	found := map[uint16][]byte{}
	for {
		code, n := binary.LittleEndian.Uint16(b), int(binary.LittleEndian.Uint16(b[2:]))
		if code == 0 {
			if n != 0 || len(b) != 4 {
				t.Fatalf("the options end with %d bytes left", len(b))
			}
			return found
		}
		found[code] = b[4 : 4+n]
		b = b[4+(n+3)&^3:]
	}
}

func packetText(t *testing.T, b []byte, length uint32) string {
	t.Helper()
	be := binary.BigEndian
	var from, to netip.Addr
	proto := b[9]
	if b[0]>>4 == 4 {
		sum := uint32(0)
		for i := 0; i < 20; i += 2 {
			sum += uint32(be.Uint16(b[i:]))
		}
		if sum>>16+sum&0xffff != 0xffff || uint32(be.Uint16(b[2:])) != length {
			t.Fatalf("header %x of a packet of %d", b[:20], length)
		}
		from, to, b = netip.AddrFrom4([4]byte(b[12:16])), netip.AddrFrom4([4]byte(b[16:20])), b[20:]
		length -= 20
	} else {
		proto = b[6]
		if uint32(be.Uint16(b[4:])) != length-40 {
			t.Fatalf("header %x of a packet of %d", b[:40], length)
		}
		from, to, b = netip.AddrFrom16([16]byte(b[8:24])), netip.AddrFrom16([16]byte(b[24:40])), b[40:]
		length -= 40
	}
	ports := fmt.Sprintf("%v > %v", netip.AddrPortFrom(from, be.Uint16(b)), netip.AddrPortFrom(to, be.Uint16(b[2:])))
	if proto == protoUDP {
		return fmt.Sprintf("%s udp %d", ports, length-8)
	}
	flags := ""
	for i, c := range "FSRPA" {
		if b[13]>>i&1 != 0 {
			flags += string(c)
		}
	}
	return fmt.Sprintf("%s %s seq %d ack %d data %d", ports, flags, be.Uint32(b[4:]), be.Uint32(b[8:]), length-20)
}

func TestCapture(t *testing.T) {
	want := []string{
		"#1 main 5000000 ns 11.0.0.1:10000 > 10.0.0.1:80 S seq 0 ack 0 data 0",
		"#1 main 5000000 ns 10.0.0.1:80 > 11.0.0.1:10000 SA seq 0 ack 1 data 0",
		"#1 main 5000000 ns 11.0.0.1:10000 > 10.0.0.1:80 A seq 1 ack 1 data 0",
		"#3 main 5000000 ns 11.0.0.1:10000 > 10.0.0.1:80 PA seq 1 ack 1 data 100",
		"#5 main 5000000 ns 11.0.0.1:10000 > 10.0.0.1:80 PA seq 1 ack 1 data 100",
		"#7 server 5000000 ns 10.0.0.1:80 > 11.0.0.1:10000 PA seq 1 ack 101 data 65483",
		"#9 main 5000000 ns 11.0.0.1:10000 > 10.0.0.1:80 FA seq 101 ack 65484 data 0",
		"#11 server 5000000 ns 10.0.0.1:80 > 11.0.0.1:10000 RA seq 65484 ack 101 data 0",
		"#12 main 5000000 ns 11.0.0.1:10001 > 10.0.0.1:81 S seq 0 ack 0 data 0",
		"#12 main 5000000 ns 10.0.0.1:81 > 11.0.0.1:10001 RA seq 0 ack 1 data 0",
		"#13 main 5000000 ns [fd00::1]:5000 > [fd00::2]:53 udp 33",
	}
	if got := readBlocks(t, sample(t)); !slices.Equal(got, want) {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestTshark: where tshark is installed it reads the capture and finds nothing
// malformed in it.
func TestTshark(t *testing.T) {
	if _, err := exec.LookPath("tshark"); err != nil {
		t.Log("tshark is not installed: TestCapture alone has read the capture")
		return
	}
	file := filepath.Join(t.TempDir(), "x.pcapng")
	if err := os.WriteFile(file, sample(t), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("tshark", "-r", file, "-Y", "_ws.malformed || tcp.analysis.ack_lost_segment").CombinedOutput()
	text := strings.ReplaceAll(string(out), "Running as user \"root\" and group \"root\". This could be dangerous.\n", "")
	if err != nil || text != "" {
		t.Errorf("%v\n%s", err, out)
	}
}
