package main

import (
	"bytes"
	"mime/multipart"
	"net/url"
	"strings"
	"testing"
)

func TestFlow_DocumentsAllVerbs(t *testing.T) { bothModes(t, testFlow_DocumentsAllVerbs) }

func testFlow_DocumentsAllVerbs(t *testing.T) {
	s := startService(t)
	s.call("POST", "/v1/collections", map[string]any{"name": "c", "chunking": map[string]int{"target_tokens": 64, "overlap_tokens": 8}}, 201, nil)
	s.call("POST", "/v1/collections", map[string]any{"name": "c"}, 409, nil)
	s.call("PATCH", "/v1/collections/c", map[string]any{"description": "描述"}, 200, nil)

	// Natural upsert, with an id that needs escaping.
	id := "a/b 文.md"
	path := "/v1/collections/c/documents/" + url.PathEscape(id)
	var dry struct {
		DryRun []struct {
			Exists, Unchanged bool
			Chunks            struct{ Added, Kept, Removed int }
		} `json:"dry_run"`
	}
	s.call("PUT", path+"?dry_run=true", map[string]any{"text": leaveEN}, 200, &dry)
	if d := dry.DryRun[0]; d.Exists || d.Chunks.Added != 2 {
		t.Errorf("got %+v, want two chunks to add", d)
	}
	s.call("GET", path, nil, 404, nil)
	s.call("PUT", path+"?wait=60s", map[string]any{"text": leaveEN}, 200, nil)
	s.call("PUT", path+"?dry_run=true", map[string]any{"text": leaveEN}, 200, &dry)
	if d := dry.DryRun[0]; !d.Exists || !d.Unchanged || d.Chunks.Kept != 2 {
		t.Errorf("got %+v, want nothing changed", d)
	}
	s.call("PUT", path+"?dry_run=true", map[string]any{"text": strings.Replace(leaveEN, "fourth", "third", 1)}, 200, &dry)
	if d := dry.DryRun[0]; d.Chunks.Added != 1 || d.Chunks.Kept != 1 || d.Chunks.Removed != 1 {
		t.Errorf("got %+v, want one chunk replaced", d)
	}
	var doc struct {
		ExternalID string `json:"external_id"`
		Version    int
		Title      string
		Chunks     int
		Language   string
	}
	s.call("GET", path, nil, 200, &doc)
	if doc.ExternalID != id || doc.Version != 1 || doc.Title != "Leave policy" || doc.Chunks != 2 || doc.Language != "en" {
		t.Errorf("got %+v", doc)
	}
	s.call("PUT", path+"?wait=60s", map[string]any{"text": leaveZH}, 200, nil)
	s.call("GET", path, nil, 200, &doc)
	if doc.Version != 2 || doc.Language != "zh" {
		t.Errorf("got %+v, want the second version", doc)
	}
	var found hitsJSON
	s.call("POST", "/v1/search", map[string]any{"query": "parental leave", "collections": []string{"c"}, "mode": "lexical"}, 200, &found)
	if len(found.Hits) != 0 {
		t.Errorf("the old version is still found: %+v", found)
	}
	var chunks struct {
		Data    []struct{ Ordinal int }
		HasMore bool    `json:"has_more"`
		Next    *string `json:"next_cursor"`
	}
	s.call("GET", path+"/chunks?limit=1", nil, 200, &chunks)
	if len(chunks.Data) != 1 || !chunks.HasMore || chunks.Next == nil {
		t.Fatalf("got %+v, want a first page", chunks)
	}
	s.call("GET", path+"/chunks?limit=1&after="+*chunks.Next, nil, 200, &chunks)
	if len(chunks.Data) != 1 || chunks.Data[0].Ordinal != 1 {
		t.Errorf("got %+v, want the second chunk", chunks)
	}

	// Files of several kinds and character sets, metadata for all.
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	_ = w.WriteField("metadata", `{"batch": 7, "标签": ["甲", "乙"]}`)
	for name, content := range map[string]string{
		"gb.txt":    "\xb1\xb1\xbe\xa9\xca\xc7\xd6\xd0\xb9\xfa\xb5\xc4\xca\xd7\xb6\xbc\xa1\xa3\xcb\xfc\xd3\xd0\xc8\xfd\xc7\xa7\xc4\xea\xb5\xc4\xc0\xfa\xca\xb7\xa1\xa3", // GB18030
		"page.html": "<html><head><title>Tea</title></head><body><article><h1>Tea</h1><p>Green tea is brewed at eighty degrees, which keeps it from turning bitter.</p></article></body></html>",
	} {
		part, _ := w.CreateFormFile("file", name)
		_, _ = part.Write([]byte(content))
	}
	w.Close()
	if a := s.send("POST", "/v1/collections/c/documents?wait=60s", w.FormDataContentType(), &body); a.status != 200 || a.header.Get("Location") == "" {
		t.Fatalf("got %d %s", a.status, a.body)
	}
	if got := string(s.content("c", "gb.txt")); !strings.HasPrefix(got, "北京是中国的首都。") {
		t.Errorf("got %q, want GB18030 read", got)
	}
	var deleted struct{ Deleted int }
	s.call("DELETE", "/v1/collections/c/documents?filter="+url.QueryEscape(`{"type":"eq","key":"batch","value":7}`), nil, 200, &deleted)
	if deleted.Deleted != 2 {
		t.Errorf("deleted %d, want 2", deleted.Deleted)
	}
	s.call("DELETE", path, nil, 204, nil)
	s.call("DELETE", path, nil, 404, nil)
	s.call("DELETE", "/v1/collections/c", nil, 204, nil)
	s.call("GET", "/v1/collections/c", nil, 404, nil)
}
