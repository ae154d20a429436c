// Package stored is how the catalogs write values that databases have no type for, or each another one. All catalogs write them alike.
package stored

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"footnote/internal/rag"
)

// Micros is a time as it is stored: microseconds since 1970, UTC; 0 is no time.
func Micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// Time reads Micros.
func Time(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

// Strings is a list of strings as JSON.
func Strings(v []string) string {
	if len(v) == 0 {
		return "[]"
	}
	b, _ := json.Marshal(v) // strings always encode
	return string(b)
}

// ReadStrings reads Strings; an empty list is nil.
func ReadStrings(s string) (v []string, err error) {
	if err := json.Unmarshal([]byte(s), &v); err != nil {
		return nil, fmt.Errorf("a stored list of strings: %w", err)
	}
	if len(v) == 0 {
		return nil, nil
	}
	return v, nil
}

// Metadata is metadata as JSON.
func Metadata(m rag.Metadata) (string, error) {
	if len(m) == 0 {
		return "{}", nil
	}
	b, err := json.Marshal(m)
	if err != nil {
		return "", rag.Errorf(rag.Invalid, "The metadata cannot be stored: %w", err)
	}
	return string(b), nil
}

// ReadMetadata reads Metadata.
func ReadMetadata(s string) (rag.Metadata, error) {
	m := rag.Metadata{}
	if err := json.Unmarshal([]byte(s), &m); err != nil {
		return nil, fmt.Errorf("stored metadata: %w", err)
	}
	for k, v := range m {
		if list, ok := v.([]any); ok {
			strings := make([]string, len(list))
			for i, x := range list {
				strings[i], _ = x.(string)
			}
			m[k] = strings
		}
	}
	return m, nil
}

// Vector is a chunk's vector as its columns have it: embedding and text_hash.
type Vector struct {
	Embedding []byte
	// TextHash is the rag.TextHash of the text that is embedded, by which other chunks with that text find the vector; nil when it was stored before there were hashes, imported when
	// it came with an import.
	TextHash []byte
}

// imported stands in place of a hash. It is shorter than one, so nothing finds it.
var imported = []byte{0}

// VectorOf is what is stored for the ith chunk of v: the vector that v brings or, where it brings none, the one that is kept of the chunk, with a hash in either case.
func VectorOf(v rag.Version, i int, kept map[rag.ChunkID]Vector) (Vector, error) {
	c := v.Chunks[i]
	out := kept[c.ID]
	if e := v.Embeddings[i]; e != nil {
		out = Vector{Embedding: Embedding(e)}
		if v.Imported {
			out.TextHash = imported
		}
	}
	if out.Embedding == nil {
		// Another version, published meanwhile, no longer had the chunk. The job begins anew and embeds it.
		return out, rag.Errorf(rag.Unavailable, "Chunk %d of %q lost its embedding to another version meanwhile; try again.", i, rag.Clip(v.Document.ExternalID, 80))
	}
	if out.TextHash == nil {
		h := rag.HashText(c.Embedded(v.Document.Title))
		out.TextHash = h[:]
	}
	return out, nil
}

// Embedding is a vector as float32, little-endian.
func Embedding(e rag.Embedding) []byte {
	b := make([]byte, 0, 4*len(e))
	for _, v := range e {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

// ReadEmbedding reads Embedding.
func ReadEmbedding(b []byte) rag.Embedding {
	e := make(rag.Embedding, len(b)/4)
	for i := range e {
		e[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return e
}
