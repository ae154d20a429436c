package local

import (
	_ "embed" // the trie of the built-in model's pieces
	"errors"
	"math"
)

// piecesFile is the built-in model's vocabulary as the tokenizer uses it, a trie and its characters, made from the weights file beside it. It
// is used where it lies: a start reads a header, and only what texts touch becomes resident.
//
//go:generate go test -run ^TestPieces_AreWhatTheWeightsSay$ . -update
//go:embed model/pieces.bin
var piecesFile string

// The file, little-endian: the header, then the trie's units, the characters' entries, sequences and pages.
//
//	 0  "PCS1"
//	 4  u32 units, u32 entries, u32 sequences, u32 pages: how many
//	20  f32 score of the least likely piece
//	24  zero
//	32  SHA-256 of what it was made from, the weights file from its number of pieces up to its number of tensors
//	64  units u64[], entries u32[], sequences u32[], pages u16[]
const (
	piecesMagic  = "PCS1"
	piecesHeader = 64
)

// openPieces opens a file of pieces where it lies and returns the least score beside it. That the file is of these weights is for a test to say.
func openPieces(data string) (*trie, float32, error) {
	if len(data) < piecesHeader || data[:4] != piecesMagic {
		return nil, 0, errors.New("not a file of the built-in model's pieces")
	}
	head := view[uint32](data[:piecesHeader])
	units, entries, sequences, pages := uint64(head[1]), uint64(head[2]), uint64(head[3]), uint64(head[4])
	if units < 1 || units >= noBase || entries < pageSize || pages != codePages || piecesHeader+8*units+4*entries+4*sequences+2*pages != uint64(len(data)) {
		return nil, 0, errors.New("the file of the built-in model's pieces is truncated or damaged")
	}
	t := &trie{}
	data = data[piecesHeader:]
	t.units, data = view[uint64](data[:8*units]), data[8*units:]
	t.entries, data = view[uint32](data[:4*entries]), data[4*entries:]
	t.sequences, data = view[uint32](data[:4*sequences]), data[4*sequences:]
	t.pages = view[uint16](data)
	return t, math.Float32frombits(head[5]), nil
}
