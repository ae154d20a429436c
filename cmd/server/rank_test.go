package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

type rankedHit struct {
	Score    float64
	Document struct {
		ID         string
		ExternalID string `json:"external_id"`
	}
	Chunk      struct{ ID, Text string }
	Duplicates []struct {
		Collection string
		Document   struct {
			ExternalID string `json:"external_id"`
		}
	}
	Explain *struct{ Dense, Lexical, Fused, Rerank *struct{ Rank int } }
}

// rankedJSON is the part of a search's answer that these tests look at.
type rankedJSON struct {
	Hits     []rankedHit
	Degraded []string
	Explain  *struct {
		Stages []struct {
			Stage      string
			Found      int
			Candidates []struct{ Outcome string }
		}
		Document *struct {
			Asked, Outcome, Detail string
			Dense, Lexical         *struct{ Rank int }
			DuplicateOf            string `json:"duplicate_of"`
		}
	}
	Timings map[string]float64 `json:"timings_ms"`
}

// names are the external ids of the hits, in order.
func (r rankedJSON) names() (out []string) {
	for _, h := range r.Hits {
		out = append(out, h.Document.ExternalID)
	}
	return out
}

func (s *service) rank(query string, more map[string]any) (got rankedJSON) {
	s.t.Helper()
	in := map[string]any{"query": query, "collections": []string{"handbook"}}
	maps.Copy(in, more)
	s.call("POST", "/v1/search", in, 200, &got)
	return got
}

// rerankServer is a rerank endpoint in Cohere's manner that prefers texts with the word that it is told.
func rerankServer(t *testing.T, prefers string, handle http.HandlerFunc) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // a server sees that its client has gone only after it has read everything
		if handle != nil {
			r.Body = io.NopCloser(bytes.NewReader(body))
			handle(w, r)
			return
		}
		var in struct {
			Model     string
			Documents []string
		}
		if err := json.Unmarshal(body, &in); err != nil || in.Model != "judge" || r.Header.Get("Authorization") != "Bearer sk-canary" {
			w.WriteHeader(400)
			return
		}
		var results []any
		for i, d := range in.Documents {
			score := 0.1
			if strings.Contains(d, prefers) {
				score = 0.9
			}
			results = append(results, map[string]any{"index": i, "relevance_score": score})
		}
		slices.Reverse(results)
		_ = json.NewEncoder(w).Encode(map[string]any{"results": results}) // the client is gone when this fails
	}))
	t.Cleanup(func() { srv.CloseClientConnections(); srv.Close() })
	return srv.URL
}

func TestRank_RerankEndpointOrdersAnswersAndSearches(t *testing.T) {
	bothModes(t, func(t *testing.T) {
		s := handbook(t, "RERANK_BASE_URL="+rerankServer(t, "三千元", nil), "RERANK_MODEL=judge", "RERANK_API_KEY=sk-canary", "RERANK_TIMEOUT=1m")
		if got := s.rank(parental, nil).names(); got[0] != "leave.md" {
			t.Errorf("without: got %v", got)
		}
		got := s.rank(parental, map[string]any{"rerank": "endpoint", "explain": true})
		if got.names()[0] != "travel.md" || got.Degraded != nil || got.Hits[0].Explain.Rerank == nil || got.Timings["rerank"] <= 0 {
			t.Errorf("got %+v", got)
		}
		if n := len(got.Explain.Stages); n != 4 || got.Explain.Stages[3].Stage != "rerank" {
			t.Errorf("got %d stages", n)
		}
		if got := s.rank(parental, map[string]any{"rerank": "endpoint", "rerank_depth": 1}).names(); got[0] != "leave.md" {
			t.Errorf("only the first: got %v", got)
		}
	})
}

