#include "textflag.h"

DATA nibbleCounts<>+0(SB)/8, $0x0302020102010100
DATA nibbleCounts<>+8(SB)/8, $0x0403030203020201
DATA nibbleCounts<>+16(SB)/8, $0x0302020102010100
DATA nibbleCounts<>+24(SB)/8, $0x0403030203020201
GLOBL nibbleCounts<>(SB), RODATA|NOPTR, $32

// Word i of sixteen has bit i alone.
DATA bitOfWord<>+0(SB)/8, $0x0008000400020001
DATA bitOfWord<>+8(SB)/8, $0x0080004000200010
DATA bitOfWord<>+16(SB)/8, $0x0800040002000100
DATA bitOfWord<>+24(SB)/8, $0x8000400020001000
GLOBL bitOfWord<>(SB), RODATA|NOPTR, $32

// The bits of Y4 that differ from a plane, counted by looking up half bytes in table, are added to Y0.
#define COUNT(plane, table) \
	VPBROADCASTQ plane, Y5 \
	VPXOR Y4, Y5, Y5 \
	VPAND Y13, Y5, Y6 \
	VPSRLW $4, Y5, Y5 \
	VPAND Y13, Y5, Y5 \
	VPSHUFB Y6, table, Y6 \
	VPSHUFB Y5, table, Y5 \
	VPADDB Y6, Y0, Y0 \
	VPADDB Y5, Y0, Y0

// One word of four codes, whose distance is added to sum.
#define WORD(at, sum) \
	VMOVDQU at(SI), Y4 \
	VPXOR Y0, Y0, Y0 \
	COUNT((R8)(CX*8), Y14) \
	COUNT((R11)(CX*8), Y12) \
	COUNT((R12)(CX*8), Y11) \
	COUNT((R13)(CX*8), Y10) \
	VPSADBW Y15, Y0, Y0 \
	VPADDQ Y0, sum, sum

