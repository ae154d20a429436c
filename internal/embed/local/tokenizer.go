package local

import (
	"math"
	"slices"
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
	mark          uint16 // the symbol of the word mark, which no piece has but at its start
	bos, eos, unk int32
	unknownScore  float64
	lattices      sync.Pool
}

// lattice is what one text's segmentation needs; the memory is used again.
type lattice struct {
	symbols          []uint16 // the text
	mapped, composed []byte
	character        [utf8.UTFMax]byte
	cells            []cell
	ids              []int32
}

// cell is the best way to a position.
type cell struct {
	score float64
	from  int32 // where the last piece starts
	piece int32
}

func newTokenizer(w *weights) (*tokenizer, error) {
	trie, least, err := openPieces(piecesFile)
	if err != nil {
		return nil, err
	}
	t := &tokenizer{
		trie: trie, scores: w.scores, mark: trie.symbol(wordMarkRune), bos: w.bos, eos: w.eos, unk: w.unk,
		unknownScore: float64(least) - unknownPenalty,
	}
	t.lattices.New = func() any { return new(lattice) }
	return t, nil
}

// room returns l.symbols with space for more than the n in use, and keeps those.
func (l *lattice) room(n, more int) []uint16 {
	if n+more > len(l.symbols) {
		grown := make([]uint16, n+more+(n+more)/4)
		copy(grown, l.symbols[:n])
		l.symbols = grown
	}
	return l.symbols
}

// encode returns the ids of text between <s> and </s>.
func (t *tokenizer) encode(text string) []int32 {
	l := t.lattices.Get().(*lattice)
	defer t.lattices.Put(l)
	ids := t.split(l, text)
	out := make([]int32, 0, len(ids)+2)
	return append(append(append(out, t.bos), ids...), t.eos)
}

// count is the number of pieces of text, without <s> and </s>.
func (t *tokenizer) count(text string) int {
	l := t.lattices.Get().(*lattice)
	defer t.lattices.Put(l)
	return len(t.split(l, text))
}

// split returns the ids of text's pieces; they are l's, until it is used again.
func (t *tokenizer) split(l *lattice, text string) []int32 {
	ids := l.ids[:0]
	for word, rest := t.cut(t.normalise(l, text)); len(word) > 0; word, rest = t.cut(rest) {
		t.search(l, word)
		first := len(ids)
		for at := len(word); at > 0; at = int(l.cells[at].from) {
			ids = append(ids, l.cells[at].piece)
		}
		slices.Reverse(ids[first:])
	}
	l.ids = ids
	return ids
}

// cut cuts symbols before the next word mark. No piece reaches across it, so that words can be split one by one, in a table that
// stays in the first-level cache; the sums are exact, so that where they start changes nothing.
func (t *tokenizer) cut(symbols []uint16) (word, rest []uint16) {
	for i := 1; i < len(symbols); i++ {
		if symbols[i] == t.mark {
			return symbols[:i], symbols[i:]
		}
	}
	return symbols, nil
}

// each calls yield with the ids of the best segmentation of s as it is, last first.
func (t *tokenizer) each(s string, yield func(id int32)) {
	if s == wordMark || s == "" {
		return
	}
	l := t.lattices.Get().(*lattice)
	defer t.lattices.Put(l)
	symbols := l.room(0, len(s))
	n := 0
	for i := 0; i < len(s); n++ {
		r, width := utf8.DecodeRuneInString(s[i:])
		symbols[n] = unknownSymbol
		if r != utf8.RuneError || width > 1 {
			symbols[n] = t.trie.symbol(r)
		}
		i += width
	}
	t.search(l, symbols[:n])
	for at := n; at > 0; at = int(l.cells[at].from) {
		yield(l.cells[at].piece)
	}
}

// search fills l.cells, [len(symbols)+1], with the best ways (Viterbi, 1967).
func (t *tokenizer) search(l *lattice, symbols []uint16) {
	if len(l.cells) <= len(symbols) {
		l.cells = make([]cell, len(symbols)+len(symbols)/4+64)
	}
	cells := l.cells[:len(symbols)+1]
	for i := range cells {
		cells[i].score = math.Inf(-1)
	}
	cells[0].score = 0
	units, scores := t.trie.units, t.scores
	for i, symbol := range symbols {
		here := cells[i].score
		unit := units[symbol]
		if unit>>labelBits&noID == noID { // no piece is this very character
			if to, score := &cells[i+1], here+t.unknownScore; score > to.score {
				*to = cell{score, int32(i), t.unk}
			}
		}
		for j := i + 1; ; j++ {
			if id := unit >> labelBits & noID; id != noID {
				if to, score := &cells[j], here+float64(scores[id]); score > to.score {
					*to = cell{score, int32(i), int32(id)}
				}
			}
			if j == len(symbols) {
				break
			}
			at := unit>>(labelBits+idBits) + uint64(symbols[j])
			if at >= uint64(len(units)) {
				break
			}
			if unit = units[at]; uint16(unit) != symbols[j] {
				break
			}
		}
	}
}