func TestRank_LateInteractionNeedsNoEndpoint(t *testing.T) {
	bothModes(t, func(t *testing.T) {
		s := handbook(t, "RERANK=late", "RERANK_TIMEOUT=1m")
		for question, want := range map[string]string{parental: "leave.md", "病假超过三天要交什么？": "休假.md", "出差住宿一晚的上限是多少？": "travel.md"} {
			got := s.rank(question, map[string]any{"explain": true})
			if got.names()[0] != want || got.Hits[0].Explain.Rerank == nil || got.Degraded != nil {
				t.Errorf("%s: got %+v", question, got)
			}
			for i := range got.Hits[1:] {
				if got.Hits[i+1].Score > got.Hits[i].Score {
					t.Errorf("%s: the scores rise at hit %d", question, i+2)
				}
			}
			if got := s.rank(question, map[string]any{"rerank": "none", "explain": true}); got.Hits[0].Explain.Rerank != nil {
				t.Errorf("%s: reranked all the same", question)
			}
		}
		if got := s.ask(parental); got.Status != "answered" || !strings.Contains(got.Text, "sixteen weeks") {
			t.Errorf("got %+v", got)
		}
	})
}

func TestRank_OutagesLeaveTheFusedOrderAndSaySo(t *testing.T) {
	bothModes(t, func(t *testing.T) {
		var mode atomic.Value
		mode.Store("")
		hang := make(chan struct{})
		url := rerankServer(t, "", func(w http.ResponseWriter, r *http.Request) {
			switch mode.Load() {
			case "good":
				var in struct{ Documents, Texts []string }
				if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
					w.WriteHeader(400)
				}
				scores := make([]map[string]any, len(in.Documents)+len(in.Texts))
				for i := range scores {
					scores[i] = map[string]any{"index": i, "relevance_score": -i}
				}
				_ = json.NewEncoder(w).Encode(map[string]any{"results": scores}) // the client is gone when this fails
			case "slow":
				select {
				case <-hang:
				case <-r.Context().Done():
				}
			case "failing":
				w.WriteHeader(500)
			case "wrong key":
				w.WriteHeader(401)
				fmt.Fprint(w, "sk-canary is wrong")
			case "nonsense":
				fmt.Fprint(w, "<html>It works!</html>")
			case "too few":
				fmt.Fprint(w, `{"results": [{"index": 0, "relevance_score": 1}]}`)
			case "beyond":
				fmt.Fprint(w, `[{"index": 77, "score": 1}, {"index": 0, "score": 1}, {"index": 1, "score": 1}, {"index": 2, "score": 1}, {"index": 3, "score": 1}]`)
			case "cut":
				w.Header().Set("Content-Length", "1000")
				fmt.Fprint(w, "[")
			}
		})
		t.Cleanup(func() { close(hang) })
		s := handbook(t, "RERANK=endpoint", "RERANK_BASE_URL="+url, "RERANK_API_KEY=sk-canary", "RERANK_TIMEOUT=500ms")
		want := s.rank(parental, map[string]any{"rerank": "none"})
		for i, m := range []string{"slow", "failing", "wrong key", "nonsense", "too few", "beyond", "cut"} {
			mode.Store("good") // so that the failures are not in a row, after which the endpoint is left alone
			if got := s.rank(parental, nil); got.Degraded != nil {
				t.Errorf("before %s: degraded %v", m, got.Degraded)
			}
			mode.Store(m)
			got := s.rank(parental, nil)
			if !slices.Equal(got.Degraded, []string{"rerank"}) || !slices.Equal(got.names(), want.names()) {
				t.Errorf("%s: got %v, degraded %v", m, got.names(), got.Degraded)
			}
			metrics := string(s.send("GET", "/metrics", "", nil).body)
			if line := fmt.Sprintf(`footnote_search_degraded_total{stage="rerank"} %d`, i+1); !strings.Contains(metrics, line) {
				t.Errorf("%s: the metrics lack %s", m, line)
			}
		}
		var answer struct {
			Status   string
			Degraded []string
		}
		s.call("POST", "/v1/query", map[string]any{"query": parental, "collections": []string{"handbook"}}, 200, &answer)
		if answer.Status != "answered" || !slices.Equal(answer.Degraded, []string{"rerank"}) {
			t.Errorf("got %+v", answer)
		}
		// The last failure and this one were two in a row. After the third the endpoint, well again, is left alone.
		s.rank(parental, nil)
		mode.Store("good")
		if got := s.rank(parental, nil); !slices.Equal(got.Degraded, []string{"rerank"}) || !slices.Equal(got.names(), want.names()) {
			t.Errorf("left alone: got %v, degraded %v", got.names(), got.Degraded)
		}
	})
}

