package steplog

import (
	"math/bits"
	"unsafe"
)

const (
	mulA = 0x9e3779b185ebca87
	mulB = 0xc2b2ae3d27d4eb4f
)

// mix adds one word to a rolling hash. For a fixed h it is a bijection of v
// and the other way round.
func mix(h, v uint64) uint64 { return bits.RotateLeft64(h^v*mulA, 31) * mulB }

// hashString adds the length and the bytes of s to h, 8 bytes at a time.
func hashString(h uint64, s string) uint64 {
	h = mix(h, uint64(len(s)))
	for len(s) >= 8 {
		h = mix(h, uint64(s[0])|uint64(s[1])<<8|uint64(s[2])<<16|uint64(s[3])<<24|
			uint64(s[4])<<32|uint64(s[5])<<40|uint64(s[6])<<48|uint64(s[7])<<56)
		s = s[8:]
	}
	if len(s) > 0 {
		v := uint64(0)
		for i := 0; i < len(s); i++ {
			v |= uint64(s[i]) << (8 * uint(i))
		}
		h = mix(h, v)
	}
	return h
}

func hashBytes(h uint64, b []byte) uint64 { return hashString(h, view(b)) }

// view returns b as a string without a copy. The result is used only while b
// stays as it is.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// HashPCs returns the content hash of a call stack for [Tail.StackHash]. The
// pcs count relative to base (the start of the text segment), so that the hash
// does not depend on where the program was loaded. The result is never 0.
func HashPCs(pcs []uintptr, base uintptr) uint64 {
	h := mix(mulB, uint64(len(pcs)))
	for _, pc := range pcs {
		h = mix(h, uint64(pc-base))
	}
	if h == 0 {
		return 1
	}
	return h
}

// The sum functions are the only definition of the rolling checksum; writer
// and verifier both use them.

func sumStart(seed, variant uint64) uint64 { return mix(mix(mulA, seed), variant) }

func sumHead(h uint64, s *Head) uint64 {
	h = mix(h, uint64(s.Kind)|uint64(s.Machine)<<16|uint64(s.Goroutine)<<32)
	h = mix(h, uint64(s.TimeNs))
	return mix(h, s.Tick)
}

func sumNumber(h uint64, tag Tag, v uint64) uint64 { return mix(mix(h, uint64(tag)), v) }

func sumBytes(h uint64, tag Tag, s string) uint64 { return hashString(mix(h, uint64(tag)), s) }

func sumTail(h, stackHash uint64, flags Flags, text string) uint64 {
	h = mix(h, stackHash)
	h = hashString(h, text)
	return mix(h, 1<<8|uint64(flags&meaningFlags))
}

// sumDef is the checksum of a definition record.
func sumDef(kind defKind, flags uint8, id uint32, body []byte) uint32 {
	h := mix(mulB, uint64(kind)|uint64(flags)<<8|uint64(id)<<32)
	return uint32(mix(hashBytes(h, body), 0))
}
