//go:build !restep

package sim

// The other face: without restep there is no simulation. need has stopped the
// program before any of these is called.

func isSim() bool { return false }

func simNewMachine(string, uint32, bool, func()) (id uint32, err string) { return 0, "" }
func simBoot(uint32) bool                                                { return false }
func simSetMain(uint32, func())                                          {}
func simCrash(uint32)                                                    {}
func simKill(uint32)                                                     {}
func simStop(uint32) bool                                                { return true }
func simWait(uint32)                                                     {}
func simCurrent() uint32                                                 { return 0 }
func simLabel(uint32) string                                             { return "" }
func simLink(uint8, string, string, int64) string                        { return "" }
func simTimeout(int64)                                                   {}
func simMark(string)                                                     {}
