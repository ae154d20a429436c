#include "textflag.h"

// Y10: which bytes go where; Y11: shifts; Y12: masks; R8: where the upper half's bytes begin. See unpacking.

// func unpackEightsAVX2(dst *uint32, src *byte, groups, width int, how *unpacking)
TEXT ·unpackEightsAVX2(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ groups+16(FP), CX
	MOVQ width+24(FP), DX
	MOVQ how+32(FP), R9
	VMOVDQU (R9), Y10
	VMOVDQU 32(R9), Y11
	VMOVDQU 64(R9), Y12
	MOVQ 96(R9), R8

eight:
	VMOVDQU (SI), X1
	VINSERTI128 $1, (SI)(R8*1), Y1, Y1
	VPSHUFB Y10, Y1, Y1
	VPSRLVD Y11, Y1, Y1
	VPAND Y12, Y1, Y1
	VMOVDQU Y1, (DI)
	ADDQ DX, SI
	ADDQ $32, DI
	DECQ CX
	JNZ  eight
	VZEROUPPER
	RET

// func unpackGapEightsAVX2(dst *uint32, src *byte, groups, width int, base uint32, how *unpacking)
// The sums of a half come by two steps, of one and of two places; then the upper half gets the last of the lower, and both the last of the eight before, Y0.
TEXT ·unpackGapEightsAVX2(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ groups+16(FP), CX
	MOVQ width+24(FP), DX
	MOVL base+32(FP), AX
	MOVQ how+40(FP), R9
	VMOVDQU (R9), Y10
	VMOVDQU 32(R9), Y11
	VMOVDQU 64(R9), Y12
	MOVQ 96(R9), R8
	VMOVD AX, X0
	VPBROADCASTD X0, Y0
	VPCMPEQD Y13, Y13, Y13 // -1
	MOVL $7, AX
	VMOVD AX, X14
	VPBROADCASTD X14, Y14

eight:
	VMOVDQU (SI), X1
	VINSERTI128 $1, (SI)(R8*1), Y1, Y1
	VPSHUFB Y10, Y1, Y1
	VPSRLVD Y11, Y1, Y1
	VPAND Y12, Y1, Y1
	VPSUBD Y13, Y1, Y1
	VPSLLDQ $4, Y1, Y2
	VPADDD Y2, Y1, Y1
	VPSLLDQ $8, Y1, Y2
	VPADDD Y2, Y1, Y1
	VPERM2I128 $0x08, Y1, Y1, Y3
	VPSHUFD $0xff, Y3, Y3
	VPADDD Y3, Y1, Y1
	VPADDD Y0, Y1, Y1
	VMOVDQU Y1, (DI)
	VPERMD Y1, Y14, Y0
	ADDQ DX, SI
	ADDQ $32, DI
	DECQ CX
	JNZ  eight
	VZEROUPPER
	RET
