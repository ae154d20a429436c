package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"footnote/api"
	"footnote/internal/config"
	pgserver "footnote/internal/servertest/postgres"
	qdrantserver "footnote/internal/servertest/qdrant"
)

// service is a running service whose every answer is held against the contract.
type service struct {
	t   *testing.T
	url string
	app *app
}

var contract = func() routers.Router {
	doc, err := openapi3.NewLoader().LoadFromData(api.OpenAPI)
	if err != nil {
		panic(err)
	}
	doc.Servers = nil
	openapi3filter.RegisterBodyDecoder("text/event-stream", openapi3filter.FileBodyDecoder)
	openapi3filter.RegisterBodyDecoder("text/html", openapi3filter.FileBodyDecoder)
	openapi3filter.RegisterBodyDecoder("application/yaml", openapi3filter.FileBodyDecoder)
	r, err := gorillamux.NewRouter(doc)
	if err != nil {
		panic(err)
	}
	return r
}()

func TestMain(m *testing.M) { os.Exit(pgserver.Main(m)) }

// bothModes runs a test in embedded and in production mode; startService takes the mode from the test's name.
func bothModes(t *testing.T, test func(t *testing.T)) {
	t.Parallel()
	t.Run("embedded", func(t *testing.T) { t.Parallel(); test(t) })
	t.Run("production", func(t *testing.T) { t.Parallel(); test(t) })
}

// production are the settings of a service on an empty Postgres database and a Qdrant: that of TEST_QDRANT_ADDR, or one of its own.
func production(t *testing.T) []string {
	t.Helper()
	if a := os.Getenv("TEST_QDRANT_ADDR"); a != "" {
		index := "qdrant://" + a
		if key := os.Getenv("TEST_QDRANT_KEY"); key != "" {
			index = "qdrant://" + url.PathEscape(key) + "@" + a
		}
		return []string{"CATALOG=" + pgserver.URL(t), "INDEX=" + index}
	}
	return []string{"CATALOG=" + pgserver.URL(t), "INDEX=" + qdrantserver.Start(t, "").URL()}
}

// startService starts a service in a folder of its own; environ holds settings as "NAME=value" without prefix.
func startService(t *testing.T, environ ...string) *service {
	t.Helper()
	settings := []string{"FOOTNOTE_DATA=" + t.TempDir()}
	if strings.Contains(t.Name(), "/production") {
		environ = append(production(t), environ...)
	}
	for _, e := range environ {
		settings = append(settings, "FOOTNOTE_"+e)
	}
	c, err := config.Load(settings, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	a, err := openApp(t.Context(), c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	stop := a.start(context.WithoutCancel(t.Context()))
	srv := httptest.NewServer(a.handler)
	t.Cleanup(func() { srv.Close(); stop() })
	return &service{t, srv.URL, a}
}

// response is what a request got.
type response struct {
	status int
	header http.Header
	body   []byte
}

func (a response) json(t *testing.T, into any) {
	t.Helper()
	if err := json.Unmarshal(a.body, into); err != nil {
		t.Fatalf("%v in %s", err, a.body)
	}
}

// send sends a request as it is and checks the answer against the contract.
func (s *service) send(method, path, contentType string, body io.Reader, header ...string) response {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	s.check(req, resp, got)
	return response{resp.StatusCode, resp.Header, got}
}

func (s *service) check(req *http.Request, resp *http.Response, body []byte) {
	s.t.Helper()
	clean := req.Clone(s.t.Context())
	clean.URL.Scheme, clean.URL.Host, clean.Host = "", "", ""
	route, pathParams, err := contract.FindRoute(clean)
	if err != nil {
		if req.Method != http.MethodOptions && resp.StatusCode != 404 && resp.StatusCode != 405 {
			s.t.Errorf("%s %s is not in the contract and got %d", req.Method, req.URL.Path, resp.StatusCode)
		}
		return
	}
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: clean, PathParams: pathParams, Route: route},
		Status:                 resp.StatusCode, Header: resp.Header,
		Options: &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	}
	input.SetBodyBytes(body)
	if err := openapi3filter.ValidateResponse(s.t.Context(), input); err != nil {
		s.t.Errorf("%s %s: the answer breaks the contract: %v", req.Method, req.URL.Path, err)
	}
}

