package dap

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// peerUser returns the user whose process is at the other end of a connection
// from this host.
func peerUser(conn net.Conn) (uid int, err error) {
	if c, ok := conn.(*net.UnixConn); ok {
		raw, err := c.SyscallConn()
		if err != nil {
			return -1, err
		}
		var cred *unix.Ucred
		var errno error
		err = raw.Control(func(fd uintptr) { cred, errno = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) })
		if err := errors.Join(err, errno); err != nil {
			return -1, fmt.Errorf("SO_PEERCRED: %w", err)
		}
		return int(cred.Uid), nil
	}
	local, ok := conn.LocalAddr().(*net.TCPAddr)
	remote, ok2 := conn.RemoteAddr().(*net.TCPAddr)
	if !ok || !ok2 {
		return -1, fmt.Errorf("a connection of an unknown kind, %T", conn)
	}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		f, err := os.Open(table)
		if err != nil {
			continue
		}
		uid, found := findUser(bufio.NewScanner(f), remote.AddrPort(), local.AddrPort())
		f.Close()
		if found {
			return uid, nil
		}
	}
	return -1, errors.New("the connection is in no table of the kernel")
}

// findUser looks for the socket with these addresses in proc_pid_net(5), tcp.
func findUser(s *bufio.Scanner, local, remote netip.AddrPort) (uid int, found bool) {
	for s.Scan() {
		f := strings.Fields(s.Text())
		if len(f) < 8 {
			continue
		}
		a, okA := parseSocketAddr(f[1])
		b, okB := parseSocketAddr(f[2])
		if !okA || !okB || a != unmap(local) || b != unmap(remote) {
			continue
		}
		uid, err := strconv.Atoi(f[7])
		return uid, err == nil
	}
	return -1, false
}

func unmap(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }

// parseSocketAddr parses "0100007F:1F90": the address in words of 32 bits in
// the host's byte order, here little endian.
func parseSocketAddr(text string) (netip.AddrPort, bool) {
	ip, port, ok := strings.Cut(text, ":")
	b, err := hex.DecodeString(ip)
	n, err2 := strconv.ParseUint(port, 16, 16)
	if !ok || err != nil || err2 != nil || len(b)%4 != 0 {
		return netip.AddrPort{}, false
	}
	for i := 0; i < len(b); i += 4 {
		b[i], b[i+1], b[i+2], b[i+3] = b[i+3], b[i+2], b[i+1], b[i]
	}
	addr, ok := netip.AddrFromSlice(b)
	return netip.AddrPortFrom(addr.Unmap(), uint16(n)), ok
}
