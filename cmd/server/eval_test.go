package main

import (
	"strings"
	"testing"
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