func TestRank_PhrasesDuplicatesAndTheirExplanation(t *testing.T) {
	bothModes(t, func(t *testing.T) {
		s := handbook(t)
		s.add("handbook", "leave-copy.md", leaveEN, map[string]any{"team": "archive"})
		collapsing := map[string]any{"collapse": true}
		s.add("handbook", "leave-draft.md", strings.ReplaceAll(leaveEN, "sixteen", "twenty"), nil)
		for query, want := range map[string][]string{
			`how long is "sixteen weeks"`:      {"leave.md|leave-copy.md"},
			`"Twenty   WEEKS at full pay"`:     {"leave-draft.md"},
			`“医院证明” 病假`:                        {"休假.md"},
			`「醫院證明」`:                           {"休假.md"},
			`"差旅规定"`:                           {"travel.md"},
			`"no such words stand here"`:       nil,
			`"eighty degrees" "sixteen weeks"`: nil,
		} {
			got := s.rank(query, collapsing)
			if len(got.Hits) != len(want) || len(want) > 0 && !strings.Contains(want[0], got.names()[0]) {
				t.Errorf("%s: got %v, want %v", query, got.names(), want)
			}
		}
		got := s.rank(parental, collapsing)
		collapsed := got.Hits[0].Duplicates
		if len(collapsed) == 0 {
			collapsed = got.Hits[1].Duplicates
		}
		if len(collapsed) != 1 || !strings.HasPrefix(collapsed[0].Document.ExternalID, "leave") || collapsed[0].Collection != "handbook" {
			t.Errorf("got %+v", got.Hits[:2])
		}
		if all := s.rank(parental, nil); len(all.Hits) <= len(got.Hits) || all.Hits[0].Duplicates != nil {
			t.Errorf("without collapsing: got %v, with: %v", all.names(), got.names())
		}
		if one := s.rank("leave", map[string]any{"max_per_document": 1}).names(); len(one) != len(slices.Compact(slices.Sorted(slices.Values(one)))) {
			t.Errorf("at most one of a document: got %v", one)
		}

		for _, stream := range []bool{false, true} {
			in := map[string]any{"query": parental, "collections": []string{"handbook"}, "stream": stream}
			plain := string(s.call("POST", "/v1/query", in, 200, nil).body)
			in["explain"] = true
			explained := string(s.call("POST", "/v1/query", in, 200, nil).body)
			if strings.Contains(plain, `"stages"`) || !strings.Contains(explained, `"explain":{"stages":[{"stage":"dense","found":`) || !strings.Contains(explained, `"outcome":"returned"`) || !strings.Contains(explained, `"outcome":"duplicate"`) {
				t.Errorf("stream %t: got %s, explained %s", stream, plain, explained)
			}
		}
		passages := map[string]int{}
		for _, p := range s.ask(parental).Passages {
			if passages[p.Text]++; passages[p.Text] > 1 {
				t.Errorf("the prompt has %q twice", p.Text)
			}
		}
		if len(passages) == 0 {
			t.Error("the answer has no passages")
		}

		s.call("POST", "/v1/collections", map[string]any{"name": "elsewhere"}, 201, nil)
		s.add("elsewhere", "secret.md", "Parental leave of the board.", nil)
		hr := map[string]any{"type": "eq", "key": "team", "value": "hr"}
		explain := func(query, document string, more map[string]any) (outcome string, first string) {
			t.Helper()
			in := map[string]any{"explain_document": document}
			maps.Copy(in, more)
			got := s.rank(query, in)
			d := got.Explain.Document
			if d.Asked != document || d.Detail == "" || len(got.Explain.Stages) == 0 {
				t.Errorf("%s: got %+v", document, got.Explain)
			}
			if (d.Outcome == "duplicate") != (d.DuplicateOf != "") {
				t.Errorf("%s: got %+v", document, d)
			}
			if len(got.Hits) > 0 {
				first = got.names()[0]
			}
			return d.Outcome, first
		}
		for _, name := range []string{"leave.md", "leave-copy.md"} {
			if got, _ := explain(parental, name, nil); got != "returned" {
				t.Errorf("%s without collapsing: got %s", name, got)
			}
			got, first := explain(`"sixteen weeks"`, name, collapsing)
			if want := map[bool]string{true: "returned", false: "duplicate"}[first == name]; got != want {
				t.Errorf("%s: got %s, want %s", name, got, want)
			}
		}
		for _, c := range []struct {
			query, document string
			more            map[string]any
			want            string
		}{
			{parental, "tea.txt", map[string]any{"top_k": 1}, "below_top_k"},
			{parental, "tea.txt", map[string]any{"filter": hr}, "filtered"},
			{parental, "tea.txt", map[string]any{"mode": "lexical"}, "never_a_candidate"},
			{`"sixteen weeks"`, "tea.txt", nil, "lacks_phrase"},
			{parental, "secret.md", nil, "not_found"},
			{parental, "不存在", nil, "not_found"},
		} {
			if got, _ := explain(c.query, c.document, c.more); got != c.want {
				t.Errorf("%s %s %v: got %s, want %s", c.query, c.document, c.more, got, c.want)
			}
		}
	})
}

