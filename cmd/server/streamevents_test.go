package main

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

// sentEvent is one server-sent event, as a reader of the format takes it apart.
type sentEvent struct {
	id, name string
	data     []byte
}

// eventsOf takes a stream apart.
func eventsOf(t *testing.T, body []byte) (out []sentEvent) {
	t.Helper()
	for block := range strings.SplitSeq(strings.TrimSpace(string(body)), "\n\n") {
		var e sentEvent
		for line := range strings.Lines(block) {
			field, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
			switch field {
			case "id":
				e.id = value
			case "event":
				e.name = value
			case "data":
				e.data = []byte(value)
			case "", "retry":
			default:
				t.Errorf("got the line %q", line)
			}
		}
		if e.name != "" {
			out = append(out, e)
		}
	}
	return out
}

// likened is an answer on the wire without what differs from one asking to the next: ids, timings, and passages' scores, for scores are sums of float32 in no order.
func likened(t *testing.T, raw []byte) any {
	t.Helper()
	var a map[string]any
	if err := json.Unmarshal(raw, &a); err != nil {
		t.Fatalf("%v in %s", err, raw)
	}
	delete(a, "id")
	delete(a, "timings_ms")
	for _, p := range a["passages"].([]any) {
		delete(p.(map[string]any), "score") // the passages' order and texts are compared
	}
	if near, ok := a["nearest"].([]any); ok {
		for _, n := range near {
			delete(n.(map[string]any), "score") // a sum in no order, like the passages'
		}
	}
	for _, c := range a["citations"].([]any) {
		delete(c.(map[string]any), "id")
		delete(c.(map[string]any), "url")
	}
	return a
}

// questions are 40 of both languages about the handbook: most have an answer, some have none.
func questions() (out []string) {
	for _, subject := range []string{"parental leave", "annual leave", "green tea", "a business trip", "the hotel", "育儿假", "年假", "绿茶", "出差住宿", "差旅費"} {
		if subject[0] < 128 {
			out = append(out, "How long is "+subject+"?", "What does the handbook say about "+subject+" 🙂?", "Who is entitled to "+subject+"?", "Is "+subject+" paid in full?")
			continue
		}
		out = append(out, subject+"有多长？", "关于"+subject+"有什么規定？", "谁可以享受"+subject+"？", subject+"是全薪的吗？")
	}
	return out
}

var fencedPassage = regexp.MustCompile(`(?s)number="(\d+)">\n(.*?)\n</passage`)

// quoting is a language model that answers with the first sentences of the first passages, each with a marker, in small pieces.
func quoting(t *testing.T) string {
	return chatServer(t, func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Messages []struct{ Content string } }
		_ = json.NewDecoder(r.Body).Decode(&in)
		var pieces []string
		for i, m := range fencedPassage.FindAllStringSubmatch(in.Messages[len(in.Messages)-1].Content, 2) {
			lines := strings.Split(strings.TrimSpace(m[2]), "\n")
			sentence := strings.TrimRight(lines[len(lines)-1], ".。 \n")
			for len(sentence) > 0 {
				n := min(len(sentence), 7+i) // cuts code points, as models' tokens do
				pieces, sentence = append(pieces, sentence[:n]), sentence[n:]
			}
			pieces = append(pieces, " [", m[1]+"]", ". ")
		}
		writesBytes(w, pieces...)
	})
}

// writesBytes streams pieces that may end within a code point: JSON cannot hold half of one, so what is cut goes out with the next piece.
func writesBytes(w http.ResponseWriter, pieces ...string) {
	held := ""
	var whole []string
	for _, p := range pieces {
		held += p
		if cut := strings.ToValidUTF8(held, ""); len(cut) == len(held) {
			whole, held = append(whole, held), ""
		}
	}
	writes(w, true, append(whole, held)...)
}

// slowModel is a language model that writes until its client is gone, and tells of it.
func slowModel(t *testing.T) (url string, gone chan struct{}) {
	gone = make(chan struct{}, 100) // as many as a test asks questions, so that the model's handler never waits
	return chatServer(t, func(w http.ResponseWriter, r *http.Request) {
		defer func() { gone <- struct{}{} }()
		writes(w, false, "Parental leave lasts")
		for r.Context().Err() == nil {
			writes(w, false, " sixteen weeks")
			select {
			case <-time.After(10 * time.Millisecond):
			case <-r.Context().Done():
			}
		}
	}), gone
}

// listen begins a stream and returns its lines, and what hangs up.
func (s *service) listen(body string, header ...string) (lines *bufio.Scanner, hangUp func()) {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/v1/query", strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	if resp.StatusCode != 200 {
		s.t.Fatalf("got %d", resp.StatusCode)
	}
	return bufio.NewScanner(resp.Body), func() { cancel(); resp.Body.Close() }
}

// until reads lines until one starts with what is wanted, and returns the last id before it.
func until(t *testing.T, lines *bufio.Scanner, want string) (id string) {
	t.Helper()
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), "id: "); ok {
			id = value
		}
		if strings.HasPrefix(lines.Text(), want) {
			return id
		}
	}
	t.Fatalf("the stream ended without %q: %v", want, lines.Err())
	return ""
}
