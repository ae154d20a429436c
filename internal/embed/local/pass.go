package local

import (
	"math"
	"sync"

	"footnote/internal/simd"
)

// pass is the working memory of one batch on its way through the model, and the steps of a layer. A step is a set of tasks that may run in any
// order and on any core; the next step begins when all are done.
type pass struct {
	*encoder
	team      *team // nil: the leader is alone
	layer     *layer
	step      step
	sequences [][]int32
	starts    []int // the row at which each sequence begins
	rows      int
	x         activations // the residual stream, [rows][hidden]
	mixed     activations // what attention gives, [rows][hidden]
	inner     activations // the feed-forward's inside, [rows][ffn]
	branch    []float32   // what is added to x next, [rows][hidden]
	q, k      []float32   // [heads][room][width]
	v         []float32   // [hidden/32][room][32]
	room      int         // rows, and what kernels may write past them
}

type step int

const (
	stepInput    step = iota // embeddings → x
	stepProject              // x → q, k, v
	stepAttend               // q, k, v → mixed
	stepMix                  // mixed in 8 bits
	stepOut                  // mixed → branch
	stepOutNorm              // x + branch → x
	stepUp                   // x → inner
	stepActivate             // GELU
	stepDown                 // inner → branch
	stepDownNorm             // x + branch → x
)

const (
	rowsPerTask   = 8
	panelsPerTask = 2
)

func (p *pass) begin(e *encoder, sequences [][]int32) {
	p.encoder, p.sequences, p.starts, p.rows = e, sequences, p.starts[:0], 0
	for _, s := range sequences {
		p.starts = append(p.starts, p.rows)
		p.rows += len(s)
	}
	// Kernels work on whole groups of rows; attention begins its groups anywhere.
	p.room = (p.rows+simd.RowAlign-1)/simd.RowAlign*simd.RowAlign + simd.RowAlign
	p.x.resize(p.room, e.hidden)
	p.mixed.resize(p.room, e.hidden)
	p.inner.resize(p.room, e.ffn)
	p.branch = sized(p.branch, p.room*e.hidden)
	p.q, p.k, p.v = sized(p.q, p.room*e.hidden), sized(p.k, p.room*e.hidden), sized(p.v, p.room*e.hidden)
}

// groups is how many tasks the columns of a product make: few when the pass is one core's, since each reads all rows.
func (p *pass) groups(columns int) int {
	return (columns/32 + panelsPerTask - 1) / panelsPerTask
}

func (p *pass) do(s step, tasks int) {
	p.step = s
	if p.team != nil && tasks > 1 {
		p.team.each(tasks)
		return
	}
	for i := range tasks {
		p.task(i)
	}
}

func (p *pass) task(i int) {
	h, l := p.hidden, p.layer
	first, last := i*panelsPerTask, (i+1)*panelsPerTask
	from, to := i*rowsPerTask, min((i+1)*rowsPerTask, p.rows)
	switch p.step {
	case stepInput:
		p.input(from, to)
	case stepProject:
		p.project(i/3, i%3)
	case stepAttend:
		p.attend(i/p.heads, i%p.heads)
	case stepMix:
		for r := from; r < to; r++ {
			p.mixed.quantise(p.precision, r)
		}
	case stepOut:
		l.out.apply(p.branch, h, 32, &p.mixed, p.rows, first, min(last, h/32))
	case stepOutNorm:
		p.norm(from, to, l.attnW, l.attnB)
	case stepUp:
		l.up.apply(p.inner.values, p.ffn, 32, &p.x, p.rows, first, min(last, p.ffn/32))
	case stepActivate:
		for r := from; r < to; r++ {
			simd.GELU(p.inner.row(r))
			p.inner.quantise(p.precision, r)
		}
	case stepDown:
		l.down.apply(p.branch, h, 32, &p.inner, p.rows, first, min(last, h/32))
	case stepDownNorm:
		p.norm(from, to, l.finalW, l.finalB)
	}
}

// norm adds the branch to rows of x and normalises them.
func (p *pass) norm(from, to int, w, b []float32) {
	for r := from; r < to; r++ {
		simd.AddNorm(p.x.row(r), p.branch[r*p.hidden:][:p.hidden], w, b, p.eps)
		p.x.quantise(p.precision, r)
	}
}

