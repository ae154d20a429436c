package simd

//go:noescape
func unpackEightsNEON(dst *uint32, src *byte, groups, width int, how *unpacking)

//go:noescape
func unpackGapEightsNEON(dst *uint32, src *byte, groups, width int, base uint32, how *unpacking)

func unpackNEON(dst *uint32, src *byte, groups, width int) {
	unpackEightsNEON(dst, src, groups, width, &unpackings[width])
}

func unpackGapsNEON(dst *uint32, src *byte, groups, width int, base uint32) {
	unpackGapEightsNEON(dst, src, groups, width, base, &unpackings[width])
}
