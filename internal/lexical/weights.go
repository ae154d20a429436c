package lexical

import (
	"hash/fnv"
	"math"
	"slices"

	"footnote/internal/rag"
)

// Params are BM25's (Robertson & Zaragoza, "The Probabilistic Relevance Framework", 2009). AverageLength is fixed, in terms, rather than measured as
// the collection grows: chunks have a target size, and a moving average would make stored weights stale.
type Params struct{ K1, B, AverageLength float64 }

// DefaultParams suit chunks of some 300 tokens: 1,200 characters of English give about 120 terms, 400 of Chinese about 600, a mixture
// about 250.
var DefaultParams = Params{K1: 1.2, B: 0.75, AverageLength: 250}

// Hash is the id of a term: 32 bits of FNV-1a, mixed. Two terms of a collection share one with a chance of about n²/2³³.
func Hash(term string) uint32 {
	h := fnv.New64a()
	h.Write([]byte(term)) // a hash's Write never fails
	x := h.Sum64()
	return uint32(x ^ x>>32)
}

// counts adds up the terms of s by id; length is how many there are.
func counts(s string) (tf map[uint32]float64, length int) {
	terms := Terms(s)
	tf = make(map[uint32]float64, len(terms))
	for _, t := range terms {
		tf[Hash(t.Text)]++
	}
	return tf, len(terms)
}

func vector(tf map[uint32]float64, weight func(tf float64) float64) rag.SparseVector {
	v := rag.SparseVector{Indices: make([]uint32, 0, len(tf)), Values: make([]float32, len(tf))}
	for id := range tf {
		v.Indices = append(v.Indices, id)
	}
	slices.Sort(v.Indices)
	for i, id := range v.Indices {
		v.Values[i] = float32(weight(tf[id]))
	}
	return v
}

// DocumentVector holds BM25's document weights, tf·(k1+1)/(tf+k1·(1−b+b·len/avg)), without the IDF, which changes with the collection.
func DocumentVector(s string, p Params) rag.SparseVector {
	tf, length := counts(s)
	norm := p.K1 * (1 - p.B + p.B*float64(length)/p.AverageLength)
	return vector(tf, func(tf float64) float64 { return tf * (p.K1 + 1) / (tf + norm) })
}

// QueryVector holds the frequencies of the query's terms.
func QueryVector(s string) rag.SparseVector {
	tf, _ := counts(s)
	return vector(tf, func(tf float64) float64 { return tf })
}

// Length is the number of terms in s.
func Length(s string) int { return len(Terms(s)) }

// IDF is ln(1 + (n − df + ½)/(df + ½)): n documents, df of which have the term.
func IDF(n, df int) float64 {
	return math.Log1p((float64(n) - float64(df) + 0.5) / (float64(df) + 0.5))
}