// call sends JSON and wants the status; it decodes the answer into out, unless nil.
func (s *service) call(method, path string, in any, want int, out any) response {
	s.t.Helper()
	var body io.Reader
	contentType := ""
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			s.t.Fatal(err)
		}
		body, contentType = bytes.NewReader(b), "application/json"
	}
	a := s.send(method, path, contentType, body)
	if a.status != want {
		s.t.Fatalf("%s %s: got %d, want %d: %s", method, path, a.status, want, a.body)
	}
	if out != nil {
		a.json(s.t, out)
	}
	return a
}

// add takes one text in and waits for it.
func (s *service) add(collection, id, text string, metadata map[string]any) {
	s.t.Helper()
	var got struct {
		Job struct{ Status string }
	}
	s.call("POST", "/v1/collections/"+collection+"/documents?wait=60s", map[string]any{"external_id": id, "text": text, "metadata": metadata}, 200, &got)
	if got.Job.Status != "succeeded" {
		s.t.Fatalf("taking %s in: %s", id, got.Job.Status)
	}
}

// content is a document's normalised text, in code points.
func (s *service) content(collection, id string) []rune {
	s.t.Helper()
	return []rune(string(s.send("GET", "/v1/collections/"+collection+"/documents/"+id+"/content", "", nil).body))
}

type spanJSON struct{ Start, End int }

// answerJSON is the part of an answer that tests look at.
type answerJSON struct {
	ID, Status, Text, Language, Model string
	Reason                            *string
	Fallback                          bool
	Claims                            []struct {
		Span      spanJSON
		Support   float64
		Verdict   string
		Citations []int

		Attribution string
		Mismatches  []struct{ Kind, Claim, Source string }
	}
	Citations []struct {
		ID         string
		Marker     int
		AnswerSpan spanJSON `json:"answer_span"`
		SourceSpan spanJSON `json:"source_span"`
		Document   struct {
			ExternalID string `json:"external_id"`
		}
		Quote       string
		Page        *int
		URL         string
		Verified    bool
		Verdict     string
		Support     *float64
		Attribution string
	}
	Degraded []string
	Passages []struct {
		Number      int
		NeighbourOf int `json:"neighbour_of"`
		Text        string
		HeadingPath []string `json:"heading_path"`
	}
}

// grounded checks what every answer must keep: each marker in the text resolves to one citation, each citation of an author stands in the text, and each citation's quote stands at its span of
// the source's text as the API serves it.
func (s *service) grounded(collection string, a answerJSON) {
	s.t.Helper()
	text := []rune(a.Text)
	markers := map[int]bool{}
	for _, c := range a.Citations {
		markers[c.Marker] = true
		if strings.Contains(a.Text, fmt.Sprintf("[%d]", c.Marker)) != (c.Attribution == "marker") {
			s.t.Errorf("citation %d (%s) and the markers in %q do not agree", c.Marker, c.Attribution, a.Text)
		}
		source := s.content(collection, c.Document.ExternalID)
		if c.SourceSpan.End > len(source) || string(source[c.SourceSpan.Start:c.SourceSpan.End]) != c.Quote {
			s.t.Errorf("citation %d: %q does not stand at %v of %s", c.Marker, c.Quote, c.SourceSpan, c.Document.ExternalID)
		}
		if !c.Verified || c.AnswerSpan.End > len(text) || c.AnswerSpan.Start >= c.AnswerSpan.End {
			s.t.Errorf("citation %d: verified %t, answer span %v of %d", c.Marker, c.Verified, c.AnswerSpan, len(text))
		}
	}
	for _, c := range a.Claims {
		if c.Span.Start < 0 || c.Span.End > len(text) || c.Span.Start >= c.Span.End {
			s.t.Errorf("claim %+v lies outside of %q", c, a.Text)
		}
		for _, m := range c.Citations {
			if !markers[m] {
				s.t.Errorf("claim %+v names citation %d, and there is none", c, m)
			}
		}
		if (c.Attribution == "") != (len(c.Citations) == 0) || (c.Verdict == "contradicted") != (len(c.Mismatches) > 0) {
			s.t.Errorf("claim %+v has no attribution, or no mismatch, that goes with it", c)
		}
	}
	rest := a.Text
	for {
		_, after, found := strings.Cut(rest, "[")
		if !found {
			break
		}
		var n int
		if _, err := fmt.Sscanf(after, "%d]", &n); err == nil && !markers[n] {
			s.t.Errorf("marker [%d] in %q resolves to nothing", n, a.Text)
		}
		rest = after
	}
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
