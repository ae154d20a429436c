package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"footnote/internal/rag"
)

// A job tells how far each of its stages is, what became of each document, and which was the slowest; retried, it works on what failed alone.
func TestJob_TellsItsStagesAndRetriesWhatFailedAlone(t *testing.T) {
	bothModes(t, testJob_TellsItsStagesAndRetriesWhatFailedAlone)
}

func testJob_TellsItsStagesAndRetriesWhatFailedAlone(t *testing.T) {
	e := newCounting(t)
	s := startService(t, "EMBED_BASE_URL="+e.URL+"/v1", "EMBED_MODEL=counting", "WORKERS=1")
	s.call("POST", "/v1/collections", map[string]any{"name": "c"}, 201, nil)
	job := s.upload("c", map[string][]byte{"good.txt": []byte("A good file. 好的檔案。"), "短文.txt": []byte("A short one. 短的。"), "deck.odp": slides(t, true, []string{"一頁。"})})
	states := func(j jobJSON) map[string]string {
		out := map[string]string{}
		for _, d := range j.Documents {
			out[d.ExternalID] = d.State
		}
		return out
	}
	if diff := cmp.Diff(map[string]string{"good.txt": "published", "短文.txt": "published", "deck.odp": "published"}, states(job)); diff != "" {
		t.Error(diff)
	}
	for i, want := range []string{"parse documents 3 3", "embed chunks 3 3", "publish documents 3 3"} {
		if c := job.Stages[i]; fmt.Sprint(c.Stage, " ", c.Unit, " ", c.Done, " ", c.Total) != want {
			t.Errorf("got the stage %+v, want %s", c, want)
		}
	}
	if job.Slowest == nil || job.Slowest.Milliseconds <= 0 || states(job)[job.Slowest.ExternalID] == "" {
		t.Errorf("the slowest is %+v", job.Slowest)
	}
	// What cannot be read fails again, and what was published is left alone.
	sources := []rag.Source{
		{Upload: rag.Upload{ExternalID: "good.txt", MediaType: "text/plain"}, Content: strings.NewReader("A better file. 更好的檔案。")},
		{Upload: rag.Upload{ExternalID: "empty.html", MediaType: "text/html"}, Content: strings.NewReader("<html><body><script>1</script></body></html>")},
	}
	e.since()
	j, err := s.app.ingest.Submit(t.Context(), "c", sources)
	if err != nil {
		t.Fatal(err)
	}
	at := "/v1/jobs/" + string(j.ID)
	for attempt := range 2 {
		var done jobJSON
		s.call("GET", at+"?wait=60s", nil, 200, &done)
		if diff := cmp.Diff(map[string]string{"good.txt": "published", "empty.html": "failed"}, states(done)); diff != "" || done.Status != "failed" {
			t.Errorf("attempt %d: %s %s", attempt, done.Status, diff)
		}
		for _, d := range done.Documents {
			if d.State == "failed" && (d.Error == nil || !strings.Contains(d.Error.Message, "no text")) {
				t.Errorf("attempt %d: %+v", attempt, d)
			}
		}
		if got := e.since(); len(got) != 1-attempt {
			t.Errorf("attempt %d: %q were embedded", attempt, got)
		}
		var d struct{ Version int }
		s.call("GET", "/v1/collections/c/documents/good.txt", nil, 200, &d)
		if d.Version != 2 {
			t.Errorf("attempt %d: good.txt has version %d", attempt, d.Version)
		}
		if attempt == 0 {
			s.call("POST", at+"/retry", nil, 200, nil)
		}
	}
	testRetryMended(t, s)
	events := string(s.send("GET", at+"/events", "", nil).body)
	for _, want := range []string{`"stages":[{"stage":"parse","unit":"documents","done":2,"total":2}`, `"state":"failed"`, `"slowest":`} {
		if !strings.Contains(events, want) {
			t.Errorf("the events lack %s: %s", want, events)
		}
	}
}

