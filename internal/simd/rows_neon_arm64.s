#include "textflag.h"
#include "neon_arm64.h"

// Kernels that work on one row of float32 at a time, sixteen lanes in four registers. The polynomials are those of rows.go.

// func quantiseNEON(dst *uint8, src *float32, n int) (scale, least float32)
// n is a multiple of 32.
TEXT ·quantiseNEON(SB), NOSPLIT, $0-32
	MOVD  dst+0(FP), R0
	MOVD  src+8(FP), R1
	MOVD  n+16(FP), R2
	MOVD  R1, R3
	MOVD  R2, R4
	VLD1R (R1), [V16.S4]
	COPY(16, 17)
	COPY(16, 18)
	COPY(16, 19)
	COPY4(16, 20)

extremes:
	VLD1.P 64(R3), [V4.S4, V5.S4, V6.S4, V7.S4]
	FMIN4(4, 16, 16)
	FMAX4(4, 20, 20)
	SUBS   $16, R4
	BNE    extremes
	FMIN(17, 16, 16)
	FMIN(19, 18, 18)
	FMIN(18, 16, 16)
	FMINV(16, 16)
	FMAX(21, 20, 20)
	FMAX(23, 22, 22)
	FMAX(22, 20, 20)
	FMAXV(20, 20)
	FMOVS  F16, least+28(FP)
	FSUBS  F16, F20, F20
	FMOVS  ·inverse255(SB), F0
	FMULS  F0, F20, F0
	FMOVS  F0, scale+24(FP)
	FMOVS  ZR, F17
	FCMPS  $(0.0), F20
	BEQ    flat // all values are equal: every byte is 0
	FMOVS  $(255.0), F17
	FDIVS  F20, F17, F17

flat:
	DUP(0, 16, 16)
	DUP(0, 17, 17)

bytes:
	VLD1.P 64(R1), [V4.S4, V5.S4, V6.S4, V7.S4]
	FSUBALL(16, 4, 4)
	FMULALL(17, 4, 4)
	FCVTNS4(4, 4)
	SQXTUN32(4, 4)
	SQXTUN32H(5, 4)
	SQXTUN32(6, 6)
	SQXTUN32H(7, 6)
	UQXTN16(4, 4)
	UQXTN16H(6, 4)
	VST1.P [V4.B16], 16(R0)
	SUBS   $16, R2
	BNE    bytes
	RET

// EXP2CONSTANTS: the lanes of V8 are exp2c's coefficients 0–3, the last two of V9 are 4 and 5.
#define EXP2CONSTANTS(r) \
	MOVD  $·exp2c(SB), r; \
	FMOVQ (r), F8; \
	FMOVQ 8(r), F9

// TERM4 is a step of Horner's rule on four registers, q = p·x + coefficient; p and q take turns, because the product is added to its
// destination.
#define TERM4(lane, c, x, p, q) \
	DUP4(lane, c, q); \
	FMLA4(x, p, q)

// EXP2 turns x ≥ −126 in V4–V7 into 2^x there, by V16–V27.
#define EXP2 \
	FRINTN4(4, 16); \
	FSUB4(16, 4, 4); \
	FCVTNS4(16, 16); \
	SHL23X4(16, 16); \
	DUP4(2, 9, 20); \
	FMLALANE4(3, 9, 4, 20); \
	TERM4(3, 8, 4, 20, 24); \
	TERM4(2, 8, 4, 24, 20); \
	TERM4(1, 8, 4, 20, 24); \
	TERM4(0, 8, 4, 24, 20); \
	IADD4(16, 20, 4)

// POWER is expRow's arithmetic on V4–V7.
#define POWER \
	FSUBALL(14, 4, 4); \
	FMULALL(15, 4, 4); \
	FMAXALL(28, 4, 4); \
	EXP2

// TAIL copies the count of words, 1 to 15, from one place to another.
#define TAIL(count, from, to, no8, no4, no2, no1) \
	TBZ     $3, count, no8; \
	VLD1.P  32(from), [V4.S4, V5.S4]; \
	VST1.P  [V4.S4, V5.S4], 32(to); \
no8: \
	TBZ     $2, count, no4; \
	FMOVQ.P 16(from), F4; \
	FMOVQ.P F4, 16(to); \
no4: \
	TBZ     $1, count, no2; \
	FMOVD.P 8(from), F4; \
	FMOVD.P F4, 8(to); \
no2: \
	TBZ     $0, count, no1; \
	FMOVS   (from), F4; \
	FMOVS   F4, (to); \
no1:

