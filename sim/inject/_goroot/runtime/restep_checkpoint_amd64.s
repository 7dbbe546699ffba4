#include "go_asm.h"
#include "go_tls.h"
#include "textflag.h"

// func restepSetContext(c *restepRegisters) uintptr
//
// It notes where its caller goes on and returns 0; restepReturnTo makes it
// return once more, with 1. ABIInternal, for a wrapper's frame would be gone
// by then.
TEXT ·restepSetContext<ABIInternal>(SB),NOSPLIT|NOFRAME,$0-16
	MOVQ	0(SP), BX
	MOVQ	BX, restepRegisters_pc(AX)
	LEAQ	8(SP), BX
	MOVQ	BX, restepRegisters_sp(AX)
	MOVQ	BP, restepRegisters_bp(AX)
	XORL	AX, AX
	RET

// func restepReturnTo(c *restepRegisters)
//
// It returns from the restepSetContext that filled c, whose caller's stack is
// as it was then.
TEXT ·restepReturnTo<ABIInternal>(SB),NOSPLIT|NOFRAME,$0-8
	MOVQ	restepRegisters_sp(AX), SP
	MOVQ	restepRegisters_bp(AX), BP
	MOVQ	restepRegisters_pc(AX), BX
	get_tls(CX)
	MOVQ	g(CX), R14
	XORPS	X15, X15
	MOVL	$1, AX
	JMP	BX

// func restepGoBack()
//
// It is where a debugger sends the thread that shall go back: with any
// registers, from anywhere. The stack and the g are not part of what is
// restored.
TEXT ·restepGoBack(SB),NOSPLIT|NOFRAME|TOPFRAME,$0-0
	CLD
	MOVQ	$const_restepControlBase, AX
	MOVQ	(restepControl_top)(AX), SP
	MOVQ	$0, BP
	LEAQ	(restepControl_g)(AX), R14
	get_tls(CX)
	MOVQ	R14, g(CX)
	XORPS	X15, X15
	CALL	·restepRestore<ABIInternal>(SB)
	INT	$3
