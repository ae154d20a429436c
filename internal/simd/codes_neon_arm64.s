#include "textflag.h"
#include "neon_arm64.h"

// Byte i has bit i%8 alone.
DATA bitOfByte<>+0(SB)/8, $0x8040201008040201
DATA bitOfByte<>+8(SB)/8, $0x8040201008040201
GLOBL bitOfByte<>(SB), RODATA|NOPTR, $16

// Which of four bytes holds the last bit of each of 32 elements.
DATA byteOfBit<>+0(SB)/8, $0x0000000000000000
DATA byteOfBit<>+8(SB)/8, $0x0101010101010101
DATA byteOfBit<>+16(SB)/8, $0x0202020202020202
DATA byteOfBit<>+24(SB)/8, $0x0303030303030303
GLOBL byteOfBit<>(SB), RODATA|NOPTR, $32

// func codeDistancesNEON(dst *uint16, codes, planes *uint64, groups, words int)
//
// A register holds a word of two codes, and each plane has sums of its own, of bytes: up to 31 words of at most eight bits each, after which the sums are weighed and added up.
// The first word's counts are the sums' beginning. V28 are the eight distances so far.
//
//	                              codes 0, 1  2, 3  4, 5  6, 7
//	                                V16       V17   V18   V19
//	  plane 0, R8, a word in V20    V0        V1    V2    V3
//	  plane 1, R9, V21              V4        V5    V6    V7
//	  plane 2, R10, V22             V8        V9    V10   V11
//	  plane 3, R11, V23             V12       V13   V14   V15
#define LOADWORD \
	VLD1.P  64(R1), [V16.B16, V17.B16, V18.B16, V19.B16]; \
	VLD1R.P 8(R8), [V20.D2]; \
	VLD1R.P 8(R9), [V21.D2]; \
	VLD1R.P 8(R10), [V22.D2]; \
	VLD1R.P 8(R11), [V23.D2]

#define FIRSTCOUNT(plane, v) \
	BEORALL(plane, 16, v); \
	CNT4(v, v)

#define COUNT(plane, v) \
	BEORALL(plane, 16, 24); \
	CNT4(24, 24); \
	ADD8X4(24, v, v)

// WEIGH makes of the four planes' sums of two codes, in V(i), V(4+i), V(8+i) and V(12+i), those of neighbouring bytes, weighed, in 16 bits, in V(12+i).
#define WEIGH(i) \
	UADDLP16(12+i, 12+i); \
	SHL16(1, 12+i, 12+i); \
	UADALP16(8+i, 12+i); \
	SHL16(1, 12+i, 12+i); \
	UADALP16(4+i, 12+i); \
	SHL16(1, 12+i, 12+i); \
	UADALP16(i, 12+i)

TEXT ·codeDistancesNEON(SB), NOSPLIT, $0-40
	MOVD dst+0(FP), R0
	MOVD codes+8(FP), R1
	MOVD planes+16(FP), R2
	MOVD groups+24(FP), R3
	MOVD words+32(FP), R4
	MOVD $30, R12

group:
	MOVD R2, R8
	ADD  R4<<3, R8, R9
	ADD  R4<<3, R9, R10
	ADD  R4<<3, R10, R11
	MOVD R4, R6
	BEOR(28, 28, 28)

some:
	LOADWORD
	FIRSTCOUNT(20, 0)
	FIRSTCOUNT(21, 4)
	FIRSTCOUNT(22, 8)
	FIRSTCOUNT(23, 12)
	SUB  $1, R6
	CMP  R12, R6
	CSEL LT, R6, R12, R7
	SUB  R7, R6
	CBZ  R7, weigh

word:
	LOADWORD
	COUNT(20, 0)
	COUNT(21, 4)
	COUNT(22, 8)
	COUNT(23, 12)
	SUB  $1, R7
	CBNZ R7, word

