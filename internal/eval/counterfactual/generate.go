package counterfactual

import (
	"math/rand/v2"
	"strings"
)

// Source is a text to make claims of.
type Source struct{ Title, Text string }

// Claim is a claim with the passage that it is to be checked against, and what was done to the sentence that it was made of.
type Claim struct {
	Kind     Kind
	Title    string
	Passage  string
	Sentence string
	Claim    string
}

// Generate makes n false and n true claims of the sources, in one language, spread evenly over the kinds as far as the sources have sentences for each. A sentence serves once. The same
// sources and seed give the same claims.
func Generate(sources []Source, chinese bool, n int, seed uint64) []Claim {
	rng := rand.New(rand.NewPCG(seed, 1))
	type place struct {
		source   Source
		sentence string
	}
	var sentences []place
	for _, s := range sources {
		for _, sentence := range sentencesOf(s.Text, chinese) {
			sentences = append(sentences, place{s, sentence})
		}
	}
	rng.Shuffle(len(sentences), func(i, j int) { sentences[i], sentences[j] = sentences[j], sentences[i] })
	used := make([]bool, len(sentences))
	var out []Claim
	for _, kinds := range [][]Kind{FalseKinds, TrueKinds} {
		made := map[Kind]int{}
		total, need := 0, (n+len(kinds)-1)/len(kinds)
		take := func(k Kind, limit int) {
			for i, p := range sentences {
				if made[k] >= limit || total >= n {
					return
				}
				if used[i] {
					continue
				}
				claim := strings.TrimSpace(change(k, p.sentence, p.source.Text, chinese, rng))
				if claim == "" || claim == p.sentence {
					continue
				}
				used[i] = true
				made[k]++
				total++
				out = append(out, Claim{k, p.source.Title, p.source.Text, p.sentence, claim})
			}
		}
		for _, k := range rarest(kinds) {
			take(k, need)
		}
		for _, k := range rarest(kinds) { // what one kind lacks, others make up
			take(k, n)
		}
	}
	return out
}

// rarest puts the kinds first that fewest sentences serve for.
func rarest(kinds []Kind) []Kind {
	order := map[Kind]int{Role: 0, Unit: 1, Name: 2, Date: 3, Direction: 4, Number: 5, Negation: 6, Reordered: 0, Rewritten: 1, Dropped: 2, Synonym: 3, Verbatim: 4}
	out := make([]Kind, len(kinds))
	copy(out, kinds)
	for i := range out {
		for j := i + 1; j < len(out); j++ {
			if order[out[j]] < order[out[i]] {
				out[i], out[j] = out[j], out[i]
			}
		}
	}
	return out
}
