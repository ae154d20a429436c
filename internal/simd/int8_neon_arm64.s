#include "textflag.h"
#include "neon_arm64.h"

// The 8-bit products: dst[4 rows][32] = rowScale·(a·b·colScale) + bias + rowMin·colSum, for p.tiles tiles of 4 rows. a is unsigned and
// b signed, but Arm's products want both signed or both unsigned: a's bytes lose 128, by turning their highest bit, and p.offset makes
// up for it: 128·Σ b of each column. All of that is integers and exact; the last steps are rounded as int8Generic rounds them.
//
// A panel's 32 columns are done part by part. A part's place, in bytes, is the same in a quad of b and in dst, offset, colScale, colSum
// and bias.
//
//   R1–R4  a, a row each; R15 the tile's first row, R8 lda     R12  rowScale of the tile's first row, R13 rowMin
//   R5     b, moves 128 bytes a quad                           R17  rowScale of a row, R19 rowMin
//   R6     quads left, R7 tiles left, R10 the part's place     R20–R22  the part of bias or offset, of colScale, of colSum
//   R11    dst, the tile's first row, R16 a row, R9 ldd        R0   the argument; V31 is 128 in every byte

#define BEGIN \
	MOVD  p+0(FP), R0; \
	MOVD  0(R0), R11; \
	MOVD  8(R0), R9; \
	MOVD  16(R0), R15; \
	MOVD  24(R0), R8; \
	MOVD  48(R0), R7; \
	MOVD  56(R0), R12; \
	MOVD  64(R0), R13; \
	VMOVI $128, V31.B16

#define PART \
	MOVD R15, R1; \
	ADD  R8, R1, R2; \
	ADD  R8, R2, R3; \
	ADD  R8, R3, R4; \
	MOVD 32(R0), R5; \
	ADD  R10, R5; \
	MOVD 40(R0), R6

#define FINISH \
	MOVD 72(R0), R21; \
	ADD  R10, R21; \
	MOVD 80(R0), R22; \
	ADD  R10, R22; \
	MOVD 88(R0), R20; \
	ADD  R10, R20; \
	ADD  R10, R11, R16; \
	MOVD R12, R17; \
	MOVD R13, R19

#define NEXT \
	ADD  R8<<2, R15; \
	ADD  R9<<2, R11; \
	ADD  $16, R12; \
	ADD  $16, R13; \
	SUBS $1, R7

// SIGNED turns the highest bits of the four rows of a.
#define SIGNED \
	BEOR(31, 20, 20); \
	BEOR(31, 21, 21); \
	BEOR(31, 22, 22); \
	BEOR(31, 23, 23)

#define LOAD16 \
	FMOVQ.P 16(R1), F20; \
	FMOVQ.P 16(R2), F21; \
	FMOVQ.P 16(R3), F22; \
	FMOVQ.P 16(R4), F23; \
	SIGNED

#define LOAD4 \
	FMOVS.P 4(R1), F20; \
	FMOVS.P 4(R2), F21; \
	FMOVS.P 4(R3), F22; \
	FMOVS.P 4(R4), F23; \
	SIGNED

// func int8NEONDot(p *int8Panel)
//
// Tiles of 4 rows × 16 columns, by the dot-product extension. A register of b holds a quad of four columns, one of a four quads of its
// row, and a product takes one of those as a lane:
//
//                b: 16 columns
//                V16 V17 V18 V19
//   a row 0 V20  V0  V1  V2  V3
//   a row 1 V21  V4  V5  V6  V7
//   a row 2 V22  V8  V9  V10 V11
//   a row 3 V23  V12 V13 V14 V15
//
// The columns of every other quad are in V24–V27, so that a CPU that runs instructions in order can load the ones while it multiplies the
// others.
#define QUAD(lane, b) \
	SDOTLANE4(lane, 20, b, 0); \
	SDOTLANE4(lane, 21, b, 4); \
	SDOTLANE4(lane, 22, b, 8); \
	SDOTLANE4(lane, 23, b, 12)

