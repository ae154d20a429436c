package local

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"

	"footnote/internal/simd"
)

// encoder is the BERT of the model (Devlin et al., NAACL 2019), post-norm, in f32. It is read-only: any number of goroutines may use it.
type encoder struct {
	w              *weights
	position       []float32 // [positions][hidden], the type-0 row already added
	inputW, inputB []float32
	layers         []layer
	buffers        sync.Pool
}

type layer struct {
	qkv            *simd.Packed // [3·hidden][hidden]
	qkvB           []float32
	out            *simd.Packed
	outB           []float32
	attnW, attnB   []float32
	up             *simd.Packed // [ffn][hidden]
	upB            []float32
	down           *simd.Packed // [hidden][ffn]
	downB          []float32
	finalW, finalB []float32
}

// newEncoder expands the 4-bit weights to packed f32, layers in parallel; the word embeddings stay in 4 bits.
func newEncoder(w *weights) (*encoder, error) {
	e := &encoder{w: w, layers: make([]layer, w.layers)}
	e.buffers.New = func() any { return new(buffers) }
	load := func(dst *[]float32, name string, n int, err *error) {
		if *err == nil {
			*dst, *err = w.f32(name, n)
		}
	}
	var types []float32
	var err error
	load(&e.position, "emb.pos", w.positions*w.hidden, &err)
	load(&types, "emb.type", 2*w.hidden, &err)
	load(&e.inputW, "emb.ln.w", w.hidden, &err)
	load(&e.inputB, "emb.ln.b", w.hidden, &err)
	if err != nil {
		return nil, err
	}
	for i := range w.positions {
		add(e.position[i*w.hidden:][:w.hidden], types[:w.hidden])
	}
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i := range e.layers {
		g.Go(func() error {
			l, err := w.layer(i)
			e.layers[i] = l
			return err
		})
	}
	return e, g.Wait()
}

func (w *weights) layer(i int) (layer, error) {
	var l layer
	var err error
	name := func(s string) string { return fmt.Sprintf("l%d.%s", i, s) }
	load := func(s string, n int) (v []float32) {
		if err == nil {
			v, err = w.f32(name(s), n)
		}
		return v
	}
	h, f := w.hidden, w.ffn
	var qkv []float32
	for _, part := range []string{"q", "k", "v"} {
		qkv = append(qkv, load(part+".w", h*h)...)
		l.qkvB = append(l.qkvB, load(part+".b", h)...)
	}
	out, up, down := load("ao.w", h*h), load("fi.w", f*h), load("fo.w", h*f)
	l.outB, l.upB, l.downB = load("ao.b", h), load("fi.b", f), load("fo.b", h)
	l.attnW, l.attnB, l.finalW, l.finalB = load("aln.w", h), load("aln.b", h), load("oln.w", h), load("oln.b", h)
	if err != nil {
		return l, err
	}
	l.qkv, l.out, l.up, l.down = simd.Pack(qkv, 3*h, h), simd.Pack(out, h, h), simd.Pack(up, f, h), simd.Pack(down, h, f)
	return l, nil
}

// buffers is the working memory of one batch.
type buffers struct {
	x, qkv, attn, tmp, ffn, scores []float32
	keys, values                   simd.Packed
}

func sized(b *[]float32, n int) []float32 {
	if cap(*b) < n {
		*b = make([]float32, n)
	}
	*b = (*b)[:n]
	return *b
}

// encode runs sequences through the model together, without padding: their tokens are rows of one matrix, and only attention
// knows where each begins. It writes one mean-pooled, unit vector a sequence. ctx is looked at between layers.
func (e *encoder) encode(ctx context.Context, sequences [][]int32, out [][]float32) error {
	h, f := e.w.hidden, e.w.ffn
	n := 0
	for _, s := range sequences {
		n += len(s)
	}
	b := e.buffers.Get().(*buffers)
	defer e.buffers.Put(b)
	x, qkv, attn, tmp, ffn := sized(&b.x, n*h), sized(&b.qkv, n*3*h), sized(&b.attn, n*h), sized(&b.tmp, n*h), sized(&b.ffn, n*f)
	row := 0
	for _, s := range sequences {
		for i, id := range s {
			dst := x[row*h:][:h]
			e.w.wordRow(int(id), dst)
			add(dst, e.position[i*h:][:h])
			row++
		}
	}
	layerNorm(x, h, e.inputW, e.inputB, e.w.eps)
	for i := range e.layers {
		if err := ctx.Err(); err != nil {
			return err
		}
		l := &e.layers[i]
		simd.MatMul(qkv, 3*h, x, h, n, l.qkv, l.qkvB)
		start := 0
		for _, s := range sequences {
			e.attend(b, qkv[start*3*h:][:len(s)*3*h], attn[start*h:][:len(s)*h], len(s))
			start += len(s)
		}
		simd.MatMul(tmp, h, attn, h, n, l.out, l.outB)
		add(x, tmp)
		layerNorm(x, h, l.attnW, l.attnB, e.w.eps)
		simd.MatMul(ffn, f, x, h, n, l.up, l.upB)
		gelu(ffn)
		simd.MatMul(tmp, h, ffn, f, n, l.down, l.downB)
		add(x, tmp)
		layerNorm(x, h, l.finalW, l.finalB, e.w.eps)
	}
	for i, s := range sequences {
		mean := out[i]
		clear(mean)
		for range s {
			add(mean, x[:h])
			x = x[h:]
		}
		unit(mean)
	}
	return nil
}

// attend computes the attention of one sequence of n tokens, head by head. qkv is [n][3·hidden], dst [n][hidden].
func (e *encoder) attend(b *buffers, qkv, dst []float32, n int) {
	h := e.w.hidden
	width := h / e.w.heads
	scale := float32(1 / math.Sqrt(float64(width)))
	scores := sized(&b.scores, n*n)
	for head := range e.w.heads {
		at := head * width
		b.keys.Fill(qkv[h+at:], 3*h, n, width)
		simd.MatMul(scores, n, qkv[at:], 3*h, n, &b.keys, nil)
		softmax(scores, n, n, scale)
		b.values.FillRows(qkv[2*h+at:], 3*h, n, width)
		simd.MatMul(dst[at:], h, scores, n, n, &b.values, nil)
	}
}
