#include "textflag.h"

// Kernels that work on one row of float32 at a time, AVX2. The polynomials are those of rows.go.

// GREATEST and LEAST leave the extreme of Y's lanes in its first, X being its lower half; TY, TX are changed.
#define GREATEST(y, x, ty, tx) \
	VEXTRACTF128 $1, y, tx; \
	VMAXPS tx, x, x; \
	VPERMILPS $0x4e, x, tx; \
	VMAXPS tx, x, x; \
	VPERMILPS $0xb1, x, tx; \
	VMAXSS tx, x, x

#define LEAST(y, x, ty, tx) \
	VEXTRACTF128 $1, y, tx; \
	VMINPS tx, x, x; \
	VPERMILPS $0x4e, x, tx; \
	VMINPS tx, x, x; \
	VPERMILPS $0xb1, x, tx; \
	VMINSS tx, x, x

#define SUM(y, x, tx) \
	VEXTRACTF128 $1, y, tx; \
	VADDPS tx, x, x; \
	VHADDPS x, x, x; \
	VHADDPS x, x, x

// func quantiseAVX2(dst *uint8, src *float32, n int) (scale, least float32)
// n is a multiple of 32.
TEXT ·quantiseAVX2(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	VMOVUPS (SI), Y0
	VMOVAPS Y0, Y2
	XORQ AX, AX

extremes:
	VMOVUPS (SI)(AX*4), Y4
	VMINPS Y4, Y0, Y0
	VMAXPS Y4, Y2, Y2
	ADDQ $8, AX
	CMPQ AX, CX
	JLT  extremes
	LEAST(Y0, X0, Y1, X1)
	GREATEST(Y2, X2, Y3, X3)
	VSUBSS X0, X2, X2
	VMOVSS X0, least+28(FP)
	VMULSS ·inverse255(SB), X2, X3
	VMOVSS X3, scale+24(FP)
	VXORPS X5, X5, X5
	VXORPS X4, X4, X4
	VUCOMISS X5, X2
	JEQ  flat // all values are equal: every byte is 0
	VMOVSS ·two55(SB), X4
	VDIVSS X2, X4, X4

flat:
	VBROADCASTSS X4, Y4
	VBROADCASTSS X0, Y0
	VMOVDQU ·unpackOrder(SB), Y9
	XORQ AX, AX

bytes:
	VMOVUPS (SI)(AX*4), Y5
	VMOVUPS 32(SI)(AX*4), Y6
	VMOVUPS 64(SI)(AX*4), Y7
	VMOVUPS 96(SI)(AX*4), Y8
	VSUBPS Y0, Y5, Y5
	VSUBPS Y0, Y6, Y6
	VSUBPS Y0, Y7, Y7
	VSUBPS Y0, Y8, Y8
	VMULPS Y4, Y5, Y5
	VMULPS Y4, Y6, Y6
	VMULPS Y4, Y7, Y7
	VMULPS Y4, Y8, Y8
	VCVTPS2DQ Y5, Y5
	VCVTPS2DQ Y6, Y6
	VCVTPS2DQ Y7, Y7
	VCVTPS2DQ Y8, Y8
	VPACKUSDW Y6, Y5, Y5
	VPACKUSDW Y8, Y7, Y7
	VPACKUSWB Y7, Y5, Y5
	VPERMD Y5, Y9, Y5 // packing works in halves: put the groups of four back in order
	VMOVDQU Y5, (DI)(AX*1)
	ADDQ $32, AX
	CMPQ AX, CX
	JLT  bytes
	VZEROUPPER
	RET

// EXP2 turns x ≥ −126 into 2^x, using t and u; coefficients in memory, one register each would be too many.
#define EXP2(x, t, u) \
	VROUNDPS $0, x, t; \
	VSUBPS t, x, x; \
	VBROADCASTSS ·exp2c+20(SB), u; \
	VFMADD213PS Y11, x, u; \
	VFMADD213PS Y12, x, u; \
	VFMADD213PS Y13, x, u; \
	VFMADD213PS Y14, x, u; \
	VFMADD213PS Y15, x, u; \
	VCVTPS2DQ t, t; \
	VPSLLD $23, t, t; \
	VPADDD t, u, x

#define EXP2CONSTANTS \
	VBROADCASTSS ·exp2c+16(SB), Y11; \
	VBROADCASTSS ·exp2c+12(SB), Y12; \
	VBROADCASTSS ·exp2c+8(SB), Y13; \
	VBROADCASTSS ·exp2c+4(SB), Y14; \
	VBROADCASTSS ·exp2c+0(SB), Y15

// POWER is one vector of expRow.
#define POWER(x, t, u) \
	VSUBPS Y0, x, x; \
	VMULPS Y1, x, x; \
	VMAXPS Y2, x, x; \
	EXP2(x, t, u)

// func expRowAVX2(x *float32, n int, scale float32) float32
// Y0 the greatest, Y1 the scale, Y2 −126, Y3 and Y4 the sums in 16 lanes, Y9, Y10 the masks of the last 16.
TEXT ·expRowAVX2(SB), NOSPLIT, $0-28
	MOVQ x+0(FP), SI
	MOVQ n+8(FP), CX
	VBROADCASTSS scale+16(FP), Y1
	VBROADCASTSS ·leastExponent(SB), Y2
	EXP2CONSTANTS
	MOVQ CX, BX
	ANDQ $-16, BX // pairs of whole vectors end here
	MOVQ CX, R8
	SUBQ BX, R8
	MOVQ $16, R9
	SUBQ R8, R9
	LEAQ ·masks(SB), R10
	VMOVDQU (R10)(R9*4), Y9
	VMOVDQU 32(R10)(R9*4), Y10
	VBROADCASTSS (SI), Y0
	VMOVAPS Y0, Y5
	XORQ AX, AX
	CMPQ AX, BX
	JGE  maxtail

maximum:
	VMAXPS (SI)(AX*4), Y0, Y0
	VMAXPS 32(SI)(AX*4), Y0, Y0
	ADDQ $16, AX
	CMPQ AX, BX
	JLT  maximum

maxtail:
	VMASKMOVPS (SI)(BX*4), Y9, Y6
	VBLENDVPS Y9, Y6, Y5, Y6
	VMAXPS Y6, Y0, Y0
	VMASKMOVPS 32(SI)(BX*4), Y10, Y6
	VBLENDVPS Y10, Y6, Y5, Y6
	VMAXPS Y6, Y0, Y0
	GREATEST(Y0, X0, Y6, X6)
	VBROADCASTSS X0, Y0
	VXORPS Y3, Y3, Y3
	VXORPS Y4, Y4, Y4
	XORQ AX, AX
	CMPQ AX, BX
	JGE  tail

whole:
	VMOVUPS (SI)(AX*4), Y5
	POWER(Y5, Y6, Y7)
	VMOVUPS Y5, (SI)(AX*4)
	VADDPS Y5, Y3, Y3
	VMOVUPS 32(SI)(AX*4), Y5
	POWER(Y5, Y6, Y7)
	VMOVUPS Y5, 32(SI)(AX*4)
	VADDPS Y5, Y4, Y4
	ADDQ $16, AX
	CMPQ AX, BX
	JLT  whole

tail:
	TESTQ R8, R8
	JZ   sum
	VMASKMOVPS (SI)(BX*4), Y9, Y5
	POWER(Y5, Y6, Y7)
	VMASKMOVPS Y5, Y9, (SI)(BX*4)
	VANDPS Y9, Y5, Y5
	VADDPS Y5, Y3, Y3
	VMASKMOVPS 32(SI)(BX*4), Y10, Y5
	POWER(Y5, Y6, Y7)
	VMASKMOVPS Y5, Y10, 32(SI)(BX*4)
	VANDPS Y10, Y5, Y5
	VADDPS Y5, Y4, Y4

sum:
	VADDPS Y4, Y3, Y3
	SUM(Y3, X3, X4)
	VZEROUPPER
	VMOVSS X3, ret+24(FP)
	RET

// func geluAVX2(x *float32, n int)
// n is a multiple of 32. Y7 is zero, Y8 the bits of |x|, Y9 the end of the polynomial's range.
TEXT ·geluAVX2(SB), NOSPLIT, $0-16
	MOVQ x+0(FP), SI
	MOVQ n+8(FP), CX
	EXP2CONSTANTS
	VXORPS Y7, Y7, Y7
	VBROADCASTSS ·absolute(SB), Y8
	VBROADCASTSS ·geluEnd(SB), Y9
	LEAQ ·geluWide(SB), R8
	LEAQ (SI)(CX*4), CX

gelu8:
	VMOVUPS (SI), Y0
	VANDPS Y8, Y0, Y1
	VMINPS Y9, Y1, Y2
	VMOVUPS 192(R8), Y3
	VFMADD213PS 160(R8), Y2, Y3
	VFMADD213PS 128(R8), Y2, Y3
	VFMADD213PS 96(R8), Y2, Y3
	VFMADD213PS 64(R8), Y2, Y3
	VFMADD213PS 32(R8), Y2, Y3
	VFMADD213PS (R8), Y2, Y3
	EXP2(Y3, Y4, Y5)
	VMAXPS Y7, Y0, Y0
	VFNMADD231PS Y3, Y1, Y0
	VMOVUPS Y0, (SI)
	ADDQ $32, SI
	CMPQ SI, CX
	JLT  gelu8
	VZEROUPPER
	RET

#define ADDED(off, sum) \
	VMOVUPS off(DI)(AX*4), Y6; \
	VADDPS off(SI)(AX*4), Y6, Y6; \
	VMOVUPS Y6, off(DI)(AX*4); \
	VADDPS Y6, sum, sum

#define SQUARE(off, sum) \
	VMOVUPS off(DI)(AX*4), Y6; \
	VSUBPS Y0, Y6, Y6; \
	VFMADD231PS Y6, Y6, sum

// func addNormAVX2(x, y, w, b *float32, n int, eps float32)
// n is a multiple of 32; sums are in 32 lanes, added in the same order as in AVX-512.
TEXT ·addNormAVX2(SB), NOSPLIT, $0-44
	MOVQ x+0(FP), DI
	MOVQ y+8(FP), SI
	MOVQ w+16(FP), R8
	MOVQ b+24(FP), R9
	MOVQ n+32(FP), CX
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3
	XORQ AX, AX

added:
	ADDED(0, Y0)
	ADDED(32, Y1)
	ADDED(64, Y2)
	ADDED(96, Y3)
	ADDQ $32, AX
	CMPQ AX, CX
	JLT  added
	VADDPS Y2, Y0, Y0
	VADDPS Y3, Y1, Y1
	VADDPS Y1, Y0, Y0
	SUM(Y0, X0, X1)
	VCVTSI2SSQ CX, X5, X5
	VDIVSS X5, X0, X0
	VBROADCASTSS X0, Y0 // the mean
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3
	VXORPS Y4, Y4, Y4
	XORQ AX, AX

squares:
	SQUARE(0, Y1)
	SQUARE(32, Y2)
	SQUARE(64, Y3)
	SQUARE(96, Y4)
	ADDQ $32, AX
	CMPQ AX, CX
	JLT  squares
	VADDPS Y3, Y1, Y1
	VADDPS Y4, Y2, Y2
	VADDPS Y2, Y1, Y1
	SUM(Y1, X1, X2)
	VDIVSS X5, X1, X1
	VADDSS eps+40(FP), X1, X1
	VSQRTSS X1, X1, X1
	VMOVSS ·one(SB), X2
	VDIVSS X1, X2, X1
	VBROADCASTSS X1, Y1
	XORQ AX, AX

normal:
	VMOVUPS (DI)(AX*4), Y2
	VSUBPS Y0, Y2, Y2
	VMULPS Y1, Y2, Y2
	VMOVUPS (R9)(AX*4), Y4
	VFMADD231PS (R8)(AX*4), Y2, Y4
	VMOVUPS Y4, (DI)(AX*4)
	ADDQ $8, AX
	CMPQ AX, CX
	JLT  normal
	VZEROUPPER
	RET