// VALUE turns the scaled sums in v+i into rowScale·sum + bias, and that plus rowMin·colSum. V28 is rowScale, V29 rowMin, V30 is changed.
#define VALUE(v, i) \
	COPY(20+i, 30); \
	FMLALANE(0, 28, v+i, 30); \
	FMLALANE(0, 29, 24+i, 30); \
	COPY(30, v+i)

// VALUES16 turns the sums of a row, v to v+3, into what dst holds; V16–V19 are colScale, V20–V23 bias, V24–V27 colSum.
#define VALUES16(v) \
	FMOVS.P 4(R17), F28; \
	FMOVS.P 4(R19), F29; \
	SCVTF4(v, v); \
	FMUL4(16, v, v); \
	VALUE(v, 0); \
	VALUE(v, 1); \
	VALUE(v, 2); \
	VALUE(v, 3)

TEXT ·int8NEONDot(SB), NOSPLIT, $0-8
	BEGIN

tile:
	MOVD ZR, R10

part:
	PART
	MOVD 96(R0), R20
	ADD  R10, R20
	FLDPQ (R20), (F0, F1)
	FLDPQ 32(R20), (F2, F3)
	COPY4(0, 4)
	COPY4(0, 8)
	COPY4(0, 12)
	SUBS $4, R6
	BLT  rest

four:
	LOAD16
	FLDPQ (R5), (F16, F17)
	FLDPQ 32(R5), (F18, F19)
	FLDPQ 128(R5), (F24, F25)
	FLDPQ 160(R5), (F26, F27)
	QUAD(0, 16)
	FLDPQ 256(R5), (F16, F17)
	FLDPQ 288(R5), (F18, F19)
	QUAD(1, 24)
	FLDPQ 384(R5), (F24, F25)
	FLDPQ 416(R5), (F26, F27)
	QUAD(2, 16)
	QUAD(3, 24)
	ADD  $512, R5
	SUBS $4, R6
	BGE  four

rest:
	ADDS $4, R6
	BEQ  finish

one:
	LOAD4
	FLDPQ (R5), (F16, F17)
	FLDPQ 32(R5), (F18, F19)
	QUAD(0, 16)
	ADD  $128, R5
	SUBS $1, R6
	BNE  one

finish:
	FINISH
	FLDPQ (R21), (F16, F17)
	FLDPQ 32(R21), (F18, F19)
	FLDPQ (R20), (F20, F21)
	FLDPQ 32(R20), (F22, F23)
	FLDPQ (R22), (F24, F25)
	FLDPQ 32(R22), (F26, F27)
	VALUES16(0)
	VST1 [V0.S4, V1.S4, V2.S4, V3.S4], (R16)
	ADD  R9, R16
	VALUES16(4)
	VST1 [V4.S4, V5.S4, V6.S4, V7.S4], (R16)
	ADD  R9, R16
	VALUES16(8)
	VST1 [V8.S4, V9.S4, V10.S4, V11.S4], (R16)
	ADD  R9, R16
	VALUES16(12)
	VST1 [V12.S4, V13.S4, V14.S4, V15.S4], (R16)
	ADD  $64, R10
	CMP  $128, R10
	BLT  part
	NEXT
	BNE  tile
	RET

