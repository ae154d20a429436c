package httpapi

import (
	"errors"
	"log/slog"
	"net/http"
	"sort"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/go-chi/chi/v5"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"footnote/api"
	"footnote/internal/rag"
)

// The code serves what the contract names and nothing else.
func TestRoutes_AreThoseOfTheContract(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromData(api.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			want = append(want, method+" "+path)
			if scope, _ := op.Extensions["x-scope"].(string); scope != "public" && scope != "read" && scope != "write" && scope != "admin" {
				t.Errorf("%s %s has x-scope %q", method, path, scope)
			}
			if op.OperationID == "" || len(op.Tags) == 0 || op.Summary == "" {
				t.Errorf("%s %s lacks an operationId, a tag or a summary", method, path)
			}
		}
	}
	h := New(Options{Registry: prometheus.NewRegistry(), Logger: slog.New(slog.DiscardHandler)})
	err = chi.Walk(h.(chi.Routes), func(method, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		got = append(got, method+" "+route)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	sort.Strings(want)
	sort.Strings(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("contract (-) and code (+) differ:\n%s", diff)
	}
}

func TestAnswerLanguages_AreThoseOfTheContract(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromData(api.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for _, tag := range doc.Components.Schemas["AnswerLanguage"].Value.Enum {
		want = append(want, tag.(string))
	}
	for _, l := range rag.AnswerLanguages {
		got = append(got, l.Tag)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("contract (-) and code (+) differ:\n%s", diff)
	}
}

func TestDocs_ListEveryOperation(t *testing.T) {
	page := string(docsPage())
	doc, err := openapi3.NewLoader().LoadFromData(api.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	for path := range doc.Paths.Map() {
		if !strings.Contains(page, "</b>"+path+"</code>") {
			t.Errorf("%s is not on the page", path)
		}
	}
	if strings.Contains(page, "<script") || strings.Contains(page, "src=") {
		t.Error("the page loads something")
	}
}

func TestProblem_EveryCodeHasStatusAndTitle(t *testing.T) {
	for code, status := range statuses {
		if titles[code] == "" || status < 400 {
			t.Errorf("%s: title %q, status %d", code, titles[code], status)
		}
	}
	if len(titles) != len(statuses) {
		t.Errorf("got %d titles and %d statuses", len(titles), len(statuses))
	}
	p := describe(errors.New("secret path /etc/shadow"), "r1")
	if p.Status != 500 || strings.Contains(p.Detail, "shadow") {
		t.Errorf("got %+v, want a 500 that keeps the cause to the log", p)
	}
}
