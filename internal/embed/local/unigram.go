package local

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
)

// unigram splits a word by the pieces of a tokenizer.json's Unigram model, with the lattice of the built-in model's tokenizer.
type unigram struct {
	lattice *tokenizer
	mark    int32 // the piece of a mark alone, which the lattice passes over
}

// scoredPiece is ["piece", log probability].
type scoredPiece struct {
	text  string
	score float64
}

// UnmarshalJSON reads the pair without the reflection that half a million values would pay for.
func (p *scoredPiece) UnmarshalJSON(b []byte) error {
	comma := bytes.LastIndexByte(b, ',')
	if len(b) < 2 || b[0] != '[' || comma < 0 {
		return errors.New("a piece is not a pair of text and score")
	}
	if err := json.Unmarshal(b[1:comma], &p.text); err != nil {
		return err
	}
	return json.Unmarshal(b[comma+1:len(b)-1], &p.score)
}

func newUnigram(m tokenizerModel, special map[string]bool, rows int) (*unigram, error) {
	if m.ByteFallback {
		return nil, errors.New("its model splits unknown characters into bytes (byte_fallback), which is not understood; choose another model, or serve it behind an endpoint")
	}
	var vocab []scoredPiece
	if err := json.Unmarshal(m.Vocabulary, &vocab); err != nil {
		return nil, fmt.Errorf("its vocabulary is not a list of pieces and scores; fetch it again: %w", err)
	}
	if len(vocab) > rows {
		return nil, fmt.Errorf("it has %d pieces and the model %d words; fetch tokenizer.json and model.safetensors of one model", len(vocab), rows)
	}
	if m.UnknownID == nil || *m.UnknownID < 0 || *m.UnknownID >= len(vocab) {
		return nil, errors.New("it has no unk_id among its pieces; fetch it again")
	}
	t := &tokenizer{scores: make([]float32, len(vocab)), unk: int32(*m.UnknownID)}
	u := &unigram{lattice: t, mark: t.unk}
	texts := make([][]byte, len(vocab))
	least := math.MaxFloat64
	for id, p := range vocab {
		if math.Abs(p.score) > 1e6 {
			return nil, fmt.Errorf("piece %q has score %g; fetch it again", p.text, p.score)
		}
		least = min(least, p.score)
		texts[id], t.scores[id] = []byte(p.text), float32(p.score)
		if p.text == wordMark {
			u.mark = int32(id)
		}
	}
	t.unknownScore = least - unknownPenalty
	// Specials stay out, so that a literal <s> in a text is only text.
	t.trie = newTrie(texts, func(id int) bool { return id != *m.UnknownID && !special[vocab[id].text] })
	t.lattices.New = func() any { return new(lattice) }
	return u, nil
}

func (u *unigram) each(word string, yield func(id int32)) {
	if word == wordMark {
		yield(u.mark)
		return
	}
	var found [64]int32
	ids := found[:0]
	u.lattice.each(word, func(id int32) {
		// A run of unknown characters is one unknown piece, in such files though not in the built-in model's reference.
		if id != u.lattice.unk || len(ids) == 0 || ids[len(ids)-1] != id {
			ids = append(ids, id)
		}
	})
	for i := len(ids) - 1; i >= 0; i-- { // the lattice goes backwards
		yield(ids[i])
	}
}
