//go:build go1.27

package runtime

// restepCheapState and restepSetCheapState keep the recorder's stack walks
// from drawing on the random state that the program's allocations follow.
func restepCheapState() (uint64, uint64) {
	return uint64(getg().m.cheaprand), getg().m.cheaprand64
}

func restepSetCheapState(a, b uint64) {
	getg().m.cheaprand, getg().m.cheaprand64 = uint32(a), b
}
