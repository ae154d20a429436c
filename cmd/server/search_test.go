package main

import (
	"net/url"
	"strings"
	"testing"
)

type hitsJSON struct {
	Hits []struct {
		Rank     int
		Score    float64
		Document struct {
			ExternalID string `json:"external_id"`
		}
		Chunk struct {
			Text        string
			Span        spanJSON
			HeadingPath []string `json:"heading_path"`
		}
		Explain *struct {
			Dense, Lexical, Fused *struct {
				Rank  int
				Score float64
				Terms []string
			}
		}
	}
}

func TestFlow_SearchFiltersAndExplains(t *testing.T) { bothModes(t, testFlow_SearchFiltersAndExplains) }

func testFlow_SearchFiltersAndExplains(t *testing.T) {
	s := handbook(t)
	search := func(in map[string]any) (out hitsJSON) {
		in["collections"] = []string{"handbook"}
		s.call("POST", "/v1/search", in, 200, &out)
		return out
	}
	got := search(map[string]any{"query": "医院证明", "mode": "lexical", "explain": true})
	if len(got.Hits) == 0 || got.Hits[0].Document.ExternalID != "休假.md" || got.Hits[0].Explain.Lexical == nil || len(got.Hits[0].Explain.Lexical.Terms) == 0 || got.Hits[0].Explain.Dense != nil {
		t.Errorf("got %+v", got)
	}
	// Simplified finds traditional.
	if got := search(map[string]any{"query": "经济舱", "mode": "lexical"}); len(got.Hits) == 0 || got.Hits[0].Document.ExternalID != "travel.md" {
		t.Errorf("got %+v, want travel.md", got)
	}
	for filter, want := range map[string]string{
		`{"type":"eq","key":"team","value":"hr"}`:   "leave.md",
		`{"type":"gt","key":"year","value":2024}`:   "休假.md",
		`{"type":"in","key":"tags","value":["差旅"]}`: "travel.md",
		`{"type":"and","filters":[{"type":"exists","key":"team"},{"type":"not","filter":{"type":"exists","key":"year"}}]}`: "travel.md",
		`{"type":"and","filters":[{"type":"exists","key":"year"},{"type":"ne","key":"team","value":"hr"}]}`:                "休假.md",
	} {
		a := s.send("POST", "/v1/search", "application/json", strings.NewReader(`{"query":"leave 假 travel","collections":["handbook"],"filter":`+filter+`}`))
		var got hitsJSON
		a.json(t, &got)
		if len(got.Hits) == 0 {
			t.Errorf("%s: got %s", filter, a.body)
		}
		for _, h := range got.Hits {
			if h.Document.ExternalID != want {
				t.Errorf("%s: got %s, want only %s", filter, h.Document.ExternalID, want)
			}
		}
		var listed struct {
			Data []struct {
				ExternalID string `json:"external_id"`
			}
		}
		s.call("GET", "/v1/collections/handbook/documents?filter="+url.QueryEscape(filter), nil, 200, &listed)
		if len(listed.Data) != 1 || listed.Data[0].ExternalID != want {
			t.Errorf("%s: listed %+v, want %s", filter, listed, want)
		}
	}
	first, second := search(map[string]any{"query": "leave"}), search(map[string]any{"query": "leave"})
	for i := range first.Hits {
		if first.Hits[i].Chunk.Text != second.Hits[i].Chunk.Text {
			t.Error("the same query ranks differently")
		}
		source := s.content("handbook", first.Hits[i].Document.ExternalID)
		if span := first.Hits[i].Chunk.Span; string(source[span.Start:span.End]) != first.Hits[i].Chunk.Text {
			t.Errorf("chunk %q does not stand at %v", first.Hits[i].Chunk.Text, span)
		}
	}
}
