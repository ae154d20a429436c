package local

import "math"

// add adds y to x.
func add(x, y []float32) {
	y = y[:len(x)]
	for i := range x {
		x[i] += y[i]
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
