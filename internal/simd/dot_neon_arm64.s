#include "textflag.h"
#include "neon_arm64.h"

// func dotNEON(a, b *float32, n int) float32
// V0–V7 hold 32 running sums, added up as dotAVX2 does; the rest goes one by one.
TEXT ·dotNEON(SB), NOSPLIT, $0-28
	MOVD a+0(FP), R0
	MOVD b+8(FP), R1
	MOVD n+16(FP), R2
	ZERO4(0)
	ZERO4(4)
	SUBS $32, R2
	BLT  rest

dot32:
	VLD1.P 64(R0), [V16.S4, V17.S4, V18.S4, V19.S4]
	VLD1.P 64(R1), [V24.S4, V25.S4, V26.S4, V27.S4]
	VLD1.P 64(R0), [V20.S4, V21.S4, V22.S4, V23.S4]
	VLD1.P 64(R1), [V28.S4, V29.S4, V30.S4, V31.S4]
	FMLA4(24, 16, 0)
	FMLA4(28, 20, 4)
	SUBS $32, R2
	BGE  dot32

rest:
	ADD  $32, R2
	FADD(2, 0, 0)
	FADD(3, 1, 1)
	FADD(6, 4, 4)
	FADD(7, 5, 5)
	FADD(4, 0, 0)
	FADD(5, 1, 1)
	FADD(1, 0, 0)
	FADDP(0, 0, 0)
	FADDP(0, 0, 0)
	CBZ  R2, done

one:
	FMOVS.P 4(R0), F1
	FMOVS.P 4(R1), F2
	FMADDS  F1, F0, F2, F0
	SUB     $1, R2
	CBNZ    R2, one

done:
	FMOVS F0, ret+24(FP)
	RET
