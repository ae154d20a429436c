#include "textflag.h"
#include "neon_arm64.h"

// func float32NEON(p *float32Panel)
//
// dst[4 rows][32] = factor·(a·b) + bias, for p.tiles tiles of 4 rows. b is [k][32]; the panel is done in two halves of 16 columns,
// because the sums of 32 would fill every register:
//
//                b: 16 columns         registers
//                V16 V17 V18 V19       R1–R4  a, a row each, move 16 bytes in four steps; R15 the tile's first row, R8 lda
//   a row 0 V20  V0  V1  V2  V3        R5     b, moves 128 bytes a step
//   a row 1 V21  V4  V5  V6  V7        R6     steps left, R7 tiles left, R10 the half's offset in bytes: 0, then 64
//   a row 2 V22  V8  V9  V10 V11       R11    dst, the tile's first row, R16 a row of the half, R9 ldd
//   a row 3 V23  V12 V13 V14 V15       R12    factor of the tile's first row, R17 of a row, R13 bytes between two
//
// A register of a holds four steps of its row, and a product takes the step's lane from it. The columns of every other step are in
// V24–V27, so that a CPU that runs instructions in order can load one step's while it multiplies the other's.

#define STEP(lane, b) \
	FMLALANE4(lane, 20, b, 0); \
	FMLALANE4(lane, 21, b, 4); \
	FMLALANE4(lane, 22, b, 8); \
	FMLALANE4(lane, 23, b, 12)

// STORE writes factor·sum + bias for a row whose sums are in v to v+3; bias is in V16–V19.
#define STORE(v) \
	FMOVS (R17), F20; \
	ADD   R13, R17; \
	COPY4(16, 24); \
	FMLALANE4(0, 20, v, 24); \
	VST1  [V24.S4, V25.S4, V26.S4, V27.S4], (R16); \
	ADD   R9, R16

TEXT ·float32NEON(SB), NOSPLIT, $0-8
	MOVD p+0(FP), R0
	MOVD 0(R0), R11
	MOVD 8(R0), R9
	MOVD 16(R0), R15
	MOVD 24(R0), R8
	MOVD 48(R0), R7
	MOVD 56(R0), R12
	MOVD 64(R0), R13

tile:
	MOVD ZR, R10

half:
	MOVD R15, R1
	ADD  R8, R1, R2
	ADD  R8, R2, R3
	ADD  R8, R3, R4
	MOVD 32(R0), R5
	ADD  R10, R5
	MOVD 40(R0), R6
	ZERO4(0)
	ZERO4(4)
	ZERO4(8)
	ZERO4(12)
	SUBS $4, R6
	BLT  rest

four:
	FMOVQ.P 16(R1), F20
	FMOVQ.P 16(R2), F21
	FMOVQ.P 16(R3), F22
	FMOVQ.P 16(R4), F23
	FLDPQ (R5), (F16, F17)
	FLDPQ 32(R5), (F18, F19)
	FLDPQ 128(R5), (F24, F25)
	FLDPQ 160(R5), (F26, F27)
	STEP(0, 16)
	FLDPQ 256(R5), (F16, F17)
	FLDPQ 288(R5), (F18, F19)
	STEP(1, 24)
	FLDPQ 384(R5), (F24, F25)
	FLDPQ 416(R5), (F26, F27)
	STEP(2, 16)
	STEP(3, 24)
	ADD  $512, R5
	SUBS $4, R6
	BGE  four

rest:
	ADDS $4, R6
	BEQ  finish

one:
	FMOVS.P 4(R1), F20
	FMOVS.P 4(R2), F21
	FMOVS.P 4(R3), F22
	FMOVS.P 4(R4), F23
	FLDPQ (R5), (F16, F17)
	FLDPQ 32(R5), (F18, F19)
	STEP(0, 16)
	ADD  $128, R5
	SUBS $1, R6
	BNE  one

finish:
	MOVD 72(R0), R14
	ADD  R10, R14
	FLDPQ (R14), (F16, F17)
	FLDPQ 32(R14), (F18, F19)
	ADD  R10, R11, R16
	MOVD R12, R17
	STORE(0)
	STORE(4)
	STORE(8)
	STORE(12)
	ADD  $64, R10
	CMP  $128, R10
	BLT  half
	ADD  R8<<2, R15
	ADD  R9<<2, R11
	ADD  R13<<2, R12
	SUBS $1, R7
	BNE  tile
	RET