func TestRank_ADocumentBelowTheSearchesDepthIsFoundForItsExplanation(t *testing.T) {
	bothModes(t, func(t *testing.T) {
		s := startService(t)
		s.call("POST", "/v1/collections", map[string]any{"name": "handbook"}, 201, nil)
		var text strings.Builder
		for i := range 150 {
			fmt.Fprintf(&text, "# Parental leave, article %d\n\nParental leave under article %d lasts %d weeks.\n\n", i, i, i)
		}
		s.add("handbook", "articles.md", text.String(), nil)
		s.add("handbook", "tea.txt", "Green tea is brewed with water of eighty degrees.", nil)
		got := s.rank("parental leave article", map[string]any{"explain_document": "tea.txt"})
		d := got.Explain.Document
		if d.Outcome != "below_depth" || d.Dense == nil || d.Dense.Rank <= 100 || d.Lexical != nil || !strings.Contains(d.Detail, "100") {
			t.Errorf("got %+v", d)
		}
		if got := s.rank("parental leave article", map[string]any{"max_per_document": 1}).names(); !slices.Equal(got, []string{"articles.md", "tea.txt"}) {
			t.Errorf("got %v, want the second document, which is below many of the first", got)
		}
		for _, fusion := range []string{"zscore", "rrf", "convex"} {
			a, b := s.rank("article 77 weeks", map[string]any{"fusion": fusion, "effort": "high"}), s.rank("article 77 weeks", map[string]any{"fusion": fusion, "effort": "high"})
			same := slices.EqualFunc(a.Hits, b.Hits, func(x, y rankedHit) bool { return x.Chunk.ID == y.Chunk.ID && x.Score == y.Score })
			// Qdrant chooses among more equals than are asked for beyond the depth, and reciprocal ranks reach down there.
			if len(a.Hits) != 10 || !same && !strings.Contains(t.Name(), "/production") {
				t.Errorf("%s: the same search gives different hits", fusion)
			}
			if !strings.Contains(a.Hits[0].Chunk.Text, "77") {
				t.Errorf("%s: got %s first", fusion, a.Hits[0].Chunk.Text)
			}
		}
	})
}

