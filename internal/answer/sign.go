package answer

import (
	"math"
	"slices"
)

// sign names what tells a question that the passages answer from one that they do not, by token states.
type sign int

// The signs, each of the found passages that were read and that are of one language.
const (
	signBest  sign = iota // greatest interaction of the question with a passage, title and headings included: the mean over its tokens of the best cosine
	signFirst             // that of the first passage; 0 across languages, as the two below
	signLift              // the best sentence's interaction above the mean of all: what answers stands out, what is merely on a like subject does not
	signGap               // the nearest passage's cosine above the mean of all, for the same reason
	signTold              // the share of the question's terms, weighted by idf, that the sentence with the greatest interaction has
	signs                 // how many there are
)

// evidence is the greater of that of the passages in the question's language and that of the others: one document can do. Without a passage that was read there is none.
func (r *reading) evidence(m EvidenceModel, signsOf func(across bool) ([]float64, bool)) float64 {
	out := math.Inf(-1)
	for _, across := range []bool{false, true} {
		if v, ok := signsOf(across); ok {
			out = max(out, m.Weigh(r.language, across, v))
		}
	}
	return out
}

// signsOf are the signs of the found passages of the question's language, or of the others; ok tells whether there are any.
func (r *reading) signsOf(across bool) (v []float64, ok bool) {
	best := make([][]float32, len(r.passages)) // by passage and token of the question
	var n, sum, top, told float64
	for _, c := range r.sentence {
		p := r.passages[c.passage]
		if p.foreign != across || p.NeighbourOf > 0 || !c.known {
			continue
		}
		if best[c.passage] == nil {
			best[c.passage] = slices.Clone(p.head)
		}
		for k, x := range c.tokens {
			best[c.passage][k] = max(best[c.passage][k], x)
		}
		if n++; n == 1 || c.late > top {
			top, told = c.late, c.coverage
		}
		sum += c.late
	}
	if n == 0 {
		return nil, false
	}
	v = make([]float64, signs)
	seen := false
	for _, tokens := range best {
		if tokens == nil {
			continue
		}
		interaction := meanOf(tokens)
		if !seen {
			v[signBest], v[signFirst], seen = interaction, interaction, true
		}
		v[signBest] = max(v[signBest], interaction)
	}
	v[signLift], v[signGap], v[signTold] = top-sum/n, r.gap(across), told
	if across { // little of them holds from one pair of languages to another
		v[signFirst], v[signGap], v[signTold] = 0, 0, 0
	}
	return v, true
}

// gap is how far the greatest cosine of a passage's vector is above the mean of all found in that language; 0 when there are not two.
func (r *reading) gap(across bool) float64 {
	var n, sum, top float64
	for _, p := range r.passages {
		if p.foreign == across && p.NeighbourOf == 0 && p.Hit.Dense != nil {
			n, sum, top = n+1, sum+p.Hit.Dense.Score, max(top, p.Hit.Dense.Score)
		}
	}
	if n < 2 {
		return 0
	}
	return top - sum/n
}

// plainSign names what tells the same without token states.
type plainSign int

// The signs without token states, each of the found passages of one language.
const (
	plainCosine  plainSign = iota // greatest cosine of the question's vector and a passage's
	plainCovered                  // greatest share of the question's terms that a passage has
	plainSigns                    // how many there are
)

// plainSignsOf are the signs, without token states, of the found passages of the question's language, or of the others; ok tells whether there are any.
func (r *reading) plainSignsOf(across bool) (v []float64, ok bool) {
	v = make([]float64, plainSigns)
	for _, p := range r.passages {
		if p.foreign != across || p.NeighbourOf > 0 {
			continue
		}
		ok = true
		if p.Hit.Dense != nil {
			v[plainCosine] = max(v[plainCosine], p.Hit.Dense.Score)
		}
		v[plainCovered] = max(v[plainCovered], coverage(r.terms, p.terms))
	}
	return v, ok
}
