package local

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// wordPiece splits a word into the longest pieces of a vocabulary, from the left (Wu et al., 2016; Devlin et al., NAACL 2019). A word
// that cannot be split so is unknown as a whole.
type wordPiece struct {
	first, later map[string]int32 // later: pieces within a word, without their prefix
	longest      int              // bytes of the longest piece
	unknown      int32
	maxRunes     int // longer words are unknown
}

func newWordPiece(m tokenizerModel, special map[string]bool, rows int) (*wordPiece, error) {
	var vocab map[string]int32
	if err := json.Unmarshal(m.Vocabulary, &vocab); err != nil {
		return nil, fmt.Errorf("its vocabulary is not a table of pieces and ids; fetch it again: %w", err)
	}
	w := &wordPiece{first: make(map[string]int32, len(vocab)), later: map[string]int32{}, maxRunes: 100}
	if m.MaxRunes != nil {
		w.maxRunes = *m.MaxRunes
	}
	prefix := "##"
	if m.Continuation != nil {
		prefix = *m.Continuation
	}
	var ok bool
	if w.unknown, ok = vocab[m.Unknown]; !ok {
		return nil, fmt.Errorf("its vocabulary lacks the unk_token %q; fetch it again", m.Unknown)
	}
	for piece, id := range vocab {
		if id < 0 || int(id) >= rows {
			return nil, fmt.Errorf("piece %q has id %d, beyond the model's %d words; fetch tokenizer.json and model.safetensors of one model", piece, id, rows)
		}
		if special[piece] {
			continue
		}
		w.longest = max(w.longest, len(piece))
		w.first[piece] = id
		if rest, ok := strings.CutPrefix(piece, prefix); ok && rest != "" {
			w.later[rest] = id
		}
	}
	return w, nil
}

func (w *wordPiece) each(word string, yield func(id int32)) {
	if id, ok := w.first[word]; ok && len(word) <= w.maxRunes { // most words
		yield(id)
		return
	}
	if utf8.RuneCountInString(word) > w.maxRunes {
		yield(w.unknown)
		return
	}
	var found [32]int32
	ids := found[:0]
	for at := 0; at < len(word); {
		table := w.later
		if at == 0 {
			table = w.first
		}
		end := min(len(word), at+w.longest)
		for end < len(word) && !utf8.RuneStart(word[end]) {
			end--
		}
		for ; end > at; end -= lastWidth(word[at:end]) {
			if id, ok := table[word[at:end]]; ok {
				ids = append(ids, id)
				break
			}
		}
		if end <= at {
			yield(w.unknown)
			return
		}
		at = end
	}
	for _, id := range ids {
		yield(id)
	}
}

func lastWidth(s string) int {
	_, width := utf8.DecodeLastRuneInString(s)
	return width
}
