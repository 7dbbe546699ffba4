//go:build restep

package sim

import _ "unsafe" // for go:linkname

func isSim() bool { return simOn() }

//go:linkname simOn runtime.restepSimOn
func simOn() bool

//go:linkname simNewMachine runtime.restepSimNewMachine
func simNewMachine(label string, addr uint32, mayExit bool, main func()) (id uint32, err string)

//go:linkname simBoot runtime.restepSimBoot
func simBoot(id uint32) bool

//go:linkname simSetMain runtime.restepSimSetMain
func simSetMain(id uint32, main func())

//go:linkname simCrash runtime.restepSimCrash
func simCrash(id uint32)

//go:linkname simKill runtime.restepSimKill
func simKill(id uint32)

//go:linkname simStop runtime.restepSimStop
func simStop(id uint32) (ended bool)

//go:linkname simWait runtime.restepSimWait
func simWait(id uint32)

//go:linkname simCurrent runtime.restepSimCurrent
func simCurrent() uint32

//go:linkname simLabel runtime.restepSimLabel
func simLabel(id uint32) string

//go:linkname simLink runtime.restepSimLink
func simLink(op uint8, a, b string, value int64) string

//go:linkname simTimeout runtime.restepSimTimeout
func simTimeout(ns int64)

//go:linkname simMark runtime.restepSimMark
func simMark(text string)

//go:linkname simSignal runtime.restepSimSignal
func simSignal(id, sig uint32) bool

//go:linkname simAlive runtime.restepSimAlive
func simAlive(id uint32) bool

//go:linkname simGo runtime.restepSimGo
func simGo(id uint32, fn func()) bool

//go:linkname simWaitFor runtime.restepSimWaitFor
func simWaitFor(id uint32, flag *uint32)

//go:linkname simNotify runtime.restepSimNotify
func simNotify(id uint32)

//go:linkname simEnv runtime.restepSimEnv
func simEnv(id uint32) []string

//go:linkname simArgs runtime.restepSimArgs
func simArgs(id uint32) []string

//go:linkname simSetEnv runtime.restepSimSetEnv
func simSetEnv(id uint32, env []string)

//go:linkname simSetArgs runtime.restepSimSetArgs
func simSetArgs(id uint32, args []string)

//go:linkname simOp runtime.restepSimOp
func simOp(op uint8, id uint32, a, b string, v int64) (text string, n int64)

//go:linkname simLinkProgram runtime.restepSimLinkProgram
func simLinkProgram(number int, dir string, main func())

//go:linkname simProgram runtime.restepSimProgram
func simProgram(dir string) int

//go:linkname simClock runtime.restepSimClock
func simClock(id uint32, step, ppm int64) (wall, off, since, rate int64)

//go:linkname simTime runtime.restepSimTime
func simTime(id uint32) (wall, mono int64)
