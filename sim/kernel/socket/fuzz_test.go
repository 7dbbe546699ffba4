package socket

import (
	"testing"

	"github.com/restep/restep/sim/kernel/abi"
)

// consistent checks what must hold of a connection between any two calls.
func consistent(t *testing.T, c *Conn) {
	t.Helper()
	if c.State() == StateClosed {
		if c.stack.Find(c.Local, c.Remote) == c || c.rtoAt != 0 || c.keepAt != 0 {
			t.Fatal("a closed connection is still in the stack or has a timer")
		}
		return
	}
	q := &c.sendq
	held := 0
	for _, chunk := range q.chunks[q.head:] {
		held += len(chunk)
	}
	switch {
	case c.stack.Find(c.Local, c.Remote) != c:
		t.Fatal("an open connection is not in the stack")
	case after(c.sndUna, c.sndNxt), after(c.sndNxt, c.sndMax):
		t.Fatalf("una %d nxt %d max %d", c.sndUna-c.iss, c.sndNxt-c.iss, c.sndMax-c.iss)
	case held != q.size, q.ahead < 0, q.ahead > q.size:
		t.Fatalf("send queue holds %d of %d bytes, %d ahead", held, q.size, q.ahead)
	case c.state >= StateEstablished && q.ahead > 0 && int(c.sndNxt-c.sndUna) != q.size-q.ahead:
		t.Fatalf("%d bytes in flight, cursor at %d", c.sndNxt-c.sndUna, q.size-q.ahead)
	case before(c.rcvAdv, c.rcvNxt) && !c.finSeen:
		t.Fatal("received past the window")
	case c.recvq.size > c.opts.ReceiveMax:
		t.Fatalf("%d bytes in a buffer of %d", c.recvq.size, c.opts.ReceiveMax)
	}
}

// FuzzSegments feeds a connection with segments made of the input, mixed with
// calls of the program and with time.
func FuzzSegments(f *testing.F) {
	f.Add([]byte("\x00\x10\x00\x00\x00\x00\x05\x01\x20\x30\x02\x00\x00\x08\x06"))
	f.Add([]byte{0, 16, 1, 0, 0, 4, 0, 1, 0, 0, 0, 0, 0, 4, 1, 2, 3, 3, 0, 24, 0, 0, 255, 255})
	f.Fuzz(func(t *testing.T, in []byte) {
		o := fast()
		o.SendBuffer, o.ReceiveMax = 4000, 3000
		w, c, s, _ := pairUp(t, o)
		next := func() byte {
			if len(in) == 0 {
				return 0
			}
			b := in[0]
			in = in[1:]
			return b
		}
		near := func(base uint32) uint32 { return base + uint32(int32(int8(next())))*uint32(1+next()%16*16) }
		for len(in) > 0 {
			switch next() % 8 {
			case 0, 1, 2:
				seg := Segment{
					Src: c.Remote, Dst: c.Local, Flags: Flags(next()) & (FIN | SYN | RST | ACK),
					Seq: near(c.rcvNxt), Ack: near(c.sndUna), Window: uint32(next()) * 40,
					Data: make([]byte, int(next())*int(next()%8)),
				}
				c.stack.Input(&seg)
			case 3:
				if n, errno := c.Write(make([]byte, int(next())*20)); errno == abi.OK && n < 0 {
					t.Fatal("negative count")
				}
			case 4:
				c.Read(make([]byte, int(next())*20), next()&1 == 0)
			case 5:
				c.Shutdown(next()&1 == 0, next()&1 == 0)
			case 6:
				w.run(Time(next()) * 100 * Millisecond)
			case 7:
				s.Write(make([]byte, int(next())*20))
			}
			consistent(t, c)
			consistent(t, s)
		}
		c.Close()
		consistent(t, c)
		w.run(3000 * Second)
		if n := w.hosts[0].stack.Conns(); n != 0 {
			t.Fatalf("a closed connection is left in state %d", c.State())
		}
	})
}
