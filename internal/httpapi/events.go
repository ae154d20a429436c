package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// eventWriter writes server-sent events to one reader (WHATWG HTML, 9.2). One goroutine may use it.
type eventWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
	stall   time.Duration
}

// startEvents begins the response. stall is how long a reader may let one write wait.
func startEvents(w http.ResponseWriter, stall time.Duration) *eventWriter {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	e := &eventWriter{w: w, control: http.NewResponseController(w), stall: stall}
	_ = e.control.Flush() // so that the reader sees that it began; not every writer has a buffer
	return e
}

// write sends whole frames; an error says that the reader is gone or has stalled (os.ErrDeadlineExceeded).
func (e *eventWriter) write(frames ...[]byte) error {
	_ = e.control.SetWriteDeadline(time.Now().Add(e.stall)) // not every writer has deadlines
	for _, f := range frames {
		if _, err := e.w.Write(f); err != nil {
			return fmt.Errorf("write an event: %w", err)
		}
	}
	if err := e.control.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("flush an event: %w", err)
	}
	return nil
}

var ping = []byte(": ping\n\n")

// frame is one event on the wire. JSON has no line breaks of its own, so data is one line.
func frame(id int64, name string, data []byte) []byte {
	var b bytes.Buffer
	b.Grow(len(data) + len(name) + 48)
	b.WriteString("id: ")
	b.WriteString(strconv.FormatInt(id, 10))
	b.WriteString("\nevent: ")
	b.WriteString(name)
	if name == "error" {
		b.WriteString("\nretry: 1000") // an EventSource comes back so soon, and is told what became of its answer
	}
	b.WriteString("\ndata: ")
	b.Write(data)
	b.WriteString("\n\n")
	return b.Bytes()
}

func encodeEvent(data any) ([]byte, error) {
	b, err := json.Marshal(data)
	if err != nil {
		return nil, fmt.Errorf("encode an event: %w", err)
	}
	return b, nil
}

// lastEventID is the number that the request's Last-Event-ID holds. An id that is no number is not one of ours: it is -1, which no event has.
func lastEventID(r *http.Request) (id int64, sent bool) {
	raw := r.Header.Get("Last-Event-ID")
	if raw == "" { // what a client sends that has seen no event
		return 0, false
	}
	id, err := strconv.ParseInt(raw, 10, 64)
	if err != nil || id < 0 {
		return -1, true
	}
	return id, true
}
