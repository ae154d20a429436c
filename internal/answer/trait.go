package answer

import "math"

// trait names what tells sentences that answer from those around them. A sentence's score is the weighted sum of its traits, and its chance of being the answer the
// share of its e^score among all of the reading. Weights are in weights.go.
type trait int

// The traits. Those that are z-scores are taken over the sentences of one reading, so that no model's scale matters.
const (
	traitCoverage trait = iota // z-score of the idf-weighted share of the question's terms
	traitCosine                // z-score
	traitLate                  // z-score of the late interaction; 0 without token states
	traitRank                  // one over the passage's number; a neighbour has that of the passage it stands beside
	traitPassage               // coverage of the passage, title and headings included
	traitBefore                // coverage by the sentence and the one before it
	traitNovel                 // log of one and the terms that the question lacks: an answer adds something
	traitNumber                // the sentence bears a number that the question asks for and lacks,
	traitDate                  // a date,
	traitPerson                // a name or a title,
	traitReason                // a reason
	traits                     // how many there are
)

// bearing is the trait of each kind that a question can ask for.
var bearing = map[asked]trait{askedNumber: traitNumber, askedDate: traitDate, askedPerson: traitPerson, askedReason: traitReason}

// traitsOf are the traits of each sentence, in the reading's order; those of a sentence that was not embedded, or that a passage before has too, are nil.
func (r *reading) traitsOf() [][]float64 {
	out := make([][]float64, len(r.sentence))
	of := func(i int) bool { return r.sentence[i].known && !r.sentence[i].again }
	coverage := r.standard(of, func(c candidate) float64 { return c.coverage })
	cosine := r.standard(of, func(c candidate) float64 { return c.cosine })
	late := r.standard(of, func(c candidate) float64 { return c.late })
	for i, c := range r.sentence {
		if !of(i) {
			continue
		}
		p := r.passages[c.passage]
		t := make([]float64, traits)
		t[traitCosine], t[traitLate] = cosine(c), late(c)
		number := p.Number
		if p.NeighbourOf > 0 {
			number = p.NeighbourOf
		}
		t[traitRank] = 1 / float64(number)
		if !p.foreign { // across languages vocabulary says nothing
			t[traitCoverage], t[traitPassage], t[traitBefore] = coverage(c), p.coverage, r.beforeAnd(i)
			t[traitNovel] = math.Log1p(float64(r.novel(c)))
		}
		if kind, ok := bearing[r.kind]; ok && bears(r.kind, c.text, r.question) {
			t[kind] = 1
		}
		out[i] = t
	}
	return out
}

// novel is how many terms the sentence has that the question lacks.
func (r *reading) novel(c candidate) (n int) {
	for term := range c.terms {
		if !r.terms[term] {
			n++
		}
	}
	return n
}

// standard gives the z-score of a value among the sentences that count; 0 where all are alike.
func (r *reading) standard(counts func(i int) bool, value func(c candidate) float64) func(c candidate) float64 {
	var n, sum, squares float64
	for i, c := range r.sentence {
		if counts(i) {
			n, sum, squares = n+1, sum+value(c), squares+value(c)*value(c)
		}
	}
	mean := sum / max(n, 1)
	deviation := math.Sqrt(max(squares/max(n, 1)-mean*mean, 0))
	return func(c candidate) float64 {
		if deviation < 1e-6 {
			return 0
		}
		return (value(c) - mean) / deviation
	}
}

// beforeAnd is the coverage by sentence i and the one before it in its passage.
func (r *reading) beforeAnd(i int) float64 {
	if i == 0 || r.sentence[i-1].passage != r.sentence[i].passage {
		return r.sentence[i].coverage
	}
	return r.share(r.sentence[i].terms, r.sentence[i-1].terms)
}

// weigh gives each sentence its chance of being the answer.
func (r *reading) weigh() {
	all := r.traitsOf()
	scores := make([]float64, len(all))
	top := math.Inf(-1)
	for i, t := range all {
		if t == nil {
			continue
		}
		for k, w := range r.model(r.passages[r.sentence[i].passage].foreign) {
			scores[i] += w * t[k]
		}
		top = max(top, scores[i])
	}
	var sum float64
	for i, t := range all {
		if t != nil {
			r.sentence[i].chance = math.Exp(scores[i] - top)
			sum += r.sentence[i].chance
		}
	}
	for i := range r.sentence {
		r.sentence[i].chance /= max(sum, 1)
	}
}

// model is the weights of sentences of the question's language, or of another, by what they were read with.
func (r *reading) model(foreign bool) []float64 {
	switch {
	case r.states && foreign:
		return weights.StatesAcross
	case r.states:
		return weights.States
	case foreign:
		return weights.AloneAcross
	}
	return weights.Alone
}
