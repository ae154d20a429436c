package local

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"
)

// A safetensors file is a u64 length, a JSON directory of that length, and the tensors, row by row, little-endian.
const maxDirectoryBytes = 100 << 20 // the format's own limit

// stored is one tensor of a file; its bytes stay there.
type stored struct {
	kind   string // F32, F16, BF16, or what cannot be read
	rows   int
	width  int // of a row: the last dimension
	shape  []int
	file   io.ReaderAt
	offset int64
}

// elementBytes is the size of an element of a type of numbers that can be read, else 0.
func elementBytes(kind string) int {
	switch kind {
	case "F32":
		return 4
	case "F16", "BF16":
		return 2
	}
	return 0
}

// readSafetensors reads the directory of a file of size bytes and checks every tensor's bounds. Tensors of types that are not
// read here are listed too: a model may hold some that nobody asks for, such as position_ids.
func readSafetensors(file io.ReaderAt, size int64) (map[string]stored, error) {
	var head [8]byte
	if _, err := file.ReadAt(head[:], 0); err != nil {
		return nil, errors.New("it is shorter than a safetensors header")
	}
	if string(head[:]) == "version " {
		return nil, errors.New("it is a pointer of Git LFS, not the file: run git lfs pull in the folder")
	}
	length := binary.LittleEndian.Uint64(head[:])
	if length > maxDirectoryBytes || int64(length) > size-8 {
		return nil, fmt.Errorf("its directory would have %d bytes: it is no safetensors file, or a part of one", length)
	}
	directory := make([]byte, length)
	if _, err := file.ReadAt(directory, 8); err != nil {
		return nil, fmt.Errorf("read its directory: %w", err)
	}
	var entries map[string]json.RawMessage
	if err := json.Unmarshal(directory, &entries); err != nil {
		return nil, fmt.Errorf("its directory is not JSON: %w", err)
	}
	delete(entries, "__metadata__")
	tensors := make(map[string]stored, len(entries))
	body := size - 8 - int64(length)
	end := int64(0)
	for name, raw := range entries {
		var e struct {
			Kind    string  `json:"dtype"`
			Shape   []int64 `json:"shape"`
			Offsets []int64 `json:"data_offsets"`
		}
		if err := json.Unmarshal(raw, &e); err != nil || len(e.Offsets) != 2 {
			return nil, fmt.Errorf("its directory does not describe tensor %q", name)
		}
		from, to := e.Offsets[0], e.Offsets[1]
		if from < 0 || to < from || to > body {
			return nil, fmt.Errorf("tensor %q lies at bytes %d to %d of %d: the file is cut or damaged", name, from, to, body)
		}
		end = max(end, to)
		t := stored{kind: e.Kind, rows: 1, width: 1, file: file, offset: 8 + int64(length) + from}
		elements := int64(1)
		for i, d := range e.Shape {
			// No dimension and no product may exceed what a file can hold, so that nothing below overflows.
			if d <= 0 || d > math.MaxInt32 || elements > body/d {
				elements = -1
				break
			}
			elements *= d
			t.shape = append(t.shape, int(d))
			if i < len(e.Shape)-1 {
				t.rows *= int(d)
			} else {
				t.width = int(d)
			}
		}
		if width := elementBytes(t.kind); width != 0 && (elements < 0 || elements*int64(width) != to-from) {
			return nil, fmt.Errorf("tensor %q of shape %v and type %s has %d bytes: the file is damaged", name, e.Shape, t.kind, to-from)
		}
		tensors[name] = t
	}
	if end != body {
		return nil, fmt.Errorf("its tensors end at byte %d of %d: the file is damaged", end, body)
	}
	return tensors, nil
}

// rowBuffers hold the bytes of rows on their way to float32.
var rowBuffers = sync.Pool{New: func() any { return new([]byte) }}

// row writes row i of width elements to dst; dst may be shorter than the row.
func (t stored) row(i int, dst []float32) error { return t.read(int64(i)*int64(t.width), dst) }

// read writes the len(dst) elements from the one at position at. The caller has checked the bounds and the type.
func (t stored) read(at int64, dst []float32) error {
	size := elementBytes(t.kind)
	buffer := rowBuffers.Get().(*[]byte)
	defer rowBuffers.Put(buffer)
	if cap(*buffer) < size*len(dst) {
		*buffer = make([]byte, size*len(dst))
	}
	b := (*buffer)[:size*len(dst)]
	if _, err := t.file.ReadAt(b, t.offset+at*int64(size)); err != nil {
		return err
	}
	switch t.kind {
	case "F32":
		for i := range dst {
			dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
		}
	case "F16":
		for i := range dst {
			dst[i] = half(binary.LittleEndian.Uint16(b[2*i:]))
		}
	case "BF16":
		for i := range dst {
			dst[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(b[2*i:])) << 16)
		}
	}
	return nil
}
