#include "textflag.h"

// func restepAnchor()
//
// The stack pointer is kept in the first word of restepReuseState. What lies
// above it is part of the copy, so restepBringBack can return from here again.
TEXT runtime·restepAnchor(SB), NOSPLIT|NOFRAME, $0-0
	PUSHQ	BP
	MOVQ	SP, BP
	MOVQ	$0x110000000000, AX
	MOVQ	SP, (AX)
	CALL	runtime·restepSnapshot(SB)
	POPQ	BP
	RET

// func restepBringBack(copies *restepCopy, n uintptr)
//
// It overwrites the stack it was called on: from the first copy on it uses
// registers only.
TEXT runtime·restepBringBack(SB), NOSPLIT|NOFRAME, $0-16
	MOVQ	copies+0(FP), R8
	MOVQ	n+8(FP), R9
	CLD
next:
	TESTQ	R9, R9
	JEQ	done
	MOVQ	0(R8), DI
	MOVQ	8(R8), SI
	MOVQ	16(R8), CX
	SHRQ	$3, CX
	TESTQ	SI, SI
	JEQ	zero
	REP; MOVSQ
	JMP	more
zero:
	XORL	AX, AX
	REP; STOSQ
more:
	ADDQ	$24, R8
	DECQ	R9
	JMP	next
done:
	MOVQ	$0x110000000000, AX
	MOVQ	(AX), AX
	MOVQ	0(AX), BP // as POPQ BP; RET in restepAnchor
	MOVQ	8(AX), CX
	LEAQ	16(AX), SP
	JMP	CX
