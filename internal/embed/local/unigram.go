package local

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

// unigram splits a word by the pieces of a tokenizer.json's Unigram model, with the lattice of the built-in model's tokenizer.
type unigram struct {
	lattice *tokenizer
	mark    int32 // the piece of a mark alone, which the lattice passes over
}

// maxPieceBytes bounds a vocabulary to what a trie can number; XLM-RoBERTa's has 2.6 MB.
const maxPieceBytes = 1 << 23

// scoredPieces reads [["piece", log probability], …]. Files have a quarter of a million, for which reflection takes a second.
type scoredPieces struct {
	texts  [][]byte
	scores []float32
	least  float64
}

var errPieces = errors.New("its vocabulary is not a list of pieces and scores; fetch it again")

// UnmarshalJSON is given valid JSON, of whatever form.
func (p *scoredPieces) UnmarshalJSON(b []byte) error {
	blank := func(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }
	at := 0
	take := func(c byte) bool {
		for at < len(b) && blank(b[at]) {
			at++
		}
		if at == len(b) || b[at] != c {
			return false
		}
		at++
		return true
	}
	if !take('[') {
		return errPieces
	}
	for first := true; !take(']'); first = false {
		if !first && !take(',') || !take('[') || !take('"') {
			return errPieces
		}
		from, escaped := at, false
		for at < len(b) && b[at] != '"' {
			if b[at] == '\\' {
				escaped = true
				at++
			}
			at++
		}
		if at >= len(b) {
			return errPieces
		}
		text := b[from:at:at]
		if at++; escaped || !utf8.Valid(text) {
			var s string
			if err := json.Unmarshal(b[from-1:at], &s); err != nil {
				return errPieces
			}
			text = []byte(s)
		}
		if !take(',') {
			return errPieces
		}
		for at < len(b) && blank(b[at]) {
			at++
		}
		from = at
		for at < len(b) && b[at] != ']' && !blank(b[at]) {
			at++
		}
		score, err := strconv.ParseFloat(string(b[from:at]), 64)
		if err != nil || !(math.Abs(score) < 1e6) || !take(']') {
			return errPieces
		}
		p.texts, p.scores, p.least = append(p.texts, text), append(p.scores, float32(score)), min(p.least, score)
	}
	return nil
}

func newUnigram(m tokenizerModel, special map[string]bool, rows int) (*unigram, error) {
	if m.ByteFallback {
		return nil, errors.New("its model splits unknown characters into bytes (byte_fallback), which is not understood; choose another model, or serve it behind an endpoint")
	}
	vocab := scoredPieces{least: math.MaxFloat64}
	if err := json.Unmarshal(m.Vocabulary, &vocab); err != nil {
		return nil, err
	}
	if len(vocab.texts) > rows {
		return nil, fmt.Errorf("it has %d pieces and the model %d words; fetch tokenizer.json and model.safetensors of one model", len(vocab.texts), rows)
	}
	if m.UnknownID == nil || *m.UnknownID < 0 || *m.UnknownID >= len(vocab.texts) {
		return nil, errors.New("it has no unk_id among its pieces; fetch it again")
	}
	t := &tokenizer{scores: vocab.scores, unk: int32(*m.UnknownID), unknownScore: vocab.least - unknownPenalty}
	u := &unigram{lattice: t, mark: t.unk}
	total := 0
	for id, text := range vocab.texts {
		total += len(text)
		if string(text) == wordMark {
			u.mark = int32(id)
		}
	}
	if total > maxPieceBytes {
		return nil, fmt.Errorf("its pieces have %d bytes together, more than any model that can be run; fetch it again", total)
	}
	// Specials stay out, so that a literal <s> in a text is only text.
	t.trie = newTrie(vocab.texts, func(id int) bool { return id != *m.UnknownID && !special[string(vocab.texts[id])] })
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
	for _, id := range slices.Backward(ids) { // the lattice goes backwards
		yield(id)
	}
}
