package answer

import (
	"math"

	"footnote/internal/rag"
	"footnote/internal/simd"
)

// centre takes out of states what they all share: as the model knows it, or half of these texts' own mean.
func (s *Service) centre(texts [][]rag.Embedding, query bool) {
	if s.o.Centre == nil {
		subtractMean(texts)
		return
	}
	for _, states := range texts {
		s.o.Centre(states, query)
	}
}

// subtractMean takes stateShare of their mean from all states and scales them to norm 1 again.
func subtractMean(texts [][]rag.Embedding) {
	var mean rag.Embedding
	n := 0
	for _, states := range texts {
		for _, s := range states {
			if mean == nil {
				mean = make(rag.Embedding, len(s))
			}
			for i, x := range s {
				mean[i] += x
			}
			n++
		}
	}
	for i := range mean {
		mean[i] *= stateShare / float32(n)
	}
	for _, states := range texts {
		for _, s := range states {
			for i := range s {
				s[i] -= mean[i]
			}
			scaleToUnit(s)
		}
	}
}

// interaction is, for each state of a question, its best cosine with one of a text; -1 where the text has none.
func interaction(question, states []rag.Embedding) []float32 {
	out := make([]float32, len(question))
	for i, q := range question {
		out[i] = -1
		for _, s := range states {
			out[i] = max(out[i], simd.Dot(q, s))
		}
	}
	return out
}

// meanState is the unit vector along the mean of states; there is at least one.
func meanState(states []rag.Embedding) rag.Embedding {
	mean := make(rag.Embedding, len(states[0]))
	for _, s := range states {
		for i, x := range s {
			mean[i] += x
		}
	}
	scaleToUnit(mean)
	return mean
}

func scaleToUnit(v rag.Embedding) {
	var squares float64
	for _, x := range v {
		squares += float64(x) * float64(x)
	}
	if squares == 0 {
		return
	}
	norm := float32(1 / math.Sqrt(squares))
	for i := range v {
		v[i] *= norm
	}
}

func meanOf(values []float32) float64 {
	var sum float64
	for _, v := range values {
		sum += float64(v)
	}
	return sum / float64(max(len(values), 1))
}
