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
func simSignal(uint32, uint32) bool                                      { return false }
func simAlive(uint32) bool                                               { return false }
func simGo(uint32, func()) bool                                          { return false }
func simWaitFor(uint32, *uint32)                                         {}
func simNotify(uint32)                                                   {}
func simEnv(uint32) []string                                             { return nil }
func simArgs(uint32) []string                                            { return nil }
func simSetEnv(uint32, []string)                                         {}
func simSetArgs(uint32, []string)                                        {}
func simOp(uint8, uint32, string, string, int64) (string, int64)         { return "", 0 }
func simLinkProgram(int, string, func())                                 {}
func simProgram(string) int                                              { return 0 }
func simClock(uint32, int64, int64) (wall, off, since, rate int64)       { return 0, 0, 0, 0 }
func simTime(uint32) (wall, mono int64)                                  { return 0, 0 }
