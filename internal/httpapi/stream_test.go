package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"footnote/internal/rag"
)

func TestStream_IDsRiseByOneAndFitJavaScript(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		words := &wordByWord{n: 5, step: time.Second}
		d := newDesk(t, 0, nil, words.answer)
		defer d.close()
		c := d.ask()
		<-c.over
		events := c.events()
		if got, want := names(events), "response.created retrieval.completed answer.delta answer.delta answer.delta answer.delta answer.delta grounding.completed response.completed"; got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
		for i, e := range events {
			if e.id < 1 || e.id >= 1<<53 || i > 0 && e.id != events[i-1].id+1 || int64(float64(e.id)) != e.id {
				t.Errorf("event %d has the id %d", i, e.id)
			}
		}
		other := d.ask()
		<-other.over
		if a, b := events[0].id, other.events()[0].id; math.Abs(float64(a-b)) < 1<<placeBits {
			t.Errorf("two streams share ids: %d and %d", a, b)
		}
		var completed struct{ ID, Text string }
		if err := json.Unmarshal([]byte(last(events).data), &completed); err != nil || completed.ID != c.answerID(t) {
			t.Errorf("response.created says %s, the answer is %+v (%v)", c.answerID(t), completed, err)
		}
	})
}

func TestStream_AReaderGoesOnWhereItWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		words := &wordByWord{n: 20, step: time.Second}
		d := newDesk(t, 3*time.Second, nil, words.answer)
		defer d.close()
		c := d.ask()
		time.Sleep(5500 * time.Millisecond)
		c.gone()
		<-c.over
		seen := c.events()
		time.Sleep(2 * time.Second) // within the grace, the answer is made on
		again := d.ask("Last-Event-ID", idOf(last(seen)))
		time.Sleep(5 * time.Second)
		again.gone()
		<-again.over
		all := append(seen, again.events()...)
		final := d.open("key_a", "GET", "/v1/query/"+c.answerID(t)+"/events", "", "Last-Event-ID", idOf(last(all)))
		synctest.Wait()
		if final.code() != 200 || final.text() != "" {
			t.Errorf("before the next event: got %d %q; whoever comes back is to be told so at once", final.code(), final.text())
		}
		<-final.over
		all = append(all, final.events()...)

		whole := d.open("key_a", "GET", "/v1/query/"+c.answerID(t)+"/events", "")
		<-whole.over
		if diff := cmp.Diff(whole.events(), all, cmp.AllowUnexported(seenEvent{})); diff != "" {
			t.Errorf("the pieces differ from the whole:\n%s", diff)
		}
		if said, _, err := words.state(); said != 20 || err != nil || last(all).name != "response.completed" {
			t.Errorf("got %d words, %v, and %s at the end", said, err, last(all).name)
		}
		text := ""
		for _, e := range all {
			var data struct{ Text string }
			if err := json.Unmarshal([]byte(e.data), &data); err != nil {
				t.Fatal(err)
			}
			switch e.name {
			case "answer.delta":
				text += data.Text
			case "response.completed":
				if data.Text != text {
					t.Errorf("deltas add up to %q, the answer is %q", text, data.Text)
				}
			}
		}
	})
}

func TestStream_EachTimeTheReaderLeavesTheGraceBeginsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		words := &wordByWord{n: 1000, step: time.Second}
		d := newDesk(t, 3*time.Second, nil, words.answer)
		defer d.close()
		c := d.ask()
		time.Sleep(5500 * time.Millisecond)
		c.gone()
		<-c.over
		time.Sleep(1500 * time.Millisecond)
		again := d.ask("Last-Event-ID", idOf(last(c.events())))
		time.Sleep(time.Second)
		again.gone()
		time.Sleep(2900 * time.Millisecond)
		if _, over, _ := words.state(); over {
			t.Error("the answer was cancelled 2.9 s after its reader left for the second time")
		}
		time.Sleep(200 * time.Millisecond)
		if _, over, _ := words.state(); !over {
			t.Error("the answer is made on 3.1 s after its reader left for the second time")
		}
	})
}

func TestStream_AfterTheLastEventThereIsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, 0, nil, (&wordByWord{n: 1}).answer)
		defer d.close()
		c := d.ask()
		<-c.over
		end := idOf(last(c.events()))
		got := d.open("key_a", "GET", "/v1/query/"+c.answerID(t)+"/events", "", "Last-Event-ID", end)
		<-got.over
		if got.code() != 204 || got.text() != "" {
			t.Errorf("GET: got %d %q, want 204", got.code(), got.text())
		}
		got = d.ask("Last-Event-ID", end)
		<-got.over
		if got.code() != 200 || got.text() != "" || got.header.Get("Content-Type") != "text/event-stream" {
			t.Errorf("POST: got %d %q, want an empty stream", got.code(), got.text())
		}
	})
}

