package answer

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"math"
	"slices"

	"footnote/internal/lexical"
	"footnote/internal/rag"
	"footnote/internal/simd"
	"footnote/internal/text"
)

// Bounds of what is read to answer one question.
const (
	readPassages  = 5  // found passages whose sentences are looked at, with their neighbours
	aloneSentence = 32 // sentences that are embedded alone, where the model gives no token states: the best by vocabulary
	stateShare    = .5 // of the mean state that is subtracted from each: the states share a large mean, which hides the differences that matter
)

// reading is what a look at the passages says of one question: their sentences and how each stands to it. It is made once an answer.
type reading struct {
	question string
	language string // "zh" or "en"
	kind     asked
	terms    map[string]bool // of the question, without the words that only ask
	weights  []termWeight    // of the terms, in their order, so that sums are the same every time
	passages []readPassage
	sentence []candidate
	states   bool // the cosines and interactions come of token states
	degraded bool // the model gives token states, but gave none of these texts
}

// termWeight is a term of the question and its idf over the sentences that were read.
type termWeight struct {
	term string
	idf  float64
}

// readPassage is a passage and how it stands to the question as a whole.
type readPassage struct {
	rag.Passage
	terms    map[string]bool // of title, headings and text
	foreign  bool            // of another language than the question
	head     []float32       // by token of the question: its best cosine with a token of title and headings
	coverage float64         // idf-weighted share of the question's terms that it has
}

// candidate is a sentence that may be the answer.
type candidate struct {
	passage  int // its index in the reading
	span     rag.Span
	text     string
	terms    map[string]bool
	again    bool      // a passage before this one has it too
	cosine   float64   // of the question and the sentence: in its passage by token states, else alone
	tokens   []float32 // by token of the question: its best cosine with a token of the sentence; nil without states
	late     float64   // mean of tokens
	coverage float64
	known    bool // it was embedded
	chance   float64
}

// look reads the passages, once an answer.
func (w *writer) look() (_ *reading, err error) {
	if w.reading == nil {
		err = w.timed("evidence", func() (err error) {
			w.reading, err = w.read(w.ctx, w.question.Text, w.answer.Passages)
			return err
		})
		if err == nil && w.reading.degraded {
			w.answer.Degraded = append(slices.Clone(w.answer.Degraded), "evidence")
		}
	}
	return w.reading, err
}

// read looks at the first found passages and what stands beside them. Where the model fails to give token states, it reads without them, as of a model that has none.
func (s *Service) read(ctx context.Context, question string, passages []rag.Passage) (*reading, error) {
	r := newReading(question, passages)
	if len(r.sentence) == 0 {
		return r, nil
	}
	if s.o.Tokens != nil {
		err := s.readStates(ctx, r)
		if err == nil || ctx.Err() != nil {
			return r, err
		}
		s.o.Logger.Warn("the model gave no token states, and the passages are read without them", "error", err, "passages", len(r.passages))
		r.degraded = true
	}
	return r, s.readAlone(ctx, r)
}

// newReading is a reading before the model has looked.
func newReading(question string, passages []rag.Passage) *reading {
	r := &reading{question: question, language: script(question), kind: askedFor(question), terms: questionTerms(question)}
	r.take(passages)
	return r
}

// take lists the sentences of the first found passages and of what stands beside them.
func (r *reading) take(passages []rag.Passage) {
	seen := map[string]bool{}
	for _, p := range beside(passages, readPassages) {
		chunk := p.Hit.Chunk
		read := readPassage{Passage: p, foreign: script(chunk.Text) != r.language, terms: termSet(chunk.Embedded(p.Hit.Document.Title))}
		for _, span := range sentences(chunk) {
			key := string(p.Hit.Document.ID) + span.String()
			body := inChunk(chunk, span)
			r.sentence = append(r.sentence, candidate{passage: len(r.passages), span: span, text: body, terms: termSet(body), again: seen[key]})
			seen[key] = true // chunks overlap
		}
		r.passages = append(r.passages, read)
	}
	r.cover()
}

// cover weighs the question's terms by how few of the sentences have them, and fills the coverages.
func (r *reading) cover() {
	for _, term := range slices.Sorted(maps.Keys(r.terms)) {
		n := 0
		for _, c := range r.sentence {
			if c.terms[term] && !c.again {
				n++
			}
		}
		r.weights = append(r.weights, termWeight{term, lexical.IDF(len(r.sentence), n)})
	}
	for i := range r.sentence {
		r.sentence[i].coverage = r.share(r.sentence[i].terms)
	}
	for i := range r.passages {
		r.passages[i].coverage = r.share(r.passages[i].terms)
	}
}

// share is the idf-weighted share of the question's terms that the sets have together; 0 when nothing is asked.
func (r *reading) share(sets ...map[string]bool) float64 {
	var has, total float64
	for _, w := range r.weights {
		total += w.idf
		for _, set := range sets {
			if set[w.term] {
				has += w.idf
				break
			}
		}
	}
	if total == 0 {
		return 0
	}
	return has / total
}

