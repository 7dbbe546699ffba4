package kernel

import "github.com/restep/restep/sim/kernel/abi"

// ExportPath is the one file of machine main that can leave the simulation:
// the coverage profile that package testing writes at its end.
const ExportPath = "/tmp/restep.cover"

// exportPiece is how many bytes are handed over at a time.
const exportPiece = 32 << 10

// Export hands the bytes of ExportPath on main's disk to write, in order and
// in pieces that are only valid during the call. It records no step. It hands
// over nothing when there is no such regular file, as after a panic of the
// test, and stops where the file cannot be read.
func (k *Kernel) Export(write func(piece []byte)) {
	m := k.Machine(Main)
	if m == nil {
		return
	}
	fs := m.disk.fs
	file, errno := fs.Resolve(fs.Root(), ExportPath, 0)
	if errno != abi.OK || !file.IsRegular() {
		return
	}
	buf := make([]byte, exportPiece)
	for off := int64(0); ; {
		n, errno := file.ReadAt(buf, off)
		if n > 0 {
			write(buf[:n])
		}
		if n == 0 || errno != abi.OK {
			return
		}
		off += int64(n)
	}
}
