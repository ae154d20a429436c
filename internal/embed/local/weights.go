package local

import (
	_ "embed" // the model
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"unsafe"
)

// model is a string so that its pages stay in the binary's read-only mapping: only what is touched becomes resident.
//
//go:embed model/e5-small-q4.bin
var model string

// modelBytes views the embedded file without copying it; nobody may write to it.
func modelBytes() []byte { return unsafe.Slice(unsafe.StringData(model), len(model)) }

// The weights file, little-endian: a header, the vocabulary, the normalisation table, the tensor directory, the tensors.
const (
	magic       = "E5S1"
	headerBytes = 72
	// vocabularyAt is where the number of pieces stands, with which the vocabulary begins.
	vocabularyAt = 44
	q4Block      = 18 // bytes for 32 weights: an f16 scale, then 16 bytes of nibbles
	q4Group      = 32
)

// Types of tensors in the directory.
const (
	typeF32 = 0
	typeQ4  = 1
)

var errTruncated = errors.New("the weights file is truncated or damaged")

type tensor struct {
	kind     byte
	elements int
	data     []byte
}

// weights is an open weights file; it keeps views into data.
type weights struct {
	hidden, layers, heads, ffn, positions int
	rows                                  int // of emb.word
	eps                                   float32
	bos, eos, unk                         int32

	scores     []float32 // [id], log probabilities of the pieces
	vocabulary []byte    // the section that pieces.bin is made from, the number of pieces first
	tensors    map[string]tensor
	word       tensor
}

// shape is the encoder's.
func (w *weights) shape() shape {
	return shape{hidden: w.hidden, layers: w.layers, heads: w.heads, ffn: w.ffn, positions: w.positions, eps: w.eps}
}

// reader walks the file and remembers the first failure, so that every read is bounded and checked once at the end.
type reader struct {
	data []byte
	at   int
	bad  bool
}

func (r *reader) bytes(n int) []byte {
	if r.bad || n < 0 || n > len(r.data)-r.at {
		r.bad = true
		return nil
	}
	b := r.data[r.at:][:n:n]
	r.at += n
	return b
}

