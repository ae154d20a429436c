package eval

import (
	"math"
	"math/rand/v2"
	"slices"
)

// NDCG is the normalised discounted cumulative gain of the first k of a ranking, with linear gain (Järvelin & Kekäläinen, TOIS 2002).
func NDCG(ranking []string, grades map[string]float64, k int) float64 {
	var dcg, ideal float64
	for i, id := range ranking[:min(k, len(ranking))] {
		dcg += max(grades[id], 0) / math.Log2(float64(i)+2)
	}
	best := make([]float64, 0, len(grades))
	for _, g := range grades {
		best = append(best, max(g, 0))
	}
	slices.SortFunc(best, func(a, b float64) int { return int(math.Copysign(1, b-a)) })
	for i, g := range best[:min(k, len(best))] {
		ideal += g / math.Log2(float64(i)+2)
	}
	if ideal == 0 {
		return 0
	}
	return dcg / ideal
}

// Recall is the share of the relevant documents among the first k.
func Recall(ranking []string, grades map[string]float64, k int) float64 {
	relevant, found := 0, 0
	for _, g := range grades {
		if g > 0 {
			relevant++
		}
	}
	for _, id := range ranking[:min(k, len(ranking))] {
		if grades[id] > 0 {
			found++
		}
	}
	if relevant == 0 {
		return 0
	}
	return float64(found) / float64(relevant)
}

// ReciprocalRank is one over the rank of the first relevant document among the first k; 0 when there is none.
func ReciprocalRank(ranking []string, grades map[string]float64, k int) float64 {
	for i, id := range ranking[:min(k, len(ranking))] {
		if grades[id] > 0 {
			return 1 / float64(i+1)
		}
	}
	return 0
}

// Figure is a mean over queries with its 95 % interval.
type Figure struct {
	Mean float64 `json:"mean"`
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// resamples of the bootstrap. More would move the interval's ends by less than it is printed with.
const resamples = 2000

// Bootstrap is the mean of values with the 2.5th and 97.5th percentiles of the means of resampled values (Efron 1979). The same values
// give the same figure.
func Bootstrap(values []float64) Figure {
	if len(values) == 0 {
		return Figure{}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	means := make([]float64, resamples)
	for i := range means {
		var sum float64
		for range values {
			sum += values[rng.IntN(len(values))]
		}
		means[i] = sum / float64(len(values))
	}
	slices.Sort(means)
	var sum float64
	for _, v := range values {
		sum += v
	}
	return Figure{sum / float64(len(values)), means[resamples*25/1000], means[resamples*975/1000-1]}
}

// Paired is the mean difference a − b over the same queries with its 95 % interval, by the bootstrap over queries.
func Paired(a, b []float64) Figure {
	d := make([]float64, len(a))
	for i := range a {
		d[i] = a[i] - b[i]
	}
	return Bootstrap(d)
}

// AUC is the chance that a value of yes is greater than one of no, ties counting half.
func AUC(yes, no []float64) float64 {
	if len(yes) == 0 || len(no) == 0 {
		return 0
	}
	sorted := slices.Clone(no)
	slices.Sort(sorted)
	var sum float64
	for _, v := range yes {
		below, _ := slices.BinarySearch(sorted, v)
		upto, _ := slices.BinarySearch(sorted, math.Nextafter(v, math.Inf(1)))
		sum += float64(below) + float64(upto-below)/2
	}
	return sum / float64(len(yes)) / float64(len(no))
}
