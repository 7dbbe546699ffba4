package files

import (
	"syscall"
	"testing"
	"time"
)

// blocking makes a socket whose calls wait.
func blocking(t *testing.T, family, kind int) int {
	t.Helper()
	fd, err := syscall.Socket(family, kind|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	return fd
}

// bound binds fd to a port of the loopback interface and returns its address.
func bound(t *testing.T, fd int) *syscall.SockaddrInet4 {
	t.Helper()
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	sa, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return sa.(*syscall.SockaddrInet4)
}

func TestBlockingTCP(t *testing.T) {
	l := blocking(t, syscall.AF_INET, syscall.SOCK_STREAM)
	addr := bound(t, l)
	c := blocking(t, syscall.AF_INET, syscall.SOCK_STREAM)
	t.Log(syscall.Connect(c, addr)) // nobody listens
	if err := syscall.Listen(l, 4); err != nil {
		t.Fatal(err)
	}
	done := make(chan string)
	go func() {
		fd, _, err := syscall.Accept(l)
		if err != nil {
			done <- err.Error()
			return
		}
		defer syscall.Close(fd)
		buf := make([]byte, 64)
		n, err := syscall.Read(fd, buf)
		if err == nil {
			_, err = syscall.Write(fd, []byte("answer to "+string(buf[:n])))
		}
		if err != nil {
			done <- err.Error()
		}
		done <- "served"
	}()
	time.Sleep(20 * time.Millisecond)
	c = blocking(t, syscall.AF_INET, syscall.SOCK_STREAM)
	t.Log(syscall.Connect(c, addr))
	t.Log(syscall.Connect(c, addr))
	_, _, err := syscall.Recvfrom(c, make([]byte, 4), syscall.MSG_DONTWAIT)
	t.Log(err)
	time.Sleep(20 * time.Millisecond)
	t.Log(syscall.Write(c, []byte("question")))
	buf := make([]byte, 64)
	n, err := syscall.Read(c, buf)
	t.Log(string(buf[:n]), err, <-done)
	n, err = syscall.Read(c, buf) // waits for the end
	t.Log(n, err)
}

func TestSocketTimeouts(t *testing.T) {
	fd := blocking(t, syscall.AF_INET, syscall.SOCK_DGRAM)
	addr := bound(t, fd)
	tv := syscall.Timeval{Usec: 30_000}
	t.Log(syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &tv))
	start := time.Now()
	_, _, err := syscall.Recvfrom(fd, make([]byte, 4), 0)
	t.Log(err, time.Since(start) >= 30*time.Millisecond)
	t.Log(syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &syscall.Timeval{Usec: 1e6}))
	t.Log(syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &syscall.Timeval{Sec: -1}))
	_, _, err = syscall.Recvfrom(fd, make([]byte, 4), 0)
	t.Log(err)
	t.Log(syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &syscall.Timeval{}))
	go func() {
		time.Sleep(20 * time.Millisecond)
		syscall.Sendto(fd, []byte("datagram"), 0, addr)
	}()
	buf := make([]byte, 64)
	n, _, err := syscall.Recvfrom(fd, buf, 0)
	t.Log(string(buf[:n]), err)

	l := blocking(t, syscall.AF_INET, syscall.SOCK_STREAM)
	bound(t, l)
	if err := syscall.Listen(l, 4); err != nil {
		t.Fatal(err)
	}
	t.Log(syscall.SetsockoptTimeval(l, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &tv))
	_, _, err = syscall.Accept(l)
	t.Log(err)
}

func TestBlockingUnix(t *testing.T) {
	for _, kind := range []int{syscall.SOCK_STREAM, syscall.SOCK_SEQPACKET} {
		p, err := syscall.Socketpair(syscall.AF_UNIX, kind|syscall.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		const size, pieces = 1000, 2000 // more than fits
		done := make(chan error)
		go func() {
			b := make([]byte, size)
			for range pieces {
				for rest := b; len(rest) > 0; {
					n, err := syscall.Write(p[0], rest)
					if err != nil {
						done <- err
						return
					}
					rest = rest[n:]
				}
			}
			done <- syscall.Close(p[0])
		}()
		time.Sleep(10 * time.Millisecond)
		total := 0
		buf := make([]byte, 4096)
		for {
			n, _, _, _, err := syscall.Recvmsg(p[1], buf, nil, 0)
			if total += n; n == 0 || err != nil {
				t.Log(total, err, <-done)
				break
			}
		}
		syscall.Close(p[1])
	}
}

// TestLinger: close waits for a peer that does not read, as long as it was
// told to, and no longer than the peer takes.
func TestLinger(t *testing.T) {
	l := blocking(t, syscall.AF_INET, syscall.SOCK_STREAM)
	addr := bound(t, l)
	if err := syscall.Listen(l, 4); err != nil {
		t.Fatal(err)
	}
	for _, reads := range []bool{false, true} {
		c := blocking(t, syscall.AF_INET, syscall.SOCK_STREAM)
		if err := syscall.Connect(c, addr); err != nil {
			t.Fatal(err)
		}
		peer, _, err := syscall.Accept(l)
		if err != nil {
			t.Fatal(err)
		}
		linger := syscall.Linger{Onoff: 1, Linger: 1}
		if reads {
			linger.Linger = 20
		}
		syscall.SetNonblock(c, true)
		for buf, wrote := make([]byte, 64<<10), true; wrote; { // until both sides are full
			wrote = false
			for err = nil; err == nil; {
				_, err = syscall.Write(c, buf)
				wrote = wrote || err == nil
			}
			time.Sleep(5 * time.Millisecond)
		}
		t.Log(err) // nothing more fits
		t.Log(syscall.SetsockoptLinger(c, syscall.SOL_SOCKET, syscall.SO_LINGER, &linger))
		total := make(chan bool, 1)
		if reads {
			go func() {
				time.Sleep(50 * time.Millisecond)
				for buf := make([]byte, 64<<10); ; {
					n, err := syscall.Read(peer, buf)
					if n <= 0 || err != nil {
						total <- err == nil
						return
					}
				}
			}()
		}
		start := time.Now()
		err = syscall.Close(c)
		took := time.Since(start)
		t.Log(err, took >= 50*time.Millisecond, took >= time.Duration(linger.Linger)*time.Second)
		if reads {
			t.Log(<-total)
		}
		syscall.Close(peer)
	}
}
