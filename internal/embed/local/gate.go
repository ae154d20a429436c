package local

import (
	"context"
	"runtime"
	"sync/atomic"
	"time"
)

// gate lets queries go before documents. A query raises it while it is embedded; documents look at it between the steps of a layer and
// stand aside, so that a query waits for one step of one tile, well under a millisecond.
type gate struct{ queries atomic.Int32 }

// patience is how long documents stand aside for queries that never cease before they do one step: an ingest gets on under any load.
const patience = 20 * time.Millisecond

func (g *gate) raise() { g.queries.Add(1) }
func (g *gate) lower() { g.queries.Add(-1) }

// pass waits while queries are embedded, and lets other goroutines run in any case: steps are long, and made of assembly that nobody
// can interrupt.
func (g *gate) pass(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if g.queries.Load() == 0 {
		runtime.Gosched()
		return nil
	}
	for begun := time.Now(); g.queries.Load() > 0 && time.Since(begun) < patience; {
		time.Sleep(100 * time.Microsecond)
	}
	return ctx.Err()
}
