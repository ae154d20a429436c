package local

import "math"

// layerNorm normalises each row of x, [n][d], in place: (x − mean)/√(variance + eps)·w + b.
func layerNorm(x []float32, d int, w, b []float32, eps float32) {
	for ; len(x) >= d; x = x[d:] {
		row := x[:d]
		var sum float32
		for _, v := range row {
			sum += v
		}
		mean := sum / float32(d)
		var squares float32
		for _, v := range row {
			squares += (v - mean) * (v - mean)
		}
		scale := float32(1 / math.Sqrt(float64(squares/float32(d)+eps)))
		for i, v := range row {
			row[i] = (v-mean)*scale*w[i] + b[i]
		}
	}
}

// add adds y to x.
func add(x, y []float32) {
	y = y[:len(x)]
	for i := range x {
		x[i] += y[i]
	}
}

// exp32 is e^x for x ≤ 88, within 2e-7 of the value (relative). Cody–Waite reduction to [−ln2/2, ln2/2], then a polynomial of
// degree 6. Below −87 it is 0.
func exp32(x float32) float32 {
	if x < -87 {
		return 0
	}
	const (
		log2e = 1.44269504088896341
		ln2hi = 0.693359375
		ln2lo = -2.12194440e-4
		round = 1<<23 + 1<<22 // adding it rounds to an integer in the low bits
	)
	z := x*log2e + round
	n := z - round
	r := x - n*ln2hi - n*ln2lo
	p := float32(1.0 / 720)
	p = p*r + 1.0/120
	p = p*r + 1.0/24
	p = p*r + 1.0/6
	p = p*r + 0.5
	p = p*r + 1
	p = p*r + 1
	return p * math.Float32frombits(uint32(int32(n)+127)<<23)
}

// gelu applies x·Φ(x), Φ the normal distribution's, to each element. Φ's erf is Abramowitz & Stegun 7.1.26, whose error is below
// 1.5e-7; the whole is within 5e-7·max(1, |x|) of the exact value.
func gelu(x []float32) {
	for i, v := range x {
		a := v * math.Sqrt2 / 2
		if a < 0 {
			a = -a
		}
		t := 1 / (1 + 0.3275911*a)
		p := ((((1.061405429*t-1.453152027)*t+1.421413741)*t-0.284496736)*t + 0.254829592) * t
		tail := 0.5 * p * exp32(-a*a) // Φ of −|x|
		if v < 0 {
			x[i] = v * tail
		} else {
			x[i] = v * (1 - tail)
		}
	}
}

// softmax turns each row of x, [n][n] with rows stride apart, into probabilities of scale·x.
func softmax(x []float32, n, stride int, scale float32) {
	for i := range n {
		row := x[i*stride:][:n]
		greatest := row[0]
		for _, v := range row {
			greatest = max(greatest, v)
		}
		var sum float32
		for j, v := range row {
			e := exp32((v - greatest) * scale)
			row[j] = e
			sum += e
		}
		inverse := 1 / sum
		for j := range row {
			row[j] *= inverse
		}
	}
}

// unit scales v to L2 norm 1; a zero vector stays.
func unit(v []float32) {
	var s float64
	for _, x := range v {
		s += float64(x) * float64(x)
	}
	if s == 0 {
		return
	}
	scale := float32(1 / math.Sqrt(s))
	for i := range v {
		v[i] *= scale
	}
}
