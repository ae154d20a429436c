#include "textflag.h"

// func tileAVX512(dst *float32, ldd int, a *float32, lda int, b *float32, k int, bias *float32)
//
// dst[8][32] = bias[32] + a[8][k]·b[k][32]
//
//              b: 32 columns           registers
//              Z16       Z17           SI  a, row 0, moves 4 bytes a step
//   a row 0    Z0        Z1            R8  lda in bytes; R9, R10, R11: 3, 5, 7 times that
//   a row 1    Z2        Z3            DX  b, moves 128 bytes a step
//   …          …         …             CX  steps left
//   a row 7    Z14       Z15           DI  dst, R12 ldd in bytes
//
// An element of a is broadcast straight from memory as an operand, so a step is two aligned-width loads and sixteen FMAs.
#define STEP(off, boff) \
	VMOVUPS boff(DX), Z16; \
	VMOVUPS boff+64(DX), Z17; \
	VFMADD231PS.BCST off(SI), Z16, Z0; \
	VFMADD231PS.BCST off(SI), Z17, Z1; \
	VFMADD231PS.BCST off(SI)(R8*1), Z16, Z2; \
	VFMADD231PS.BCST off(SI)(R8*1), Z17, Z3; \
	VFMADD231PS.BCST off(SI)(R8*2), Z16, Z4; \
	VFMADD231PS.BCST off(SI)(R8*2), Z17, Z5; \
	VFMADD231PS.BCST off(SI)(R9*1), Z16, Z6; \
	VFMADD231PS.BCST off(SI)(R9*1), Z17, Z7; \
	VFMADD231PS.BCST off(SI)(R8*4), Z16, Z8; \
	VFMADD231PS.BCST off(SI)(R8*4), Z17, Z9; \
	VFMADD231PS.BCST off(SI)(R10*1), Z16, Z10; \
	VFMADD231PS.BCST off(SI)(R10*1), Z17, Z11; \
	VFMADD231PS.BCST off(SI)(R9*2), Z16, Z12; \
	VFMADD231PS.BCST off(SI)(R9*2), Z17, Z13; \
	VFMADD231PS.BCST off(SI)(R11*1), Z16, Z14; \
	VFMADD231PS.BCST off(SI)(R11*1), Z17, Z15

#define STORE(x, y) \
	VMOVUPS x, (DI); \
	VMOVUPS y, 64(DI); \
	ADDQ R12, DI

TEXT ·tileAVX512(SB), NOSPLIT, $0-56
	MOVQ dst+0(FP), DI
	MOVQ ldd+8(FP), R12
	MOVQ a+16(FP), SI
	MOVQ lda+24(FP), R8
	MOVQ b+32(FP), DX
	MOVQ k+40(FP), CX
	MOVQ bias+48(FP), BX
	SHLQ $2, R12
	SHLQ $2, R8
	LEAQ (R8)(R8*2), R9
	LEAQ (R8)(R8*4), R10
	LEAQ (R9)(R8*4), R11
	VMOVUPS (BX), Z0
	VMOVUPS 64(BX), Z1
	VMOVAPS Z0, Z2
	VMOVAPS Z1, Z3
	VMOVAPS Z0, Z4
	VMOVAPS Z1, Z5
	VMOVAPS Z0, Z6
	VMOVAPS Z1, Z7
	VMOVAPS Z0, Z8
	VMOVAPS Z1, Z9
	VMOVAPS Z0, Z10
	VMOVAPS Z1, Z11
	VMOVAPS Z0, Z12
	VMOVAPS Z1, Z13
	VMOVAPS Z0, Z14
	VMOVAPS Z1, Z15
	SUBQ $4, CX
	JLT  rest

four:
	STEP(0, 0)
	STEP(4, 128)
	STEP(8, 256)
	STEP(12, 384)
	ADDQ $16, SI
	ADDQ $512, DX
	SUBQ $4, CX
	JGE  four

rest:
	ADDQ $4, CX
	JZ   store

one:
	STEP(0, 0)
	ADDQ $4, SI
	ADDQ $128, DX
	DECQ CX
	JNZ  one

store:
	STORE(Z0, Z1)
	STORE(Z2, Z3)
	STORE(Z4, Z5)
	STORE(Z6, Z7)
	STORE(Z8, Z9)
	STORE(Z10, Z11)
	STORE(Z12, Z13)
	STORE(Z14, Z15)
	VZEROUPPER
	RET

// func dotAVX512(a, b *float32, n int) float32
// Z0–Z3 hold four running sums of sixteen lanes; the tail goes lane by lane.
TEXT ·dotAVX512(SB), NOSPLIT, $0-28
	MOVQ a+0(FP), SI
	MOVQ b+8(FP), DX
	MOVQ n+16(FP), CX
	VXORPS Z0, Z0, Z0
	VXORPS Z1, Z1, Z1
	VXORPS Z2, Z2, Z2
	VXORPS Z3, Z3, Z3
	SUBQ $64, CX
	JLT  dotrest

dot64:
	VMOVUPS (SI), Z4
	VMOVUPS 64(SI), Z5
	VMOVUPS 128(SI), Z6
	VMOVUPS 192(SI), Z7
	VFMADD231PS (DX), Z4, Z0
	VFMADD231PS 64(DX), Z5, Z1
	VFMADD231PS 128(DX), Z6, Z2
	VFMADD231PS 192(DX), Z7, Z3
	ADDQ $256, SI
	ADDQ $256, DX
	SUBQ $64, CX
	JGE  dot64

dotrest:
	ADDQ $64, CX
	VADDPS Z1, Z0, Z0
	VADDPS Z3, Z2, Z2
	VADDPS Z2, Z0, Z0
	VEXTRACTF64X4 $1, Z0, Y1
	VADDPS Y1, Y0, Y0
	VEXTRACTF128 $1, Y0, X1
	VADDPS X1, X0, X0
	VHADDPS X0, X0, X0
	VHADDPS X0, X0, X0
	TESTQ CX, CX
	JZ   dotdone

dot1:
	VMOVSS (SI), X4
	VFMADD231SS (DX), X4, X0
	ADDQ $4, SI
	ADDQ $4, DX
	DECQ CX
	JNZ  dot1

dotdone:
	VZEROUPPER
	VMOVSS X0, ret+24(FP)
	RET
