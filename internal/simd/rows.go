package simd

// Approximations of the row kernels; every path does the same operations in the same order, sums in the same lanes included, so that
// they give the same bits: a difference in the last place of one value may tip the rounding to 8 bits of another, and from
// there grows to the size of the rounding's own error.
//
// exp2c: 2^f for |f| ≤ 1/2, degree 5, the weighted minimax fit by Lawson's iteration (1961); relative error 7.5e-8.
//
// geluc: log2 Φ(−a) for 0 ≤ a ≤ 6, Φ the normal distribution's, fitted so that a·2^p(a) has the least absolute error, 7.4e-8 in
// float32. GELU is then max(x, 0) − |x|·Φ(−|x|): neither a division nor a case. Past 6 the tail is below 6e-9·|x|.
var (
	exp2c      = [6]float32{1.0000001192092896, 0.6931469440460205, 0.24022120237350464, 0.05550713092088699, 0.009675541892647743, 0.0013276472454890609}
	geluc      = [7]float32{-0.999993085861206, -1.1512017250061035, -0.4587709605693817, -0.05341210216283798, 0.00808071531355381, -0.0007692193612456322, 3.309277963126078e-05}
	geluEnd    = float32(6)
	inverse255 = float32(1) / 255

	leastExponent = float32(-126) // 2^-126 is the least normal number
)

// Log2E turns a factor for e^x into one for ExpRow's 2^x.
const Log2E = 1.4426950408889634

// GELU applies x·Φ(x), the exact form with erf, to each element; len(x) is a multiple of 32. The error is below 1e-7·max(1, |x|)·2.
func GELU(x []float32) {
	if len(x) > 0 {
		current.Load().gelu(&x[0], checked(len(x)))
	}
}

// AddNorm is x = LayerNorm(x + y)·w + b (Ba, Kiros & Hinton 2016) on one row; the length is a multiple of 32.
func AddNorm(x, y, w, b []float32, eps float32) {
	n := checked(len(x))
	_, _, _ = y[n-1], w[n-1], b[n-1]
	current.Load().addNorm(&x[0], &y[0], &w[0], &b[0], n, eps)
}

// ExpRow replaces each x by 2^(scale·(x − max)) and returns their sum: a softmax whose division is left to the caller. The relative
// error is below 3e-7 + 1e-7·|scale·(x − max)|.
func ExpRow(x []float32, scale float32) float32 {
	if len(x) == 0 {
		return 0
	}
	return current.Load().expRow(&x[0], len(x), scale)
}

// Transpose32 writes the transpose of 32 rows of 32 elements, stride elements apart in src, to dst, [32][32].
func Transpose32(dst, src []float32, stride int) {
	_, _ = dst[32*32-1], src[31*stride+31]
	current.Load().transpose(&dst[0], &src[0], stride)
}

func checked(n int) int {
	if n%32 != 0 {
		panic("simd: the length of a row is a multiple of 32")
	}
	return n
}
