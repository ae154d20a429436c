// Package llm is an OpenAI-compatible chat endpoint that behaves as a script says: well, or badly in one of the ways in which real ones do.
package llm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// Request is what a client asked.
type Request struct {
	Model    string
	Messages []Message
	Fields   map[string]json.RawMessage // of the whole body
	Fence    string                     // the mark that passages are fenced by
	Passages map[int]string             // by number
	HTTP     *http.Request
	Asked    int // how many requests came before
	Chinese  bool
}

// Message is one message of a Request.
type Message struct{ Role, Content string }

// Script answers one request.
type Script func(w *Writer, r Request)

// Server is a running endpoint. Its script may be changed at any time.
type Server struct {
	url    string
	script atomic.Pointer[Script]
	calls  atomic.Int64
	mu     sync.Mutex
	last   Request
}

// Start starts an endpoint, which ends with the test.
func Start(t *testing.T, script Script) *Server {
	t.Helper()
	s := &Server{}
	s.Follow(script)
	srv := httptest.NewServer(s)
	t.Cleanup(func() { srv.CloseClientConnections(); srv.Close() })
	s.url = srv.URL + "/v1"
	return s
}

// URL is the base URL.
func (s *Server) URL() string { return s.url }

// Follow has the endpoint follow another script.
func (s *Server) Follow(script Script) { s.script.Store(&script) }

// Calls is how many requests have come.
func (s *Server) Calls() int { return int(s.calls.Load()) }

// Last is the last request.
func (s *Server) Last() Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

var fenced = regexp.MustCompile(`(?s)<passage-([0-9a-f]+) number="([0-9]+)">\n(.*?)\n</passage-`)

// ServeHTTP reads the request whole, for a server sees that its client has gone only then, and follows the script.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil || !strings.HasSuffix(r.URL.Path, "/chat/completions") {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	in := Request{HTTP: r, Passages: map[int]string{}, Asked: int(s.calls.Add(1)) - 1}
	if json.Unmarshal(body, &in) != nil || json.Unmarshal(body, &in.Fields) != nil || len(in.Messages) == 0 {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	question := in.Messages[len(in.Messages)-1].Content
	for _, m := range fenced.FindAllStringSubmatch(question, -1) {
		in.Fence = m[1]
		if n, err := strconv.Atoi(m[2]); err == nil {
			in.Passages[n] = m[3]
		}
	}
	_, asked, _ := strings.Cut(question, "Question: ")
	in.Chinese = strings.ContainsFunc(asked, func(r rune) bool { return r >= 0x4E00 && r <= 0x9FFF })
	s.mu.Lock()
	s.last = in
	s.mu.Unlock()
	(*s.script.Load())(&Writer{w: w, lineEnd: "\n"}, in)
}

// Sentence is the longest sentence of a passage, without its full stop, as a model would repeat it.
func (r Request) Sentence(number int) string {
	best := ""
	for s := range strings.SplitSeq(strings.NewReplacer("。", "\n", ". ", "\n", "！", "\n").Replace(r.Passages[number]), "\n") {
		if s = strings.Trim(s, " .#"); len(s) > len(best) {
			best = s
		}
	}
	return best
}

// Stop is the full stop of the question's language.
func (r Request) Stop() string {
	if r.Chinese {
		return "。"
	}
	return "."
}

// Writer writes an answer.
type Writer struct {
	w       http.ResponseWriter
	begun   bool
	lineEnd string
}

// Status answers with a status and a body.
func (w *Writer) Status(code int, contentType, body string, header ...string) {
	w.w.Header().Set("Content-Type", contentType)
	for i := 0; i+1 < len(header); i += 2 {
		w.w.Header().Set(header[i], header[i+1])
	}
	w.w.WriteHeader(code)
	w.Raw(body)
}

// Raw writes bytes as they are.
func (w *Writer) Raw(s string) {
	_, _ = io.WriteString(w.w, s) // the client may have gone
	if f, ok := w.w.(http.Flusher); ok {
		f.Flush()
	}
}

func (w *Writer) begin() {
	if !w.begun {
		w.begun = true
		if w.w.Header().Get("Content-Type") == "" {
			w.w.Header().Set("Content-Type", "text/event-stream")
		}
	}
}

// Event writes an event with this data.
func (w *Writer) Event(data string) {
	w.begin()
	w.Raw("data: " + data + w.lineEnd + w.lineEnd)
}

// Delta writes a piece whose delta has these fields.
func (w *Writer) Delta(fields map[string]any) {
	b, _ := json.Marshal(map[string]any{"id": "c", "object": "chat.completion.chunk", "choices": []any{map[string]any{"index": 0, "delta": fields, "finish_reason": nil}}})
	w.Event(string(b))
}

// Say writes each piece of text.
func (w *Writer) Say(pieces ...string) {
	for _, p := range pieces {
		w.Delta(map[string]any{"content": p})
	}
}

// Bytes writes pieces whose content is these very bytes, UTF-8 or not.
func (w *Writer) Bytes(pieces ...string) {
	for _, p := range pieces {
		w.Event(`{"choices":[{"index":0,"delta":{"content":"` + p + `"}}]}`)
	}
}

// Finish ends the answer as it should be.
func (w *Writer) Finish(reason string) {
	w.Event(fmt.Sprintf(`{"choices":[{"index":0,"delta":{},"finish_reason":%q}]}`, reason))
	w.Event(`{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3}}`)
	w.Event("[DONE]")
}

// Good says pieces and ends.
func Good(pieces ...string) Script {
	return func(w *Writer, _ Request) { w.Say(pieces...); w.Finish("stop") }
}