// What is another's, is no longer held, or never was, looks the same.
func TestStream_WhatCannotBeResumedLooksTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, 0, nil, (&wordByWord{n: 3}).answer)
		defer d.close()
		c, other := d.ask(), d.ask()
		<-c.over
		<-other.over
		second := c.events()[1]
		path := "/v1/query/" + c.answerID(t) + "/events"
		detail := ""
		check := func(what string, got *connection) {
			t.Helper()
			<-got.over
			var p problem
			if err := json.Unmarshal([]byte(got.text()), &p); err != nil {
				t.Fatalf("%s: %v in %s", what, err, got.text())
			}
			if detail == "" {
				detail = p.Detail
			}
			if got.code() != 404 || p.Code != rag.NotFound || p.Detail != detail || !strings.Contains(p.Detail, "Ask anew") {
				t.Errorf("%s: got %d %+v", what, got.code(), p)
			}
		}
		check("another key", d.open("key_b", "POST", "/v1/query", question, "Last-Event-ID", idOf(second)))
		check("another key and body", d.open("key_b", "POST", "/v1/query", strings.Replace(question, "long", "short", 1), "Last-Event-ID", idOf(second)))
		check("another key's answer", d.open("key_b", "GET", path, ""))
		check("another key's answer, after an event", d.open("key_b", "GET", path, "", "Last-Event-ID", idOf(second)))
		check("an event of another answer", d.open("key_a", "GET", path, "", "Last-Event-ID", idOf(other.events()[1])))
		check("no such answer", d.open("key_a", "GET", "/v1/query/ans_none/events", ""))
		for _, id := range []string{"0", "1", "12345678901", "-4", "abc", "9007199254740991", "99999999999999999999999", fmt.Sprint(last(c.events()).id + 1), fmt.Sprint(c.events()[0].id - 1), fmt.Sprint(second.id, "x")} {
			check("id "+id, d.ask("Last-Event-ID", id))
			check("id of GET "+id, d.open("key_a", "GET", path, "", "Last-Event-ID", id))
		}
		got := d.open("key_a", "POST", "/v1/query", strings.Replace(question, "long", "short", 1), "Last-Event-ID", idOf(second))
		<-got.over
		if got.code() != 422 || !strings.Contains(got.text(), `"other_body"`) {
			t.Errorf("another body: got %d %s, want a 422", got.code(), got.text())
		}
		got = d.ask("Idempotency-Key", "k")
		<-got.over
		if got.code() != 400 {
			t.Errorf("with an Idempotency-Key: got %d %s, want a 400", got.code(), got.text())
		}
		time.Sleep(defaultStreamLimits.keep + time.Second)
		check("too late", d.ask("Last-Event-ID", idOf(second)))
		check("too late for GET", d.open("key_a", "GET", path, ""))
		if n := d.counted("footnote_stream_dropped_total", "age"); n != 2 {
			t.Errorf("got %g streams dropped for their age, want 2", n)
		}
		if d.streams.bytes != 0 || len(d.streams.byBase) != 0 || len(d.streams.byAnswer) != 0 {
			t.Errorf("%d bytes and %d streams are left", d.streams.bytes, len(d.streams.byBase))
		}
	})
}

func TestStream_AnAnswerThatNobodyReadsIsCancelled(t *testing.T) {
	for _, c := range []struct {
		name        string
		grace       time.Duration
		leave, late time.Duration // when the reader goes, and when the work must still go on
		over        time.Duration // and when it must have ended
	}{
		{"after the grace", 3 * time.Second, 5500 * time.Millisecond, 8400 * time.Millisecond, 8600 * time.Millisecond},
		{"at once without a grace", 0, 5500 * time.Millisecond, 5400 * time.Millisecond, 5500 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				words := &wordByWord{n: 1000, step: time.Second}
				d := newDesk(t, c.grace, nil, words.answer)
				defer d.close()
				started := time.Now()
				conn := d.ask()
				go func() {
					time.Sleep(c.leave)
					conn.gone()
				}()
				time.Sleep(c.late - time.Since(started))
				if _, over, _ := words.state(); over {
					t.Errorf("the work ended before %s", c.late)
				}
				time.Sleep(c.over - time.Since(started))
				synctest.Wait()
				if _, over, err := words.state(); !over || !errors.Is(err, context.Canceled) {
					t.Errorf("after %s: over %t, %v; want it cancelled", c.over, over, err)
				}
				got := d.ask("Last-Event-ID", idOf(last(conn.events())))
				<-got.over
				if got.code() != 404 {
					t.Errorf("coming back to it: got %d, want 404", got.code())
				}
				if n := d.counted("footnote_stream_abandoned_total", ""); n != 1 {
					t.Errorf("got %g abandoned, want 1", n)
				}
			})
		})
	}
}

