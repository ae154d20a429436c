package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// stallLimit is how long a reader may let one event wait.
const stallLimit = 30 * time.Second

// events writes server-sent events with rising ids.
type events struct {
	mu      sync.Mutex
	w       http.ResponseWriter
	control *http.ResponseController
	id      int
}

// startEvents begins a stream and keeps it alive with comments; end stops that and must be called.
func startEvents(w http.ResponseWriter) (e *events, end func()) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	e = &events{w: w, control: http.NewResponseController(w)}
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		t := time.NewTicker(pingInterval)
		defer t.Stop()
		for {
			select {
			case <-stop:
				return
			case <-t.C:
				_ = e.write(": ping\n\n") // the next event tells when the client is gone
			}
		}
	}()
	return e, func() {
		close(stop)
		<-done
	}
}

// send writes one event; an error says that the client is gone.
func (e *events) send(name string, data any) error {
	b, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("encode an event: %w", err)
	}
	e.mu.Lock()
	e.id++
	id := e.id
	e.mu.Unlock()
	return e.write(fmt.Sprintf("id: %d\nevent: %s\ndata: %s\n\n", id, name, b))
}

func (e *events) write(s string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	_ = e.control.SetWriteDeadline(time.Now().Add(stallLimit)) // not every writer has deadlines
	if _, err := e.w.Write([]byte(s)); err != nil {
		return fmt.Errorf("write an event: %w", err)
	}
	_ = e.control.Flush() // nor a buffer
	return nil
}
