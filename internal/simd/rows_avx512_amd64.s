#include "textflag.h"

// Kernels that work on one row of float32 at a time, AVX-512. Constants are in constants_amd64.go.

// func quantiseAVX512(dst *uint8, src *float32, n int) (scale, min float32)
// n is a multiple of 32. Z0, Z1 least, Z2, Z3 greatest; then 255/(max−min) in Z4.
TEXT ·quantiseAVX512(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	VMOVUPS (SI), Z0
	VMOVAPS Z0, Z1
	VMOVAPS Z0, Z2
	VMOVAPS Z0, Z3
	XORQ AX, AX

extremes:
	VMOVUPS (SI)(AX*4), Z4
	VMOVUPS 64(SI)(AX*4), Z5
	VMINPS Z4, Z0, Z0
	VMINPS Z5, Z1, Z1
	VMAXPS Z4, Z2, Z2
	VMAXPS Z5, Z3, Z3
	ADDQ $32, AX
	CMPQ AX, CX
	JLT  extremes
	VMINPS Z1, Z0, Z0
	VMAXPS Z3, Z2, Z2
	VEXTRACTF64X4 $1, Z0, Y1
	VEXTRACTF64X4 $1, Z2, Y3
	VMINPS Y1, Y0, Y0
	VMAXPS Y3, Y2, Y2
	VEXTRACTF128 $1, Y0, X1
	VEXTRACTF128 $1, Y2, X3
	VMINPS X1, X0, X0
	VMAXPS X3, X2, X2
	VPERMILPS $0x4e, X0, X1
	VPERMILPS $0x4e, X2, X3
	VMINPS X1, X0, X0
	VMAXPS X3, X2, X2
	VPERMILPS $0xb1, X0, X1
	VPERMILPS $0xb1, X2, X3
	VMINSS X1, X0, X0
	VMAXSS X3, X2, X2
	VSUBSS X0, X2, X2 // the range
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
	VBROADCASTSS X4, Z4
	VBROADCASTSS X0, Z0
	XORQ AX, AX

bytes:
	VMOVUPS (SI)(AX*4), Z5
	VMOVUPS 64(SI)(AX*4), Z6
	VSUBPS Z0, Z5, Z5
	VSUBPS Z0, Z6, Z6
	VMULPS Z4, Z5, Z5
	VMULPS Z4, Z6, Z6
	VCVTPS2DQ Z5, Z5
	VCVTPS2DQ Z6, Z6
	VPMOVUSDB Z5, (DI)(AX*1)
	VPMOVUSDB Z6, 16(DI)(AX*1)
	ADDQ $32, AX
	CMPQ AX, CX
	JLT  bytes
	VZEROUPPER
	RET

// EXP2 turns x into 2^x, using t: x = n + f with n whole, 2^f by a polynomial whose coefficients are Z21–Z26, 2^n by VSCALEF.
#define EXP2(x, t) \
	VRNDSCALEPS $8, x, t; \
	VSUBPS t, x, x; \
	VMOVAPS Z26, Z27; \
	VFMADD213PS Z25, x, Z27; \
	VFMADD213PS Z24, x, Z27; \
	VFMADD213PS Z23, x, Z27; \
	VFMADD213PS Z22, x, Z27; \
	VFMADD213PS Z21, x, Z27; \
	VSCALEFPS t, Z27, x

#define EXP2CONSTANTS \
	VBROADCASTSS ·exp2c+0(SB), Z21; \
	VBROADCASTSS ·exp2c+4(SB), Z22; \
	VBROADCASTSS ·exp2c+8(SB), Z23; \
	VBROADCASTSS ·exp2c+12(SB), Z24; \
	VBROADCASTSS ·exp2c+16(SB), Z25; \
	VBROADCASTSS ·exp2c+20(SB), Z26

// func expRowAVX512(x *float32, n int, scale float32) float32
// x[i] = 2^max(scale·(x[i] − max x), −126), and their sum in 16 lanes. K1 masks the last, partial vector.
TEXT ·expRowAVX512(SB), NOSPLIT, $0-28
	MOVQ x+0(FP), SI
	MOVQ n+8(FP), CX
	VBROADCASTSS scale+16(FP), Z1
	VBROADCASTSS ·leastExponent(SB), Z6
	EXP2CONSTANTS
	MOVQ CX, BX
	ANDQ $-16, BX // whole vectors end here
	MOVQ CX, R8
	SUBQ BX, R8
	MOVQ $1, R9
	SHLXQ R8, R9, R9
	DECQ R9
	KMOVW R9, K1
	VBROADCASTSS (SI), Z0
	VMOVAPS Z0, Z2
	XORQ AX, AX
	CMPQ AX, BX
	JGE  maxtail

maximum:
	VMAXPS (SI)(AX*4), Z0, Z0
	ADDQ $16, AX
	CMPQ AX, BX
	JLT  maximum

maxtail:
	VMOVUPS (SI)(BX*4), K1, Z2
	VMAXPS Z2, Z0, Z0
	VEXTRACTF64X4 $1, Z0, Y2
	VMAXPS Y2, Y0, Y0
	VEXTRACTF128 $1, Y0, X2
	VMAXPS X2, X0, X0
	VPERMILPS $0x4e, X0, X2
	VMAXPS X2, X0, X0
	VPERMILPS $0xb1, X0, X2
	VMAXSS X2, X0, X0
	VBROADCASTSS X0, Z0
	VXORPS Z3, Z3, Z3
	XORQ AX, AX
	CMPQ AX, BX
	JGE  tail

whole:
	VMOVUPS (SI)(AX*4), Z4
	VSUBPS Z0, Z4, Z4
	VMULPS Z1, Z4, Z4
	VMAXPS Z6, Z4, Z4
	EXP2(Z4, Z5)
	VMOVUPS Z4, (SI)(AX*4)
	VADDPS Z4, Z3, Z3
	ADDQ $16, AX
	CMPQ AX, BX
	JLT  whole

tail:
	TESTQ R8, R8
	JZ   sum
	VMOVUPS.Z (SI)(BX*4), K1, Z4
	VSUBPS Z0, Z4, Z4
	VMULPS Z1, Z4, Z4
	VMAXPS Z6, Z4, Z4
	EXP2(Z4, Z5)
	VMOVUPS Z4, K1, (SI)(BX*4)
	VADDPS Z4, Z3, K1, Z3

sum:
	VEXTRACTF64X4 $1, Z3, Y4
	VADDPS Y4, Y3, Y3
	VEXTRACTF128 $1, Y3, X4
	VADDPS X4, X3, X3
	VHADDPS X3, X3, X3
	VHADDPS X3, X3, X3
	VZEROUPPER
	VMOVSS X3, ret+24(FP)
	RET

// func geluAVX512(x *float32, n int)
// n is a multiple of 32. x = max(x, 0) − |x|·2^p(|x|), p in Z10–Z16; Z17 is the end of p's range, Z18 the bits of |x|.
#define GELU(x, a, b, t) \
	VPANDD Z18, x, a; \
	VMINPS Z17, a, b; \
	VMOVAPS Z16, t; \
	VFMADD213PS Z15, b, t; \
	VFMADD213PS Z14, b, t; \
	VFMADD213PS Z13, b, t; \
	VFMADD213PS Z12, b, t; \
	VFMADD213PS Z11, b, t; \
	VFMADD213PS Z10, b, t; \
	EXP2(t, b); \
	VMAXPS Z19, x, x; \
	VFNMADD231PS t, a, x

TEXT ·geluAVX512(SB), NOSPLIT, $0-16
	MOVQ x+0(FP), SI
	MOVQ n+8(FP), CX
	EXP2CONSTANTS
	VBROADCASTSS ·geluc+0(SB), Z10
	VBROADCASTSS ·geluc+4(SB), Z11
	VBROADCASTSS ·geluc+8(SB), Z12
	VBROADCASTSS ·geluc+12(SB), Z13
	VBROADCASTSS ·geluc+16(SB), Z14
	VBROADCASTSS ·geluc+20(SB), Z15
	VBROADCASTSS ·geluc+24(SB), Z16
	VBROADCASTSS ·geluEnd(SB), Z17
	VPBROADCASTD ·absolute(SB), Z18
	VXORPS Z19, Z19, Z19
	LEAQ (SI)(CX*4), CX

gelu32:
	VMOVUPS (SI), Z0
	VMOVUPS 64(SI), Z4
	GELU(Z0, Z1, Z2, Z3)
	GELU(Z4, Z5, Z6, Z7)
	VMOVUPS Z0, (SI)
	VMOVUPS Z4, 64(SI)
	ADDQ $128, SI
	CMPQ SI, CX
	JLT  gelu32
	VZEROUPPER
	RET

// SUM adds the lanes of z into all of x's lanes, by way of t.
#define SUM(z, y, x, tz, ty, tx) \
	VEXTRACTF64X4 $1, z, ty; \
	VADDPS ty, y, y; \
	VEXTRACTF128 $1, y, tx; \
	VADDPS tx, x, x; \
	VHADDPS x, x, x; \
	VHADDPS x, x, x

// func addNormAVX512(x, y, w, b *float32, n int, eps float32)
// n is a multiple of 32. x = LayerNorm(x + y)·w + b: the mean first, then the squares of the differences, then the row.
TEXT ·addNormAVX512(SB), NOSPLIT, $0-44
	MOVQ x+0(FP), DI
	MOVQ y+8(FP), SI
	MOVQ w+16(FP), R8
	MOVQ b+24(FP), R9
	MOVQ n+32(FP), CX
	VXORPS Z0, Z0, Z0
	VXORPS Z1, Z1, Z1
	XORQ AX, AX

added:
	VMOVUPS (DI)(AX*4), Z2
	VMOVUPS 64(DI)(AX*4), Z3
	VADDPS (SI)(AX*4), Z2, Z2
	VADDPS 64(SI)(AX*4), Z3, Z3
	VMOVUPS Z2, (DI)(AX*4)
	VMOVUPS Z3, 64(DI)(AX*4)
	VADDPS Z2, Z0, Z0
	VADDPS Z3, Z1, Z1
	ADDQ $32, AX
	CMPQ AX, CX
	JLT  added
	VADDPS Z1, Z0, Z0
	SUM(Z0, Y0, X0, Z1, Y1, X1)
	VCVTSI2SSQ CX, X5, X5
	VDIVSS X5, X0, X0
	VBROADCASTSS X0, Z0 // the mean
	VXORPS Z1, Z1, Z1
	VXORPS Z4, Z4, Z4
	XORQ AX, AX

squares:
	VMOVUPS (DI)(AX*4), Z2
	VMOVUPS 64(DI)(AX*4), Z3
	VSUBPS Z0, Z2, Z2
	VSUBPS Z0, Z3, Z3
	VFMADD231PS Z2, Z2, Z1
	VFMADD231PS Z3, Z3, Z4
	ADDQ $32, AX
	CMPQ AX, CX
	JLT  squares
	VADDPS Z4, Z1, Z1
	SUM(Z1, Y1, X1, Z2, Y2, X2)
	VDIVSS X5, X1, X1
	VADDSS eps+40(FP), X1, X1
	VSQRTSS X1, X1, X1
	VMOVSS ·one(SB), X2
	VDIVSS X1, X2, X1
	VBROADCASTSS X1, Z1
	XORQ AX, AX

normal:
	VMOVUPS (DI)(AX*4), Z2
	VMOVUPS 64(DI)(AX*4), Z3
	VSUBPS Z0, Z2, Z2
	VSUBPS Z0, Z3, Z3
	VMULPS Z1, Z2, Z2
	VMULPS Z1, Z3, Z3
	VMOVUPS (R9)(AX*4), Z4
	VMOVUPS 64(R9)(AX*4), Z5
	VFMADD231PS (R8)(AX*4), Z2, Z4
	VFMADD231PS 64(R8)(AX*4), Z3, Z5
	VMOVUPS Z4, (DI)(AX*4)
	VMOVUPS Z5, 64(DI)(AX*4)
	ADDQ $32, AX
	CMPQ AX, CX
	JLT  normal
	VZEROUPPER
	RET

// QUARTER transposes columns c…c+3 of 16 rows: four registers hold rows i, i+4, i+8, i+12 in their lanes, so that a 4×4 transpose
// within lanes gives whole columns. SI is row 0, R8 the distance of rows, R9, R10, R11: 3, 5, 7 times that; BX row 8.
#define GATHER(r, off, at4, at8, at12, z, x) \
	VMOVUPS r, x; \
	VINSERTF32X4 $1, at4, z, z; \
	VINSERTF32X4 $2, at8, z, z; \
	VINSERTF32X4 $3, at12, z, z

#define QUARTER(off, out) \
	GATHER(off(SI), off, off(SI)(R8*4), off(BX), off(BX)(R8*4), Z0, X0); \
	GATHER(off(SI)(R8*1), off, off(SI)(R10*1), off(BX)(R8*1), off(BX)(R10*1), Z1, X1); \
	GATHER(off(SI)(R8*2), off, off(SI)(R9*2), off(BX)(R8*2), off(BX)(R9*2), Z2, X2); \
	GATHER(off(SI)(R9*1), off, off(SI)(R11*1), off(BX)(R9*1), off(BX)(R11*1), Z3, X3); \
	VUNPCKLPS Z1, Z0, Z4; \
	VUNPCKHPS Z1, Z0, Z5; \
	VUNPCKLPS Z3, Z2, Z6; \
	VUNPCKHPS Z3, Z2, Z7; \
	VUNPCKLPD Z6, Z4, Z0; \
	VUNPCKHPD Z6, Z4, Z1; \
	VUNPCKLPD Z7, Z5, Z2; \
	VUNPCKHPD Z7, Z5, Z3; \
	VMOVUPS Z0, out(DI); \
	VMOVUPS Z1, out+128(DI); \
	VMOVUPS Z2, out+256(DI); \
	VMOVUPS Z3, out+384(DI)

// func transposeAVX512(dst, src *float32, stride int)
// dst[32][32] = the transpose of src, 32 rows stride elements apart.
TEXT ·transposeAVX512(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ stride+16(FP), R8
	SHLQ $2, R8
	LEAQ (R8)(R8*2), R9
	LEAQ (R8)(R8*4), R10
	LEAQ (R9)(R8*4), R11
	MOVQ $2, CX

half:
	LEAQ (SI)(R8*8), BX
	QUARTER(0, 0)
	QUARTER(16, 512)
	QUARTER(32, 1024)
	QUARTER(48, 1536)
	QUARTER(64, 2048)
	QUARTER(80, 2560)
	QUARTER(96, 3072)
	QUARTER(112, 3584)
	LEAQ (BX)(R8*8), SI
	ADDQ $64, DI
	DECQ CX
	JNZ  half
	VZEROUPPER
	RET
