package local

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"os"
	"slices"
	"sync"
	"testing"
)

// listing is what the weights file says of the pieces, for the tests and to make model/pieces.bin from.
type listing struct {
	pieces  [][]byte // [id], UTF-8 with U+2581 as the word mark
	scores  []float32
	replace map[rune]string // what the normaliser puts for a code point; "" deletes it
	special map[int]bool    // ids that no text has
}

var listed = sync.OnceValue(func() *listing {
	w, err := opened()
	if err != nil {
		panic(err)
	}
	r := &reader{data: w.vocabulary}
	n := r.i32()
	v := &listing{special: map[int]bool{r.i32(): true, r.i32(): true, r.i32(): true, r.i32(): true, n - 1: true}} // bos, eos, pad, unk; the last is <mask>
	blobBytes := int(r.u64())
	offsets, scores, blob := r.bytes(4*(n+1)), r.bytes(4*n), r.bytes(blobBytes)
	for i := range n {
		v.pieces = append(v.pieces, blob[binary.LittleEndian.Uint32(offsets[4*i:]):binary.LittleEndian.Uint32(offsets[4*i+4:])])
		v.scores = append(v.scores, math.Float32frombits(binary.LittleEndian.Uint32(scores[4*i:])))
	}
	v.replace = make(map[rune]string)
	for entries, _ := r.i32(), r.u32(); entries > 0; entries-- {
		from := rune(r.u32())
		to := make([]rune, r.bytes(1)[0])
		for i := range to {
			to[i] = rune(r.u32())
		}
		v.replace[from] = string(to)
	}
	if r.bad || r.at != len(r.data) {
		panic(errTruncated)
	}
	return v
})

// file is model/pieces.bin.
func (v *listing) file(of []byte) []byte {
	// Specials stay out of the trie, so that a literal <s> in a text is only text.
	t := newTrieReplacing(v.pieces, func(id int) bool { return !v.special[id] }, v.replace)
	b := []byte(piecesMagic)
	for _, n := range []int{len(t.units), len(t.entries), len(t.sequences), len(t.pages)} {
		b = binary.LittleEndian.AppendUint32(b, uint32(n))
	}
	b = binary.LittleEndian.AppendUint32(b, math.Float32bits(slices.Min(v.scores)))
	sum := sha256.Sum256(of)
	b = append(append(b, make([]byte, 8)...), sum[:]...)
	for _, part := range []any{t.units, t.entries, t.sequences, t.pages} {
		var err error
		if b, err = binary.Append(b, binary.LittleEndian, part); err != nil {
			panic(err)
		}
	}
	return b
}

// TestPieces_AreWhatTheWeightsSay makes the file anew from the vocabulary in the weights file; with -update, which go generate gives, it writes it.
func TestPieces_AreWhatTheWeightsSay(t *testing.T) {
	w, err := opened()
	if err != nil {
		t.Fatal(err)
	}
	want := listed().file(w.vocabulary)
	if *update {
		if err := os.WriteFile("model/pieces.bin", want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if piecesFile != string(want) {
		t.Errorf("model/pieces.bin, of %d bytes, is not the %d bytes that the weights give; run go generate", len(piecesFile), len(want))
	}
}
