// Package fit finds the weights of small regressions. It knows numbers only: what they are features of, its callers know.
package fit

import "math"

// Example is what a logistic regression learns from. The first of its features is 1 for the bias where Logistic is told so.
type Example struct {
	Features []float64
	True     bool
	Weight   float64
}

// Logistic is logistic regression with a ridge on all weights but the first free ones, which are biases. There is at least one example, and all have the same number of features.
func Logistic(examples []Example, free int, ridge float64) []float64 {
	return newton(len(examples[0].Features), free, ridge, func(w, gradient []float64, hessian [][]float64) (likelihood float64) {
		for _, e := range examples {
			f, y, z := e.Features, 0.0, Dot(w, e.Features)
			if e.True {
				y = 1
			}
			p := Sigmoid(z)
			likelihood += e.Weight * (y*z - max(z, 0) - math.Log1p(math.Exp(-math.Abs(z))))
			for i := range f {
				gradient[i] += e.Weight * (y - p) * f[i]
				for j := range f {
					hessian[i][j] += e.Weight * p * (1 - p) * f[i] * f[j]
				}
			}
		}
		return likelihood
	})
}

// Choice is one of several things that were to choose from: Features by thing, and which of them are right, one at least.
type Choice struct {
	Features [][]float64
	Right    []bool
	Weight   float64
}

// Choices is conditional logistic regression (McFadden 1973): the weights whose softmax over the things of each choice gives the right ones the greatest likelihood, each of several right ones its
// share, with a ridge on all weights.
func Choices(choices []Choice, ridge float64) []float64 {
	return newton(len(choices[0].Features[0]), 0, ridge, func(w, gradient []float64, hessian [][]float64) (likelihood float64) {
		n := len(w)
		for _, c := range choices {
			chance := Softmax(w, c.Features)
			right := 0.0
			for _, r := range c.Right {
				if r {
					right++
				}
			}
			mean := make([]float64, n)
			for k, f := range c.Features {
				for i, x := range f {
					mean[i] += chance[k] * x
				}
			}
			for k, f := range c.Features {
				wanted := 0.0
				if c.Right[k] {
					wanted = 1 / right
					likelihood += c.Weight * wanted * math.Log(max(chance[k], 1e-300))
				}
				for i, x := range f {
					gradient[i] += c.Weight * (wanted - chance[k]) * x
					for j, y := range f {
						hessian[i][j] += c.Weight * chance[k] * (x - mean[i]) * (y - mean[j])
					}
				}
			}
		}
		return likelihood
	})
}

// Softmax is each thing's share of e^score among all, a score being the weighted sum of its features.
func Softmax(w []float64, features [][]float64) []float64 {
	out := make([]float64, len(features))
	top, sum := math.Inf(-1), 0.0
	for k, f := range features {
		out[k] = Dot(w, f)
		top = max(top, out[k])
	}
	for k := range out {
		out[k] = math.Exp(out[k] - top)
		sum += out[k]
	}
	for k := range out {
		out[k] /= sum
	}
	return out
}

// newton maximises a concave log likelihood with a ridge on all weights but the first free ones by Newton's method, from 0. A step that goes too far is halved. of adds the gradient and the negative
// Hessian to what it is given, and returns the likelihood.
func newton(n, free int, ridge float64, of func(w, gradient []float64, hessian [][]float64) float64) []float64 {
	const most = 100 // steps; it ends before, when the weights stand still
	at := func(w []float64) (value float64, gradient []float64, hessian [][]float64) {
		gradient, hessian = make([]float64, n), make([][]float64, n)
		for i := range hessian {
			hessian[i] = make([]float64, n)
			hessian[i][i] = 1e-9
			if i >= free {
				gradient[i], hessian[i][i] = -ridge*w[i], ridge
				value -= ridge * w[i] * w[i] / 2
			}
		}
		value += of(w, gradient, hessian)
		return value, gradient, hessian
	}
	w := make([]float64, n)
	value, gradient, hessian := at(w)
	for range most {
		step := solve(hessian, gradient)
		next := make([]float64, n)
		size, share := 0.0, 1.0
		for {
			size = 0
			for i, x := range step {
				next[i] = w[i] + share*x
				size = max(size, share*math.Abs(x))
			}
			var better float64
			if better, gradient, hessian = at(next); better >= value || size < 1e-8 {
				value = better
				break
			}
			share /= 2
		}
		w = next
		if size < 1e-8 {
			break
		}
	}
	return w
}

// solve is Gaussian elimination with partial pivoting; a and b are used up.
func solve(a [][]float64, b []float64) []float64 {
	n := len(b)
	for i := range n {
		pivot := i
		for k := i + 1; k < n; k++ {
			if math.Abs(a[k][i]) > math.Abs(a[pivot][i]) {
				pivot = k
			}
		}
		a[i], a[pivot], b[i], b[pivot] = a[pivot], a[i], b[pivot], b[i]
		for k := i + 1; k < n; k++ {
			f := a[k][i] / a[i][i]
			for j := i; j < n; j++ {
				a[k][j] -= f * a[i][j]
			}
			b[k] -= f * b[i]
		}
	}
	for i := n - 1; i >= 0; i-- {
		for j := i + 1; j < n; j++ {
			b[i] -= a[i][j] * b[j]
		}
		b[i] /= a[i][i]
	}
	return b
}

// Sigmoid is 1 / (1 + e^−z).
func Sigmoid(z float64) float64 { return 1 / (1 + math.Exp(-z)) }

// Dot is the sum of the products.
func Dot(a, b []float64) float64 {
	s := 0.0
	for i := range a {
		s += a[i] * b[i]
	}
	return s
}
