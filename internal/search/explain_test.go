package search

import (
	"fmt"
	"testing"

	"footnote/internal/rag"
)

func TestExplain_ListsEveryStage(t *testing.T) {
	t.Parallel()
	w, _ := newWorld()
	for i := range 80 {
		w.texts["en"] = append(w.texts["en"], fmt.Sprintf("leave %d", i))
	}
	s := w.withEndpoint(shortest, Options{})
	got, err := s.Search(t.Context(), rag.Query{Text: "parental leave", Collections: []string{"en"}, Rerank: rag.RerankEndpoint, TopK: 3, Explain: true})
	if err != nil {
		t.Fatal(err)
	}
	var names string
	for _, st := range got.Explanation.Stages {
		names += st.Name + " "
		if len(st.Candidates) == 0 || len(st.Candidates) > rag.MaxExplained || st.Found < len(st.Candidates) {
			t.Errorf("%s: got %d of %d candidates", st.Name, len(st.Candidates), st.Found)
		}
		returned := 0
		for i, c := range st.Candidates {
			if c.Rank != i+1 || c.Collection != "en" || c.Document == "" || c.Outcome == "" {
				t.Errorf("%s: got %+v", st.Name, c)
			}
			if c.Outcome == rag.OutcomeReturned {
				returned++
			}
		}
		if st.Name == "fused" && returned != 3 {
			t.Errorf("got %d returned, want 3", returned)
		}
	}
	if names != "dense lexical fused rerank " {
		t.Errorf("got stages %s", names)
	}
	plain, err := s.Search(t.Context(), rag.Query{Text: "parental leave", Collections: []string{"en"}})
	if err != nil || plain.Explanation != nil {
		t.Errorf("got %+v, %v without being asked", plain.Explanation, err)
	}
}

func TestExplain_SaysWhatBecameOfADocument(t *testing.T) {
	t.Parallel()
	w, s := newWorld()
	for i := range 300 {
		w.texts["en"] = append(w.texts["en"], fmt.Sprintf("parental leave %d", i))
	}
	deep := "there is a word on leave after very many others that have nothing to do with it, which is why it is found so far down, if at all"
	w.texts["en"] = append(w.texts["en"], deep, "nothing alike", passageEN, passageEN+"!", "a draft of parental leave")
	w.inactive["a draft of parental leave"] = true
	w.of[passageEN] = rag.Document{ID: "doc_a", ExternalID: "a"}
	w.of[passageEN+"!"] = rag.Document{ID: "doc_b", ExternalID: "b"}
	w.of["parental leave 7"] = rag.Document{ID: "doc_hr", ExternalID: "hr", Metadata: rag.Metadata{"team": "hr"}}
	hr := &rag.Filter{Op: rag.OpEq, Key: "team", Value: "hr"}
	search := func(q rag.Query, document string) rag.ExplainedDocument {
		t.Helper()
		q.Collections, q.ExplainDocument = []string{"en"}, document
		got, err := s.Search(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		d := got.Explanation.Document
		if d.Detail == "" || d.Asked != document || (d.Document.ID == "") != (d.Outcome == rag.OutcomeNotFound) {
			t.Errorf("%s: got %+v", document, d)
		}
		return *d
	}
	first, err := s.Search(t.Context(), rag.Query{Text: "parental leave", Collections: []string{"en"}, TopK: 1})
	if err != nil {
		t.Fatal(err)
	}
	best := first.Hits[0].Document.ExternalID
	if d := search(rag.Query{Text: "parental leave"}, best); d.Outcome != rag.OutcomeReturned || d.Fused == nil || d.Fused.Rank != 1 {
		t.Errorf("the best: got %+v", d)
	}
	if d := search(rag.Query{Text: "parental leave"}, string(first.Hits[0].Document.ID)); d.Outcome != rag.OutcomeReturned {
		t.Errorf("the best by its id: got %+v", d)
	}
	second, err := s.Search(t.Context(), rag.Query{Text: "parental leave", Collections: []string{"en"}, TopK: 2})
	if err != nil {
		t.Fatal(err)
	}
	if d := search(rag.Query{Text: "parental leave", TopK: 1}, second.Hits[1].Document.ExternalID); d.Outcome != rag.OutcomeTopK || d.Fused.Rank < 2 { // a draft may stand between
		t.Errorf("the second of one: got %+v", d)
	}
	if d := search(rag.Query{Text: "word leave", Mode: rag.Lexical, TopK: 1}, deep); d.Outcome != rag.OutcomeReturned && d.Outcome != rag.OutcomeTopK {
		t.Errorf("deep but rare: got %+v", d)
	}
	if d := search(rag.Query{Text: "parental leave"}, deep); d.Outcome != rag.OutcomeDepth || d.Dense == nil || d.Dense.Rank <= candidateDepth || d.Lexical == nil {
		t.Errorf("deep: got %+v", d)
	}
	if d := search(rag.Query{Text: "parental leave"}, "nothing alike"); d.Outcome != rag.OutcomeNever {
		t.Errorf("unlike: got %+v", d)
	}
	if d := search(rag.Query{Text: `"parental leave lasts" at full pay`}, "parental leave 1"); d.Outcome != rag.OutcomePhrase {
		t.Errorf("without the phrase: got %+v", d)
	}
	if d := search(rag.Query{Text: "parental leave", Filter: hr}, "parental leave 1"); d.Outcome != rag.OutcomeFiltered {
		t.Errorf("filtered: got %+v", d)
	}
	twins := map[string]rag.ExplainedDocument{"a": search(rag.Query{Text: passageEN, Collapse: true}, "a"), "b": search(rag.Query{Text: passageEN, Collapse: true}, "b")}
	if twins["a"].Outcome == rag.OutcomeDuplicate {
		twins["a"], twins["b"] = twins["b"], twins["a"]
	}
	if twins["a"].Outcome != rag.OutcomeReturned || twins["b"].Outcome != rag.OutcomeDuplicate || twins["b"].DuplicateOf != twins["a"].Chunk {
		t.Errorf("twins: got %+v", twins)
	}
	for _, absent := range []string{"none", "a draft of parental leave", "育儿假为十六周，全薪。", "doc_育儿假为十六周，全薪。"} {
		if d := search(rag.Query{Text: "parental leave"}, absent); d.Outcome != rag.OutcomeNotFound {
			t.Errorf("%s: got %+v", absent, d)
		}
	}
	two := rag.Document{ID: "doc_two", ExternalID: "two"}
	w.of[second.Hits[0].Chunk.Text], w.of[second.Hits[1].Chunk.Text] = two, two
	if d := search(rag.Query{Text: "parental leave", MaxPerDocument: 1}, "two"); d.Outcome != rag.OutcomeReturned || d.Chunk != second.Hits[0].Chunk.ID {
		t.Errorf("of two chunks the one that came furthest counts: got %+v", d)
	}
}