// Sixteen lanes that are set, then sixteen that are not: lanesSet + 4·(16−n) begins with n lanes that are set.
DATA lanesSet<>+0(SB)/8, $-1
DATA lanesSet<>+8(SB)/8, $-1
DATA lanesSet<>+16(SB)/8, $-1
DATA lanesSet<>+24(SB)/8, $-1
DATA lanesSet<>+32(SB)/8, $-1
DATA lanesSet<>+40(SB)/8, $-1
DATA lanesSet<>+48(SB)/8, $-1
DATA lanesSet<>+56(SB)/8, $-1
GLOBL lanesSet<>(SB), RODATA|NOPTR, $128

// func expRowNEON(x *float32, n int, scale float32) float32
// V0–V3 are the sums in 16 lanes, V14 the greatest, V15 the scale, V28 −126. What is left after whole groups of 16 goes by way of a
// buffer, R5, that is filled up with the first element.
TEXT ·expRowNEON(SB), NOSPLIT, $64-28
	MOVD  x+0(FP), R0
	MOVD  n+8(FP), R1
	FMOVS scale+16(FP), F15
	DUP(0, 15, 15)
	MOVD  $·leastExponent(SB), R2
	VLD1R (R2), [V28.S4]
	EXP2CONSTANTS(R2)
	MOVD  $buffer-64(SP), R5
	AND   $15, R1, R3 // the rest
	SUB   R3, R1      // in whole groups
	VLD1R (R0), [V16.S4]
	COPY(16, 17)
	COPY(16, 18)
	COPY(16, 19)
	VST1  [V16.S4, V17.S4, V18.S4, V19.S4], (R5)
	MOVD  R0, R2
	MOVD  R1, R4
	CBZ   R4, maxrest

maximum:
	VLD1.P 64(R2), [V4.S4, V5.S4, V6.S4, V7.S4]
	FMAX4(4, 16, 16)
	SUBS   $16, R4
	BNE    maximum

maxrest:
	CBZ  R3, greatest
	MOVD R5, R6
	TAIL(R3, R2, R6, in8, in4, in2, in1)
	VLD1 (R5), [V4.S4, V5.S4, V6.S4, V7.S4]
	FMAX4(4, 16, 16)

greatest:
	FMAX(17, 16, 16)
	FMAX(19, 18, 18)
	FMAX(18, 16, 16)
	FMAXV(16, 16)
	DUP(0, 16, 14)
	ZERO4(0)
	CBZ  R1, rest

whole:
	VLD1   (R0), [V4.S4, V5.S4, V6.S4, V7.S4]
	POWER
	FADD4(4, 0, 0)
	VST1.P [V4.S4, V5.S4, V6.S4, V7.S4], 64(R0)
	SUBS   $16, R1
	BNE    whole

rest:
	CBZ  R3, sum
	VLD1 (R5), [V4.S4, V5.S4, V6.S4, V7.S4]
	POWER
	VST1 [V4.S4, V5.S4, V6.S4, V7.S4], (R5)
	MOVD $lanesSet<>+64(SB), R6
	SUB  R3<<2, R6
	VLD1 (R6), [V16.S4, V17.S4, V18.S4, V19.S4]
	BAND4(4, 16, 16)
	FADD4(16, 0, 0)
	TAIL(R3, R5, R0, out8, out4, out2, out1)

sum:
	SUM4(0)
	FMOVS F0, ret+24(FP)
	RET

// func geluNEON(x *float32, n int)
// n is a multiple of 32. V0–V3 are x; the lanes of V10 are geluc's coefficients 0–3, those of V11 are 3–6. V14 is the end of the
// polynomial's range, V15 zero.
TEXT ·geluNEON(SB), NOSPLIT, $0-16
	MOVD  x+0(FP), R0
	MOVD  n+8(FP), R1
	EXP2CONSTANTS(R2)
	MOVD  $·geluc(SB), R2
	FMOVQ (R2), F10
	FMOVQ 12(R2), F11
	MOVD  $·geluEnd(SB), R2
	VLD1R (R2), [V14.S4]
	BEOR(15, 15, 15)

gelu16:
	VLD1 (R0), [V0.S4, V1.S4, V2.S4, V3.S4]
	FABS4(0, 16)
	FMINALL(14, 16, 16)
	DUP4(2, 11, 4)
	FMLALANE4(3, 11, 16, 4)
	TERM4(1, 11, 16, 4, 20)
	TERM4(3, 10, 16, 20, 4)
	TERM4(2, 10, 16, 4, 20)
	TERM4(1, 10, 16, 20, 24)
	TERM4(0, 10, 16, 24, 4)
	EXP2
	FABS4(0, 16)
	FMAXALL(15, 0, 0)
	FMLS4(16, 4, 0)
	VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], 64(R0)
	SUBS $16, R1
	BNE  gelu16
	RET