weigh:
	WEIGH(0)
	WEIGH(1)
	WEIGH(2)
	WEIGH(3)
	ADDP16(13, 12, 12)
	ADDP16(15, 14, 14)
	ADDP16(14, 12, 12)
	VADD   V12.H8, V28.H8, V28.H8
	CBNZ   R6, some
	VST1.P [V28.H8], 16(R0)
	SUB    $1, R3
	CBNZ   R3, group
	RET

// func rankNEON(distances, gains *uint16, n int, centre, base int32, shift uint64)
TEXT ·rankNEON(SB), NOSPLIT, $0-40
	MOVD distances+0(FP), R0
	MOVD gains+8(FP), R1
	MOVD n+16(FP), R2
	MOVW centre+24(FP), R3
	MOVW base+28(FP), R4
	MOVD shift+32(FP), R5
	NEG  R5, R5
	MOVD $4095, R6
	VDUP R3, V0.S4
	VDUP R4, V1.S4
	VDUP R5, V2.S4
	VDUP R6, V3.H8

eight:
	FMOVQ   (R0), F4
	FMOVQ.P 16(R1), F6
	USHLL32H(1, 4, 5)
	USHLL32(1, 4, 4)
	USHLL32H(0, 6, 7)
	USHLL32(0, 6, 6)
	ISUB(4, 0, 4)
	ISUB(5, 0, 5)
	IMUL(6, 4, 4)
	IMUL(7, 5, 5)
	SSHL32(2, 4, 4)
	SSHL32(2, 5, 5)
	ISUB(4, 1, 4)
	ISUB(5, 1, 5)
	SQXTUN32(4, 4)
	SQXTUN32H(5, 4)
	UMIN16(3, 4, 4)
	FMOVQ.P F4, 16(R0)
	SUB     $8, R2
	CBNZ    R2, eight
	RET

// Comparisons are narrowed to bytes, 16 values a register, of which each keeps its own bit; sums of neighbours gather two, four and eight: a word of the mask, in a.
#define GATHER64(a, b, c, d) \
	BAND(31, a, a); \
	BAND(31, b, b); \
	BAND(31, c, c); \
	BAND(31, d, d); \
	ADDP8(b, a, a); \
	ADDP8(d, c, c); \
	ADDP8(c, a, a); \
	ADDP8(a, a, a)

// func atMostNEON(mask *uint64, values *uint16, words int, limit uint16)
#define ATMOST16(v) \
	CMHS16(v, 30, v); \
	CMHS16(v+1, 30, v+1); \
	UZP8(v+1, v, v)

TEXT ·atMostNEON(SB), NOSPLIT, $0-26
	MOVD  mask+0(FP), R0
	MOVD  values+8(FP), R1
	MOVD  words+16(FP), R2
	MOVHU limit+24(FP), R3
	VDUP  R3, V30.H8
	MOVD  $bitOfByte<>(SB), R4
	FMOVQ (R4), F31

atmost:
	VLD1.P 64(R1), [V0.H8, V1.H8, V2.H8, V3.H8]
	VLD1.P 64(R1), [V4.H8, V5.H8, V6.H8, V7.H8]
	ATMOST16(0)
	ATMOST16(2)
	ATMOST16(4)
	ATMOST16(6)
	GATHER64(0, 2, 4, 6)
	FMOVD.P F0, 8(R0)
	SUB     $1, R2
	CBNZ    R2, atmost
	RET

// func atLeastNEON(mask *uint64, values *uint32, words int, least uint32)
#define ATLEAST16(v) \
	CMHS32(30, v, v); \
	CMHS32(30, v+1, v+1); \
	CMHS32(30, v+2, v+2); \
	CMHS32(30, v+3, v+3); \
	UZP16(v+1, v, v); \
	UZP16(v+3, v+2, v+2); \
	UZP8(v+2, v, v)

