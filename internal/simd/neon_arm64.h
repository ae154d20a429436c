// Vector instructions that Go's assembler does not know, or knows only by register name. A register here is a number, so that a macro can
// count: FADD4(8, 0, 0) is V0 += V8, V1 += V9, V2 += V10, V3 += V11. Operands are in Go's order: d, the destination, comes last, and
// FSUB(m, n, d) is d = n − m. Lanes are four of 32 bits unless the comment says otherwise.
//
// An instruction is one 32-bit word (Arm Architecture Reference Manual, C4.1 "SIMD and floating-point"). With three registers,
//
//	31       23    20      15        10  9       4      0
//	| opcode . size | Rm 5 | opcode . . | Rn 5   | Rd 5  |
//
// with two, the field of Rm is opcode too. Everything but the registers is one constant, which begins 0x4e or 0x6e (0x0e or 0x2e for
// instructions that write 64 bits).

#define THREE(op, m, n, d) WORD $(op + ((m)<<16) + ((n)<<5) + (d))
#define TWO(op, n, d) WORD $(op + ((n)<<5) + (d))

#define FADD(m, n, d) THREE(0x4e20d400, m, n, d)
#define FSUB(m, n, d) THREE(0x4ea0d400, m, n, d)
#define FMUL(m, n, d) THREE(0x6e20dc00, m, n, d)
#define FMLA(m, n, d) THREE(0x4e20cc00, m, n, d) // d += n·m, rounded once
#define FMLS(m, n, d) THREE(0x4ea0cc00, m, n, d) // d −= n·m, rounded once
#define FMAX(m, n, d) THREE(0x4e20f400, m, n, d)
#define FMIN(m, n, d) THREE(0x4ea0f400, m, n, d)
#define FADDP(m, n, d) THREE(0x6e20d400, m, n, d) // sums of neighbours: n0+n1, n2+n3, m0+m1, m2+m3
#define FABS(n, d) TWO(0x4ea0f800, n, d)
#define FRINTN(n, d) TWO(0x4e218800, n, d) // to the nearest integer, ties to even, as a float
#define FCVTNS(n, d) TWO(0x4e21a800, n, d) // the same, as an integer
#define SCVTF(n, d) TWO(0x4e21d800, n, d) // an integer as a float
#define FMAXV(n, d) TWO(0x6e30f800, n, d) // the greatest lane of n, into the first of d
#define FMINV(n, d) TWO(0x6eb0f800, n, d)

#define IADD(m, n, d) THREE(0x4ea08400, m, n, d)
#define IADDP(m, n, d) THREE(0x4ea0bc00, m, n, d)
#define BAND(m, n, d) THREE(0x4e201c00, m, n, d)
#define BEOR(m, n, d) THREE(0x6e201c00, m, n, d)
#define COPY(n, d) THREE(0x4ea01c00, n, n, d)
#define SHL23(n, d) TWO(0x4f375400, n, d) // the field of Rm is 32 + the shift

// Narrowing with saturation; the 2 fills the upper half of d.
#define SQXTUN32(n, d) TWO(0x2e612800, n, d) // 4 × s32 → u16
#define SQXTUN32H(n, d) TWO(0x6e612800, n, d)
#define UQXTN16(n, d) TWO(0x2e214800, n, d) // 8 × u16 → u8
#define UQXTN16H(n, d) TWO(0x6e214800, n, d)

// One lane of m or n, 0–3. DUP's field of Rm is lane·8 + 4 for lanes of 32 bits. The others have the lane's low bit at 21 and its high
// bit at 11.
#define LANE(op, lane, m, n, d) WORD $(op + (((lane)&1)<<21) + ((m)<<16) + (((lane)>>1)<<11) + ((n)<<5) + (d))
#define DUP(lane, n, d) WORD $(0x4e040400 + ((lane)<<19) + ((n)<<5) + (d))
#define FMLALANE(lane, m, n, d) LANE(0x4f801000, lane, m, n, d) // d += n·m[lane], rounded once
#define SDOTLANE(lane, m, n, d) LANE(0x4f80e000, lane, m, n, d) // d[i] += Σ of four s8 products, n's bytes 4i…4i+3 by those of m[lane]

// Products of s8 in s16: of the lower eight bytes, and with H of the upper eight.
#define SMULL(m, n, d) THREE(0x0e20c000, m, n, d)
#define SMULLH(m, n, d) THREE(0x4e20c000, m, n, d)
#define SMLAL(m, n, d) THREE(0x0e208000, m, n, d) // added to d
#define SMLALH(m, n, d) THREE(0x4e208000, m, n, d)
#define SADALP(n, d) TWO(0x4e606800, n, d) // adds neighbours of n's eight s16 to d's four s32

