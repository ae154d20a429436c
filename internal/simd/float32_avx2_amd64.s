#include "textflag.h"

// func float32AVX2(p *float32Panel)
//
// dst[4 rows][32] = factor·(a·b) + bias, for p.tiles tiles of 4 rows. b is [k][32]; the panel is done in two halves of 16 columns,
// because sixteen registers hold no more sums than these:
//
//                b: 16 columns     registers
//                Y8      Y9        SI  a, row 0, moves 4 bytes a step
//   a row 0      Y0      Y1        R8  lda in bytes; R9 3 times that
//   a row 1      Y2      Y3        DX  b, moves 128 bytes a step
//   a row 2      Y4      Y5        CX  steps left, AX tiles left, R10 halves left
//   a row 3      Y6      Y7        DI  dst, R11 its tile, R12 ldd in bytes, R13 factor, moving BX bytes a row

#define ROW(mem, x, y) \
	VBROADCASTSS mem, Y10; \
	VFMADD231PS Y8, Y10, x; \
	VFMADD231PS Y9, Y10, y

#define STEP(off, boff) \
	VMOVUPS boff(DX), Y8; \
	VMOVUPS boff+32(DX), Y9; \
	ROW(off(SI), Y0, Y1); \
	ROW(off(SI)(R8*1), Y2, Y3); \
	ROW(off(SI)(R8*2), Y4, Y5); \
	ROW(off(SI)(R9*1), Y6, Y7)

#define STORE(x, y) \
	VBROADCASTSS (R13), Y10; \
	VFMADD213PS Y8, Y10, x; \
	VFMADD213PS Y9, Y10, y; \
	VMOVUPS x, (DI); \
	VMOVUPS y, 32(DI); \
	ADDQ R12, DI; \
	ADDQ BX, R13

TEXT ·float32AVX2(SB), NOSPLIT, $0-8
	MOVQ p+0(FP), R15
	MOVQ 8(R15), R12
	MOVQ 24(R15), R8
	LEAQ (R8)(R8*2), R9
	MOVQ 48(R15), AX
	MOVQ 64(R15), BX
	MOVQ 0(R15), R11
	MOVQ 16(R15), SI
	MOVQ 56(R15), R13

tile:
	XORQ R10, R10 // the half's offset in bytes: 0, then 64

half:
	LEAQ (R11)(R10*1), DI
	MOVQ 32(R15), DX
	ADDQ R10, DX
	MOVQ 40(R15), CX
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3
	VXORPS Y4, Y4, Y4
	VXORPS Y5, Y5, Y5
	VXORPS Y6, Y6, Y6
	VXORPS Y7, Y7, Y7
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
	JZ   finish

one:
	STEP(0, 0)
	ADDQ $4, SI
	ADDQ $128, DX
	DECQ CX
	JNZ  one

finish:
	MOVQ 72(R15), R14
	VMOVUPS (R14)(R10*1), Y8
	VMOVUPS 32(R14)(R10*1), Y9
	STORE(Y0, Y1)
	STORE(Y2, Y3)
	STORE(Y4, Y5)
	STORE(Y6, Y7)
	MOVQ 40(R15), R14
	SHLQ $2, R14
	SUBQ R14, SI // back to the start of the row
	ADDQ $64, R10
	CMPQ R10, $128
	JEQ  next
	LEAQ (BX*4), R14
	SUBQ R14, R13
	JMP  half

next:
	LEAQ (R11)(R12*4), R11
	LEAQ (SI)(R8*4), SI
	DECQ AX
	JNZ  tile
	VZEROUPPER
	RET