// readStates has the passages' token states computed, each passage once, and compares them with the question's: by late interaction (Khattab & Zaharia, SIGIR 2020)
// and by the cosine of the question's vector and the mean of a sentence's states, which know of the sentences around it. After an error the reading is as before.
func (s *Service) readStates(ctx context.Context, r *reading) error {
	asked, err := s.o.Tokens.TokenStates(ctx, []string{r.question}, true)
	if err != nil {
		return err
	}
	question, err := s.questionVector(ctx, r)
	if err != nil {
		return err
	}
	texts := make([]string, len(r.passages))
	for i, p := range r.passages {
		texts[i] = p.Hit.Chunk.Embedded(p.Hit.Document.Title)
	}
	states, err := s.o.Tokens.TokenStates(ctx, texts, false)
	if err != nil {
		return err
	}
	if len(asked) != 1 || len(asked[0]) == 0 || len(states) != len(texts) {
		return errors.New("the model gave no token states of the question or of a passage")
	}
	r.states = true
	s.centre(asked, true)
	s.centre(states, false)
	at := 0
	for i := range r.passages {
		p := &r.passages[i]
		from := at
		for at < len(r.sentence) && r.sentence[at].passage == i {
			at++
		}
		body, starts := s.tokenStarts(texts[i], p.Hit.Chunk, r.sentence[from:at], len(states[i]))
		p.head = interaction(asked[0], states[i][:body])
		for k := range r.sentence[from:at] {
			c := &r.sentence[from+k]
			rows := states[i][starts[k]:starts[k+1]]
			if len(rows) == 0 {
				continue // beyond what the model takes
			}
			c.known = true
			c.tokens = interaction(asked[0], rows)
			c.late = meanOf(c.tokens)
			c.cosine = float64(simd.Dot(question, meanState(rows)))
		}
	}
	return nil
}

// questionVector is the question's, to be compared with sentences of any language.
func (s *Service) questionVector(ctx context.Context, r *reading) (rag.Embedding, error) {
	vectors, err := s.o.Embedder.EmbedQueries(ctx, []string{r.question})
	if err != nil {
		return nil, err
	}
	if m, ok := s.o.Embedder.(interface {
		AcrossLanguages(query rag.Embedding) rag.Embedding
	}); ok {
		return m.AcrossLanguages(vectors[0]), nil
	}
	return vectors[0], nil
}

// tokenStarts says which of a passage's states are of its body, from body on, and where among them each of its sentences starts; the last of starts is where the last
// ends. A text cut in pieces need not have as many tokens as the whole, so what the pieces have is scaled to it: a boundary may be a token off.
func (s *Service) tokenStarts(whole string, chunk rag.Chunk, sentences []candidate, states int) (body int, starts []int) {
	if before := text.Len(whole) - text.Len(chunk.Text); before > 0 {
		body = min(s.o.Embedder.CountTokens(text.Slice(whole, 0, before)), states)
	}
	total := 0
	ends := make([]int, len(sentences))
	for i, c := range sentences {
		total += s.o.Embedder.CountTokens(c.text)
		ends[i] = total
	}
	scale := 1.0
	if have := states - body; total > 0 && total <= have+len(sentences)+have/8 { // else the model did not take the whole passage
		scale = float64(have) / float64(total)
	}
	starts = append(starts, body)
	for _, end := range ends {
		starts = append(starts, min(body+int(math.Round(float64(end)*scale)), states))
	}
	return body, starts
}

// readAlone embeds the best sentences by vocabulary, each alone.
func (s *Service) readAlone(ctx context.Context, r *reading) error {
	question, err := s.questionVector(ctx, r)
	if err != nil {
		return err
	}
	chosen := r.hopeful(aloneSentence)
	texts := make([]string, len(chosen))
	for i, at := range chosen {
		texts[i] = r.sentence[at].text
	}
	embedded, err := s.sentenceVectors(ctx, texts)
	if err != nil {
		return err
	}
	for i, at := range chosen {
		r.sentence[at].known, r.sentence[at].cosine = true, dot(question, embedded[i])
	}
	return nil
}

// hopeful are the indices of the n sentences that promise most before they are embedded, in text order: by vocabulary, or for one in another language by its passage
// alone.
func (r *reading) hopeful(n int) []int {
	var out []int
	hope := func(i int) float64 {
		c := r.sentence[i]
		rank := 0.01 * float64(r.passages[c.passage].Number)
		if r.passages[c.passage].foreign {
			return 0.5 - rank
		}
		return c.coverage - rank
	}
	for i, c := range r.sentence {
		if !c.again {
			out = append(out, i)
		}
	}
	slices.SortStableFunc(out, func(a, b int) int { return cmp.Compare(hope(b), hope(a)) })
	out = out[:min(n, len(out))]
	slices.Sort(out)
	return out
}
