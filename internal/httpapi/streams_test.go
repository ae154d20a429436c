package httpapi

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"footnote/internal/rag"
)

func TestStreams_ASlowReaderSlowsTheAnswerAndAStalledOneIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		words := &wordByWord{n: 10_000, step: time.Millisecond}
		d := newDesk(t, 3*time.Second, func(l *streamLimits) { l.window = 20 }, words.answer)
		defer d.close()
		c := d.ask()
		time.Sleep(100500 * time.Microsecond)
		before, _, _ := words.state()
		release := c.stall()
		time.Sleep(29 * time.Second)
		stalled, over, _ := words.state()
		// One write was begun before the reader stalled, or is what stalls; its events are not taken.
		if over || stalled < before || stalled > before+20 {
			t.Errorf("%d words were said before the reader stalled, %d after 29 s, over %t; want at most 20 more", before, stalled, over)
		}
		release()
		time.Sleep(100 * time.Millisecond)
		if said, _, _ := words.state(); said < stalled+50 {
			t.Errorf("%d words were said when the reader stalled, %d when it has gone on", stalled, said)
		}
		c.stall()
		time.Sleep(29 * time.Second)
		if c.ended() {
			t.Error("a reader that stalled for 29 s was cut")
		}
		time.Sleep(2 * time.Second)
		if !c.ended() || d.counted("footnote_stream_stalled_total", "") != 1 {
			t.Errorf("a reader stalled for 31 s: cut %t, counted %g", c.ended(), d.counted("footnote_stream_stalled_total", ""))
		}
		time.Sleep(3 * time.Second)
		if _, over, err := words.state(); !over || err == nil {
			t.Errorf("nobody came back: over %t, %v; want it cancelled", over, err)
		}
	})
}

// In the grace nobody reads, so the answer goes on by no more than the window.
func TestStreams_TheGraceIsBoundedToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		words := &wordByWord{n: 10_000, step: time.Millisecond}
		d := newDesk(t, time.Minute, func(l *streamLimits) { l.window = 20 }, words.answer)
		defer d.close()
		c := d.ask()
		time.Sleep(100500 * time.Microsecond)
		c.gone()
		<-c.over
		before, _, _ := words.state()
		time.Sleep(50 * time.Second)
		if said, over, _ := words.state(); over || said > before+20 {
			t.Errorf("%d words were said when the reader left, %d after 50 s (over %t)", before, said, over)
		}
	})
}

func TestStreams_BuffersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, 0, func(l *streamLimits) { l.window, l.events = 5, 10 }, (&wordByWord{n: 50}).answer)
		defer d.close()
		c := d.ask()
		<-c.over
		events := c.events()
		if len(events) != 54 {
			t.Fatalf("got %d events, want 54", len(events))
		}
		for place, want := range map[int]int{1: 404, 30: 404, 43: 404, 44: 200, 53: 200} {
			got := d.ask("Last-Event-ID", idOf(events[place-1]))
			<-got.over
			if got.code() != want || want == 200 && len(got.events()) != 54-place {
				t.Errorf("going on after event %d of 54, of which 10 are held: got %d and %d events, want %d", place, got.code(), len(got.events()), want)
			}
		}
		got := d.open("key_a", "GET", "/v1/query/"+c.answerID(t)+"/events", "")
		<-got.over
		if got.code() != 404 {
			t.Errorf("from the beginning, which is not held: got %d, want 404", got.code())
		}
	})
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, 0, func(l *streamLimits) { l.bytes = 2000 }, (&wordByWord{n: 200}).answer)
		defer d.close()
		c := d.ask()
		<-c.over
		if len(c.events()) != 204 || d.streams.bytes > 2000 {
			t.Errorf("got %d events, and %d bytes are held, want at most 2000", len(c.events()), d.streams.bytes)
		}
	})
}

// hold makes streams that run until they are told to end.
func hold(release chan struct{}) answerFunc {
	return func(ctx context.Context, q rag.Question, emit func(rag.Event) error) (rag.Answer, error) {
		if err := emit(rag.Event{Kind: rag.EventRetrieved}); err != nil {
			return rag.Answer{}, err
		}
		select {
		case <-release:
			return rag.Answer{ID: q.ID}, nil
		case <-ctx.Done():
			return rag.Answer{}, ctx.Err()
		}
	}
}

