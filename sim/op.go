package sim

// Operations of simOp. The simulated kernel has the same numbers, and says
// what each takes and answers (Op in sim/kernel/machine_op.go).
const (
	opReadFile = iota
	opWriteFile
	opExists
	opListens
	opFindLog
	opDiskSize
	opFailDisk
	opCrashStates
	opCrashText
	opUseCrash
	opPartialDisk
	opRemove
	opClock
	opExitCode
	opFDLimit
	opProcess
	opFreeSpace
	opAddProgram
	opNumber
	opUser
)
