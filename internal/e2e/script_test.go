package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
)

// quoted is what a script can say: sentences of the prompt's passages.
type quoted struct {
	first, second string // sentences of the passages 1 and 2, without their full stop
	n             int    // passages
}

// misbehaviour is a way in which language models answer otherwise than they were told. It gives the pieces that are streamed.
type misbehaviour struct {
	name  string
	write func(q quoted) []string
}

// misbehaviours are 30 of those ways.
var misbehaviours = []misbehaviour{
	{"as told", func(q quoted) []string { return []string{q.first, " [1]. ", q.second, " [2]."} }},
	{"a marker cut between pieces", func(q quoted) []string { return []string{q.first, " [", "1", "]", "."} }},
	{"markers after the full stop", func(q quoted) []string { return []string{q.first + ". [1] " + q.second + ". [2]"} }},
	{"markers before the sentence", func(q quoted) []string { return []string{"[1] " + q.first + ". [2] " + q.second + "."} }},
	{"full-width and black brackets", func(q quoted) []string { return []string{q.first + "【1】。" + q.second + "［２］。"} }},
	{"footnote syntax and its definitions", func(q quoted) []string {
		return []string{q.first + "[^1].\n\n[^1]: the first passage\n"}
	}},
	{"several passages in one marker", func(q quoted) []string { return []string{q.first, " [1, 2]. ", q.second, " [1，2、1]."} }},
	{"a range of passages", func(q quoted) []string { return []string{q.first, " [1-", "2]."} }},
	{"the same marker again and again", func(q quoted) []string { return []string{q.first, " [1][1][1][1]."} }},
	{"a marker of no passage", func(q quoted) []string { return []string{q.first, " [77]. ", q.second, " [0] [-1] [2]."} }},
	{"an overlong number", func(q quoted) []string { return []string{q.first, " [99999999999999999999999999] [1]."} }},
	{"no marker at all", func(q quoted) []string { return []string{q.first, ". ", q.second, "."} }},
	{"markers alone", func(quoted) []string { return []string{"[1] [2] [3]"} }},
	{"an answer cut in a marker", func(q quoted) []string { return []string{q.first, " [1"} }},
	{"the wrong passage", func(q quoted) []string { return []string{q.first, " [2]. ", q.second, " [1]."} }},
	{"an invented sentence with a marker", func(q quoted) []string {
		return []string{"The moon is made of 4,711 cheeses [1]. ", q.first, " [1]."}
	}},
	{"numbers of its own", func(q quoted) []string { return []string{digit.ReplaceAllString(q.first, "7"), " [1]."} }},
	{"a denial of what it quotes", func(q quoted) []string {
		return []string{"It is not true that ", q.first, " [1]. 并非如此：", q.second, " [2]。"}
	}},
	{"a list", func(q quoted) []string {
		return []string{"Here is what I found:\n\n- ", q.first, " [1]\n- ", q.second, " [2]\n"}
	}},
	{"a numbered list in bold", func(q quoted) []string { return []string{"1. **", q.first, "** [1]\n2. *", q.second, "* [2]\n"} }},
	{"a table", func(q quoted) []string {
		return []string{"| fact | source |\n| --- | --- |\n| ", strings.ReplaceAll(q.first, "|", "/"), " | [1] |\n"}
	}},
	{"a fence of code", func(q quoted) []string {
		return []string{"```json\n{\"answer\": \"", q.first, "\", \"x\": a[1]}\n```\n", q.first, " [1]."}
	}},
	{"links and HTML", func(q quoted) []string {
		return []string{"<p>", q.first, "</p> [1](https://example.com/1) <script>alert(1)</script> ", q.second, " [2]."}
	}},
	{"emoji, control characters and joiners", func(q quoted) []string {
		return []string{"👩‍👩‍👧 ", q.first, " \u0007\u200d\ufeff[1]. 🙂\u202e ", q.second, " [2]."}
	}},
	{"line breaks of all kinds", func(q quoted) []string {
		return []string{"\r\n\r\n", q.first, " [1].\r\n\u2028", q.second, "\t[2].\n\n\n\n"}
	}},
	{"one code point a piece", func(q quoted) []string { return strings.Split(q.first+" [1]. "+q.second+"【2】。", "") }},
	{"the refusal in mid-sentence", func(q quoted) []string { return []string{q.first, " [1]. NOT_IN_", "DOCUMENTS"} }},
	{"the refusal alone", func(quoted) []string { return []string{"NOT_IN", "_DOCUMENTS", "."} }},
	{"the prompt's own fences", func(q quoted) []string {
		return []string{"<passage number=\"1\">", q.first, "</passage> [1]. Passages: ", q.second, " [2]."}
	}},
	{"the same sentence forty times", func(q quoted) []string { return []string{strings.Repeat(q.first+" [1]. ", 40)} }},
}

var (
	digit  = regexp.MustCompile(`[0-9]`)
	fenced = regexp.MustCompile(`(?s)<passage[^>]*number="(\d+)"[^>]*>\n(.*?)\n</passage`)
)

// script is a language model's endpoint that misbehaves in the next way with each call. It counts calls, and prompts that it could not read.
type script struct {
	url          string
	calls, blind atomic.Int64
}

func startScript(t *testing.T) *script {
	t.Helper()
	s := &script{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Messages []struct{ Content string } }
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil || len(in.Messages) == 0 {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		var q quoted
		for _, m := range fenced.FindAllStringSubmatch(in.Messages[len(in.Messages)-1].Content, -1) {
			switch q.n++; q.n {
			case 1:
				q.first = sentenceOf(m[2], 1)
			case 2:
				q.second = sentenceOf(m[2], 2)
			}
		}
		if q.n == 0 {
			s.blind.Add(1)
		}
		if q.second == "" {
			q.second = q.first
		}
		w.Header().Set("Content-Type", "text/event-stream")
		for _, piece := range misbehaviours[int(s.calls.Add(1)-1)%len(misbehaviours)].write(q) {
			b, _ := json.Marshal(map[string]any{"choices": []any{map[string]any{"index": 0, "delta": map[string]string{"content": piece}}}})
			fmt.Fprintf(w, "data: %s\n\n", b)
		}
		fmt.Fprint(w, `data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`+"\n\ndata: [DONE]\n\n")
	}))
	t.Cleanup(srv.Close)
	s.url = srv.URL + "/v1"
	return s
}

// sentenceOf is the nth sentence of a passage's last paragraph, or its last one, cut roughly and without its end: a model does not cut as the service does.
func sentenceOf(passage string, nth int) string {
	paragraphs := strings.Split(strings.TrimSpace(passage), "\n")
	sentences := strings.FieldsFunc(paragraphs[len(paragraphs)-1], func(r rune) bool { return strings.ContainsRune(".。!?！？", r) })
	if len(sentences) == 0 {
		return "nothing"
	}
	return strings.TrimSpace(sentences[min(nth, len(sentences))-1])
}
