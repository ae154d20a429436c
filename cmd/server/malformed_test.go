package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
)

// Each request is wrong in its own way; each must get the right problem, name its field where there is one, and leave the service as it was.
func TestMalformed_RequestsGetTheRightProblem(t *testing.T) {
	bothModes(t, testMalformed_RequestsGetTheRightProblem)
}

func testMalformed_RequestsGetTheRightProblem(t *testing.T) {
	s := startService(t)
	s.call("POST", "/v1/collections", map[string]any{"name": "c"}, 201, nil)
	s.add("c", "doc", "Something to find. 有内容可找。", nil)

	const (
		cols   = "/v1/collections"
		docs   = "/v1/collections/c/documents"
		search = "/v1/search"
		query  = "/v1/query"
		j      = "application/json"
	)
	multi := func(body string) string { return strings.ReplaceAll(body, "\n", "\r\n") }
	const form = "multipart/form-data; boundary=B"
	ask := func(rest string) string { return `{"query": "q", "collections": ["c"]` + rest + `}` }
	for i, c := range []struct {
		method, path, contentType, body string
		status                          int
		code, pointer                   string
	}{
		{"POST", cols, j, `{`, 400, "invalid_request", ""},
		{"POST", cols, j, ``, 400, "invalid_request", ""},
		{"POST", cols, j, `[]`, 400, "invalid_request", ""},
		{"POST", cols, j, `"c"`, 400, "invalid_request", ""},
		{"POST", cols, j, `{"name": "d"} {"name": "e"}`, 400, "invalid_request", ""},
		{"POST", cols, j, "{\"name\": \"\xff\xfe\"}", 400, "invalid_request", ""},
		{"POST", cols, j, `{"name": 7}`, 400, "invalid_request", "/name"},
		{"POST", cols, j, `{"name": ""}`, 400, "invalid_request", "/name"},
		{"POST", cols, j, `{"name": "../etc"}`, 400, "invalid_request", "/name"},
		{"POST", cols, j, `{"name": "Имя"}`, 400, "invalid_request", "/name"},
		{"POST", cols, j, `{"name": "` + strings.Repeat("a", 64) + `"}`, 400, "invalid_request", "/name"},
		{"POST", cols, j, `{"name": "d", "tenant_id": "x"}`, 400, "invalid_request", "/tenant_id"},
		{"POST", cols, j, `{"name": "d", "chunking": {"target_tokens": 5, "overlap_tokens": 0}}`, 400, "invalid_request", "/chunking/target_tokens"},
		{"POST", cols, j, `{"name": "d", "chunking": {"target_tokens": 100, "overlap_tokens": 90}}`, 400, "invalid_request", "/chunking/overlap_tokens"},
		{"POST", cols, j, `{"name": "d", "chunking": {"target_tokens": "x"}}`, 400, "invalid_request", "/chunking/target_tokens"},
		{"POST", cols, j, `{"name": "d", "description": "` + strings.Repeat("长", 2001) + `"}`, 400, "invalid_request", "/description"},
		{"POST", cols, j, `{"name": "d", "description": "` + strings.Repeat("x", 1<<20) + `"}`, 413, "too_large", ""},
		{"POST", cols, "text/plain", `{"name": "d"}`, 415, "unsupported_media", ""},
		{"POST", cols, "application/x-www-form-urlencoded", `name=d`, 415, "unsupported_media", ""},
		{"POST", cols + "?x=1", j, `{"name": "d"}`, 400, "invalid_request", "/x"},
		{"PATCH", cols + "/c", j, `{}`, 400, "invalid_request", "/description"},
		{"PATCH", cols + "/c", j, `{"name": "z"}`, 400, "invalid_request", "/name"},
		{"PATCH", cols + "/none", j, `{"description": ""}`, 404, "not_found", ""},
		{"GET", cols + "/none", "", "", 404, "not_found", ""},
		{"GET", cols + "?limit=0", "", "", 400, "invalid_request", "/limit"},
		{"GET", cols + "?limit=1000", "", "", 400, "invalid_request", "/limit"},
		{"GET", cols + "?limit=ten", "", "", 400, "invalid_request", "/limit"},
		{"GET", cols + "?after=%21", "", "", 400, "invalid_request", "/after"},
		{"GET", cols + "?limit=1&limit=2", "", "", 400, "invalid_request", "/limit"},
		{"DELETE", cols + "/none", "", "", 404, "not_found", ""},
		{"PUT", cols, j, `{}`, 405, "method_not_allowed", ""},
		{"GET", "/v2/things", "", "", 404, "not_found", ""},

		{"POST", docs, j, `{"title": "no text"}`, 400, "invalid_request", "/text"},
		{"POST", docs, j, `{"text": ""}`, 400, "invalid_request", "/text"},
		{"POST", docs, j, `{"text": ["a"]}`, 400, "invalid_request", "/text"},
		{"POST", docs, j, `{"text": "x", "metadata": {"a": {"b": 1}}}`, 400, "invalid_request", "/metadata/a"},
		{"POST", docs, j, `{"text": "x", "metadata": {"a": [1, 2]}}`, 400, "invalid_request", "/metadata/a"},
		{"POST", docs, j, `{"text": "x", "metadata": "hr"}`, 400, "invalid_request", "/metadata"},
		{"POST", docs, j, `{"text": "x", "external_id": ""}`, 400, "invalid_request", "/external_id"},
		{"POST", docs, j, `{"text": "x", "external_id": "a\u0000b"}`, 400, "invalid_request", "/external_id"},
		{"POST", docs, j, `{"text": "x", "title": "` + strings.Repeat("t", 1001) + `"}`, 400, "invalid_request", "/title"},
		{"POST", docs, j, `{"text": "x", "media_type": "application/pdf"}`, 415, "unsupported_media", ""},
		{"POST", docs, j, `{"txt": "x"}`, 400, "invalid_request", "/txt"},
		{"POST", docs + "?wait=forever", j, `{"text": "x"}`, 400, "invalid_request", "/wait"},
		{"POST", docs + "?wait=10h", j, `{"text": "x"}`, 400, "invalid_request", "/wait"},
		{"POST", docs + "?dry_run=maybe", j, `{"text": "x"}`, 400, "invalid_request", "/dry_run"},
		{"POST", docs, "application/pdf", `%PDF-1.7`, 415, "unsupported_media", ""},
		{"POST", cols + "/none/documents", j, `{"text": "x"}`, 404, "not_found", ""},
		{"PUT", docs + "/a", j, `{"text": "x", "external_id": "b"}`, 400, "invalid_request", "/external_id"},
		{"POST", docs, form, multi("--B\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\n\nabc"), 400, "invalid_request", ""},
		{"POST", docs, "multipart/form-data", "x", 400, "invalid_request", ""},
		{"POST", docs, form, multi("--B\nContent-Disposition: form-data; name=\"metadata\"\n\n{}\n--B--\n"), 400, "invalid_request", "/file"},
		{"POST", docs, form, multi("--B\nContent-Disposition: form-data; name=\"upload\"; filename=\"a.txt\"\n\nabc\n--B--\n"), 400, "invalid_request", "/upload"},
		{"POST", docs, form, multi("--B\nContent-Disposition: form-data; name=\"metadata\"\n\nnope\n--B\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\n\nabc\n--B--\n"), 400, "invalid_request", "/metadata"},
		{"POST", docs, form, multi("--B\nContent-Disposition: form-data; name=\"file\"; filename=\"a.exe\"\n\nMZ\x00\x01\n--B--\n"), 415, "unsupported_media", ""},
		{"POST", docs, form, multi("--B\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\n\n\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\n--B--\n"), 415, "unsupported_media", ""},
		{"DELETE", docs, "", "", 400, "invalid_request", "/filter"},
		{"DELETE", docs + "?filter=%7B", "", "", 400, "invalid_request", "/filter"},
		{"GET", docs + "?filter=%7B%22type%22%3A%22like%22%7D", "", "", 400, "invalid_request", "/filter/type"},
		{"GET", docs + "/none", "", "", 404, "not_found", ""},
		{"GET", docs + "/none/content", "", "", 404, "not_found", ""},
		{"GET", docs + "/doc/chunks?after=eA", "", "", 400, "invalid_request", "/after"},
		{"GET", docs + "/%ff", "", "", 400, "invalid_request", "/external_id"},

		{"GET", "/v1/jobs?status=odd", "", "", 400, "invalid_request", "/status"},
		{"GET", "/v1/jobs?collection=none", "", "", 404, "not_found", ""},
		{"GET", "/v1/jobs/job_none", "", "", 404, "not_found", ""},
		{"GET", "/v1/jobs/job_none/events", "", "", 404, "not_found", ""},
		{"POST", "/v1/jobs/job_none/cancel", "", "", 404, "not_found", ""},
		{"POST", "/v1/jobs/job_none/retry", "", "", 404, "not_found", ""},

		{"POST", search, j, `{"collections": ["c"]}`, 400, "invalid_request", "/query"},
		{"POST", search, j, `{"query": "  ", "collections": ["c"]}`, 400, "invalid_request", "/query"},
		{"POST", search, j, `{"query": "` + strings.Repeat("长", 2001) + `", "collections": ["c"]}`, 400, "invalid_request", "/query"},
		{"POST", search, j, `{"query": "q"}`, 400, "invalid_request", "/collections"},
		{"POST", search, j, `{"query": "q", "collections": "c"}`, 400, "invalid_request", "/collections"},
		{"POST", search, j, `{"query": "q", "collections": ["none"]}`, 404, "not_found", ""},
		{"POST", search, j, `{"query": "q", "collections": ["c", "UPPER"]}`, 400, "invalid_request", "/collections/1"},
		{"POST", search, j, ask(`, "top_k": 5000`), 400, "invalid_request", "/top_k"},
		{"POST", search, j, ask(`, "top_k": 0`), 400, "invalid_request", "/top_k"},
		{"POST", search, j, ask(`, "top_k": 1.5`), 400, "invalid_request", "/top_k"},
		{"POST", search, j, ask(`, "mode": "magic"`), 400, "invalid_request", "/mode"},
		{"POST", search, j, ask(`, "mode": ""`), 400, "invalid_request", "/mode"},
		{"POST", search, j, ask(`, "fusion": "magic"`), 400, "invalid_request", "/fusion"},
		{"POST", search, j, ask(`, "fusion": ""`), 400, "invalid_request", "/fusion"},
		{"POST", search, j, ask(`, "effort": "utmost"`), 400, "invalid_request", "/effort"},
		{"POST", search, j, ask(`, "collapse": "no"`), 400, "invalid_request", "/collapse"},
		{"POST", search, j, ask(`, "max_per_document": 0`), 400, "invalid_request", "/max_per_document"},
		{"POST", search, j, ask(`, "max_per_document": -1`), 400, "invalid_request", "/max_per_document"},
		{"POST", search, j, ask(`, "max_per_document": 201`), 400, "invalid_request", "/max_per_document"},
		{"POST", search, j, ask(`, "rerank": true`), 400, "invalid_request", "/rerank"},
		{"POST", search, j, ask(`, "rerank": "cohere"`), 400, "invalid_request", "/rerank"},
		{"POST", search, j, ask(`, "rerank": "endpoint"`), 400, "invalid_request", "/rerank"}, // there is none
		{"POST", search, j, ask(`, "rerank_depth": 0`), 400, "invalid_request", "/rerank_depth"},
		{"POST", search, j, ask(`, "rerank_depth": 51`), 400, "invalid_request", "/rerank_depth"},
		{"POST", search, j, ask(`, "explain_document": ""`), 400, "invalid_request", "/explain_document"},
		{"POST", search, j, ask(`, "explain_document": 7`), 400, "invalid_request", "/explain_document"},
		{"POST", search, j, ask(`, "explain_document": "` + strings.Repeat("长", 513) + `"`), 400, "invalid_request", "/explain_document"},
		{"POST", query, j, ask(`, "rerank": "late"`), 400, "invalid_request", "/rerank"},
		{"POST", search, j, ask(`, "explain": "yes"`), 400, "invalid_request", "/explain"},
		{"POST", search, j, ask(`, "filter": {"type": "eq", "key": "a"}`), 400, "invalid_request", "/filter/value"},
		{"POST", search, j, ask(`, "filter": {"type": "and", "filters": []}`), 400, "invalid_request", "/filter/filters"},
		{"POST", search, j, ask(`, "filter": {"op": "eq"}`), 400, "invalid_request", "/op"},
		{"POST", search, j, ask(`, "filter": ` + strings.Repeat(`{"type": "not", "filter": `, 20) + `{"type": "exists", "key": "a"}` + strings.Repeat("}", 20)), 400, "invalid_request", ""},
		{"POST", query, j, ask(`, "stream": 1`), 400, "invalid_request", "/stream"},
		{"POST", query, j, ask(`, "top_k": 51`), 400, "invalid_request", "/top_k"},
		{"POST", query, j, ask(`, "explain": "yes"`), 400, "invalid_request", "/explain"},
		{"POST", query, j, ask(`, "neighbours": 3`), 400, "invalid_request", "/neighbours"},
		{"POST", query, j, ask(`, "neighbours": -1`), 400, "invalid_request", "/neighbours"},
		{"POST", query, j, ask(`, "language": "tlh"`), 400, "invalid_request", "/language"},
		{"POST", query, j, ask(`, "messages": [{"role": "system", "content": "x"}]`), 400, "invalid_request", "/messages"},
		{"POST", query, j, ask(`, "stream": true, "top_k": 0`), 400, "invalid_request", "/top_k"},
		{"POST", query, j, `{"query": "q", "collections": ["none"], "stream": true}`, 404, "not_found", ""},
		{"GET", "/v1/citations/cit_none", "", "", 404, "not_found", ""},
	} {
		name := fmt.Sprintf("%d %s %s %.60s", i, c.method, c.path, c.body)
		var body io.Reader
		if c.body != "" {
			body = bytes.NewReader([]byte(c.body))
		}
		a := s.send(c.method, c.path, c.contentType, body)
		if a.status != c.status || a.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: got %d %s, want %d: %s", name, a.status, a.header.Get("Content-Type"), c.status, a.body)
			continue
		}
		var p struct {
			Code, Detail string
			Status       int
			RequestID    string `json:"request_id"`
			Errors       []struct{ Pointer, Detail string }
		}
		a.json(t, &p)
		if p.Code != c.code || p.Status != c.status || p.Detail == "" || p.RequestID == "" {
			t.Errorf("%s: got %s", name, a.body)
		}
		if c.pointer != "" && (len(p.Errors) != 1 || p.Errors[0].Pointer != c.pointer) {
			t.Errorf("%s: got errors %v, want %s", name, p.Errors, c.pointer)
		}
	}
	s.malformedEmbeddings()
	var got hitsJSON
	s.call("POST", search, map[string]any{"query": "有内容可找", "collections": []string{"c"}}, 200, &got)
	if len(got.Hits) != 1 {
		t.Errorf("after it all: got %d hits, want the one document", len(got.Hits))
	}
}

