package kernel

import (
	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/kernel/vfs"
)

// updateHosts rewrites every machine's /etc/hosts (hosts(5)): localhost and
// the address of every machine. A machine that made something else than a
// file of it keeps that.
func (k *Kernel) updateHosts() {
	b := make([]byte, 0, 32+32*len(k.machines))
	b = append(b, "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n"...)
	for _, m := range k.machines {
		for _, ip := range m.addrs {
			b = append(b, ip.String()...)
			b = append(b, ' ')
			b = append(b, m.hostname...)
			b = append(b, '\n')
		}
	}
	text := vfs.Text(b)
	for _, m := range k.machines {
		if n, errno := m.disk.fs.Resolve(m.disk.fs.Root(), "/etc/hosts", vfs.Follow); errno == abi.OK {
			m.disk.fs.Replace(n, text)
		}
	}
}
