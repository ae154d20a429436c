#include "textflag.h"

// func tileAVX2(dst *float32, ldd int, a *float32, lda int, b *float32, k int, bias *float32)
//
// dst[6][32] = bias[32] + a[6][k]·b[k][32], the 32 columns in two passes of 16:
//
//              b: 16 columns           registers
//              Y12       Y13           SI  a, row 0; R8 lda in bytes; R9, R10: 3 and 5 times that
//   a row 0    Y0        Y1            DX  b, 128 bytes a step
//   …          …         …             CX  steps left
//   a row 5    Y10       Y11           DI  dst, R12 ldd in bytes; R13 pass
//              Y14, Y15: elements of a, broadcast
#define STEP2 \
	VMOVUPS (DX), Y12; \
	VMOVUPS 32(DX), Y13; \
	VBROADCASTSS (SI), Y14; \
	VBROADCASTSS (SI)(R8*1), Y15; \
	VFMADD231PS Y14, Y12, Y0; \
	VFMADD231PS Y14, Y13, Y1; \
	VFMADD231PS Y15, Y12, Y2; \
	VFMADD231PS Y15, Y13, Y3; \
	VBROADCASTSS (SI)(R8*2), Y14; \
	VBROADCASTSS (SI)(R9*1), Y15; \
	VFMADD231PS Y14, Y12, Y4; \
	VFMADD231PS Y14, Y13, Y5; \
	VFMADD231PS Y15, Y12, Y6; \
	VFMADD231PS Y15, Y13, Y7; \
	VBROADCASTSS (SI)(R8*4), Y14; \
	VBROADCASTSS (SI)(R10*1), Y15; \
	VFMADD231PS Y14, Y12, Y8; \
	VFMADD231PS Y14, Y13, Y9; \
	VFMADD231PS Y15, Y12, Y10; \
	VFMADD231PS Y15, Y13, Y11

#define STORE2(x, y) \
	VMOVUPS x, (DI); \
	VMOVUPS y, 32(DI); \
	ADDQ R12, DI

TEXT ·tileAVX2(SB), NOSPLIT, $0-56
	MOVQ ldd+8(FP), R12
	MOVQ lda+24(FP), R8
	SHLQ $2, R12
	SHLQ $2, R8
	LEAQ (R8)(R8*2), R9
	LEAQ (R8)(R8*4), R10
	XORQ R13, R13

pass:
	MOVQ dst+0(FP), DI
	MOVQ a+16(FP), SI
	MOVQ b+32(FP), DX
	MOVQ k+40(FP), CX
	MOVQ bias+48(FP), BX
	ADDQ R13, DI
	ADDQ R13, DX
	ADDQ R13, BX
	VMOVUPS (BX), Y0
	VMOVUPS 32(BX), Y1
	VMOVAPS Y0, Y2
	VMOVAPS Y1, Y3
	VMOVAPS Y0, Y4
	VMOVAPS Y1, Y5
	VMOVAPS Y0, Y6
	VMOVAPS Y1, Y7
	VMOVAPS Y0, Y8
	VMOVAPS Y1, Y9
	VMOVAPS Y0, Y10
	VMOVAPS Y1, Y11

step:
	STEP2
	ADDQ $4, SI
	ADDQ $128, DX
	DECQ CX
	JNZ  step

	STORE2(Y0, Y1)
	STORE2(Y2, Y3)
	STORE2(Y4, Y5)
	STORE2(Y6, Y7)
	STORE2(Y8, Y9)
	STORE2(Y10, Y11)
	ADDQ $64, R13
	CMPQ R13, $128
	JLT  pass
	VZEROUPPER
	RET

// func dotAVX2(a, b *float32, n int) float32
TEXT ·dotAVX2(SB), NOSPLIT, $0-28
	MOVQ a+0(FP), SI
	MOVQ b+8(FP), DX
	MOVQ n+16(FP), CX
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3
	SUBQ $32, CX
	JLT  rest

dot32:
	VMOVUPS (SI), Y4
	VMOVUPS 32(SI), Y5
	VMOVUPS 64(SI), Y6
	VMOVUPS 96(SI), Y7
	VFMADD231PS (DX), Y4, Y0
	VFMADD231PS 32(DX), Y5, Y1
	VFMADD231PS 64(DX), Y6, Y2
	VFMADD231PS 96(DX), Y7, Y3
	ADDQ $128, SI
	ADDQ $128, DX
	SUBQ $32, CX
	JGE  dot32

rest:
	ADDQ $32, CX
	VADDPS Y1, Y0, Y0
	VADDPS Y3, Y2, Y2
	VADDPS Y2, Y0, Y0
	VEXTRACTF128 $1, Y0, X1
	VADDPS X1, X0, X0
	VHADDPS X0, X0, X0
	VHADDPS X0, X0, X0
	TESTQ CX, CX
	JZ   done

one:
	VMOVSS (SI), X4
	VFMADD231SS (DX), X4, X0
	ADDQ $4, SI
	ADDQ $4, DX
	DECQ CX
	JNZ  one

done:
	VZEROUPPER
	VMOVSS X0, ret+24(FP)
	RET
