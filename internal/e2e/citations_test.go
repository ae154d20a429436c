package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"footnote/internal/eval"
	"footnote/internal/evaldata"
)

// asking are questions of a labelled set to a collection of the documents that are judged for them, and some more.
type asking struct {
	set, collection string
	chinese         bool
	questions       []string
}

// labelled takes n questions, in like shares, from sets in both languages and across them, and the documents of each collection. cmrc2018 gives those of its DEV part.
func labelled(t *testing.T, n int) (askings []asking, documents map[string][]eval.Document) {
	t.Helper()
	documents = map[string][]eval.Document{}
	sets := []asking{ // the smallest first, so that the others make up for what it lacks
		{set: "clapnq-dev-half", collection: "clapnq"},
		{set: "dureader-robust-dev-half", collection: "dureader", chinese: true},
		{set: "xquad-en", collection: "xquad-en"},
		{set: "xquad-zh2en", collection: "xquad-en", chinese: true},
		{set: "xquad-zh", collection: "xquad-zh", chinese: true},
		{set: "cmrc2018", collection: "cmrc2018", chinese: true},
	}
	const more = 20 // documents that no question is about
	taken := map[string]bool{}
	for i, a := range sets {
		set, err := eval.Read(evaldata.Path(t, "retrieval", a.set))
		if err != nil {
			t.Fatal(err)
		}
		share := (n + len(sets) - i - 1) / (len(sets) - i)
		wanted := map[string]bool{}
		for _, q := range set.Queries {
			if len(a.questions) == share || a.set == "cmrc2018" && q.ID[:3] != "DEV" {
				break
			}
			a.questions = append(a.questions, q.Text)
			for id := range set.Judgments[q.ID] {
				wanted[id] = true
			}
		}
		n -= len(a.questions)
		extra := 0
		for _, d := range set.Documents {
			if !wanted[d.ID] {
				if extra++; extra > more {
					continue
				}
			}
			if key := a.collection + " " + d.ID; !taken[key] {
				taken[key] = true
				documents[a.collection] = append(documents[a.collection], d)
			}
		}
		askings = append(askings, a)
	}
	return askings, documents
}

// decodeInto decodes JSON and gives the status that stands for how it went.
func decodeInto(out any, body string) int {
	if json.Unmarshal([]byte(body), out) != nil {
		return 0
	}
	return http.StatusOK
}

// bytesOf sends a request with a body as it is and returns the answer's.
func (p *process) bytesOf(method, path, contentType string, body []byte) (status int, answer []byte) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, p.base+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil
	}
	req.Header.Set("Content-Type", contentType)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil
	}
	defer resp.Body.Close()
	if answer, err = io.ReadAll(resp.Body); err != nil {
		return 0, nil
	}
	return resp.StatusCode, answer
}

// fill takes the documents in, or imports the packs of another process, which hold the vectors.
func (p *process) fill(t *testing.T, documents map[string][]eval.Document, packs map[string][]byte) {
	t.Helper()
	for name, docs := range documents {
		if pack := packs[name]; pack != nil {
			if got, b := p.bytesOf("POST", "/v1/collections/"+name+"/import", "application/gzip", pack); got >= 300 {
				t.Fatalf("import %s: %d %s", name, got, b)
			}
			continue
		}
		if got := p.do("POST", "/v1/collections", map[string]any{"name": name}, nil); got != 201 {
			t.Fatalf("make %s: %d", name, got)
		}
		for _, d := range docs {
			if got := p.do("POST", "/v1/collections/"+name+"/documents", map[string]any{"external_id": d.ID, "title": d.Title, "text": d.Text}, nil); got != 202 {
				t.Fatalf("take %s in: %d", d.ID, got)
			}
		}
	}
	drainWithin(t, p, 30*time.Minute)
}

// tally counts what a round of questions gave.
type tally struct {
	mu                                     sync.Mutex
	questions, chinese                     int
	answered, partial, abstained, fallback int
	citations, aligned, faulty             int
}

