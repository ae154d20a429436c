package simd

//go:noescape
func unpackEightsAVX2(dst *uint32, src *byte, groups, width int, how *unpacking)

//go:noescape
func unpackGapEightsAVX2(dst *uint32, src *byte, groups, width int, base uint32, how *unpacking)

func unpackAVX2(dst *uint32, src *byte, groups, width int) {
	unpackEightsAVX2(dst, src, groups, width, &unpackings[width])
}

func unpackGapsAVX2(dst *uint32, src *byte, groups, width int, base uint32) {
	unpackGapEightsAVX2(dst, src, groups, width, base, &unpackings[width])
}
