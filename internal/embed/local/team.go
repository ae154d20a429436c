package local

import (
	"runtime"
	"sync/atomic"
	"time"
)

// team shares the tasks of one pass among the cores. The caller of each leads; members join when a core is free for them, and nobody waits for one that did not come.
//
// A pass has some hundred steps of some ten microseconds each, so members look for the next step without sleeping: waking a
// thread would cost as much as the step. A team lives as long as one lone query, about a millisecond.
type team struct {
	run func(task int)
	// claim says which step is on, how many tasks it has, and which is next: 32, 16 and 16 bits. They change together, so that a
	// late member cannot take a task of a step that is over.
	claim atomic.Uint64
	done  atomic.Int32
}

const (
	maxTasks  = 1<<15 - 1
	teamEnded = 1 << 63
	spins     = 4000 // looks before a member lets others run: some tens of microseconds
	// manySpins is when the leader stops looking without pause: a member has lost its core to another process, and may be waiting for this one.
	manySpins = 50 * spins
)

// join starts members−1 goroutines that help with what the team's leader runs until it calls end.
func (t *team) join(members int) {
	for range members - 1 {
		go t.help()
	}
}

// each runs run(0…n−1) and returns when all are done. Only the leader calls it.
func (t *team) each(n int) {
	t.done.Store(0)
	t.claim.Store((t.claim.Load()>>32+1)<<32 | uint64(n)<<16)
	for {
		task, ok := t.take()
		if !ok {
			break
		}
		t.run(task)
		t.done.Add(1)
	}
	for i := 1; int(t.done.Load()) < n; i++ {
		switch {
		case i%spins != 0:
		case i < manySpins:
			runtime.Gosched()
		default:
			time.Sleep(20 * time.Microsecond)
		}
	}
}

// take claims a task of the step that is on.
func (t *team) take() (task int, ok bool) {
	for {
		c := t.claim.Load()
		if c&0xffff >= c>>16&0xffff || c&teamEnded != 0 {
			return 0, false
		}
		if t.claim.CompareAndSwap(c, c+1) {
			return int(c & 0xffff), true
		}
	}
}

// end dismisses the members.
func (t *team) end() { t.claim.Store(teamEnded) }

func (t *team) help() {
	for i := 0; t.claim.Load()&teamEnded == 0; i++ {
		if task, ok := t.take(); ok {
			t.run(task)
			t.done.Add(1)
			i = 0
		} else if i%spins == spins-1 {
			runtime.Gosched()
		}
	}
}
