package main

import (
	"bytes"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// What a preview shows is what is stored: the same text, and chunks at the same spans.
func TestParse_PreviewIsWhatIsStored(t *testing.T) {
	s := startService(t)
	s.call("POST", "/v1/collections", map[string]any{"name": "handbook", "chunking": map[string]any{"target_tokens": 32, "overlap_tokens": 0}}, 201, nil)
	text := leaveEN + "\n| Land | Weeks |\n|---|---|\n| 台灣 | 8 |\n\n" + leaveZH
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	if err := w.WriteField("collection", "handbook"); err != nil {
		t.Fatal(err)
	}
	part, err := w.CreateFormFile("file", "leave.md")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := part.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var got previewShown
	resp := s.send("POST", "/v1/parse", w.FormDataContentType(), &body)
	if resp.status != 200 {
		t.Fatalf("got %d: %s", resp.status, resp.body)
	}
	if err := json.Unmarshal(resp.body, &got); err != nil {
		t.Fatal(err)
	}
	s.add("handbook", "leave.md", text, nil)
	if content := string(s.content("handbook", "leave.md")); content != got.Text {
		t.Errorf("got the text %q, stored is %q", got.Text, content)
	}
	var stored struct {
		Data []struct {
			Text string
			Span struct{ Start, End int }
		}
	}
	s.call("GET", "/v1/collections/handbook/documents/leave.md/chunks", nil, 200, &stored)
	if len(stored.Data) != len(got.Chunks) || len(got.Chunks) < 3 {
		t.Fatalf("got %d chunks, stored are %d", len(got.Chunks), len(stored.Data))
	}
	for i, c := range got.Chunks {
		if stored.Data[i].Text != c.Text || stored.Data[i].Span != c.Span || c.Tokens == 0 {
			t.Errorf("chunk %d: got %+v, stored is %+v", i, c, stored.Data[i])
		}
	}
	kinds := map[string]int{}
	for _, b := range got.Blocks {
		kinds[b.Kind]++
	}
	if kinds["table"] != 1 || kinds["heading"] != 6 {
		t.Errorf("got blocks %v, want a table and six headings", kinds)
	}

	s.call("POST", "/v1/parse", map[string]any{"text": "a,b\n1,2\n", "filename": "x.csv"}, 200, &got)
	if got.MediaType != "text/csv" || got.Text != "a | b\n1 | 2" {
		t.Errorf("got %q, a %s", got.Text, got.MediaType)
	}
	for _, c := range []struct {
		in   map[string]any
		want int
		says string
	}{
		{map[string]any{"text": ""}, 400, "text"}, {map[string]any{"text": "x", "collection": "none"}, 404, "none"}, {map[string]any{"text": "x", "collection": "../x"}, 400, "collection"},
		{map[string]any{"text": "x", "filename": "x.exe"}, 415, ".exe"}, {map[string]any{"text": "x", "nonsense": 1}, 400, "nonsense"}, {map[string]any{"text": "no PDF", "media_type": "application/pdf"}, 415, "PDF"},
	} {
		if resp := s.call("POST", "/v1/parse", c.in, c.want, nil); !strings.Contains(string(resp.body), c.says) {
			t.Errorf("%v: got %s", c.in, resp.body)
		}
	}
}

// An image is read by the endpoint that is named for it, and refused with what to do where none is.
func TestParse_ImagesGoToTheirEndpoint(t *testing.T) {
	upload := func(s *service) response {
		var body bytes.Buffer
		w := multipart.NewWriter(&body)
		part, err := w.CreateFormFile("file", "收據.png")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return s.send("POST", "/v1/parse", w.FormDataContentType(), &body)
	}
	if r := upload(startService(t)); r.status != 415 || !strings.Contains(string(r.body), "FOOTNOTE_OCR_BASE_URL") {
		t.Errorf("got %d: %s", r.status, r.body)
	}
	eyes := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if content, err := io.ReadAll(r.Body); err != nil || r.URL.Path != "/v1/chat/completions" || !bytes.Contains(content, []byte("data:image/png;base64,iVBOR")) {
			t.Errorf("got %s, %v", r.URL.Path, err)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"choices":[{"message":{"content":"收據\n\nTotal 12"},"finish_reason":"stop"}]}`)
	}))
	defer eyes.Close()
	r := upload(startService(t, "OCR_BASE_URL="+eyes.URL+"/v1", "OCR_MODEL=eyes"))
	var got previewShown
	if err := json.Unmarshal(r.body, &got); err != nil || r.status != 200 || got.Text != "收據\n\nTotal 12" {
		t.Errorf("got %d: %s", r.status, r.body)
	}
}