// testRetryMended retries a job whose one file the store had lost, when the store has it again.
func testRetryMended(t *testing.T, s *service) {
	t.Helper()
	c, err := s.app.catalog.Collection(t.Context(), "c")
	if err != nil {
		t.Fatal(err)
	}
	lost := []byte("The file that got lost. 丟失的檔案。")
	sum := sha256.Sum256(lost)
	var good rag.Document
	if good, err = s.app.catalog.Document(t.Context(), c.ID, "短文.txt"); err != nil {
		t.Fatal(err)
	}
	j, err := s.app.catalog.Submit(t.Context(), c.ID, []rag.Upload{
		{ExternalID: "copy.txt", MediaType: "text/plain", SHA256: good.SHA256, Bytes: 1}, {ExternalID: "遺失.txt", MediaType: "text/plain", SHA256: hex.EncodeToString(sum[:]), Bytes: int64(len(lost))}})
	if err != nil {
		t.Fatal(err)
	}
	var done jobJSON
	s.call("GET", "/v1/jobs/"+string(j.ID)+"?wait=60s", nil, 200, &done)
	if done.Status != "failed" || done.Documents[0].State != "published" || done.Documents[1].State != "failed" || done.Documents[1].Error.Code != "not_found" {
		t.Fatalf("got %+v", done)
	}
	before, err := s.app.catalog.Document(t.Context(), c.ID, "copy.txt")
	if err != nil {
		t.Fatal(err)
	}
	s.call("POST", "/v1/collections", map[string]any{"name": "elsewhere"}, 201, nil)
	s.upload("elsewhere", map[string][]byte{"found.txt": lost})
	s.call("POST", "/v1/jobs/"+string(j.ID)+"/retry", nil, 200, nil)
	s.call("GET", "/v1/jobs/"+string(j.ID)+"?wait=60s", nil, 200, &done)
	if done.Status != "succeeded" || done.Documents[1].State != "published" || done.Stages[2].Done != 2 || done.Stages[1].Total != 1 {
		t.Errorf("retried: got %+v", done)
	}
	if after, err := s.app.catalog.Document(t.Context(), c.ID, "copy.txt"); err != nil || after.Version != before.Version || !after.UpdatedAt.Equal(before.UpdatedAt) {
		t.Errorf("what was published was published again: %+v, then %+v, %v", before, after, err)
	}
	if text := string(s.content("c", "%E9%81%BA%E5%A4%B1.txt")); text != string(lost) {
		t.Errorf("got %q", text)
	}
}

// unchangedIngest is the part of ingest --json that tests look at.
type unchangedIngest struct {
	Published, Unchanged, Failed int
	Failures                     []struct {
		ExternalID string `json:"external_id"`
		Message    string
	}
	Warnings []struct {
		ExternalID string `json:"external_id"`
		Warnings   []string
	}
}

func TestIngest_RunAgainTakesUpWhatIsMissingOrChangedAlone(t *testing.T) {
	bothModes(t, testIngest_RunAgain)
}