func TestStreams_TheOldestFinishedIsDroppedFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		d := newDesk(t, 0, func(l *streamLimits) { l.perKey, l.streams = 3, 5 }, hold(release))
		defer d.close()
		var mine []*connection
		for range 3 {
			mine = append(mine, d.ask())
			synctest.Wait()
		}
		full := d.ask()
		<-full.over
		if full.code() != 429 || full.header.Get("Retry-After") != "1" || !strings.Contains(full.text(), "rate_limited") {
			t.Errorf("a fourth running stream of a key with three: got %d %s", full.code(), full.text())
		}
		for _, key := range []rag.KeyID{"key_b", "key_b"} {
			d.open(key, "POST", "/v1/query", question)
		}
		synctest.Wait()
		full = d.open("key_c", "POST", "/v1/query", question)
		<-full.over
		if full.code() != 429 {
			t.Errorf("a sixth running stream: got %d, want 429", full.code())
		}
		for range mine { // they end a second apart, in whichever order
			release <- struct{}{}
			synctest.Wait()
			time.Sleep(time.Second)
		}
		for range 2 {
			release <- struct{}{}
		}
		synctest.Wait()
		held := func(c *connection) bool {
			got := d.ask("Last-Event-ID", idOf(c.events()[0]))
			<-got.over
			return got.code() == 200
		}
		for _, c := range mine {
			if !held(c) {
				t.Fatal("a finished stream is not held")
			}
		}
		next := d.ask()
		synctest.Wait()
		n := 0
		for _, c := range mine {
			if held(c) {
				n++
			}
		}
		if n != 2 || d.counted("footnote_stream_dropped_total", "key") != 1 {
			t.Errorf("a fourth stream of a key with three: %d of the three are left, want 2", n)
		}
		if c := d.open("key_b", "POST", "/v1/query", question); c.code() == 429 || next.code() != 200 {
			t.Errorf("got %d and %d", c.code(), next.code())
		}
		synctest.Wait()
		close(release)
	})
}

func TestStreams_MemoryInAllIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, 0, func(l *streamLimits) { l.totalBytes = 20_000 }, (&wordByWord{n: 50}).answer) // some 6 kB each
		defer d.close()
		var all []*connection
		for range 6 {
			c := d.ask()
			<-c.over
			all = append(all, c)
			time.Sleep(time.Second)
		}
		if d.streams.bytes > 20_000 {
			t.Errorf("%d bytes are held, want at most 20000", d.streams.bytes)
		}
		held := 0
		for i, c := range all {
			got := d.ask("Last-Event-ID", idOf(c.events()[0]))
			<-got.over
			switch {
			case got.code() == 200:
				held++
			case held > 0:
				t.Errorf("stream %d is not held, but an older one is", i)
			}
		}
		if held == 0 || held == 6 {
			t.Errorf("%d of 6 are held", held)
		}
		sum := 0
		for _, s := range d.streams.byBase {
			for _, f := range s.frames {
				sum += len(f)
			}
		}
		if sum != d.streams.bytes {
			t.Errorf("%d bytes are held, but %d are accounted for", sum, d.streams.bytes)
		}
	})
}

func TestStreams_ShutdownEndsStreamsWithAnEventThatSaysToAskAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		quick, slow := &wordByWord{n: 5, step: time.Second}, &wordByWord{n: 1000, step: time.Second}
		n := 0
		d := newDesk(t, 3*time.Second, nil, func(ctx context.Context, q rag.Question, emit func(rag.Event) error) (rag.Answer, error) {
			if n++; n == 1 {
				return quick.answer(ctx, q, emit)
			}
			return slow.answer(ctx, q, emit)
		})
		ends := d.ask()
		time.Sleep(time.Second)
		cut := d.ask()
		time.Sleep(1500 * time.Millisecond)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		started := time.Now()
		shut := make(chan struct{})
		go func() {
			d.streams.Shutdown(ctx)
			close(shut)
		}()
		time.Sleep(time.Millisecond)
		refused := d.ask()
		<-refused.over
		if refused.code() != 503 || refused.header.Get("Retry-After") != "1" {
			t.Errorf("a new stream: got %d %s", refused.code(), refused.text())
		}
		<-shut
		if time.Since(started) != 10*time.Second {
			t.Errorf("it took %s", time.Since(started))
		}
		<-ends.over
		<-cut.over
		if last(ends.events()).name != "response.completed" {
			t.Errorf("the stream that had time to end has %s", names(ends.events()))
		}
		if e := last(cut.events()); e.name != "error" || !strings.Contains(e.data, `"unavailable"`) || !strings.Contains(e.data, "ask anew") || !strings.Contains(cut.text(), "event: error\nretry: 1000\n") {
			t.Errorf("the other ends with %+v", e)
		}
		if _, over, err := slow.state(); !over || err == nil {
			t.Errorf("its work goes on: over %t, %v", over, err)
		}
	})
}
