package search

import (
	"sync"
	"time"
)

const (
	breakerFailures = 3                // in a row, after which an endpoint is left alone
	breakerCooling  = 30 * time.Second // for which it is, until one request tries it
)

// breaker keeps requests from an endpoint that fails: each would wait its time-out in vain (Nygard, Release It!, 2007). Any number of goroutines may use it; the zero value lets pass.
type breaker struct {
	mu       sync.Mutex
	failures int       // in a row
	until    time.Time // nobody goes before, once there are breakerFailures
	probing  bool      // one request tries
}

// allow tells whether to ask now. Who is let pass calls done.
func (b *breaker) allow() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.failures < breakerFailures:
		return true
	case b.probing || time.Now().Before(b.until):
		return false
	}
	b.probing = true
	return true
}

// attempt is how a request went.
type attempt int

const (
	succeeded attempt = iota
	failed
	abandoned // by the caller: it says nothing of the endpoint
)

// done notes how a request went; opened tells that it is the one after which the endpoint is left alone.
func (b *breaker) done(how attempt) (opened bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.probing = false
	switch how {
	case succeeded:
		b.failures = 0
	case failed:
		b.failures++
		b.until = time.Now().Add(breakerCooling)
		return b.failures >= breakerFailures
	}
	return false
}
