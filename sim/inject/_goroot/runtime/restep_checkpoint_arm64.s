#include "go_asm.h"
#include "textflag.h"

// func restepSetContext(c *restepRegisters) uintptr
//
// It notes where its caller goes on and returns 0; restepReturnTo makes it
// return once more, with 1.
TEXT ·restepSetContext<ABIInternal>(SB),NOSPLIT|NOFRAME,$0-16
	MOVD	R30, restepRegisters_pc(R0)
	MOVD	RSP, R1
	MOVD	R1, restepRegisters_sp(R0)
	MOVD	R29, restepRegisters_bp(R0)
	MOVD	ZR, R0
	RET

// func restepReturnTo(c *restepRegisters)
//
// It returns from the restepSetContext that filled c, which ran on g0 and
// whose caller's stack is as it was then.
TEXT ·restepReturnTo<ABIInternal>(SB),NOSPLIT|NOFRAME,$0-8
	MOVD	restepRegisters_sp(R0), R1
	MOVD	R1, RSP
	MOVD	restepRegisters_bp(R0), R29
	MOVD	restepRegisters_pc(R0), R30
	MOVD	$runtime·g0(SB), g
	MOVD	$1, R0
	RET

// func restepGoBack()
//
// It is where a debugger sends the thread that shall go back: with any
// registers, from anywhere. The stack and the g are not part of what is
// restored.
TEXT ·restepGoBack(SB),NOSPLIT|NOFRAME|TOPFRAME,$0-0
	MOVD	$const_restepControlBase, R0
	MOVD	$restepControl_top, R1
	MOVD	(R0)(R1), R1
	MOVD	R1, RSP
	MOVD	ZR, R29
	MOVD	$restepControl_g, R1
	ADD	R1, R0, g
	CALL	·restepRestore<ABIInternal>(SB)
	BRK
