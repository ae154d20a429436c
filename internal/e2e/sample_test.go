package e2e

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"footnote/internal/eval"
)

// sample are documents and questions in both languages: of the labelled sets below EVAL_DATA, or, without those, the sample documents with
// questions made of their own sentences. TEST_QUESTIONS=200 takes so many questions, and all documents; by default it is a tenth of the questions.
func sample(t testing.TB) (documents []eval.Document, questions []string) {
	t.Helper()
	if dir := os.Getenv("EVAL_DATA"); dir != "" {
		for _, name := range []string{"xquad-en", "xquad-zh"} {
			set, err := eval.Read(filepath.Join(dir, "retrieval", name))
			if err != nil {
				t.Fatal(err)
			}
			n := 10
			if v := os.Getenv("TEST_QUESTIONS"); v != "" {
				if n, err = strconv.Atoi(v); err != nil {
					t.Fatal(err)
				}
			} else {
				set.Documents = set.Documents[:60] // the sets are in the order of their documents
				set.Queries = set.Queries[:len(set.Queries)/4]
			}
			documents = append(documents, set.Documents...)
			for i := range n / 2 {
				questions = append(questions, set.Queries[i*2*len(set.Queries)/n].Text)
			}
		}
		return documents, questions
	}
	err := filepath.WalkDir("../../examples/xquad", func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		documents = append(documents, eval.Document{ID: filepath.ToSlash(path), Text: string(b)})
		sentence := strings.FieldsFunc(string(b), func(r rune) bool { return r == '.' || r == '。' || r == '\n' })
		questions = append(questions, sentence[len(sentence)/2])
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return documents, questions
}

// drainWithin waits until no job is open.
func drainWithin(t testing.TB, p *process, d time.Duration) {
	t.Helper()
	for deadline := time.Now().Add(d); ; time.Sleep(100 * time.Millisecond) {
		open := 0
		for _, status := range []string{"queued", "running"} {
			var jobs struct{ Data []struct{ ID string } }
			if got := p.do("GET", "/v1/jobs?status="+status, nil, &jobs); got != 200 {
				t.Errorf("list jobs: %d", got)
				return
			}
			open += len(jobs.Data)
		}
		if open == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("jobs are still open after %s", d)
			return
		}
	}
}