// What the index's kernels need. A number that ends a name is the width of the lanes that are written; an H reads the upper half of n, or of m.
#define CNT(n, d) TWO(0x4e205800, n, d) // the bits of each byte, counted
#define ADD8(m, n, d) THREE(0x4e208400, m, n, d)
#define ADDP8(m, n, d) THREE(0x4e20bc00, m, n, d) // sums of neighbours, n's then m's, as IADDP
#define ADDP16(m, n, d) THREE(0x4e60bc00, m, n, d)
#define UADDLP16(n, d) TWO(0x6e202800, n, d) // sums of neighbouring u8
#define UADALP16(n, d) TWO(0x6e206800, n, d) // the same, added to d
#define SADALP64(n, d) TWO(0x4ea06800, n, d) // adds neighbours of n's four s32 to d's two s64
#define INEG(n, d) TWO(0x6ea0b800, n, d)
#define ISUB(m, n, d) THREE(0x6ea08400, m, n, d) // d = n − m
#define IMUL(m, n, d) THREE(0x4ea09c00, m, n, d)
#define SSHL32(m, n, d) THREE(0x4ea04400, m, n, d) // n shifted left by m, right where m is negative
#define USHL32(m, n, d) THREE(0x6ea04400, m, n, d) // the same of unsigned lanes
#define UMIN16(m, n, d) THREE(0x6e606c00, m, n, d)
#define CMHS16(m, n, d) THREE(0x6e603c00, m, n, d) // all bits where n ≥ m, unsigned
#define CMHS32(m, n, d) THREE(0x6ea03c00, m, n, d)
#define CMTST8(m, n, d) THREE(0x4e208c00, m, n, d) // all bits where n and m share one
#define UZP8(m, n, d) THREE(0x4e001800, m, n, d) // the even bytes, n's then m's
#define UZP16(m, n, d) THREE(0x4e401800, m, n, d)
#define EXT(i, m, n, d) WORD $(0x6e000000 + ((m)<<16) + ((i)<<11) + ((n)<<5) + (d)) // the 16 bytes from the i-th of n's, then m's
#define TBL(m, n, d) THREE(0x4e000000, m, n, d) // byte i is byte m[i] of n
#define SHL8(s, n, d) WORD $(0x4f005400 + ((8+(s))<<16) + ((n)<<5) + (d))
#define SHL16(s, n, d) WORD $(0x4f005400 + ((16+(s))<<16) + ((n)<<5) + (d))
#define USHR8(s, n, d) WORD $(0x6f000400 + ((16-(s))<<16) + ((n)<<5) + (d))
#define USRA8(s, n, d) WORD $(0x6f001400 + ((16-(s))<<16) + ((n)<<5) + (d)) // n shifted right, added to d
#define SSHLL16(s, n, d) WORD $(0x0f00a400 + ((8+(s))<<16) + ((n)<<5) + (d)) // s8 to s16, shifted left
#define SSHLL16H(s, n, d) WORD $(0x4f00a400 + ((8+(s))<<16) + ((n)<<5) + (d))
#define USHLL32(s, n, d) WORD $(0x2f00a400 + ((16+(s))<<16) + ((n)<<5) + (d)) // u16 to u32, shifted left
#define USHLL32H(s, n, d) WORD $(0x6f00a400 + ((16+(s))<<16) + ((n)<<5) + (d))
#define UADDW16(m, n, d) THREE(0x2e201000, m, n, d) // d = n + m's lower eight bytes, widened
#define UADDW16H(m, n, d) THREE(0x6e201000, m, n, d)
#define SMULL32(m, n, d) THREE(0x0e60c000, m, n, d) // products of s16
#define SMULL32H(m, n, d) THREE(0x4e60c000, m, n, d)
#define SMLAL32(m, n, d) THREE(0x0e608000, m, n, d) // added to d
#define SMLAL32H(m, n, d) THREE(0x4e608000, m, n, d)
#define ADDV32(n, d) TWO(0x4eb1b800, n, d) // the sum of n's lanes, in the first of d