// func codeDistancesAVX2(dst *uint16, codes, planes *uint64, groups, words int)
// Bits are counted by looking up half bytes (Muła, Kurz & Lemire, "Faster population counts using AVX2 instructions", 2018), those that differ from a plane in a table of its multiples:
// a byte counts at most 8·(1+2+4+8) = 120.
TEXT ·codeDistancesAVX2(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ codes+8(FP), SI
	MOVQ planes+16(FP), R8
	MOVQ groups+24(FP), R9
	MOVQ words+32(FP), R10
	LEAQ (R8)(R10*8), R11
	LEAQ (R11)(R10*8), R12
	LEAQ (R12)(R10*8), R13
	VMOVDQU nibbleCounts<>(SB), Y14
	VPADDB Y14, Y14, Y12
	VPADDB Y12, Y12, Y11
	VPADDB Y11, Y11, Y10
	MOVL $0x0f0f0f0f, AX
	VMOVD AX, X13
	VPBROADCASTD X13, Y13
	VPXOR Y15, Y15, Y15

group:
	VPXOR Y2, Y2, Y2
	VPXOR Y1, Y1, Y1
	XORQ CX, CX

word:
	WORD(0, Y2)
	WORD(32, Y1)
	ADDQ $64, SI
	INCQ CX
	CMPQ CX, R10
	JLT  word
	// Eight sums of 64 bits to eight of 16: packing works within halves, so the order is mended at the end.
	VPACKUSDW Y1, Y2, Y0
	VPACKUSDW Y15, Y0, Y0
	VEXTRACTI128 $1, Y0, X1
	VPUNPCKLDQ X1, X0, X0
	VMOVDQU X0, (DI)
	ADDQ $16, DI
	DECQ R9
	JNZ  group
	VZEROUPPER
	RET

// func rankAVX2(distances, gains *uint16, n int, centre, base int32, shift uint64)
TEXT ·rankAVX2(SB), NOSPLIT, $0-40
	MOVQ distances+0(FP), DI
	MOVQ gains+8(FP), SI
	MOVQ n+16(FP), CX
	MOVL centre+24(FP), AX
	VMOVD AX, X0
	VPBROADCASTD X0, Y0
	MOVL base+28(FP), AX
	VMOVD AX, X1
	VPBROADCASTD X1, Y1
	MOVQ shift+32(FP), X2
	MOVL $4095, AX
	VMOVD AX, X3
	VPBROADCASTD X3, Y3
	VPXOR Y15, Y15, Y15

eight:
	VPMOVZXWD (DI), Y4
	VPMOVZXWD (SI), Y5
	VPADDD Y4, Y4, Y4
	VPSUBD Y4, Y0, Y4
	VPMULLD Y5, Y4, Y4
	VPSRAD X2, Y4, Y4
	VPSUBD Y4, Y1, Y4
	VPMAXSD Y15, Y4, Y4
	VPMINSD Y3, Y4, Y4
	VEXTRACTI128 $1, Y4, X5
	VPACKUSDW X5, X4, X4
	VMOVDQU X4, (DI)
	ADDQ $16, DI
	ADDQ $16, SI
	SUBQ $8, CX
	JG   eight
	VZEROUPPER
	RET

// func atMostAVX2(mask *uint64, values *uint16, words int, limit uint16)
// A difference that saturates at zero is zero when the value is at most the limit.
TEXT ·atMostAVX2(SB), NOSPLIT, $0-26
	MOVQ mask+0(FP), DI
	MOVQ values+8(FP), SI
	MOVQ words+16(FP), CX
	MOVWLZX limit+24(FP), AX
	VMOVD AX, X0
	VPBROADCASTW X0, Y0
	VPXOR Y15, Y15, Y15
	SHLQ $1, CX

atmost:
	VMOVDQU (SI), Y1
	VMOVDQU 32(SI), Y2
	VPSUBUSW Y0, Y1, Y1
	VPSUBUSW Y0, Y2, Y2
	VPCMPEQW Y15, Y1, Y1
	VPCMPEQW Y15, Y2, Y2
	VPACKSSWB Y2, Y1, Y1
	VPERMQ $0xd8, Y1, Y1
	VPMOVMSKB Y1, AX
	MOVL AX, (DI)
	ADDQ $64, SI
	ADDQ $4, DI
	DECQ CX
	JNZ  atmost
	VZEROUPPER
	RET

// func atLeastAVX2(mask *uint64, values *uint32, words int, least uint32)
// x ≥ least when the greater of the two is x; the top bits of eight comparisons are a byte of the mask.
TEXT ·atLeastAVX2(SB), NOSPLIT, $0-28
	MOVQ mask+0(FP), DI
	MOVQ values+8(FP), SI
	MOVQ words+16(FP), CX
	MOVL least+24(FP), AX
	VMOVD AX, X0
	VPBROADCASTD X0, Y0
	SHLQ $2, CX

atleast:
	VMOVDQU (SI), Y1
	VMOVDQU 32(SI), Y2
	VPMAXUD Y0, Y1, Y3
	VPMAXUD Y0, Y2, Y4
	VPCMPEQD Y1, Y3, Y3
	VPCMPEQD Y2, Y4, Y4
	VMOVMSKPS Y3, AX
	VMOVMSKPS Y4, BX
	SHLL $8, BX
	ORL  BX, AX
	MOVW AX, (DI)
	ADDQ $64, SI
	ADDQ $2, DI
	DECQ CX
	JNZ  atleast
	VZEROUPPER
	RET

// func dots13AVX2(dst *int64, query *int16, rows *byte, at *uint32, count, n int)
// The high parts add up in Y0 and Y1, the low ones in Y2 and Y3, the last bits in Y6 and Y7. The row four further on is fetched meanwhile.
TEXT ·dots13AVX2(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), DI
	MOVQ query+8(FP), R8
	MOVQ rows+16(FP), R9
	MOVQ at+24(FP), R10
	MOVQ count+32(FP), R11
	MOVQ n+40(FP), R12
	MOVQ R12, R13
	SHRQ $1, R13
	ADDQ R12, R13
	MOVQ R12, AX
	SHRQ $3, AX
	ADDQ AX, R13
	MOVL $0x000f000f, AX
	VMOVD AX, X15
	VPBROADCASTD X15, Y15
	MOVL $0x00010001, AX
	VMOVD AX, X14
	VPBROADCASTD X14, Y14
	VMOVDQU bitOfWord<>(SB), Y13

row:
	CMPQ R11, $4
	JLE  ready
	MOVL 16(R10), BX
	IMULQ R13, BX
	ADDQ R9, BX
	MOVQ R13, CX

fetch:
	PREFETCHT0 (BX)
	ADDQ $64, BX
	SUBQ $64, CX
	JG   fetch

ready:
	MOVL (R10), SI
	IMULQ R13, SI
	ADDQ R9, SI
	MOVQ R8, DX
	MOVQ R12, CX
	VPXOR Y0, Y0, Y0
	VPXOR Y1, Y1, Y1
	VPXOR Y2, Y2, Y2
	VPXOR Y3, Y3, Y3

high:
	VPMOVSXBW (SI), Y4
	VPMOVSXBW 16(SI), Y5
	VPMADDWD (DX), Y4, Y4
	VPMADDWD 32(DX), Y5, Y5
	VPADDD Y4, Y0, Y0
	VPADDD Y5, Y1, Y1
	ADDQ $32, SI
	ADDQ $64, DX
	SUBQ $32, CX
	JG   high
	MOVQ R8, DX
	LEAQ (R8)(R12*1), BX
	MOVQ R12, CX

low:
	VPMOVZXBW (SI), Y4
	VPAND Y15, Y4, Y5
	VPSRLW $4, Y4, Y4
	VPMADDWD (DX), Y5, Y5
	VPMADDWD (BX), Y4, Y4
	VPADDD Y5, Y2, Y2
	VPADDD Y4, Y3, Y3
	ADDQ $16, SI
	ADDQ $32, DX
	ADDQ $32, BX
	SUBQ $32, CX
	JG   low
	// The last bits choose which elements of the query count.
	MOVQ R8, DX
	MOVQ R12, CX
	VPXOR Y6, Y6, Y6
	VPXOR Y7, Y7, Y7

last:
	VPBROADCASTW (SI), Y4
	VPBROADCASTW 2(SI), Y5
	VPAND Y13, Y4, Y4
	VPAND Y13, Y5, Y5
	VPCMPEQW Y13, Y4, Y4
	VPCMPEQW Y13, Y5, Y5
	VPAND (DX), Y4, Y4
	VPAND 32(DX), Y5, Y5
	VPMADDWD Y14, Y4, Y4
	VPMADDWD Y14, Y5, Y5
	VPADDD Y4, Y6, Y6
	VPADDD Y5, Y7, Y7
	ADDQ $4, SI
	ADDQ $64, DX
	SUBQ $32, CX
	JG   last
	VPADDD Y1, Y0, Y0
	VPADDD Y3, Y2, Y2
	VPADDD Y7, Y6, Y6
	VEXTRACTI128 $1, Y6, X7
	VPADDD X7, X6, X6
	VPHADDD X6, X6, X6
	VPHADDD X6, X6, X6
	VEXTRACTI128 $1, Y0, X1
	VEXTRACTI128 $1, Y2, X3
	VPADDD X1, X0, X0
	VPADDD X3, X2, X2
	VPHADDD X2, X0, X0
	VPHADDD X0, X0, X0
	VMOVQ X0, AX
	VMOVQ X6, DX
	MOVLQSX AX, BX
	SARQ $32, AX
	SHLQ $5, BX
	MOVLQSX DX, DX
	LEAQ (BX)(AX*2), AX
	ADDQ DX, AX
	MOVQ AX, (DI)
	ADDQ $8, DI
	ADDQ $4, R10
	DECQ R11
	JNZ  row
	VZEROUPPER
	RET

// func dots8AVX2(dst *int32, query *int16, rows *byte, at *uint32, count, n int)
// The row four further on is fetched meanwhile, as far as it is read.
TEXT ·dots8AVX2(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), DI
	MOVQ query+8(FP), R8
	MOVQ rows+16(FP), R9
	MOVQ at+24(FP), R10
	MOVQ count+32(FP), R11
	MOVQ n+40(FP), R12
	MOVQ R12, R13
	SHRQ $1, R13
	ADDQ R12, R13
	MOVQ R12, AX
	SHRQ $3, AX
	ADDQ AX, R13

row:
	CMPQ R11, $4
	JLE  ready
	MOVL 16(R10), BX
	IMULQ R13, BX
	ADDQ R9, BX
	MOVQ R12, CX

fetch:
	PREFETCHT0 (BX)
	ADDQ $64, BX
	SUBQ $64, CX
	JGE  fetch

ready:
	MOVL (R10), SI
	IMULQ R13, SI
	ADDQ R9, SI
	MOVQ R8, DX
	MOVQ R12, CX
	VPXOR Y0, Y0, Y0
	VPXOR Y1, Y1, Y1

high:
	VPMOVSXBW (SI), Y4
	VPMOVSXBW 16(SI), Y5
	VPMADDWD (DX), Y4, Y4
	VPMADDWD 32(DX), Y5, Y5
	VPADDD Y4, Y0, Y0
	VPADDD Y5, Y1, Y1
	ADDQ $32, SI
	ADDQ $64, DX
	SUBQ $32, CX
	JG   high
	VPADDD Y1, Y0, Y0
	VEXTRACTI128 $1, Y0, X1
	VPADDD X1, X0, X0
	VPHADDD X0, X0, X0
	VPHADDD X0, X0, X0
	VMOVD X0, (DI)
	ADDQ $4, DI
	ADDQ $4, R10
	DECQ R11
	JNZ  row
	VZEROUPPER
	RET