// malformedEmbeddings does the same to the routes whose errors have OpenAI's form.
func (s *service) malformedEmbeddings() {
	s.t.Helper()
	const (
		path  = "/v1/embeddings"
		j     = "application/json"
		model = "multilingual-e5-small"
	)
	ask := func(rest string) string { return `{"model": "` + model + `"` + rest + `}` }
	list := func(n int, text string) string {
		return ask(`, "input": ["` + strings.Repeat(text+`", "`, n-1) + text + `"]`)
	}
	long := strings.Repeat("leave ", s.app.embedder.MaxTokens())
	for i, c := range []struct {
		method, path, contentType, body string
		status                          int
		code, param, says               string
	}{
		{"POST", path, j, ``, 400, "invalid_request", "", "empty"},
		{"POST", path, j, `{`, 400, "invalid_request", "", "JSON"},
		{"POST", path, j, `[]`, 400, "invalid_request", "", "object"},
		{"POST", path, "text/plain", ask(`, "input": "x"`), 415, "unsupported_media", "", "application/json"},
		{"POST", path + "?x=1", j, ask(`, "input": "x"`), 400, "invalid_request", "x", "Unknown parameter"},
		{"POST", path, j, `{"input": "x"}`, 400, "invalid_request", "model", "GET /v1/models"},
		{"POST", path, j, `{"model": 7, "input": "x"}`, 400, "invalid_request", "model", "a string"},
		{"POST", path, j, `{"model": "text-embedding-3-small", "input": "x"}`, 404, "model_not_found", "model", model},
		{"POST", path, j, ask(``), 400, "invalid_request", "input", "needed"},
		{"POST", path, j, ask(`, "input": null`), 400, "invalid_request", "input", "needed"},
		{"POST", path, j, ask(`, "input": 7`), 400, "invalid_request", "input", "text"},
		{"POST", path, j, ask(`, "input": {"text": "x"}`), 400, "invalid_request", "input", "text"},
		{"POST", path, j, ask(`, "input": ""`), 400, "invalid_request", "input[0]", "empty"},
		{"POST", path, j, ask(`, "input": []`), 400, "invalid_request", "input", "empty list"},
		{"POST", path, j, ask(`, "input": ["x", " \n"]`), 400, "invalid_request", "input[1]", "empty"},
		{"POST", path, j, ask(`, "input": ["x", null]`), 400, "invalid_request", "input[1]", "text"},
		{"POST", path, j, ask(`, "input": ["x", {}]`), 400, "invalid_request", "input[1]", "object"},
		{"POST", path, j, ask(`, "input": [101, 2054]`), 400, "invalid_request", "input[0]", "token ids"},
		{"POST", path, j, ask(`, "input": [[101, 2054], [7]]`), 400, "invalid_request", "input[0]", "token ids"},
		{"POST", path, j, list(2049, "x"), 400, "invalid_request", "input", "2048"},
		{"POST", path, j, ask(`, "input": ["x", "` + long + `x"]`), 400, "invalid_request", "input[1]", fmt.Sprintf("%d tokens", s.app.embedder.MaxTokens()+1)},
		{"POST", path, j, ask(`, "input": "` + strings.Repeat("长", 100_000) + `"`), 400, "invalid_request", "input[0]", "300000 bytes"},
		{"POST", path, j, list(620, long[:len(long)-6]), 400, "invalid_request", "input", "300000 tokens"},
		{"POST", path, j, ask(`, "input": "` + strings.Repeat("x", 4<<20) + `"`), 413, "too_large", "", "larger"},
		{"POST", path, j, ask(`, "input": "x", "encoding_format": "hex"`), 400, "invalid_request", "encoding_format", "base64"},
		{"POST", path, j, ask(`, "input": "x", "dimensions": 256`), 400, "invalid_request", "dimensions", "384"},
		{"POST", path, j, ask(`, "input": "x", "dimensions": 0`), 400, "invalid_request", "dimensions", "384"},
		{"POST", path, j, ask(`, "input": "x", "input_type": "title"`), 400, "invalid_request", "input_type", "query"},
		{"POST", path, j, ask(`, "input": "x", "tenant_id": "y"`), 400, "invalid_request", "tenant_id", "Unknown field"},
		{"GET", path, "", "", 405, "method_not_allowed", "", "Allow"},
		{"DELETE", "/v1/models/" + model, "", "", 405, "method_not_allowed", "", "Allow"},
		{"GET", "/v1/models?limit=2", "", "", 400, "invalid_request", "limit", "Unknown parameter"},
		{"GET", "/v1/models/none", "", "", 404, "model_not_found", "model", model},
		{"GET", "/v1/models/%ff", "", "", 400, "invalid_request", "model", "malformed"},
	} {
		name := fmt.Sprintf("embeddings %d %s %s %.60s", i, c.method, c.path, c.body)
		var body io.Reader
		if c.body != "" {
			body = strings.NewReader(c.body)
		}
		a := s.send(c.method, c.path, c.contentType, body)
		if a.status != c.status || a.header.Get("Content-Type") != "application/json" || a.header.Get("X-Request-ID") == "" {
			s.t.Errorf("%s: got %d %s, want %d: %s", name, a.status, a.header.Get("Content-Type"), c.status, a.body)
			continue
		}
		var got struct {
			Error struct{ Message, Type, Param, Code string }
		}
		a.json(s.t, &got)
		if e := got.Error; e.Type != "invalid_request_error" || e.Code != c.code || e.Param != c.param || !strings.Contains(e.Message, c.says) {
			s.t.Errorf("%s: got %s, want %s of %q with %q", name, a.body, c.code, c.param, c.says)
		}
	}
}