// ADDED is x += y for sixteen lanes, which are added to sums.
#define ADDED(sums) \
	VLD1   (R5), [V16.S4, V17.S4, V18.S4, V19.S4]; \
	VLD1.P 64(R1), [V20.S4, V21.S4, V22.S4, V23.S4]; \
	FADD4(20, 16, 16); \
	FADD4(16, sums, sums); \
	VST1.P [V16.S4, V17.S4, V18.S4, V19.S4], 64(R5)

#define SQUARES(sums) \
	VLD1.P 64(R5), [V16.S4, V17.S4, V18.S4, V19.S4]; \
	FSUBALL(24, 16, 16); \
	FMLA4(16, 16, sums)

// SUM8 adds up the 32 lanes of V0–V7 in reduce's order.
#define SUM8 \
	FADD4(4, 0, 0); \
	SUM4(0)

// func addNormNEON(x, y, w, b *float32, n int, eps float32)
// n is a multiple of 32. V0–V7 are sums in 32 lanes, V24 the mean, V25 what values are multiplied by.
TEXT ·addNormNEON(SB), NOSPLIT, $0-44
	MOVD x+0(FP), R0
	MOVD y+8(FP), R1
	MOVD w+16(FP), R2
	MOVD b+24(FP), R3
	MOVD n+32(FP), R4
	SCVTFS R4, F26
	ZERO4(0)
	ZERO4(4)
	MOVD R0, R5
	MOVD R4, R6

added:
	ADDED(0)
	ADDED(4)
	SUBS $32, R6
	BNE  added
	SUM8
	FDIVS F26, F0, F24
	DUP(0, 24, 24)
	ZERO4(0)
	ZERO4(4)
	MOVD R0, R5
	MOVD R4, R6

squares:
	SQUARES(0)
	SQUARES(4)
	SUBS $32, R6
	BNE  squares
	SUM8
	FDIVS  F26, F0, F0
	FMOVS  eps+40(FP), F1
	FADDS  F1, F0, F0
	FSQRTS F0, F0
	FMOVS  $(1.0), F1
	FDIVS  F0, F1, F25
	DUP(0, 25, 25)

normal:
	VLD1   (R0), [V0.S4, V1.S4, V2.S4, V3.S4]
	FSUBALL(24, 0, 0)
	FMULALL(25, 0, 0)
	VLD1.P 64(R2), [V16.S4, V17.S4, V18.S4, V19.S4]
	VLD1.P 64(R3), [V20.S4, V21.S4, V22.S4, V23.S4]
	FMLA4(0, 16, 20)
	VST1.P [V20.S4, V21.S4, V22.S4, V23.S4], 64(R0)
	SUBS   $16, R4
	BNE    normal
	RET

// SQUARE4 transposes the 4×4 elements of r0–r3 in place: pairs of rows first, then pairs of pairs.
#define SQUARE4(r0, r1, r2, r3, t0, t1, t2, t3) \
	VTRN1 r1.S4, r0.S4, t0.S4; \
	VTRN2 r1.S4, r0.S4, t1.S4; \
	VTRN1 r3.S4, r2.S4, t2.S4; \
	VTRN2 r3.S4, r2.S4, t3.S4; \
	VTRN1 t2.D2, t0.D2, r0.D2; \
	VTRN1 t3.D2, t1.D2, r1.D2; \
	VTRN2 t2.D2, t0.D2, r2.D2; \
	VTRN2 t3.D2, t1.D2, r3.D2

// func transposeNEON(dst, src *float32, stride int)
// Eight rows by four columns at a time: R3 is the row of src, R4 the row of dst, R5 and R6 count.
TEXT ·transposeNEON(SB), NOSPLIT, $0-24
	MOVD dst+0(FP), R0
	MOVD src+8(FP), R1
	MOVD stride+16(FP), R2
	LSL  $2, R2
	MOVD $8, R5

columns:
	MOVD R1, R3
	MOVD R0, R4
	MOVD $4, R6

rows:
	VLD1.P (R3)(R2), [V16.S4]
	VLD1.P (R3)(R2), [V17.S4]
	VLD1.P (R3)(R2), [V18.S4]
	VLD1.P (R3)(R2), [V19.S4]
	VLD1.P (R3)(R2), [V20.S4]
	VLD1.P (R3)(R2), [V21.S4]
	VLD1.P (R3)(R2), [V22.S4]
	VLD1.P (R3)(R2), [V23.S4]
	SQUARE4(V16, V17, V18, V19, V24, V25, V26, V27)
	SQUARE4(V20, V21, V22, V23, V28, V29, V30, V31)
	FSTPQ  (F16, F20), (R4)
	FSTPQ  (F17, F21), 128(R4)
	FSTPQ  (F18, F22), 256(R4)
	FSTPQ  (F19, F23), 384(R4)
	ADD    $32, R4
	SUBS   $1, R6
	BNE    rows
	ADD    $16, R1
	ADD    $512, R0
	SUBS   $1, R5
	BNE    columns
	RET
