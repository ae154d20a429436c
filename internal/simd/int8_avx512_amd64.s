#include "textflag.h"

// func int8AVX512(p *int8Panel)
//
// dst[rows][32] = rowScale·(a·b)·colScale + rowMin·colSum + bias, for p.tiles tiles of 12 rows; int8AVX512x8 and x4 are the same
// for tiles of 8 and 4 rows. a is unsigned bytes, b signed ones in quads: [k/4][32 columns][4].
//
//                b: 32 columns × 4 bytes of k      registers
//                Z24       Z25                     SI   a, rows 0–5 of the tile, moves 4 bytes a step
//   a row 0      Z0        Z1                      R11  the same for rows 6–11 (4–7 of the tile of 8)
//   a row 1      Z2        Z3                      R8   lda; R9, R10: 3 and 5 times that
//   …            …         …                       DX   b, moves 128 bytes a step
//   a row 11     Z22       Z23                     CX   steps left, AX tiles left, DI dst, R12 ldd in bytes
//                                                  R13, BX: scale and minimum of the tile's first row
//
// A step multiplies 4 bytes of each row by 4 × 32 of b. The four bytes of a row are broadcast once and meet both halves of b: a tile
// of 12 needs 14 loads for 24 products, so that the multipliers, not the load ports, set the pace. VPDPBUSD adds four products of
// at most 255·127 to 32 bits: no sum of fewer than 66,000 terms can overflow, and nothing saturates.

#define ROW(mem, x, y) \
	VPBROADCASTD mem, Z26; \
	VPDPBUSD Z24, Z26, x; \
	VPDPBUSD Z25, Z26, y

#define COLUMNS(boff) \
	VMOVDQU32 boff(DX), Z24; \
	VMOVDQU32 boff+64(DX), Z25

#define STEP12(off, boff) \
	COLUMNS(boff); \
	ROW(off(SI), Z0, Z1); \
	ROW(off(SI)(R8*1), Z2, Z3); \
	ROW(off(SI)(R8*2), Z4, Z5); \
	ROW(off(SI)(R9*1), Z6, Z7); \
	ROW(off(SI)(R8*4), Z8, Z9); \
	ROW(off(SI)(R10*1), Z10, Z11); \
	ROW(off(R11), Z12, Z13); \
	ROW(off(R11)(R8*1), Z14, Z15); \
	ROW(off(R11)(R8*2), Z16, Z17); \
	ROW(off(R11)(R9*1), Z18, Z19); \
	ROW(off(R11)(R8*4), Z20, Z21); \
	ROW(off(R11)(R10*1), Z22, Z23)

#define STEP8(off, boff) \
	COLUMNS(boff); \
	ROW(off(SI), Z0, Z1); \
	ROW(off(SI)(R8*1), Z2, Z3); \
	ROW(off(SI)(R8*2), Z4, Z5); \
	ROW(off(SI)(R9*1), Z6, Z7); \
	ROW(off(R11), Z8, Z9); \
	ROW(off(R11)(R8*1), Z10, Z11); \
	ROW(off(R11)(R8*2), Z12, Z13); \
	ROW(off(R11)(R9*1), Z14, Z15)

#define STEP4(off, boff) \
	COLUMNS(boff); \
	ROW(off(SI), Z0, Z1); \
	ROW(off(SI)(R8*1), Z2, Z3); \
	ROW(off(SI)(R8*2), Z4, Z5); \
	ROW(off(SI)(R9*1), Z6, Z7)

#define ZERO8 \
	VPXORD Z0, Z0, Z0; \
	VPXORD Z1, Z1, Z1; \
	VPXORD Z2, Z2, Z2; \
	VPXORD Z3, Z3, Z3; \
	VPXORD Z4, Z4, Z4; \
	VPXORD Z5, Z5, Z5; \
	VPXORD Z6, Z6, Z6; \
	VPXORD Z7, Z7, Z7

#define ZERO16 \
	ZERO8; \
	VPXORD Z8, Z8, Z8; \
	VPXORD Z9, Z9, Z9; \
	VPXORD Z10, Z10, Z10; \
	VPXORD Z11, Z11, Z11; \
	VPXORD Z12, Z12, Z12; \
	VPXORD Z13, Z13, Z13; \
	VPXORD Z14, Z14, Z14; \
	VPXORD Z15, Z15, Z15

#define ZERO24 \
	ZERO16; \
	VPXORD Z16, Z16, Z16; \
	VPXORD Z17, Z17, Z17; \
	VPXORD Z18, Z18, Z18; \
	VPXORD Z19, Z19, Z19; \
	VPXORD Z20, Z20, Z20; \
	VPXORD Z21, Z21, Z21; \
	VPXORD Z22, Z22, Z22; \
	VPXORD Z23, Z23, Z23

// FINISH loads what the columns share: Z26, Z27 scales, Z28, Z29 sums, Z30, Z31 bias.
#define FINISH \
	MOVQ 72(R15), R14; \
	VMOVUPS (R14), Z26; \
	VMOVUPS 64(R14), Z27; \
	MOVQ 80(R15), R14; \
	VMOVUPS (R14), Z28; \
	VMOVUPS 64(R14), Z29; \
	MOVQ 88(R15), R14; \
	VMOVUPS (R14), Z30; \
	VMOVUPS 64(R14), Z31