func (n *tally) String() string {
	return fmt.Sprintf("%d questions (%d Chinese): %d answered, %d partial, %d abstained, %d fallbacks; %d citations (%d aligned), %d answers with a fault",
		n.questions, n.chinese, n.answered, n.partial, n.abstained, n.fallback, n.citations, n.aligned, n.faulty)
}

// askAll asks all questions, two at a time, and has the oracle check each answer.
func askAll(t *testing.T, p *process, askings []asking) *tally {
	t.Helper()
	o := &oracle{sources: map[string]*source{}, get: func(path string, out any) int {
		status, b := p.bytesOf("GET", path, "", nil)
		if s, ok := out.(*string); ok {
			*s = string(b)
			return status
		}
		if status == http.StatusOK && json.Unmarshal(b, out) != nil {
			return 0
		}
		return status
	}}
	n := &tally{}
	for _, a := range askings {
		questions := make(chan string)
		var work sync.WaitGroup
		for range 2 {
			work.Go(func() {
				for q := range questions {
					var got answerSeen
					status := p.do("POST", "/v1/query", map[string]any{"query": q, "collections": []string{a.collection}, "top_k": 5}, &got)
					var faults []string
					if status != 200 {
						faults = []string{"status " + strconv.Itoa(status)}
					} else {
						faults = o.faults(got)
					}
					n.count(a, got, faults)
					for _, f := range faults {
						t.Errorf("%s, %q: %s\nthe answer: %q", a.set, q, f, got.Text)
					}
				}
			})
		}
		for _, q := range a.questions {
			questions <- q
		}
		close(questions)
		work.Wait()
		t.Logf("after %s: %s", a.set, n)
	}
	return n
}

func (n *tally) count(a asking, got answerSeen, faults []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.questions++
	if a.chinese {
		n.chinese++
	}
	switch got.Status {
	case "answered":
		n.answered++
	case "partial":
		n.partial++
	case "abstained":
		n.abstained++
	}
	if got.Fallback {
		n.fallback++
	}
	n.citations += len(got.Citations)
	for _, c := range got.Citations {
		if c.Attribution == "aligned" {
			n.aligned++
		}
	}
	if len(faults) > 0 {
		n.faulty++
	}
}

// Every citation of every answer is what it says: the quote stands at its span of the source, inside a passage that was supplied, of the active version, behind a permalink. TEST_QUESTIONS=2000 asks so many; 60 by default.
func TestCitations_OfEveryAnswerVerify(t *testing.T) {
	n := 60
	if v := os.Getenv("TEST_QUESTIONS"); v != "" {
		var err error
		if n, err = strconv.Atoi(v); err != nil {
			t.Fatal(err)
		}
	}
	askings, documents := labelled(t, n)
	packs := map[string][]byte{}
	for _, mode := range []string{"embedded", "production"} {
		t.Run(mode, func(t *testing.T) {
			var settings []string
			if mode == "production" {
				settings = production(t)
			}
			data := t.TempDir()
			p := start(t, data, "", settings...)
			p.fill(t, documents, packs)
			for name := range documents {
				if mode == "embedded" {
					got, pack := p.bytesOf("GET", "/v1/collections/"+name+"/export", "", nil)
					if got != 200 {
						t.Fatalf("export %s: %d", name, got)
					}
					packs[name] = pack
				}
			}
			checked(t, "extractive", askAll(t, p, askings), n)
			p.kill()
			model := startScript(t)
			p = start(t, data, "", append(settings, "FOOTNOTE_LLM_BASE_URL="+model.url, "FOOTNOTE_LLM_MODEL=script")...)
			checked(t, "scripted", askAll(t, p, askings), n)
			if calls, blind := model.calls.Load(), model.blind.Load(); calls < int64(min(n/2, len(misbehaviours))) || blind > 0 {
				t.Errorf("the script was asked %d times and could not read %d of the prompts", calls, blind)
			}
		})
	}
}

// checked reports a round and wants it to have had something to check.
func checked(t *testing.T, by string, got *tally, n int) {
	t.Helper()
	t.Logf("%s: %s", by, got)
	if got.questions != n || got.faulty > 0 || got.citations < n/3 {
		t.Errorf("%s: %s; want %d questions, no fault, and citations in earnest", by, got, n)
	}
}