func testIngest_RunAgain(t *testing.T) {
	e := newCounting(t)
	s := startService(t, "EMBED_BASE_URL="+e.URL+"/v1", "EMBED_MODEL=counting")
	dir := t.TempDir()
	for i := range 40 {
		writeFile(t, filepath.Join(dir, fmt.Sprintf("檔案-%02d.txt", i)), fmt.Sprintf("This is file number %d. 這是第 %d 個檔案。", i, i))
	}
	writeFile(t, filepath.Join(dir, "empty.txt"), "")
	writeFile(t, filepath.Join(dir, "program.txt"), "\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x3e\x00")
	writeFile(t, filepath.Join(dir, "blank.html"), "<html><body><script>1</script></body></html>")
	writeFile(t, filepath.Join(dir, "deck.odp"), string(slides(t, true, []string{"A page. 一頁。"})))
	command := func() (out unchangedIngest) {
		t.Helper()
		var stdout, stderr strings.Builder
		run(t.Context(), []string{"ingest", dir, "--collection", "c", "--server", s.url, "--json"}, nil, strings.NewReader(""), &stdout, &stderr)
		if err := json.Unmarshal([]byte(stdout.String()), &out); err != nil {
			t.Fatalf("%v in %q, %q", err, stdout.String(), stderr.String())
		}
		return out
	}
	version := func(name string) (v struct {
		Version int
		SHA256  string
	}) {
		t.Helper()
		s.call("GET", "/v1/collections/c/documents/"+name, nil, 200, &v)
		return v
	}
	first := command()
	if first.Published != 41 || first.Unchanged != 0 || first.Failed != 3 || len(first.Failures) != 3 || len(first.Warnings) != 1 || first.Warnings[0].ExternalID != "deck.odp" {
		t.Fatalf("got %+v", first)
	}
	reasons := map[string]string{}
	for _, f := range first.Failures {
		reasons[f.ExternalID] = f.Message
	}
	for name, want := range map[string]string{"empty.txt": "empty", "program.txt": "", "blank.html": "no text"} {
		if got, ok := reasons[name]; !ok || !strings.Contains(got, want) || got == "" {
			t.Errorf("%s failed for %q", name, got)
		}
	}
	if n := len(e.since()); n < 41 {
		t.Errorf("%d texts were embedded", n)
	}
	s.app.stages.Reset()

	// Again, with one file changed, one mended, one more: no other is parsed.
	writeFile(t, filepath.Join(dir, "檔案-07.txt"), "This is another file. 這是另一個檔案。")
	writeFile(t, filepath.Join(dir, "empty.txt"), "No longer empty. 不再是空的。")
	writeFile(t, filepath.Join(dir, "new.txt"), "A new one. 新的。")
	if err := os.Remove(filepath.Join(dir, "program.txt")); err != nil {
		t.Fatal(err)
	}
	second := command()
	if second.Published != 3 || second.Unchanged != 40 || second.Failed != 1 || len(second.Warnings) != 1 {
		t.Errorf("got %+v", second)
	}
	if got := e.since(); len(got) != 3 {
		t.Errorf("%q were embedded", got)
	}
	metrics := string(s.send("GET", "/metrics", "", nil).body)
	if !strings.Contains(metrics, `stage="parse"} 4`) { // three, and the one that fails
		t.Errorf("parsed: %s", linesWith(metrics, `stage="parse"`))
	}
	if v := version("deck.odp"); v.Version != 2 {
		t.Errorf("an unchanged file has version %d", v.Version)
	}
	// Other metadata is another document, whatever its bytes.
	s.call("PUT", "/v1/collections/c/documents/%E6%AA%94%E6%A1%88-01.txt?wait=60s", map[string]any{"text": "This is file number 1. 這是第 1 個檔案。", "metadata": map[string]any{"team": "人事"}}, 200, nil)
	var d struct{ Metadata map[string]any }
	if s.call("GET", "/v1/collections/c/documents/%E6%AA%94%E6%A1%88-01.txt", nil, 200, &d); d.Metadata["team"] != "人事" {
		t.Errorf("got %+v", d)
	}

	// Without --json the failures come last, each with its reason.
	var stdout, stderr strings.Builder
	code := run(t.Context(), []string{"ingest", dir, "--collection", "c", "--server", s.url}, nil, strings.NewReader(""), &stdout, &stderr)
	if code != exitFailed || !strings.Contains(stdout.String(), "lacks some files") || !strings.Contains(stdout.String(), "1 with warnings, 1 failed") ||
		!strings.Contains(stderr.String(), "failed blank.html: ") || !strings.Contains(stderr.String(), "warning deck.odp: ") {
		t.Errorf("got %d, %q, %q", code, stdout.String(), stderr.String())
	}
}

func linesWith(text, part string) (out []string) {
	for line := range strings.Lines(text) {
		if strings.Contains(line, part) {
			out = append(out, line)
		}
	}
	return out
}

// A dry run shows the texts that would come and go, bounded.
func TestDryRun_ShowsWhatWouldComeAndGo(t *testing.T) { bothModes(t, testDryRunDiff) }