// STORE turns one row's sums into values: Z24 = rowMin·colSum + bias, then rowScale·(sum·colScale) + Z24.
#define STORE(r, x, y) \
	VBROADCASTSS 4*r(BX), Z24; \
	VBROADCASTSS 4*r(R13), Z25; \
	VCVTDQ2PS x, x; \
	VCVTDQ2PS y, y; \
	VMULPS Z26, x, x; \
	VMULPS Z27, y, y; \
	VFMADD213PS Z30, Z25, x; \
	VFMADD213PS Z31, Z25, y; \
	VFMADD231PS Z28, Z24, x; \
	VFMADD231PS Z29, Z24, y; \
	VMOVUPS x, (DI); \
	VMOVUPS y, 64(DI); \
	ADDQ R12, DI

#define BEGIN \
	MOVQ p+0(FP), R15; \
	MOVQ 0(R15), DI; \
	MOVQ 16(R15), SI; \
	MOVQ 8(R15), R12; \
	MOVQ 24(R15), R8; \
	LEAQ (R8)(R8*2), R9; \
	LEAQ (R8)(R8*4), R10; \
	MOVQ 48(R15), AX; \
	MOVQ 56(R15), R13; \
	MOVQ 64(R15), BX

// TILE begins a tile whose rows SI points at. R14 is free.
#define TILE(second) \
	MOVQ 32(R15), DX; \
	MOVQ 40(R15), CX; \
	LEAQ second, R11

// NEXT moves on by a tile of n rows; SI has come to the end of the first one's. Nothing is written to *p: the collector reads it.
#define NEXT(n) \
	IMUL3Q $n, R8, R14; \
	ADDQ R14, SI; \
	MOVQ 40(R15), R14; \
	SHLQ $2, R14; \
	SUBQ R14, SI; \
	ADDQ $4*n, R13; \
	ADDQ $4*n, BX; \
	DECQ AX

TEXT ·int8AVX512(SB), NOSPLIT, $0-8
	BEGIN

tile:
	TILE((SI)(R9*2))
	ZERO24
	SUBQ $4, CX
	JLT  rest

four:
	STEP12(0, 0)
	STEP12(4, 128)
	STEP12(8, 256)
	STEP12(12, 384)
	ADDQ $16, SI
	ADDQ $16, R11
	ADDQ $512, DX
	SUBQ $4, CX
	JGE  four

rest:
	ADDQ $4, CX
	JZ   finish

one:
	STEP12(0, 0)
	ADDQ $4, SI
	ADDQ $4, R11
	ADDQ $128, DX
	DECQ CX
	JNZ  one

finish:
	FINISH
	STORE(0, Z0, Z1)
	STORE(1, Z2, Z3)
	STORE(2, Z4, Z5)
	STORE(3, Z6, Z7)
	STORE(4, Z8, Z9)
	STORE(5, Z10, Z11)
	STORE(6, Z12, Z13)
	STORE(7, Z14, Z15)
	STORE(8, Z16, Z17)
	STORE(9, Z18, Z19)
	STORE(10, Z20, Z21)
	STORE(11, Z22, Z23)
	NEXT(12)
	JNZ  tile
	VZEROUPPER
	RET

TEXT ·int8AVX512x8(SB), NOSPLIT, $0-8
	BEGIN

tile:
	TILE((SI)(R8*4))
	ZERO16
	SUBQ $4, CX
	JLT  rest

four:
	STEP8(0, 0)
	STEP8(4, 128)
	STEP8(8, 256)
	STEP8(12, 384)
	ADDQ $16, SI
	ADDQ $16, R11
	ADDQ $512, DX
	SUBQ $4, CX
	JGE  four

rest:
	ADDQ $4, CX
	JZ   finish

one:
	STEP8(0, 0)
	ADDQ $4, SI
	ADDQ $4, R11
	ADDQ $128, DX
	DECQ CX
	JNZ  one

finish:
	FINISH
	STORE(0, Z0, Z1)
	STORE(1, Z2, Z3)
	STORE(2, Z4, Z5)
	STORE(3, Z6, Z7)
	STORE(4, Z8, Z9)
	STORE(5, Z10, Z11)
	STORE(6, Z12, Z13)
	STORE(7, Z14, Z15)
	NEXT(8)
	JNZ  tile
	VZEROUPPER
	RET

TEXT ·int8AVX512x4(SB), NOSPLIT, $0-8
	BEGIN

tile:
	TILE((SI)(R8*4))
	ZERO8
	SUBQ $4, CX
	JLT  rest

four:
	STEP4(0, 0)
	STEP4(4, 128)
	STEP4(8, 256)
	STEP4(12, 384)
	ADDQ $16, SI
	ADDQ $512, DX
	SUBQ $4, CX
	JGE  four

rest:
	ADDQ $4, CX
	JZ   finish

one:
	STEP4(0, 0)
	ADDQ $4, SI
	ADDQ $128, DX
	DECQ CX
	JNZ  one

finish:
	FINISH
	STORE(0, Z0, Z1)
	STORE(1, Z2, Z3)
	STORE(2, Z4, Z5)
	STORE(3, Z6, Z7)
	NEXT(4)
	JNZ  tile
	VZEROUPPER
	RET
