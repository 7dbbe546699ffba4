//go:build !go1.27

package runtime

// restepCheapState and restepSetCheapState keep the recorder's stack walks
// from drawing on the random state that the program's allocations follow.
func restepCheapState() (uint64, uint64)     { return getg().m.cheaprand, 0 }
func restepSetCheapState(a uint64, _ uint64) { getg().m.cheaprand = a }