func testDryRunDiff(t *testing.T) {
	s := startService(t)
	s.call("POST", "/v1/collections", map[string]any{"name": "c"}, 201, nil)
	s.add("c", "leave.md", leaveEN+"\n"+leaveZH, nil)
	type diff struct {
		DryRun []struct {
			Exists, Unchanged bool
			Chunks            struct{ Added, Kept, Removed int }
			Diff              struct {
				Added, Removed []struct {
					Text        string
					Span        spanJSON
					HeadingPath []string `json:"heading_path"`
				}
				Truncated bool
			}
		} `json:"dry_run"`
	}
	dry := func(text string) diff {
		t.Helper()
		var got diff
		s.call("PUT", "/v1/collections/c/documents/leave.md?dry_run=true", map[string]any{"text": text}, 200, &got)
		return got
	}
	got := dry(strings.Replace(leaveEN, "fourth", "third", 1) + "\n" + leaveZH).DryRun[0]
	if d := got.Diff; len(d.Added) != 1 || len(d.Removed) != 1 || !strings.Contains(d.Added[0].Text, "third day") || !strings.Contains(d.Removed[0].Text, "fourth day") || d.Truncated || len(d.Added[0].HeadingPath) == 0 {
		t.Errorf("got %+v", got)
	} else if whole := s.content("c", "leave.md"); string(whole[d.Removed[0].Span.Start:d.Removed[0].Span.End]) != d.Removed[0].Text {
		t.Errorf("%q does not stand at %v", d.Removed[0].Text, d.Removed[0].Span)
	}
	if got := dry(leaveEN + "\n" + leaveZH).DryRun[0]; !got.Unchanged || len(got.Diff.Added)+len(got.Diff.Removed) != 0 {
		t.Errorf("got %+v", got)
	}
	var long strings.Builder
	for i := range 60 {
		fmt.Fprintf(&long, "# 第 %d 章\n\n%s\n\n", i, strings.Repeat(fmt.Sprintf("第 %d 章的一句話。", i), 60))
	}
	got = dry(long.String()).DryRun[0]
	if d := got.Diff; got.Chunks.Added < 60 || len(d.Added) != 50 || len(d.Removed) != got.Chunks.Removed || !d.Truncated || len([]rune(d.Added[0].Text)) > 501 {
		t.Errorf("%d added, %d listed, truncated %t", got.Chunks.Added, len(d.Added), d.Truncated)
	}
}

// Editing one paragraph of a book of 500 pages, in a Chinese chapter or an English one, embeds at most three chunks, renaming it none, and neither does taking it in again.
func TestIngest_OneParagraphOfABookEmbedsThreeChunksAtMost(t *testing.T) { bothModes(t, testBook) }

func testBook(t *testing.T) {
	e := newCounting(t)
	s := startService(t, "EMBED_BASE_URL="+e.URL+"/v1", "EMBED_MODEL=counting")
	// A page is six paragraphs, 1,800 characters and more in English, 600 in Chinese; a chapter has ten pages, and half of the chapters are in Chinese.
	book := func(edited int) string {
		var b strings.Builder
		for page := range 500 {
			chinese := page/10%2 == 1
			if page%10 == 0 {
				fmt.Fprintf(&b, "# Chapter %d 第%d章\n\n", page/10, page/10)
			}
			for p := range 6 {
				n := page*6 + p
				if n == edited {
					b.WriteString("This paragraph was written anew, and it is shorter. 這一段重寫過。\n\n")
				}
				for sentence := range 4 {
					if chinese {
						fmt.Fprintf(&b, "第%d段的第%d句話說明休假與出差的規定，編號%d。", n, sentence, n*7+sentence)
					} else {
						fmt.Fprintf(&b, "Sentence %d of paragraph %d says what the rule number %d is about. ", sentence, n, n*7+sentence)
					}
				}
				b.WriteString("\n\n")
			}
		}
		return b.String()
	}
	e.since()
	s.takeIn("c", map[string]string{"book.md": book(-1)})
	chunks := len(e.since())
	for _, paragraph := range []int{1501, 1565} {
		s.takeIn("c", map[string]string{"book.md": book(paragraph)})
		got := e.since()
		t.Logf("paragraph %d of a book of %d chunks: %d embedded", paragraph, chunks, len(got))
		if len(got) < 1 || len(got) > 3 {
			t.Errorf("paragraph %d of %d chunks: %d were embedded", paragraph, chunks, len(got))
		}
		s.takeIn("c", map[string]string{"book.md": book(-1)})
		e.since()
	}
	s.takeIn("c", map[string]string{"renamed/書.md": book(-1)})
	if got := e.since(); len(got) != 0 {
		t.Errorf("renamed: %d were embedded", len(got))
	}
}
