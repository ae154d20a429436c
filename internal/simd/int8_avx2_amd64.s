#include "textflag.h"

// The 8-bit products for CPUs without AVX-512: see int8_avx512_amd64.s for what they compute. A panel's 32 columns are done part by
// part, because sixteen registers hold no more sums. R10 is the part's offset in bytes of dst, scale, sum and bias.
//
//   SI  a, row 0, moves 4 bytes a step    DI  dst, R11 its tile, R12 ldd in bytes
//   R8  lda; R9 3 times that              R13, BX: scale and minimum of the tile's first row
//   DX  b, moves 128 bytes a step         CX  steps left, AX tiles left, R15 the argument

#define BEGIN \
	MOVQ p+0(FP), R15; \
	MOVQ 0(R15), R11; \
	MOVQ 8(R15), R12; \
	MOVQ 16(R15), SI; \
	MOVQ 24(R15), R8; \
	LEAQ (R8)(R8*2), R9; \
	MOVQ 48(R15), AX; \
	MOVQ 56(R15), R13; \
	MOVQ 64(R15), BX

#define PART \
	LEAQ (R11)(R10*1), DI; \
	MOVQ 32(R15), DX; \
	ADDQ R10, DX; \
	MOVQ 40(R15), CX; \
	VPXOR Y0, Y0, Y0; \
	VPXOR Y1, Y1, Y1; \
	VPXOR Y2, Y2, Y2; \
	VPXOR Y3, Y3, Y3; \
	VPXOR Y4, Y4, Y4; \
	VPXOR Y5, Y5, Y5; \
	VPXOR Y6, Y6, Y6; \
	VPXOR Y7, Y7, Y7

// REWIND takes SI back to the start of the row.
#define REWIND \
	MOVQ 40(R15), R14; \
	SHLQ $2, R14; \
	SUBQ R14, SI

#define NEXT \
	LEAQ (R11)(R12*4), R11; \
	LEAQ (SI)(R8*4), SI; \
	ADDQ $16, R13; \
	ADDQ $16, BX; \
	DECQ AX

// VALUE turns eight columns' sums into rowScale·(sum·colScale) + bias + rowMin·colSum. Y12 is rowScale, Y13 rowMin; R14 is changed.
#define VALUE(off, x) \
	VCVTDQ2PS x, x; \
	MOVQ 72(R15), R14; \
	VMULPS off(R14)(R10*1), x, x; \
	MOVQ 88(R15), R14; \
	VMOVUPS off(R14)(R10*1), Y14; \
	VFMADD213PS Y14, Y12, x; \
	MOVQ 80(R15), R14; \
	VFMADD231PS off(R14)(R10*1), Y13, x; \
	VMOVUPS x, off(DI)

#define ROWSCALE(r) \
	VBROADCASTSS 4*r(R13), Y12; \
	VBROADCASTSS 4*r(BX), Y13

// func int8AVX2(p *int8Panel)
//
// Tiles of 4 rows × 8 columns. VPMADDUBSW would add pairs of products in 16 bits and saturate, so that vectors made here would differ
// from those made elsewhere; instead bytes are widened to 16 bits and VPMADDWD adds pairs in 32: a register holds four columns'
// pairs, (k0·w0 + k1·w1, k2·w2 + k3·w3), and VPHADDD joins them at the end.
#define WIDEROW(mem, x, y) \
	VPBROADCASTD mem, X10; \
	VPMOVZXBW X10, Y10; \
	VPMADDWD Y8, Y10, Y11; \
	VPADDD Y11, x, x; \
	VPMADDWD Y9, Y10, Y12; \
	VPADDD Y12, y, y

#define JOIN(r, x, y) \
	VPHADDD y, x, x; \
	VPERMQ $0xd8, x, x; \
	ROWSCALE(r); \
	VALUE(0, x); \
	ADDQ R12, DI

TEXT ·int8AVX2(SB), NOSPLIT, $0-8
	BEGIN

tile:
	XORQ R10, R10

part:
	PART

step:
	VPMOVSXBW (DX), Y8
	VPMOVSXBW 16(DX), Y9
	WIDEROW((SI), Y0, Y1)
	WIDEROW((SI)(R8*1), Y2, Y3)
	WIDEROW((SI)(R8*2), Y4, Y5)
	WIDEROW((SI)(R9*1), Y6, Y7)
	ADDQ $4, SI
	ADDQ $128, DX
	DECQ CX
	JNZ  step
	JOIN(0, Y0, Y1)
	JOIN(1, Y2, Y3)
	JOIN(2, Y4, Y5)
	JOIN(3, Y6, Y7)
	REWIND
	ADDQ $32, R10
	CMPQ R10, $128
	JLT  part
	NEXT
	JNZ  tile
	VZEROUPPER
	RET

// func int8AVXVNNI(p *int8Panel)
//
// Tiles of 4 rows × 16 columns. The assembler knows VPDPBUSD only in its AVX-512 encoding; DOT(x, m) is the VEX one, VPDPBUSD Ym, Y10, Yx
// with x in 0–7 and m 8 or 9: prefix C4, then R̄X̄B̄ and the map, W v̄vvv L pp, the opcode, and ModRM.
#define DOT(x, m) \
	BYTE $0xc4; BYTE $0xc2; BYTE $0x2d; BYTE $0x50; BYTE $(0xc0 + 8*x + m - 8)

#define DOTROW(mem, x, y) \
	VPBROADCASTD mem, Y10; \
	DOT(x, 8); \
	DOT(y, 9)

#define DOTSTEP(off, boff) \
	VMOVDQU boff(DX), Y8; \
	VMOVDQU boff+32(DX), Y9; \
	DOTROW(off(SI), 0, 1); \
	DOTROW(off(SI)(R8*1), 2, 3); \
	DOTROW(off(SI)(R8*2), 4, 5); \
	DOTROW(off(SI)(R9*1), 6, 7)

#define DOTSTORE(r, x, y) \
	ROWSCALE(r); \
	VALUE(0, x); \
	VALUE(32, y); \
	ADDQ R12, DI

TEXT ·int8AVXVNNI(SB), NOSPLIT, $0-8
	BEGIN

tile:
	XORQ R10, R10

part:
	PART
	SUBQ $4, CX
	JLT  rest

four:
	DOTSTEP(0, 0)
	DOTSTEP(4, 128)
	DOTSTEP(8, 256)
	DOTSTEP(12, 384)
	ADDQ $16, SI
	ADDQ $512, DX
	SUBQ $4, CX
	JGE  four

rest:
	ADDQ $4, CX
	JZ   finish

one:
	DOTSTEP(0, 0)
	ADDQ $4, SI
	ADDQ $128, DX
	DECQ CX
	JNZ  one

finish:
	DOTSTORE(0, Y0, Y1)
	DOTSTORE(1, Y2, Y3)
	DOTSTORE(2, Y4, Y5)
	DOTSTORE(3, Y6, Y7)
	REWIND
	ADDQ $64, R10
	CMPQ R10, $128
	JLT  part
	NEXT
	JNZ  tile
	VZEROUPPER
	RET