// The same on four registers: m to m+3 and so on. FSUBALL and such take the same m for all.
#define FADD4(m, n, d) FADD(m, n, d); FADD(m+1, n+1, d+1); FADD(m+2, n+2, d+2); FADD(m+3, n+3, d+3)
#define FSUB4(m, n, d) FSUB(m, n, d); FSUB(m+1, n+1, d+1); FSUB(m+2, n+2, d+2); FSUB(m+3, n+3, d+3)
#define FMUL4(m, n, d) FMUL(m, n, d); FMUL(m+1, n+1, d+1); FMUL(m+2, n+2, d+2); FMUL(m+3, n+3, d+3)
#define FMLA4(m, n, d) FMLA(m, n, d); FMLA(m+1, n+1, d+1); FMLA(m+2, n+2, d+2); FMLA(m+3, n+3, d+3)
#define FMLS4(m, n, d) FMLS(m, n, d); FMLS(m+1, n+1, d+1); FMLS(m+2, n+2, d+2); FMLS(m+3, n+3, d+3)
#define FMAX4(m, n, d) FMAX(m, n, d); FMAX(m+1, n+1, d+1); FMAX(m+2, n+2, d+2); FMAX(m+3, n+3, d+3)
#define FMIN4(m, n, d) FMIN(m, n, d); FMIN(m+1, n+1, d+1); FMIN(m+2, n+2, d+2); FMIN(m+3, n+3, d+3)
#define IADD4(m, n, d) IADD(m, n, d); IADD(m+1, n+1, d+1); IADD(m+2, n+2, d+2); IADD(m+3, n+3, d+3)
#define BAND4(m, n, d) BAND(m, n, d); BAND(m+1, n+1, d+1); BAND(m+2, n+2, d+2); BAND(m+3, n+3, d+3)
#define COPY4(n, d) COPY(n, d); COPY(n+1, d+1); COPY(n+2, d+2); COPY(n+3, d+3)
#define ZERO4(d) BEOR(d, d, d); BEOR(d+1, d+1, d+1); BEOR(d+2, d+2, d+2); BEOR(d+3, d+3, d+3)
#define FABS4(n, d) FABS(n, d); FABS(n+1, d+1); FABS(n+2, d+2); FABS(n+3, d+3)
#define FRINTN4(n, d) FRINTN(n, d); FRINTN(n+1, d+1); FRINTN(n+2, d+2); FRINTN(n+3, d+3)
#define FCVTNS4(n, d) FCVTNS(n, d); FCVTNS(n+1, d+1); FCVTNS(n+2, d+2); FCVTNS(n+3, d+3)
#define SCVTF4(n, d) SCVTF(n, d); SCVTF(n+1, d+1); SCVTF(n+2, d+2); SCVTF(n+3, d+3)
#define SHL23X4(n, d) SHL23(n, d); SHL23(n+1, d+1); SHL23(n+2, d+2); SHL23(n+3, d+3)
#define DUP4(lane, n, d) DUP(lane, n, d); DUP(lane, n, d+1); DUP(lane, n, d+2); DUP(lane, n, d+3)

#define ADD8X4(m, n, d) ADD8(m, n, d); ADD8(m+1, n+1, d+1); ADD8(m+2, n+2, d+2); ADD8(m+3, n+3, d+3)
#define CNT4(n, d) CNT(n, d); CNT(n+1, d+1); CNT(n+2, d+2); CNT(n+3, d+3)

#define FSUBALL(m, n, d) FSUB(m, n, d); FSUB(m, n+1, d+1); FSUB(m, n+2, d+2); FSUB(m, n+3, d+3)
#define FMULALL(m, n, d) FMUL(m, n, d); FMUL(m, n+1, d+1); FMUL(m, n+2, d+2); FMUL(m, n+3, d+3)
#define FMAXALL(m, n, d) FMAX(m, n, d); FMAX(m, n+1, d+1); FMAX(m, n+2, d+2); FMAX(m, n+3, d+3)
#define BEORALL(m, n, d) BEOR(m, n, d); BEOR(m, n+1, d+1); BEOR(m, n+2, d+2); BEOR(m, n+3, d+3)
#define FMINALL(m, n, d) FMIN(m, n, d); FMIN(m, n+1, d+1); FMIN(m, n+2, d+2); FMIN(m, n+3, d+3)
#define FMLALANE4(lane, m, n, d) FMLALANE(lane, m, n, d); FMLALANE(lane, m, n+1, d+1); FMLALANE(lane, m, n+2, d+2); FMLALANE(lane, m, n+3, d+3)
#define SDOTLANE4(lane, m, n, d) SDOTLANE(lane, m, n, d); SDOTLANE(lane, m, n+1, d+1); SDOTLANE(lane, m, n+2, d+2); SDOTLANE(lane, m, n+3, d+3)

// SUM4 adds up the sixteen lanes of v to v+3 in reduce's order, into the first lane of v.
#define SUM4(v) \
	FADD(v+2, v, v); \
	FADD(v+3, v+1, v+1); \
	FADD(v+1, v, v); \
	FADDP(v, v, v); \
	FADDP(v, v, v)