TEXT ·atLeastNEON(SB), NOSPLIT, $0-28
	MOVD  mask+0(FP), R0
	MOVD  values+8(FP), R1
	MOVD  words+16(FP), R2
	MOVWU least+24(FP), R3
	VDUP  R3, V30.S4
	MOVD  $bitOfByte<>(SB), R4
	FMOVQ (R4), F31

atleast:
	VLD1.P 64(R1), [V0.S4, V1.S4, V2.S4, V3.S4]
	VLD1.P 64(R1), [V4.S4, V5.S4, V6.S4, V7.S4]
	VLD1.P 64(R1), [V16.S4, V17.S4, V18.S4, V19.S4]
	VLD1.P 64(R1), [V20.S4, V21.S4, V22.S4, V23.S4]
	ATLEAST16(0)
	ATLEAST16(4)
	ATLEAST16(16)
	ATLEAST16(20)
	GATHER64(0, 4, 16, 20)
	FMOVD.P F0, 8(R0)
	SUB     $1, R2
	CBNZ    R2, atleast
	RET

// The row four further on is fetched while one is multiplied. R3 is at, R4 count, R2 rows, R6 a row's size; R7 and R8 are changed, and R8 becomes the row.
#define ROWSIZE \
	ADD R5>>1, R5, R6; \
	ADD R5>>3, R6, R6

#define AHEAD \
	MOVWU 16(R3), R8; \
	MADD R6, R2, R8, R8

#define ROW \
	MOVWU.P 4(R3), R8; \
	MADD R6, R2, R8, R8

// func dots13NEON(dst *int64, query *int16, rows *byte, at *uint32, count, n int)
//
// The three planes become integers of 16 bits, whose products with the query's are added up in 32: 64 elements at a time, the first 32 of each half of the row, four products of less than 2^27 a
// lane. Those sums go to V4 and V5, of 64 bits.
//
//	R8, R9    t>>5 of the first and of the second half, 32 bytes in V8 and V9
//	R10       t>>1&15 of both, 32 bytes in V10 and V11
//	R11, R12  t&1 of the first and of the second half, four bytes in V12
//	R13, R14  the query's halves, 32 elements in V16–V19

// FIVEBITS makes t&31 of 32 elements in V22 and V23, from t>>1&15, shifted to bits 1 to 4 among others there, and t&1 in V12.
#define FIVEBITS \
	TBL(30, 12, 20); \
	TBL(31, 12, 21); \
	CMTST8(28, 20, 20); \
	CMTST8(28, 21, 21); \
	BAND(29, 22, 22); \
	BAND(29, 23, 23); \
	USRA8(7, 20, 22); \
	USRA8(7, 21, 23)

// THIRTEENBITS makes t in V24–V27.
#define THIRTEENBITS \
	SSHLL16(5, 8, 24); \
	SSHLL16H(5, 8, 25); \
	SSHLL16(5, 9, 26); \
	SSHLL16H(5, 9, 27); \
	UADDW16(22, 24, 24); \
	UADDW16H(22, 25, 25); \
	UADDW16(23, 26, 26); \
	UADDW16H(23, 27, 27)

TEXT ·dots13NEON(SB), NOSPLIT, $0-48
	MOVD dst+0(FP), R0
	MOVD query+8(FP), R1
	MOVD rows+16(FP), R2
	MOVD at+24(FP), R3
	MOVD count+32(FP), R4
	MOVD n+40(FP), R5
	ROWSIZE
	MOVD  $bitOfByte<>(SB), R7
	FMOVQ (R7), F28
	VMOVI $0x1e, V29.B16
	MOVD  $byteOfBit<>(SB), R7
	FLDPQ (R7), (F30, F31)

row:
	CMP $4, R4
	BLE ready
	AHEAD
	MOVD R6, R7

fetch:
	PRFM (R8), PLDL1KEEP
	ADD  $64, R8
	SUBS $64, R7
	BGT  fetch

