#include "textflag.h"

// func restepAnchor()
//
// The stack pointer is kept in the first word of restepReuseState. What lies
// above it is part of the copy, so restepBringBack can return from here again.
TEXT runtime·restepAnchor(SB), NOSPLIT|NOFRAME, $0-0
	SUB	$32, RSP
	MOVD	R30, 8(RSP)
	MOVD	R29, 16(RSP)
	MOVD	$0x110000000000, R0
	MOVD	RSP, R1
	MOVD	R1, (R0)
	CALL	runtime·restepSnapshot(SB)
	MOVD	16(RSP), R29
	MOVD	8(RSP), R30
	ADD	$32, RSP
	RET

// func restepBringBack(copies *restepCopy, n uintptr)
//
// It overwrites the stack it was called on: from the first copy on it uses
// registers only.
TEXT runtime·restepBringBack(SB), NOSPLIT|NOFRAME, $0-16
	MOVD	copies+0(FP), R0
	MOVD	n+8(FP), R1
next:
	CBZ	R1, done
	MOVD	0(R0), R2
	MOVD	8(R0), R3
	MOVD	16(R0), R4
	CBZ	R3, zero
copy:
	MOVD.P	8(R3), R5
	MOVD.P	R5, 8(R2)
	SUB	$8, R4
	CBNZ	R4, copy
	JMP	more
zero:
	MOVD.P	ZR, 8(R2)
	SUB	$8, R4
	CBNZ	R4, zero
more:
	ADD	$24, R0
	SUB	$1, R1
	JMP	next
done:
	MOVD	$0x110000000000, R0
	MOVD	(R0), R0
	MOVD	R0, RSP
	MOVD	16(RSP), R29 // as at the end of restepAnchor
	MOVD	8(RSP), R30
	ADD	$32, RSP
	RET
