package local

import (
	"context"
	"fmt"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"
)

// shape is what an encoder's arithmetic depends on beside its weights.
type shape struct {
	hidden, layers, heads, ffn int
	positions                  int // rows of the position table
	firstPosition              int // the row of a sequence's first token
	eps                        float32
	clsPooling                 bool // the vector is the first token's state, not the mean
}

// tokens is the greatest length of a sequence.
func (s shape) tokens() int { return s.positions - s.firstPosition }

func (s shape) validate() error {
	if s.hidden%32 != 0 || s.ffn%32 != 0 || s.heads <= 0 || s.hidden%s.heads != 0 || s.hidden/s.heads%32 != 0 {
		return fmt.Errorf("hidden size %d, feed-forward size %d and head width %d must be multiples of 32", s.hidden, s.ffn, s.hidden/max(s.heads, 1))
	}
	return nil
}

// source gives the weights of an encoder by the built-in model's names: emb.pos, emb.type, emb.ln.{w,b}, and per layer l0.…:
// q, k, v, ao, fi, fo as .w and .b, aln and oln as .w and .b.
type source interface {
	// vector returns n values in memory that the caller owns.
	vector(name string, n int) ([]float32, error)
	// matrix returns a function that writes row i, of k values, of the n rows.
	matrix(name string, n, k int) (func(i int, dst []float32), error)
	// wordRow writes the embedding of token id.
	wordRow(id int, dst []float32)
}

// encoder is a BERT (Devlin et al., NAACL 2019), post-norm. It is read-only: any number of goroutines may use it.
type encoder struct {
	shape
	precision      Precision
	source         source
	position       []float32 // [positions][hidden], the type-0 row already added
	inputW, inputB []float32
	layers         []layer
	passes         sync.Pool
}

type layer struct {
	q, k, v, out, up, down       *linear
	attnW, attnB, finalW, finalB []float32
}

// newEncoder packs the weights into the layouts that the kernels want, layers in parallel; the word embeddings stay where they are.
func newEncoder(s shape, w source, p Precision) (*encoder, error) {
	if err := s.validate(); err != nil {
		return nil, err
	}
	e := &encoder{shape: s, precision: p, source: w, layers: make([]layer, s.layers)}
	e.passes.New = func() any { return new(pass) }
	r := vectors{source: w}
	e.position = r.read("emb.pos", s.positions*s.hidden)
	types := r.read("emb.type", s.hidden)
	e.inputW, e.inputB = r.read("emb.ln.w", s.hidden), r.read("emb.ln.b", s.hidden)
	if r.err != nil {
		return nil, r.err
	}
	for i := range s.positions {
		add(e.position[i*s.hidden:][:s.hidden], types)
	}
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i := range e.layers {
		g.Go(func() (err error) {
			e.layers[i], err = newLayer(s, w, p, i)
			return err
		})
	}
	return e, g.Wait()
}

// vectors reads vectors and remembers the first failure.
type vectors struct {
	source source
	err    error
}

func (r *vectors) read(name string, n int) (v []float32) {
	if r.err == nil {
		v, r.err = r.source.vector(name, n)
	}
	return v
}

func newLayer(s shape, w source, p Precision, i int) (layer, error) {
	r := vectors{source: w}
	h, f := s.hidden, s.ffn
	name := func(part string) string { return fmt.Sprintf("l%d.%s", i, part) }
	pack := func(part string, n, k int) *linear {
		bias := r.read(name(part+".b"), n)
		var row func(int, []float32)
		if r.err == nil {
			row, r.err = w.matrix(name(part+".w"), n, k)
		}
		if r.err != nil {
			return nil
		}
		return newLinear(p, n, k, bias, row)
	}
	l := layer{
		q: pack("q", h, h), k: pack("k", h, h), v: pack("v", h, h), out: pack("ao", h, h), up: pack("fi", f, h), down: pack("fo", h, f),
		attnW: r.read(name("aln.w"), h), attnB: r.read(name("aln.b"), h), finalW: r.read(name("oln.w"), h), finalB: r.read(name("oln.b"), h),
	}
	return l, r.err
}

// encode runs sequences through the model together, without padding: their tokens are rows of one matrix, and only attention
// knows where each begins. It writes one pooled, unit vector a sequence. members is how many cores may share the work. between is called
// before each step; its error ends the pass.
func (e *encoder) encode(ctx context.Context, sequences [][]int32, out [][]float32, members int, between func(context.Context) error) error {
	return e.forward(ctx, sequences, members, between, func(p *pass) {
		for i, start := range p.starts {
			p.pool(out[i], start, len(sequences[i]))
		}
	})
}

// forward runs sequences through the layers and lets read take what it wants of the last one's states.
func (e *encoder) forward(ctx context.Context, sequences [][]int32, members int, between func(context.Context) error, read func(p *pass)) error {
	p := e.passes.Get().(*pass)
	defer e.passes.Put(p)
	p.begin(e, sequences)
	if members > 1 {
		p.team = &team{run: p.task} // not used again: a member that comes late still looks at it
		p.team.join(members)
		defer p.team.end()
	}
	defer func() { p.team = nil }()
	next := func(s step, tasks int) error {
		if between != nil {
			if err := between(ctx); err != nil {
				return err
			}
		}
		p.do(s, tasks)
		return nil
	}
	rows := (p.rows + rowsPerTask - 1) / rowsPerTask
	p.do(stepInput, rows)
	for i := range e.layers {
		p.layer = &e.layers[i]
		for _, s := range [...]struct {
			step  step
			tasks int
		}{
			{stepProject, 3 * e.heads},
			{stepAttend, e.heads * len(sequences)},
			{stepMix, rows},
			{stepOut, p.groups(e.hidden)},
			{stepOutNorm, rows},
			{stepUp, p.groups(e.ffn)},
			{stepActivate, rows},
			{stepDown, p.groups(e.hidden)},
			{stepDownNorm, rows},
		} {
			if err := next(s.step, s.tasks); err != nil {
				return err
			}
		}
	}
	read(p)
	return nil
}
