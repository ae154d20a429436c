#include "textflag.h"

// func float32AVX512(p *float32Panel)
//
// dst[rows][32] = factor·(a·b) + bias, for p.tiles tiles of 12 rows; float32AVX512x8 and x4 are the same for tiles of 8 and 4 rows.
// b is [k][32]. The registers are those of int8_avx512_amd64.s: sums in Z0–Z23, two for a row; Z24, Z25 a step's 32 columns; Z26 one
// element of a, broadcast once for both halves; R13 the row's factor, moving BX bytes a row.

#define ROW(mem, x, y) \
	VBROADCASTSS mem, Z26; \
	VFMADD231PS Z24, Z26, x; \
	VFMADD231PS Z25, Z26, y

#define COLUMNS(boff) \
	VMOVUPS boff(DX), Z24; \
	VMOVUPS boff+64(DX), Z25

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

#define FINISH \
	MOVQ 72(R15), R14; \
	VMOVUPS (R14), Z30; \
	VMOVUPS 64(R14), Z31

#define STORE(x, y) \
	VBROADCASTSS (R13), Z25; \
	VFMADD213PS Z30, Z25, x; \
	VFMADD213PS Z31, Z25, y; \
	VMOVUPS x, (DI); \
	VMOVUPS y, 64(DI); \
	ADDQ R12, DI; \
	ADDQ BX, R13

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

#define TILE(second) \
	MOVQ 32(R15), DX; \
	MOVQ 40(R15), CX; \
	LEAQ second, R11

#define NEXT(n) \
	IMUL3Q $n, R8, R14; \
	ADDQ R14, SI; \
	MOVQ 40(R15), R14; \
	SHLQ $2, R14; \
	SUBQ R14, SI; \
	DECQ AX

TEXT ·float32AVX512(SB), NOSPLIT, $0-8
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
	STORE(Z0, Z1)
	STORE(Z2, Z3)
	STORE(Z4, Z5)
	STORE(Z6, Z7)
	STORE(Z8, Z9)
	STORE(Z10, Z11)
	STORE(Z12, Z13)
	STORE(Z14, Z15)
	STORE(Z16, Z17)
	STORE(Z18, Z19)
	STORE(Z20, Z21)
	STORE(Z22, Z23)
	NEXT(12)
	JNZ  tile
	VZEROUPPER
	RET

TEXT ·float32AVX512x8(SB), NOSPLIT, $0-8
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
	STORE(Z0, Z1)
	STORE(Z2, Z3)
	STORE(Z4, Z5)
	STORE(Z6, Z7)
	STORE(Z8, Z9)
	STORE(Z10, Z11)
	STORE(Z12, Z13)
	STORE(Z14, Z15)
	NEXT(8)
	JNZ  tile
	VZEROUPPER
	RET

TEXT ·float32AVX512x4(SB), NOSPLIT, $0-8
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
	STORE(Z0, Z1)
	STORE(Z2, Z3)
	STORE(Z4, Z5)
	STORE(Z6, Z7)
	NEXT(4)
	JNZ  tile
	VZEROUPPER
	RET