ready:
	ROW
	ADD  R5>>1, R8, R9
	ADD  R5, R8, R10
	ADD  R5, R9, R11
	ADD  R5>>4, R11, R12
	MOVD R1, R13
	ADD  R5, R13, R14
	MOVD R5, R7
	BEOR(4, 4, 4)
	BEOR(5, 5, 5)

step:
	FMOVS.P 4(R11), F12
	FLDPQ.P 32(R10), (F10, F11)
	FLDPQ.P 32(R8), (F8, F9)
	VLD1.P  64(R13), [V16.H8, V17.H8, V18.H8, V19.H8]
	SHL8(1, 10, 22)
	SHL8(1, 11, 23)
	FIVEBITS
	THIRTEENBITS
	SMULL32(16, 24, 0)
	SMULL32H(16, 24, 1)
	SMULL32(17, 25, 2)
	SMULL32H(17, 25, 3)
	SMLAL32(18, 26, 0)
	SMLAL32H(18, 26, 1)
	SMLAL32(19, 27, 2)
	SMLAL32H(19, 27, 3)
	FMOVS.P 4(R12), F12
	FLDPQ.P 32(R9), (F8, F9)
	VLD1.P  64(R14), [V16.H8, V17.H8, V18.H8, V19.H8]
	USHR8(3, 10, 22)
	USHR8(3, 11, 23)
	FIVEBITS
	THIRTEENBITS
	SMLAL32(16, 24, 0)
	SMLAL32H(16, 24, 1)
	SMLAL32(17, 25, 2)
	SMLAL32H(17, 25, 3)
	SMLAL32(18, 26, 0)
	SMLAL32H(18, 26, 1)
	SMLAL32(19, 27, 2)
	SMLAL32H(19, 27, 3)
	SADALP64(0, 4)
	SADALP64(1, 5)
	SADALP64(2, 4)
	SADALP64(3, 5)
	SUBS    $64, R7
	BNE     step
	VADD    V5.D2, V4.D2, V4.D2
	VADDP   V4.D2, V4.D2, V4.D2
	FMOVD.P F4, 8(R0)
	SUBS    $1, R4
	BNE     row
	RET

// func dots8NEON(dst *int32, query *int16, rows *byte, at *uint32, count, n int)
// A row is fetched as far as it is read. V0–V7 are the sums.
TEXT ·dots8NEON(SB), NOSPLIT, $0-48
	MOVD dst+0(FP), R0
	MOVD query+8(FP), R1
	MOVD rows+16(FP), R2
	MOVD at+24(FP), R3
	MOVD count+32(FP), R4
	MOVD n+40(FP), R5
	ROWSIZE

row:
	CMP $4, R4
	BLE ready
	AHEAD
	MOVD R5, R7

fetch:
	PRFM (R8), PLDL1KEEP
	ADD  $64, R8
	SUBS $64, R7
	BGE  fetch

ready:
	ROW
	MOVD R1, R9
	MOVD R5, R7
	ZERO4(0)
	ZERO4(4)

step:
	FLDPQ.P 32(R8), (F8, F9)
	VLD1.P  64(R9), [V16.H8, V17.H8, V18.H8, V19.H8]
	SSHLL16(0, 8, 24)
	SSHLL16H(0, 8, 25)
	SSHLL16(0, 9, 26)
	SSHLL16H(0, 9, 27)
	SMLAL32(16, 24, 0)
	SMLAL32H(16, 24, 1)
	SMLAL32(17, 25, 2)
	SMLAL32H(17, 25, 3)
	SMLAL32(18, 26, 4)
	SMLAL32H(18, 26, 5)
	SMLAL32(19, 27, 6)
	SMLAL32H(19, 27, 7)
	SUBS $32, R7
	BNE  step
	IADD4(4, 0, 0)
	IADD(1, 0, 0)
	IADD(3, 2, 2)
	IADD(2, 0, 0)
	ADDV32(0, 0)
	FMOVS.P F0, 4(R0)
	SUBS    $1, R4
	BNE     row
	RET
