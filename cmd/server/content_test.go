package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// slides is a presentation with a page for each list of paragraphs; a damaged one has properties that cannot be read.
func slides(t *testing.T, damaged bool, pages ...[]string) []byte {
	t.Helper()
	var content strings.Builder
	content.WriteString(`<?xml version="1.0" encoding="UTF-8"?><office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"
 xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0"><office:body><office:presentation>`)
	for _, paragraphs := range pages {
		content.WriteString("<draw:page>")
		for _, p := range paragraphs {
			fmt.Fprintf(&content, "<draw:frame><draw:text-box><text:p>%s</text:p></draw:text-box></draw:frame>", p)
		}
		content.WriteString("</draw:page>")
	}
	content.WriteString("</office:presentation></office:body></office:document-content>")
	files := [][2]string{{"mimetype", "application/vnd.oasis.opendocument.presentation"}, {"content.xml", content.String()}}
	if damaged {
		files = append(files, [2]string{"meta.xml", "<office:meta><broken"})
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range files {
		w, err := z.CreateHeader(&zip.FileHeader{Name: f[0], Method: zip.Store})
		if err == nil {
			_, err = w.Write([]byte(f[1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// sendFiles posts files as multipart.
func (s *service) sendFiles(path string, files map[string][]byte) response {
	s.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for name, content := range files {
		part, err := w.CreateFormFile("file", name)
		if err == nil {
			_, err = part.Write(content)
		}
		if err != nil {
			s.t.Fatal(err)
		}
	}
	w.Close()
	return s.send("POST", path, w.FormDataContentType(), &body)
}

// upload sends files and waits; it returns the answer's job.
func (s *service) upload(collection string, files map[string][]byte) (job jobJSON) {
	s.t.Helper()
	a := s.sendFiles("/v1/collections/"+collection+"/documents?wait=60s", files)
	var got struct{ Job jobJSON }
	if a.json(s.t, &got); a.status != 200 {
		s.t.Fatalf("got %d %s", a.status, a.body)
	}
	return got.Job
}

type jobJSON struct {
	ID, Status, Stage string
	Stages            []struct {
		Stage, Unit string
		Done, Total int
	}
	Slowest *struct {
		ExternalID   string `json:"external_id"`
		Stage        string
		Milliseconds float64
	}
	Documents []struct {
		ID         string
		ExternalID string `json:"external_id"`
		Version    int
		State      string
		Unchanged  bool
		Warnings   []string
		Error      *struct{ Code, Message string }
	}
}

type contentJSON struct {
	Text  string
	Span  spanJSON
	Page  *int
	Pages []struct {
		Page int
		Span spanJSON
	}
	Highlights []struct {
		Start, End int
		Quote      string
		Page       *int
	}
}

func TestContent_PagesAndHighlights(t *testing.T) { bothModes(t, testContent) }

func testContent(t *testing.T) {
	s := startService(t)
	s.call("POST", "/v1/collections", map[string]any{"name": "c"}, 201, nil)
	name := `簡報/假期 "2026" 🌴.odp`
	file := slides(t, true, []string{"Parental leave lasts sixteen weeks. 😀"}, nil, []string{"員工每年有十五天年假，未休的可以順延。", "Unused days carry over to &lt;script&gt;alert(1)&lt;/script&gt; March."})
	job := s.upload("c", map[string][]byte{name: file})
	if d := job.Documents[0]; job.Status != "succeeded" || d.State != "published" || len(d.Warnings) != 1 || !strings.Contains(d.Warnings[0], "properties") {
		t.Fatalf("got %+v", job)
	}
	at := "/v1/collections/c/documents/" + url.PathEscape(name)
	byID := "/v1/documents/" + job.Documents[0].ID
	whole := s.content("c", url.PathEscape(name))
	asJSON := func(path string) (out contentJSON) {
		t.Helper()
		a := s.send("GET", path, "", nil, "Accept", "application/json")
		if a.json(t, &out); a.status != 200 {
			t.Fatalf("%s: got %d %s", path, a.status, a.body)
		}
		return out
	}
	all := asJSON(at + "/content")
	if all.Text != string(whole) || all.Span != (spanJSON{0, len(whole)}) || all.Page != nil || len(all.Pages) != 2 || all.Pages[0].Page != 1 || all.Pages[1].Page != 3 {
		t.Fatalf("got %+v", all)
	}
	// A page's part, by either path, and where it stands.
	third := all.Pages[1].Span
	for _, path := range []string{at, byID} {
		page := asJSON(path + "/content?page=3")
		if page.Text != string(whole[third.Start:third.End]) || page.Span != third || page.Page == nil || *page.Page != 3 || !strings.HasPrefix(page.Text, "員工") {
			t.Errorf("%s: got %+v", path, page)
		}
		plain := s.send("GET", path+"/content?page=3", "", nil)
		if string(plain.body) != page.Text || plain.header.Get("Footnote-Span") != fmt.Sprintf("%d-%d", third.Start, third.End) || !strings.HasPrefix(plain.header.Get("Content-Type"), "text/plain") {
			t.Errorf("%s: got %v %s", path, plain.header, plain.body)
		}
	}
	// Spans count code points of the whole text, wherever they lie.
	quote := []rune("十五天年假")
	start := strings.Index(string(whole), string(quote))
	start = len([]rune(string(whole)[:start]))
	h := fmt.Sprintf("%d-%d", start, start+len(quote))
	for _, path := range []string{at + "/content?highlight=0-8," + h, at + "/content?page=3&highlight=" + h} {
		got := asJSON(path)
		last := got.Highlights[len(got.Highlights)-1]
		if last.Quote != string(quote) || last.Start != start || last.Page == nil || *last.Page != 3 {
			t.Errorf("%s: got %+v", path, got.Highlights)
		}
	}
	// For people: marked, escaped, and nothing can run.
	html := s.send("GET", byID+"/content?highlight="+h, "", nil, "Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
	if body := string(html.body); !strings.Contains(body, `<mark id="h1">`+string(quote)+"</mark>") || strings.Contains(body, "<script") || !strings.Contains(body, "&lt;script&gt;alert(1)") {
		t.Errorf("got %s", body)
	}
	if csp := html.header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "script-src") || html.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("got %v", html.header)
	}
	// What is out of range says what would be in it.
	for query, want := range map[string]string{
		"highlight=0-99999": fmt.Sprintf("%d characters", len(whole)),
		"highlight=5-5":     "START-END",
		"highlight=-3":      "START-END",
		"highlight=3":       "START-END",
		"highlight=1-2,x":   "START-END",
		"highlight=":        "START-END",
		"highlight=" + strings.Repeat("1-2,", 100) + "1-2": "at most 100",
		"page=0":                "whole number",
		"page=x":                "whole number",
		"page=2":                "no text on page 2; the last page with text is 3",
		"page=1&highlight=" + h: "outside of page 1",
		"highlights=1-2":        "Unknown parameter",
	} {
		if a := s.send("GET", at+"/content?"+query, "", nil); a.status != 400 || !strings.Contains(string(a.body), want) {
			t.Errorf("%s: got %d %s, want %q", query, a.status, a.body, want)
		}
	}
	s.add("c", "plain.txt", "沒有頁碼的文字。", nil)
	if a := s.send("GET", "/v1/collections/c/documents/plain.txt/content?page=1", "", nil); a.status != 400 || !strings.Contains(string(a.body), "no pages") {
		t.Errorf("got %d %s", a.status, a.body)
	}
	s.call("GET", "/v1/documents/doc_none/content", nil, 404, nil)
}

func TestOriginal_IsTheFileAsItWasUploaded(t *testing.T) { bothModes(t, testOriginal) }

func testOriginal(t *testing.T) {
	s := startService(t)
	s.call("POST", "/v1/collections", map[string]any{"name": "c"}, 201, nil)
	page := []byte("<html><head><title>茶</title></head><body><script>alert(1)</script><article><p>Green tea is brewed at eighty degrees. 綠茶用八十度的水泡。</p></article></body></html>")
	deck := slides(t, false, []string{"第一頁。"})
	files := map[string][]byte{"目錄/綠茶 \"green\" 100%.html": page, "deck.odp": deck}
	job := s.upload("c", files)
	for _, d := range job.Documents {
		content := files[d.ExternalID]
		sum := sha256.Sum256(content)
		etag := `"` + hex.EncodeToString(sum[:]) + `"`
		for _, path := range []string{"/v1/documents/" + d.ID + "/original", "/v1/collections/c/documents/" + strings.ReplaceAll(url.PathEscape(d.ExternalID), ".", "%2E") + "/original"} {
			a := s.send("GET", path, "", nil)
			if a.status != 200 || !bytes.Equal(a.body, content) || a.header.Get("ETag") != etag {
				t.Fatalf("%s: got %d %v, %d bytes", path, a.status, a.header, len(a.body))
			}
			kind, params, err := mime.ParseMediaType(a.header.Get("Content-Disposition"))
			want := d.ExternalID[strings.LastIndex(d.ExternalID, "/")+1:]
			if err != nil || kind != "attachment" || params["filename"] != want {
				t.Errorf("%s: got %q, %v", path, a.header.Get("Content-Disposition"), err)
			}
			if a.header.Get("X-Content-Type-Options") != "nosniff" || !strings.HasPrefix(a.header.Get("Content-Security-Policy"), "sandbox") {
				t.Errorf("%s: got %v", path, a.header)
			}
			if a := s.send("GET", path, "", nil, "If-None-Match", `"x", W/`+etag); a.status != http.StatusNotModified || len(a.body) > 0 {
				t.Errorf("%s: got %d with its tag", path, a.status)
			}
		}
		kind := s.send("GET", "/v1/documents/"+d.ID+"/original", "", nil).header.Get("Content-Type")
		if strings.HasSuffix(d.ExternalID, ".html") && kind != "text/html" || strings.HasSuffix(d.ExternalID, ".odp") && kind != "application/vnd.oasis.opendocument.presentation" {
			t.Errorf("%s is %s", d.ExternalID, kind)
		}
	}
	// A text is kept as it was sent, and an id that is no file's name gives none.
	var texts struct{ Documents []struct{ ID string } }
	s.call("POST", "/v1/collections/c/documents?wait=60s", map[string]any{"external_id": "..", "text": "One line.\r\n\r\n二。"}, 200, &texts)
	if a := s.send("GET", "/v1/documents/"+texts.Documents[0].ID+"/original", "", nil); string(a.body) != "One line.\r\n\r\n二。" || !strings.HasPrefix(a.header.Get("Content-Disposition"), `attachment; filename="document"`) {
		t.Errorf("got %v %q", a.header, a.body)
	}
	// A pack may carry no originals, and another store does not have them.
	pack := s.send("GET", "/v1/collections/c/export?originals=false", "", nil).body
	other := startService(t)
	if a := other.send("POST", "/v1/collections/c/import", packType, bytes.NewReader(pack)); a.status != 201 {
		t.Fatalf("import: %d %s", a.status, a.body)
	}
	a := other.send("GET", "/v1/collections/c/documents/deck.odp/original", "", nil)
	if a.status != 404 || !strings.Contains(string(a.body), "not kept here") {
		t.Errorf("got %d %s", a.status, a.body)
	}
	if a := other.send("GET", "/v1/collections/c/documents/deck.odp/content", "", nil); a.status != 200 || !strings.Contains(string(a.body), "第一頁。") {
		t.Errorf("got %d %s", a.status, a.body)
	}
}

func TestPermalink_TellsWhereTheQuoteStandsNow(t *testing.T) { bothModes(t, testPermalink) }

func testPermalink(t *testing.T) {
	s := startService(t)
	s.call("POST", "/v1/collections", map[string]any{"name": "c"}, 201, nil)
	const leave, annual = "Parental leave lasts sixteen weeks at full pay.", "員工每年享有十五天帶薪年假。"
	s.upload("c", map[string][]byte{"deck.odp": slides(t, false, []string{leave}, []string{annual})})
	links := map[string]string{}
	for quote, question := range map[string]string{leave: "How long does parental leave last?", annual: "員工每年有幾天年假？"} {
		var got answerJSON
		s.call("POST", "/v1/query", map[string]any{"query": question, "collections": []string{"c"}}, 200, &got)
		for _, c := range got.Citations {
			if c.Quote == quote {
				links[quote] = c.URL
			}
		}
		if links[quote] == "" {
			t.Fatalf("%q is not quoted in %+v", quote, got)
		}
	}
	check := func(what, quote, state string, page int) {
		t.Helper()
		var p struct {
			State, Quote  string
			SourceChanged bool `json:"source_changed"`
			Current       *struct {
				Version    int
				Span       spanJSON
				Page       *int
				ContentURL string `json:"content_url"`
			}
		}
		s.call("GET", links[quote], nil, 200, &p)
		if p.State != state || p.Quote != quote || (p.Current != nil) != (page > 0) || p.SourceChanged == (page > 0) {
			t.Fatalf("%s: got %+v, want %s", what, p, state)
		}
		if page == 0 {
			return
		}
		whole := s.content("c", "deck.odp")
		if p.Current.Page == nil || *p.Current.Page != page || string(whole[p.Current.Span.Start:p.Current.Span.End]) != quote {
			t.Errorf("%s: it now stands at %+v", what, p.Current)
		}
		var linked contentJSON
		if s.send("GET", p.Current.ContentURL, "", nil, "Accept", "application/json").json(t, &linked); len(linked.Highlights) != 1 || linked.Highlights[0].Quote != quote {
			t.Errorf("%s: the link shows %+v", what, linked.Highlights)
		}
	}
	check("as it was", leave, "current", 1)
	check("as it was", annual, "current", 2)
	// The same bytes again are a new version in which all stands where it stood.
	s.upload("c", map[string][]byte{"deck.odp": slides(t, false, []string{leave}, []string{annual})})
	check("the same file again", annual, "current", 2)
	s.upload("c", map[string][]byte{"deck.odp": slides(t, false, []string{"新的一頁。"}, []string{leave}, []string{"Another page. 🌴"}, []string{annual}, []string{"完。", annual})})
	check("two pages more", leave, "moved", 2)
	check("two pages more, and the quote twice", annual, "moved", 4)
	s.upload("c", map[string][]byte{"deck.odp": slides(t, false, []string{leave}, []string{"員工每年享有二十天帶薪年假。"})})
	check("another number", annual, "source_changed", 0)
	check("back in its place", leave, "current", 1)
	s.call("DELETE", "/v1/collections/c/documents/deck.odp", nil, 204, nil)
	check("the file is gone", leave, "source_deleted", 0)
	check("the file is gone", annual, "source_deleted", 0)
}
