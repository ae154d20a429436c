package llm

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"footnote/internal/rag"
)

func TestPredictor_JudgesPremiseAndHypothesisInBatches(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Inputs   [][2]string
			Truncate bool
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil || r.URL.Path != "/predict" || len(in.Inputs) > predictBatch || !in.Truncate || r.Header.Get("Authorization") != "Bearer sk-canary" {
			w.WriteHeader(400)
			return
		}
		out := [][]map[string]any{}
		for _, pair := range in.Inputs {
			label := "NEUTRAL"
			switch {
			case strings.HasPrefix(pair[0], "source") && pair[1] == "yes":
				label = "entailment"
			case pair[1] == "no":
				label = "contradiction"
			}
			out = append(out, []map[string]any{{"label": "neutral", "score": 0.1}, {"label": label, "score": 0.8}})
		}
		_ = json.NewEncoder(w).Encode(out) // the client has gone when this fails
	}))
	defer srv.Close()
	var cases []rag.JudgeCase
	for i := range 20 {
		cases = append(cases, rag.JudgeCase{Source: fmt.Sprint("source ", i), Claim: []string{"yes", "no", "maybe"}[i%3]})
	}
	got, err := NewPredictor(PredictOptions{BaseURL: srv.URL + "/predict/", APIKey: "sk-canary"}).Judge(t.Context(), cases)
	if err != nil || len(got) != 20 {
		t.Fatalf("got %v, %v", got, err)
	}
	for i, j := range got {
		if want := []rag.Relation{rag.Entailed, rag.Denied, rag.NotStated}[i%3]; j.Relation != want || j.Confidence != 0.8 || j.Quote != "" {
			t.Errorf("case %d: got %+v, want %s", i, j, want)
		}
	}
}

func TestPredictor_FailuresSayWhatTheyAre(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		answer string
		want   rag.Code
	}{
		"failing":        {500, "", rag.Unavailable},
		"rate limited":   {429, "", rag.Unavailable},
		"wrong key":      {401, `{"error": "sk-canary"}`, rag.BadUpstream},
		"no such path":   {404, "", rag.BadUpstream},
		"refused":        {422, "too long", rag.BadUpstream},
		"nonsense":       {200, "<html>It works!</html>", rag.BadUpstream},
		"too few":        {200, `[]`, rag.BadUpstream},
		"another task":   {200, `[[{"label": "joy", "score": 0.9}]]`, rag.BadUpstream},
		"no label":       {200, `[[]]`, rag.BadUpstream},
		"no score":       {200, `[[{"label": "neutral"}]]`, rag.BadUpstream},
		"endless":        {200, "[" + strings.Repeat(" ", maxPredictBytes+10), rag.BadUpstream},
		"without a list": {200, `[{"label": "entailment", "score": 0.9}]`, ""},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, c.answer) // the client may have gone
		}))
		got, err := NewPredictor(PredictOptions{BaseURL: srv.URL, APIKey: "sk-canary"}).Judge(t.Context(), []rag.JudgeCase{{Claim: "a", Source: "b"}})
		if rag.CodeOf(err) != c.want || err != nil && strings.Contains(err.Error(), "canary") || len(got) != 1 || (got[0].Relation == "") != (c.want != "") {
			t.Errorf("%s: got %+v, %v, want %s", name, got, err, c.want)
		}
		srv.Close()
	}
}

func TestPredictor_KeepsItsTime(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body)
		<-release
	}))
	defer srv.Close()
	defer close(release)
	if _, err := NewPredictor(PredictOptions{BaseURL: srv.URL, Timeout: 50 * time.Millisecond}).Judge(t.Context(), []rag.JudgeCase{{}}); rag.CodeOf(err) != rag.Timeout {
		t.Errorf("got %v, want a timeout", err)
	}
}