// func int8NEON(p *int8Panel)
//
// Tiles of 4 rows × 8 columns, for CPUs without the extension. 16 bits hold two products of bytes, 2·128·127 < 2^15, so those of two quads
// are added up there, and then neighbours to sums in 32 bits. A register of sums holds two columns, (k0·w0 + k1·w1, k2·w2 + k3·w3) each,
// which are joined at the end:
//
//                b: columns 0–3, 4–7; V16 V17 of one quad, V18 V19 of the next
//   a row 0 V20  V0  V1  V2  V3
//   a row 1 V21  V4  V5  V6  V7
//   a row 2 V22  V8  V9  V10 V11
//   a row 3 V23  V12 V13 V14 V15
//
// V24 and V25 are two quads of a row, four times each, V26–V29 products.
#define WIDEROW2(first, second, a, v) \
	DUP(first, a, 24); \
	DUP(second, a, 25); \
	SMULL(24, 16, 26); \
	SMULLH(24, 16, 27); \
	SMULL(24, 17, 28); \
	SMULLH(24, 17, 29); \
	SMLAL(25, 18, 26); \
	SMLALH(25, 18, 27); \
	SMLAL(25, 19, 28); \
	SMLALH(25, 19, 29); \
	SADALP(26, v); \
	SADALP(27, v+1); \
	SADALP(28, v+2); \
	SADALP(29, v+3)

#define WIDEROW(a, v) \
	DUP(0, a, 24); \
	SMULL(24, 16, 26); \
	SMULLH(24, 16, 27); \
	SMULL(24, 17, 28); \
	SMULLH(24, 17, 29); \
	SADALP(26, v); \
	SADALP(27, v+1); \
	SADALP(28, v+2); \
	SADALP(29, v+3)

// VALUES8 joins the sums of a row, v to v+3, and turns them into what dst holds, in v and v+1; V16 and V17 are colScale, V18 and V19
// offset, V20 and V21 bias, V24 and V25 colSum.
#define VALUES8(v) \
	FMOVS.P 4(R17), F28; \
	FMOVS.P 4(R19), F29; \
	IADDP(v+1, v, v); \
	IADDP(v+3, v+2, v+1); \
	IADD(18, v, v); \
	IADD(19, v+1, v+1); \
	SCVTF(v, v); \
	SCVTF(v+1, v+1); \
	FMUL(16, v, v); \
	FMUL(17, v+1, v+1); \
	VALUE(v, 0); \
	VALUE(v, 1)

TEXT ·int8NEON(SB), NOSPLIT, $0-8
	BEGIN

tile:
	MOVD ZR, R10

part:
	PART
	ZERO4(0)
	ZERO4(4)
	ZERO4(8)
	ZERO4(12)
	SUBS $4, R6
	BLT  rest

four:
	LOAD16
	FLDPQ (R5), (F16, F17)
	FLDPQ 128(R5), (F18, F19)
	WIDEROW2(0, 1, 20, 0)
	WIDEROW2(0, 1, 21, 4)
	WIDEROW2(0, 1, 22, 8)
	WIDEROW2(0, 1, 23, 12)
	FLDPQ 256(R5), (F16, F17)
	FLDPQ 384(R5), (F18, F19)
	WIDEROW2(2, 3, 20, 0)
	WIDEROW2(2, 3, 21, 4)
	WIDEROW2(2, 3, 22, 8)
	WIDEROW2(2, 3, 23, 12)
	ADD  $512, R5
	SUBS $4, R6
	BGE  four

rest:
	ADDS $4, R6
	BEQ  finish

one:
	LOAD4
	FLDPQ (R5), (F16, F17)
	WIDEROW(20, 0)
	WIDEROW(21, 4)
	WIDEROW(22, 8)
	WIDEROW(23, 12)
	ADD  $128, R5
	SUBS $1, R6
	BNE  one

finish:
	FINISH
	FLDPQ (R21), (F16, F17)
	FLDPQ (R20), (F20, F21)
	FLDPQ (R22), (F24, F25)
	MOVD 96(R0), R20
	ADD  R10, R20
	FLDPQ (R20), (F18, F19)
	VALUES8(0)
	FSTPQ (F0, F1), (R16)
	ADD  R9, R16
	VALUES8(4)
	FSTPQ (F4, F5), (R16)
	ADD  R9, R16
	VALUES8(8)
	FSTPQ (F8, F9), (R16)
	ADD  R9, R16
	VALUES8(12)
	FSTPQ (F12, F13), (R16)
	ADD  $32, R10
	CMP  $128, R10
	BLT  part
	NEXT
	BNE  tile
	RET
