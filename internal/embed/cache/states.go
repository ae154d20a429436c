package cache

import (
	"context"
	"crypto/sha256"
	"math"

	"github.com/maypok86/otter/v2"

	"footnote/internal/rag"
)

// TokenEmbedder gives the state of every token of a text, as unit vectors of one length.
type TokenEmbedder interface {
	TokenStates(ctx context.Context, texts []string, query bool) ([][]rag.Embedding, error)
}

// StatesOptions configures States.
type StatesOptions struct {
	Fingerprint string         // of the model: it changes whenever the same text would get other states
	Bytes       int            // most memory that they take; 0: 64 MiB, some 500 passages of 300 tokens of 384 dimensions
	Observe     func(hit bool) // called for each text. nil: nobody looks
}

// States keeps the token states of texts, so that a passage that answers often goes through the model once. A state takes a byte a dimension beside a scale, so that
// a cosine moves in the third place after the point. When it is full, those texts go that are asked for least often and longest ago. Any number of goroutines may use it.
type States struct {
	model       TokenEmbedder
	fingerprint string
	observe     func(hit bool)
	kept        *otter.Cache[stateKey, states]
}

type stateKey struct {
	text  [sha256.Size]byte
	query bool
}

// states are n rows of dims signed bytes and their scales.
type states struct {
	dims   int
	values []int8
	scales []float32
}

// OverStates puts a cache in front of a model's token states.
func OverStates(m TokenEmbedder, o StatesOptions) *States {
	if o.Bytes == 0 {
		o.Bytes = 64 << 20
	}
	if o.Observe == nil {
		o.Observe = func(bool) {}
	}
	return &States{model: m, fingerprint: o.Fingerprint, observe: o.Observe, kept: otter.Must(&otter.Options[stateKey, states]{
		MaximumWeight: uint64(o.Bytes),
		Weigher: func(_ stateKey, s states) uint32 {
			return uint32(min(len(s.values)+4*len(s.scales)+entryOverhead, math.MaxUint32))
		},
		Executor: func(task func()) { task() },
	})}
}

// TokenStates is the model's, with what is kept taken from the cache and the rest computed in one call. The caller owns what it gets. What two callers miss at a
// time is computed for each. An error of the model is not kept.
func (c *States) TokenStates(ctx context.Context, texts []string, query bool) ([][]rag.Embedding, error) {
	out := make([][]rag.Embedding, len(texts))
	keys := make([]stateKey, len(texts))
	var missing []int
	var rest []string
	for i, text := range texts {
		keys[i] = stateKey{sha256.Sum256([]byte(c.fingerprint + "\x00" + text)), query}
		s, ok := c.kept.GetIfPresent(keys[i])
		c.observe(ok)
		if ok {
			out[i] = s.unpack()
			continue
		}
		missing, rest = append(missing, i), append(rest, text)
	}
	if len(rest) == 0 {
		return out, nil
	}
	computed, err := c.model.TokenStates(ctx, rest, query)
	if err != nil {
		return nil, err
	}
	for j, i := range missing {
		s := pack(computed[j])
		c.kept.Set(keys[i], s)
		out[i] = s.unpack() // so that the first time and every other give the same
	}
	return out, nil
}

func pack(rows []rag.Embedding) states {
	if len(rows) == 0 {
		return states{}
	}
	s := states{dims: len(rows[0]), values: make([]int8, 0, len(rows)*len(rows[0])), scales: make([]float32, len(rows))}
	for i, row := range rows {
		var greatest float32
		for _, x := range row {
			greatest = max(greatest, x, -x)
		}
		scale := greatest / 127
		s.scales[i] = scale
		for _, x := range row {
			if scale == 0 {
				s.values = append(s.values, 0)
				continue
			}
			s.values = append(s.values, int8(math.RoundToEven(float64(x/scale))))
		}
	}
	return s
}

func (s states) unpack() []rag.Embedding {
	out := make([]rag.Embedding, len(s.scales))
	values := make(rag.Embedding, len(s.values))
	for i, scale := range s.scales {
		row := values[i*s.dims : (i+1)*s.dims : (i+1)*s.dims]
		for k, x := range s.values[i*s.dims : (i+1)*s.dims] {
			row[k] = scale * float32(x)
		}
		out[i] = row
	}
	return out
}