func TestRank_NeighboursArePassagesThatCanBeCited(t *testing.T) {
	bothModes(t, func(t *testing.T) {
		said := atomic.Value{}
		s := startService(t, "LLM_BASE_URL="+chatServer(t, func(w http.ResponseWriter, _ *http.Request) { writes(w, true, said.Load().(string)) }), "LLM_MODEL=test-model")
		s.call("POST", "/v1/collections", map[string]any{"name": "handbook", "chunking": map[string]int{"target_tokens": 32, "overlap_tokens": 0}}, 201, nil)
		s.add("handbook", "leave.md", "# Leave\n\nParental leave is granted to every employee who becomes a parent, by birth or by adoption, without any condition of service.\n\n"+
			"It lasts sixteen weeks at full pay and may be taken within two years, in one part or in several, as the employee prefers.\n\n"+
			"Those who wish for more may take another year without pay, which has to be asked for half a year before.\n\n# Travel\n\nHotels cost at most ninety euros a night.\n", nil)
		ask := func(more map[string]any) (got answerJSON) {
			in := map[string]any{"query": "Who is granted parental leave?", "collections": []string{"handbook"}, "top_k": 1}
			maps.Copy(in, more)
			s.call("POST", "/v1/query", in, 200, &got)
			s.grounded("handbook", got)
			return got
		}
		said.Store("Every employee who becomes a parent is granted parental leave [1].")
		if got := ask(nil); len(got.Passages) != 1 {
			t.Fatalf("got %+v", got.Passages)
		}
		said.Store("Parental leave is granted to every employee [1]. It lasts sixteen weeks at full pay [2].")
		for n, want := range map[int]int{1: 2, 2: 3} {
			got := ask(map[string]any{"neighbours": n})
			if len(got.Passages) != want || len(got.Citations) != 2 || !strings.Contains(got.Citations[1].Quote, "sixteen weeks") {
				t.Errorf("%d: got %d passages, citations %+v", n, len(got.Passages), got.Citations)
			}
			for _, p := range got.Passages[1:] {
				if p.NeighbourOf != 1 || strings.Contains(p.Text, "Hotels") {
					t.Errorf("%d: got %+v, want what stands beside under the same heading", n, p)
				}
			}
		}
	})
}

func TestRank_CommandShowsDuplicatesAndWhyADocumentIsMissing(t *testing.T) {
	t.Parallel()
	s := handbook(t)
	s.add("handbook", "leave-copy.md", leaveEN, nil)
	for _, c := range []struct {
		args []string
		code int
		want []string
	}{
		{[]string{parental, "--collapse", "--top-k", "1"}, 0, []string{"leave", "nearly the same: leave"}},
		{[]string{parental, "--fusion", "convex", "--effort", "high", "--rerank", "late", "--rerank-depth", "3", "--max-per-document", "1"}, 0, []string{"leave.md", "leave-copy.md"}},
		{[]string{parental, "--explain-document", "tea.txt", "--top-k", "1"}, 0, []string{"tea.txt: below top k. "}},
		{[]string{`"no such words"`}, 3, nil},
		{[]string{parental, "--fusion", "magic"}, 1, nil},
	} {
		var out, errOut bytes.Buffer
		code := run(t.Context(), append([]string{"search", "-c", "handbook", "--server", s.url}, c.args...), nil, strings.NewReader(""), &out, &errOut)
		if code != c.code {
			t.Errorf("%v: got exit code %d, want %d: %s", c.args, code, c.code, errOut.String())
		}
		for _, want := range c.want {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%v: got\n%swithout %q", c.args, out.String(), want)
			}
		}
	}
}
