package main

import (
	"io"
	"path/filepath"
	"strings"
	"testing"

	"footnote/internal/eval"
	"footnote/internal/rag"
)

func TestEvalVariants_EachDiffersInOneThing(t *testing.T) {
	t.Parallel()
	got, err := evalVariants([]string{"rrf", "convex"}, []string{"none", "late"}, []string{"normal"}, []string{"false", "true"}, 10)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, v := range got {
		names = append(names, v.Name)
	}
	if want := "dense|lexical|hybrid rrf|hybrid rrf, convex|hybrid rrf, late|hybrid rrf, collapse=true"; strings.Join(names, "|") != want {
		t.Errorf("got %s, want %s", strings.Join(names, "|"), want)
	}
	if v := got[4].Query; v.Rerank != "late" || v.RerankDepth != 10 || v.Fusion != "rrf" || v.Collapse {
		t.Errorf("got %+v", v)
	}
	if got[0].Query.Collapse || got[1].Query.Collapse || got[0].Query.Mode != rag.Dense || got[1].Query.Mode != rag.Lexical {
		t.Errorf("got the halves %+v and %+v, want them to keep duplicates as the whole does", got[0].Query, got[1].Query)
	}
	if v := got[5].Query; !v.Collapse || v.Rerank != "none" {
		t.Errorf("got %+v", v)
	}
	for _, wrong := range [][4]string{{"magic", "none", "normal", "true"}, {"rrf", "cohere", "normal", "true"}, {"rrf", "none", "utmost", "true"}, {"rrf", "none", "normal", "maybe"}} {
		if _, err := evalVariants(wrong[:1], wrong[1:2], wrong[2:3], wrong[3:], 20); err == nil {
			t.Errorf("%v: got no error", wrong)
		}
	}
	if _, err := evalVariants(nil, []string{"none"}, []string{"normal"}, []string{"true"}, 20); err == nil {
		t.Error("without a value: got no error")
	}
}

// A kept store is found again by the same program, and another program's is replaced without the model being asked.
func TestEvalStore_KeepsSetsAndQuestions(t *testing.T) {
	t.Parallel()
	d := eval.Dataset{Name: "Leave 假", Documents: []eval.Document{
		{ID: "en", Title: "Leave", Text: "Parental leave lasts sixteen weeks."}, {ID: "zh", Title: "假", Text: "育儿假为十六周，全薪。"}, {ID: "empty"},
	}}
	kept := t.TempDir()
	var collection string
	for n, build := range []string{"one", "one", "two"} {
		p := &program{environ: nil, stderr: io.Discard, flags: map[string]string{}}
		s, end, err := p.openEvalStore(t.Context(), kept)
		if err != nil {
			t.Fatal(err)
		}
		s.program = build
		e, err := s.open(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		if e.complete != (n == 1) {
			t.Errorf("run %d: complete: got %v", n, e.complete)
		}
		if n == 1 && e.collection != collection {
			t.Errorf("got the collection %s, want %s again", e.collection, collection)
		}
		if err := e.Add(t.Context(), d.Documents); err != nil {
			t.Fatal(err)
		}
		found, err := e.Rank(t.Context(), "育兒假多長？", eval.Variant{Query: rag.Query{Mode: rag.Hybrid}}, 10)
		if err != nil || len(found) != 2 || found[0] != "zh" {
			t.Errorf("run %d: got %v and %v", n, found, err)
		}
		if err := s.settle(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		all, err := s.catalog.Collections(t.Context(), "", 10)
		if err != nil || len(all) != 1 || all[0].Name != e.collection {
			t.Errorf("run %d: got the collections %v and %v, want only %s", n, all, err, e.collection)
		}
		collection = e.collection
		end()
	}
	if files, err := filepath.Glob(filepath.Join(kept, questionsName+"*")); err != nil || len(files) != 1 {
		t.Errorf("got %q and %v, want one file of the questions' vectors", files, err)
	}
}
