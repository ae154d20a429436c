package local

import (
	"context"
	"runtime"
	"sync/atomic"
	"time"
)

// gate lets queries go before documents. A query raises it while it is embedded; documents look at it between the steps of a layer and
// stand aside, so that a query waits for one step of one tile, well under a millisecond.
//
// What else goes before documents, such as a search whose query's vector is known, needs few cores: documents leave it those, and go on with the others.
type gate struct {
	queries atomic.Int32
	cores   atomic.Int32 // that others have asked for
}

// patience is how long documents stand aside for queries that never cease before they do one step: an ingest gets on under any load.
const patience = 5 * time.Millisecond

func (g *gate) raise() { g.queries.Add(1) }
func (g *gate) lower() { g.queries.Add(-1) }

// closed tells whether documents that would compute on the core-th core, of so many, have to wait.
func (g *gate) closed(core, of int) bool {
	return g.queries.Load() > 0 || core >= of-int(g.cores.Load())
}

// pass waits while queries are embedded, or others need the core, and lets other goroutines run in any case: steps are long, and made of assembly that nobody
// can interrupt.
func (g *gate) pass(ctx context.Context, core, of int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !g.closed(core, of) {
		runtime.Gosched()
		return nil
	}
	for begun := time.Now(); g.closed(core, of) && time.Since(begun) < patience; {
		time.Sleep(100 * time.Microsecond)
	}
	return ctx.Err()
}

// Spare keeps so many of the cores free of documents until release is called: for work beside the model that somebody waits for. Documents in hand stand aside at their next step, and do one every
// 5 ms even if they are asked to for ever. Any number of goroutines may call it, and what they ask for adds up; release is called once.
func (e *Embedder) Spare(cores int) (release func()) {
	e.gate.cores.Add(int32(cores))
	return func() { e.gate.cores.Add(int32(-cores)) }
}
