package local

import (
	"math"
	"sync"
	"unicode/utf8"
)

// unknownPenalty is what a character outside the vocabulary costs below the least likely piece, as in SentencePiece.
const unknownPenalty = 10

// tokenizer splits text into the pieces of a SentencePiece unigram model (Kudo, ACL 2018): the segmentation whose pieces' log
// probabilities have the greatest sum. Its ids equal the reference's. Any number of goroutines may use it.
type tokenizer struct {
	trie          *trie
	scores        []float32
	replace       map[rune]string
	bos, eos, unk int32
	unknownScore  float64
	lattices      sync.Pool
}

// lattice is the Viterbi table: for each byte position, the best way to get there.
type lattice struct {
	score []float64
	from  []int32 // start of the last piece
	piece []int32
}

func newTokenizer(w *weights) (*tokenizer, error) {
	least := float32(math.MaxFloat32)
	for _, s := range w.scores {
		least = min(least, s)
	}
	special := map[int]bool{int(w.bos): true, 1: true, int(w.eos): true, int(w.unk): true, len(w.pieces) - 1: true} // the last is <mask>
	t := &tokenizer{
		// Specials stay out of the trie, so that a literal <s> in a text is only text.
		trie:   newTrie(w.pieces, func(id int) bool { return !special[id] }),
		scores: w.scores, replace: w.replace, bos: w.bos, eos: w.eos, unk: w.unk,
		unknownScore: float64(least) - unknownPenalty,
	}
	t.lattices.New = func() any { return new(lattice) }
	return t, nil
}

// encode returns the ids of text between <s> and </s>.
func (t *tokenizer) encode(text string) []int32 {
	ids := append(make([]int32, 0, len(text)/3+4), t.bos)
	t.each(t.normalise(text), func(id int32) { ids = append(ids, id) })
	// each walks backwards.
	for i, j := 1, len(ids)-1; i < j; i, j = i+1, j-1 {
		ids[i], ids[j] = ids[j], ids[i]
	}
	return append(ids, t.eos)
}

// count is the number of pieces of text, without <s> and </s>.
func (t *tokenizer) count(text string) int {
	n := 0
	t.each(t.normalise(text), func(int32) { n++ })
	return n
}

// each calls yield with the ids of the best segmentation, last first.
func (t *tokenizer) each(s string, yield func(id int32)) {
	if s == wordMark || s == "" {
		return
	}
	l := t.lattices.Get().(*lattice)
	defer t.lattices.Put(l)
	l.reset(len(s) + 1)
	for i := 0; i < len(s); {
		width := 1
		if s[i] >= utf8.RuneSelf {
			_, width = utf8.DecodeRuneInString(s[i:])
		}
		here := l.score[i]
		node, whole := uint32(0), false
		for j := i; j < len(s); {
			var ok bool
			if node, ok = t.trie.next(node, s[j]); !ok {
				break
			}
			j++
			id := t.trie.value[node]
			if id < 0 {
				continue
			}
			whole = whole || j-i == width
			if score := here + float64(t.scores[id]); score > l.score[j] {
				l.score[j], l.from[j], l.piece[j] = score, int32(i), id
			}
		}
		if !whole { // no piece is this very character
			if score := here + t.unknownScore; score > l.score[i+width] {
				l.score[i+width], l.from[i+width], l.piece[i+width] = score, int32(i), t.unk
			}
		}
		i += width
	}
	for at := int32(len(s)); at > 0; at = l.from[at] {
		yield(l.piece[at])
	}
}

func (l *lattice) reset(n int) {
	if cap(l.score) < n {
		l.score, l.from, l.piece = make([]float64, n), make([]int32, n), make([]int32, n)
	}
	l.score, l.from, l.piece = l.score[:n], l.from[:n], l.piece[:n]
	for i := range l.score {
		l.score[i] = math.Inf(-1)
	}
	l.score[0] = 0
}