// Without an id nobody can come back, so there is nothing to wait for; nor is there with a plain answer.
func TestStream_BeforeTheFirstEventAndWithoutStreamCancellingIsAtOnce(t *testing.T) {
	for name, body := range map[string]string{"stream": question, "plain": strings.Replace(question, "true", "false", 1)} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ended := make(chan error, 1)
				d := newDesk(t, time.Hour, nil, func(ctx context.Context, _ rag.Question, _ func(rag.Event) error) (rag.Answer, error) {
					<-ctx.Done()
					ended <- ctx.Err()
					return rag.Answer{}, ctx.Err()
				})
				defer d.close()
				c := d.open("key_a", "POST", "/v1/query", body)
				time.Sleep(time.Second)
				started := time.Now()
				c.gone()
				if err := <-ended; !errors.Is(err, context.Canceled) || time.Since(started) != 0 {
					t.Errorf("got %v after %s", err, time.Since(started))
				}
				<-c.over
			})
		})
	}
}

func TestStream_TheLatestReaderTakesOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		words := &wordByWord{n: 10, step: time.Second}
		d := newDesk(t, 0, nil, words.answer)
		defer d.close()
		dead := d.ask() // its connection is dead, and nobody has told the service
		time.Sleep(3500 * time.Millisecond)
		seen := dead.events()
		c := d.ask("Last-Event-ID", idOf(seen[1]))
		synctest.Wait()
		if !dead.ended() {
			t.Error("the reader before still reads")
		}
		<-c.over
		if got := append(seen[:2:2], c.events()...); last(got).name != "response.completed" || len(got) != 14 {
			t.Errorf("got %s", names(got))
		}
		if said, _, err := words.state(); said != 10 || err != nil {
			t.Errorf("got %d words and %v, though somebody read all the time", said, err)
		}
	})
}

func TestStream_ASilentStreamSaysThatItLives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, 0, nil, (&wordByWord{n: 1, step: 35 * time.Second}).answer)
		defer d.close()
		c := d.ask()
		<-c.over
		if n := strings.Count(c.text(), ": ping\n\n"); n != 3 {
			t.Errorf("got %d pings in 35 s, want 3", n)
		}
		if len(c.events()) != 5 {
			t.Errorf("got %s", names(c.events()))
		}
	})
}

func TestStream_FailuresBeforeTheFirstEventAreProblemsAndLaterOnesEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fail := func(after int, err error) *connection {
			d := newDesk(t, time.Hour, nil, func(_ context.Context, _ rag.Question, emit func(rag.Event) error) (rag.Answer, error) {
				for range after {
					if err := emit(rag.Event{Kind: rag.EventDelta, Delta: "x"}); err != nil {
						return rag.Answer{}, err
					}
				}
				if err == nil {
					panic("a bug with /etc/shadow in it")
				}
				return rag.Answer{}, err
			})
			defer d.close()
			c := d.ask("X-Request-ID", "r7")
			<-c.over
			return c
		}
		e := rag.Errorf(rag.RateLimited, "Too many.")
		e.RetryAfter = 7 * time.Second
		if c := fail(0, e); c.code() != 429 || c.header.Get("Retry-After") != "7" || c.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("got %d %v %s", c.code(), c.header, c.text())
		}
		c := fail(1, rag.Errorf(rag.BadUpstream, "The model broke off."))
		var p problem
		if err := json.Unmarshal([]byte(last(c.events()).data), &p); err != nil {
			t.Fatal(err)
		}
		if names(c.events()) != "response.created answer.delta error" || p.Code != rag.BadUpstream || p.RequestID != "r7" || p.Status != 502 {
			t.Errorf("got %s, %+v", names(c.events()), p)
		}
		if c := fail(0, nil); c.code() != 500 || strings.Contains(c.text(), "shadow") {
			t.Errorf("a panic: got %d %s", c.code(), c.text())
		}
		if c := fail(1, nil); last(c.events()).name != "error" || strings.Contains(c.text(), "shadow") {
			t.Errorf("a panic after an event: got %s", c.text())
		}
	})
}