func (r *reader) u32() uint32 {
	if b := r.bytes(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (r *reader) u64() uint64 {
	if b := r.bytes(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func (r *reader) i32() int { return int(int32(r.u32())) }

// openWeights reads the directory of a weights file and checks every offset; the tensors themselves stay where they are.
func openWeights(data []byte) (*weights, error) {
	if len(data) < headerBytes || string(data[:4]) != magic {
		return nil, errors.New("not a weights file of the built-in model")
	}
	r := &reader{data: data, at: 4}
	if v := r.u32(); v != 1 {
		return nil, fmt.Errorf("weights file of version %d, want 1", v)
	}
	w := &weights{}
	w.hidden, w.layers, w.heads, w.ffn = r.i32(), r.i32(), r.i32(), r.i32()
	w.rows, w.positions = r.i32(), r.i32()
	r.i32() // token types
	w.eps = math.Float32frombits(r.u32())
	group := r.i32()
	n := r.i32()
	w.bos, w.eos = int32(r.i32()), int32(r.i32())
	r.i32() // padding id: batches are ragged
	w.unk = int32(r.i32())
	blobBytes := r.u64()
	if r.bad || w.hidden <= 0 || w.layers <= 0 || w.heads <= 0 || w.ffn <= 0 || w.positions <= 0 || w.hidden%w.heads != 0 ||
		w.hidden%q4Group != 0 || w.ffn%q4Group != 0 || group != q4Group || n <= 4 || n > w.rows || n > len(data)/8 || blobBytes > uint64(len(data)) ||
		w.hidden > 1<<16 || w.ffn > 1<<16 || w.layers > 1<<10 || w.positions > 1<<20 || w.rows > 1<<24 {
		return nil, errTruncated
	}
	if err := w.readVocabulary(r, n, int(blobBytes)); err != nil {
		return nil, err
	}
	if err := w.readDirectory(r); err != nil {
		return nil, err
	}
	var ok bool
	if w.word, ok = w.tensors["emb.word"]; !ok || w.word.kind != typeQ4 || w.word.elements != w.rows*w.hidden {
		return nil, fmt.Errorf("the weights file has no proper emb.word: %w", errTruncated)
	}
	return w, nil
}

// readVocabulary passes over the pieces and replacements, which pieces.bin has in a form for use, and keeps the scores.
func (w *weights) readVocabulary(r *reader, n, blobBytes int) error {
	r.bytes(4 * (n + 1)) // offsets of the pieces
	scores := r.bytes(4 * n)
	r.bytes(blobBytes)
	r.i32() // replacements
	r.bytes(int(r.u32()))
	if r.bad {
		return errTruncated
	}
	w.scores = view[float32](unsafe.String(unsafe.SliceData(scores), len(scores)))
	w.vocabulary = r.data[vocabularyAt:r.at:r.at]
	return nil
}

func (w *weights) readDirectory(r *reader) error {
	n := r.i32()
	if r.bad || n < 0 || n > 1<<16 {
		return errTruncated
	}
	w.tensors = make(map[string]tensor, n)
	for range n {
		size := r.bytes(2)
		if r.bad {
			return errTruncated
		}
		name := string(r.bytes(int(binary.LittleEndian.Uint16(size))))
		kind := r.bytes(1)
		elements, offset, bytes := int(r.u32()), r.u64(), r.u64()
		if r.bad || offset > uint64(len(r.data)) || bytes > uint64(len(r.data))-offset {
			return errTruncated
		}
		t := tensor{kind: kind[0], elements: elements, data: r.data[offset:][:bytes:bytes]}
		want := -1
		switch t.kind {
		case typeF32:
			want = 4 * elements
		case typeQ4:
			if elements%q4Group == 0 {
				want = elements / q4Group * q4Block
			}
		}
		if want != len(t.data) {
			return fmt.Errorf("tensor %q has %d bytes for %d elements: %w", name, len(t.data), elements, errTruncated)
		}
		w.tensors[name] = t
	}
	return nil
}

// vector returns the first n elements of the named tensor as float32, in memory of their own.
func (w *weights) vector(name string, n int) ([]float32, error) {
	t, ok := w.tensors[name]
	if !ok || t.kind != typeF32 && n%q4Group != 0 || t.elements < n {
		return nil, fmt.Errorf("the weights file has no tensor %q of %d elements", name, n)
	}
	out := make([]float32, n)
	if t.kind == typeQ4 {
		dequantise(out, t.data)
		return out, nil
	}
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(t.data[4*i:]))
	}
	return out, nil
}

// matrix returns a function that writes row i of the named tensor of n rows of k elements.
func (w *weights) matrix(name string, n, k int) (func(i int, dst []float32), error) {
	t, ok := w.tensors[name]
	if !ok || t.kind != typeQ4 || t.elements != n*k || k%q4Group != 0 {
		return nil, fmt.Errorf("the weights file has no 4-bit tensor %q of %d×%d elements", name, n, k)
	}
	bytes := k / q4Group * q4Block
	return func(i int, dst []float32) { dequantise(dst[:k], t.data[i*bytes:][:bytes]) }, nil
}

// wordRow writes the embedding of piece id, hidden elements, to dst.
func (w *weights) wordRow(id int, dst []float32) {
	bytes := w.hidden / q4Group * q4Block
	dequantise(dst[:w.hidden], w.word.data[id*bytes:][:bytes])
}

// nibbles are the 4-bit weights as floats: a table is a quarter faster than converting each.
var nibbles = [16]float32{-8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7}

// dequantise expands blocks of 4-bit weights: low nibbles are weights 0–15, high ones 16–31, each minus 8, times the scale.
func dequantise(dst []float32, blocks []byte) {
	for len(dst) >= q4Group {
		scale := half(binary.LittleEndian.Uint16(blocks))
		out := dst[:q4Group]
		for i, b := range blocks[2:q4Block] {
			out[i] = nibbles[b&15] * scale
			out[i+16] = nibbles[b>>4] * scale
		}
		dst, blocks = dst[q4Group:], blocks[q4Block:]
	}
}

// half converts an IEEE 754 binary16.
func half(h uint16) float32 {
	sign, exponent, fraction := uint32(h>>15)<<31, uint32(h>>10&31), uint32(h&1023)
	switch exponent {
	case 0:
		v := float32(fraction) / (1 << 24)
		return math.Float32frombits(math.Float32bits(v) | sign)
	case 31:
		return math.Float32frombits(sign | 0xff<<23 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+112)<<23 | fraction<<13)
}