// input embeds the tokens of rows [from, to): word + position + type, normalised.
func (p *pass) input(from, to int) {
	s := len(p.starts) - 1
	for p.starts[s] > from {
		s--
	}
	for r := from; r < to; r++ {
		for r >= p.starts[s]+len(p.sequences[s]) {
			s++
		}
		at := r - p.starts[s]
		p.source.wordRow(int(p.sequences[s][at]), p.x.row(r))
		simd.AddNorm(p.x.row(r), p.position[(p.firstPosition+at)*p.hidden:][:p.hidden], p.inputW, p.inputB, p.eps)
		p.x.quantise(p.precision, r)
	}
}

// project computes the queries (0), keys (1) or values (2) of one head.
func (p *pass) project(head, which int) {
	width := p.hidden / p.heads
	first, last := head*width/32, (head+1)*width/32
	switch which {
	case 0, 1:
		dst, l := p.q, p.layer.q
		if which == 1 {
			dst, l = p.k, p.layer.k
		}
		for panel := first; panel < last; panel++ {
			l.apply(dst[head*p.room*width+(panel-first)*32:], width, 0, &p.x, p.rows, panel, panel+1)
		}
	case 2:
		p.layer.v.apply(p.v, 32, p.room*32, &p.x, p.rows, first, last)
	}
}

// pool writes the unit vector of the sequence of n rows from start.
func (p *pass) pool(dst []float32, start, n int) {
	if p.clsPooling {
		n = 1
	}
	clear(dst)
	for r := start; r < start+n; r++ {
		add(dst, p.x.row(r))
	}
	unit(dst)
}

// attention is the working memory of one task of attention.
type attention struct {
	keys   []float32 // [n/32][width][32], the keys of a head transposed
	scores []float32 // [queryRows][n rounded up to 32]
	mixed  []float32 // [queryRows][width]
	factor [queryRows]float32
}

var attentions = sync.Pool{New: func() any { return new(attention) }}

// queryRows is how many rows of queries attention works on at a time: their scores stay in the first-level cache.
const queryRows = 12

// attend computes one head's attention over one sequence, softmax(q·kᵀ/√width)·v, a block of queries at a time (Milakov & Gimelshein, 2018, without the
// running maximum: the scores of a whole row fit the cache at 512 tokens).
func (p *pass) attend(sequence, head int) {
	a := attentions.Get().(*attention)
	defer attentions.Put(a)
	n, start, width := len(p.sequences[sequence]), p.starts[sequence], p.hidden/p.heads
	padded := (n + 31) / 32 * 32
	a.keys = sized(a.keys, padded*width)
	a.scores = sized(a.scores, queryRows*padded)
	a.mixed = sized(a.mixed, queryRows*width)
	keys := p.k[(head*p.room+start)*width:][:n*width]
	for at := 0; at < n; at += 32 {
		a.transpose(keys, at, n, width)
	}
	b := simd.Panels(a.keys, padded, width)
	scale := float32(simd.Log2E / math.Sqrt(float64(width)))
	for from := 0; from < n; from += queryRows {
		rows := min(queryRows, n-from)
		queries := p.q[(head*p.room+start+from)*width:]
		simd.MatMul(a.scores, padded, 32, queries, width, 0, rows, &b, 0, padded/32, nil, nil)
		for r := range rows {
			a.factor[r] = 1 / simd.ExpRow(a.scores[r*padded:][:n], scale)
		}
		for panel := 0; panel*32 < width; panel++ {
			v := simd.Panels(p.v[((head*width/32+panel)*p.room+start)*32:], 32, n)
			out := p.mixed.values[(start+from)*p.hidden+head*width+panel*32:]
			whole := rows / simd.RowAlign * simd.RowAlign
			simd.MatMul(out, p.hidden, 32, a.scores, padded, 0, whole, &v, 0, 1, a.factor[:], nil)
			if whole < rows {
				// The last group goes by way of memory of its own: the rows after it are another sequence's.
				simd.MatMul(a.mixed, width, 32, a.scores, padded, whole, rows, &v, 0, 1, a.factor[:], nil)
				for r := whole; r < rows; r++ {
					copy(out[r*p.hidden:][:32], a.mixed[r*width:][:32])
				}
			}
		}
	}
}

// transpose lays out keys [at, at+32) of n as the right-hand side of q·kᵀ; those past n are zero.
func (a *attention) transpose(keys []float32, at, n, width int) {
	panel := a.keys[at*width:][:32*width]
	for d := 0; d < width; d += 32 {
		if at+32 <= n {
			simd.Transpose32(panel[d*32:], keys[at*width+d:], width)
			continue
		}
		clear(panel[d*32:][:32*32])
		for i := at; i < n; i++ {
			for j, v := range keys[i*width+d:][:32] {
				panel[(d+j)*32+i-at] = v
			}
		}
	}
}
