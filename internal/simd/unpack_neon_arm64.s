#include "textflag.h"
#include "neon_arm64.h"

// V16 and V17: which bytes go where, for the first four integers and for the others; V18 and V19: shifts, negative, so to the right; V20: the mask; R6: where the others' bytes begin. See
// unpacking.
#define HOW \
	FLDPQ (R5), (F16, F17); \
	FLDPQ 32(R5), (F18, F19); \
	FMOVQ 64(R5), F20; \
	MOVD  96(R5), R6; \
	ADD   R1, R6; \
	INEG(18, 18); \
	INEG(19, 19)

// EIGHT unpacks eight integers to V0 and V1.
#define EIGHT \
	VLD1.P (R1)(R3), [V0.B16]; \
	VLD1.P (R6)(R3), [V1.B16]; \
	TBL(16, 0, 0); \
	TBL(17, 1, 1); \
	USHL32(18, 0, 0); \
	USHL32(19, 1, 1); \
	BAND(20, 0, 0); \
	BAND(20, 1, 1)

// func unpackEightsNEON(dst *uint32, src *byte, groups, width int, how *unpacking)
TEXT ·unpackEightsNEON(SB), NOSPLIT, $0-40
	MOVD dst+0(FP), R0
	MOVD src+8(FP), R1
	MOVD groups+16(FP), R2
	MOVD width+24(FP), R3
	MOVD how+32(FP), R5
	HOW

eight:
	EIGHT
	FSTPQ.P (F0, F1), 32(R0)
	SUBS    $1, R2
	BNE     eight
	RET

// func unpackGapEightsNEON(dst *uint32, src *byte, groups, width int, base uint32, how *unpacking)
// The sums of four come by two steps, of one and of two places; then the second four get the last of the first, and both the last of the eight before, V21. V22 is 0, V23 1.
TEXT ·unpackGapEightsNEON(SB), NOSPLIT, $0-48
	MOVD  dst+0(FP), R0
	MOVD  src+8(FP), R1
	MOVD  groups+16(FP), R2
	MOVD  width+24(FP), R3
	MOVWU base+32(FP), R4
	MOVD  how+40(FP), R5
	VDUP  R4, V21.S4
	MOVD  $1, R4
	VDUP  R4, V23.S4
	BEOR(22, 22, 22)
	HOW

eight:
	EIGHT
	IADD(23, 0, 0)
	IADD(23, 1, 1)
	EXT(12, 0, 22, 2)
	EXT(12, 1, 22, 3)
	IADD(2, 0, 0)
	IADD(3, 1, 1)
	EXT(8, 0, 22, 2)
	EXT(8, 1, 22, 3)
	IADD(2, 0, 0)
	IADD(3, 1, 1)
	DUP(3, 0, 2)
	IADD(2, 1, 1)
	IADD(21, 0, 0)
	IADD(21, 1, 1)
	DUP(3, 1, 21)
	FSTPQ.P (F0, F1), 32(R0)
	SUBS    $1, R2
	BNE     eight
	RET
