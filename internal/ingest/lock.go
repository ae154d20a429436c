package ingest

import (
	"context"
	"sync"
)

// processLocks are locks among the goroutines of one process: all that is needed where one process has the store.
type processLocks struct {
	mu   sync.Mutex
	held map[string]chan struct{} // closed when the lock is given back
}

func (p *processLocks) take(name string) (unlock func(), busy <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c, ok := p.held[name]; ok {
		return nil, c
	}
	if p.held == nil {
		p.held = map[string]chan struct{}{}
	}
	c := make(chan struct{})
	p.held[name] = c
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.held, name)
		close(c)
	}, nil
}

// Lock waits until the lock is free and takes it.
func (p *processLocks) Lock(ctx context.Context, name string) (unlock func(), err error) {
	for {
		unlock, busy := p.take(name)
		if unlock != nil {
			return unlock, nil
		}
		select {
		case <-busy:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// TryLock takes the lock unless it is held; unlock is nil then.
func (p *processLocks) TryLock(_ context.Context, name string) (unlock func(), err error) {
	unlock, _ = p.take(name)
	return unlock, nil
}
