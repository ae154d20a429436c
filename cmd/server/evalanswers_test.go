package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"footnote/internal/eval"
	"footnote/internal/evaldata"
)

// runEval runs footnote eval and returns what it prints and its exit code.
func runEval(t *testing.T, environ []string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), append([]string{"eval"}, args...), environ, strings.NewReader(""), &out, &errs)
	return out.String(), errs.String(), code
}

// writeLines writes values as lines of JSON.
func writeLines[T any](t *testing.T, path string, values []T) {
	t.Helper()
	var b bytes.Buffer
	for _, v := range values {
		if err := json.NewEncoder(&b).Encode(v); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// sampleSet makes a set of the sample documents in a language and of the questions of testdata/answers.
func sampleSet(t *testing.T, language string) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "sample-"+language)
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "answers", language))); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join("..", "..", "examples", "xquad", language, "*.md"))
	if err != nil || len(files) != 20 {
		t.Fatalf("got %d documents, %v, want the twenty samples", len(files), err)
	}
	var documents []eval.Document
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		heading, body, _ := strings.Cut(string(b), "\n")
		documents = append(documents, eval.Document{ID: strings.TrimSuffix(filepath.Base(f), ".md"), Title: strings.TrimPrefix(heading, "# "), Text: strings.TrimSpace(body)})
	}
	writeLines(t, filepath.Join(dir, "corpus.jsonl"), documents)
	return dir
}

// TestQuality_AnswersToASampleStayGood is the gate: answers from the sample documents may not become worse. The thresholds are what was measured,
// less about what five of the sixty questions make. Citation precision has none: it is lower for a longer answer that is no worse.
func TestQuality_AnswersToASampleStayGood(t *testing.T) {
	evaldata.Quality(t)
	t.Parallel()
	for language, thresholds := range map[string]string{
		"en": "right=0.68,first_citation=0.68,cited_document=0.91,verified=1,answered=0.86,refused=0.85,evidence_auc=0.96",
		"zh": "right=0.70,first_citation=0.66,cited_document=0.91,verified=1,answered=0.83,refused=0.91,evidence_auc=0.95",
	} {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			stdout, stderr, code := runEval(t, nil, "--answers", "--json", "--dataset", sampleSet(t, language), "--fail-below", thresholds)
			var r eval.AnswerReport
			if err := json.Unmarshal([]byte(stdout), &r); err != nil {
				t.Fatalf("%v: %s%s", err, stdout, stderr)
			}
			if r.Documents != 20 || r.Answerable != 60 || r.Unanswerable != 30 || r.SpansLost != 0 || r.Failed != 0 || r.All.Citations < 60 {
				t.Errorf("got %+v, want all of the sample, with every gold span in its place", r)
			}
			if code != exitOK {
				t.Errorf("exit code %d:\n%s", code, stderr)
			}
			if err := r.Table(t.Output()); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// leaveSet is a set of the handbook's documents: a question in each language that they answer, and one that they do not.
func leaveSet(t *testing.T) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "leave")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	en, zh := strings.TrimPrefix(leaveEN, "# Leave policy\n\n"), strings.TrimPrefix(leaveZH, "# 休假制度\n\n")
	writeLines(t, filepath.Join(dir, "corpus.jsonl"), []eval.Document{{ID: "leave", Title: "Leave policy", Text: en}, {ID: "休假", Title: "休假制度", Text: zh}})
	writeLines(t, filepath.Join(dir, "queries.jsonl"), []eval.Query{{ID: "en", Text: parental}, {ID: "zh", Text: "员工每年有多少天年假？"}, {ID: "none", Text: "Which enzyme does aspirin inhibit?"}})
	writeLines(t, filepath.Join(dir, "answers.jsonl"), []map[string]any{
		{"_id": "en", "answers": []string{"sixteen weeks"}}, {"_id": "zh", "answers": []string{"十五天", "15 天"}}, {"_id": "none", "answers": []string{}, "answerable": false},
	})
	span := func(id, document, in, text string) map[string]any {
		start := len([]rune(in[:strings.Index(in, text)]))
		return map[string]any{"query_id": id, "doc_id": document, "start": start, "end": start + len([]rune(text)), "text": text}
	}
	writeLines(t, filepath.Join(dir, "spans.jsonl"), []map[string]any{span("en", "leave", en, "sixteen weeks"), span("zh", "休假", zh, "十五天")})
	if err := os.WriteFile(filepath.Join(dir, "qrels.tsv"), []byte("query-id\tcorpus-id\tscore\nen\tleave\t1\nzh\t休假\t1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestEvalAnswers_FailBelowNamesTheMetric(t *testing.T) {
	t.Parallel()
	dir := leaveSet(t)
	stdout, stderr, code := runEval(t, nil, "--answers", "--markdown", "--dataset", dir, "--foreign", dir, "--foreign-queries", "1", "--fail-below", "contains=1,verified=1,exact_match=0.5", "--fail-below", "refused=0.9")
	if code != exitFailed || !strings.Contains(stderr, "leave: exact_match is 0.0000, below 0.5\n") || !strings.Contains(stderr, "leave: refused is 0.5000, below 0.9\n") || strings.Contains(stderr, "contains is") || strings.Contains(stderr, "verified is") {
		t.Errorf("exit code %d:\n%s", code, stderr) // the foreign question is one of its own, so it is answered
	}
	if !strings.Contains(stdout, "| leave | 2 / 2 | 1.000 [1.000, 1.000] |") || !strings.Contains(stdout, "| leave | its own | 1 | 1.000 | 1.000 |") || !strings.Contains(stdout, "| leave, zh |") ||
		!strings.Contains(stdout, "| 0.000 / 0.000 / 0.000 / 0.333 / 0.333 |\n") { // the curve has the question that is refused, too
		t.Errorf("got\n%s", stdout)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--answers", "--dataset", dir, "--fail-below", "bleu=0.5"}, `no metric "bleu"; there are right, contains`},
		{[]string{"--answers", "--dataset", dir, "--fail-below", "right=85"}, "right=85"},
		{[]string{"--answers", "--dataset", dir, "--fusion", "rrf"}, "--fusion has no use with --answers"},
		{[]string{"--dataset", dir, "--fail-below", "right=0.5"}, "--fail-below needs --answers"},
		{[]string{"--answers", "--dataset", filepath.Dir(dir)}, "corpus.jsonl"},
		{[]string{"--answers", "--dataset", dir, "--markdown", "--json"}, "exclude each other"},
	} {
		if _, stderr, code := runEval(t, nil, c.args...); code != exitUsage || !strings.Contains(stderr, c.want) {
			t.Errorf("%v: exit code %d, want %q:\n%s", c.args, code, c.want, stderr)
		}
	}
}

func TestEvalAnswers_AsksTheModelThatIsConfigured(t *testing.T) {
	t.Parallel()
	dir := leaveSet(t)
	model := chatServer(t, func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Messages []struct{ Content string } }
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		said := in.Messages[len(in.Messages)-1].Content
		switch {
		case strings.Contains(said, parental):
			writes(w, true, "Parental leave lasts sixteen weeks at full pay [1].")
		case strings.Contains(said, "aspirin"):
			writes(w, true, "NOT_IN_DOCUMENTS")
		default:
			writes(w, true, "员工每年享有二十天带薪年假。") // wrong, and cites nothing; code ties it to the sentence that says otherwise
		}
	})
	stdout, stderr, code := runEval(t, []string{"FOOTNOTE_LLM_BASE_URL=" + model, "FOOTNOTE_LLM_MODEL=test-model"}, "--answers", "--json", "--dataset", dir)
	var r eval.AnswerReport
	if err := json.Unmarshal([]byte(stdout), &r); err != nil || code != exitOK {
		t.Fatalf("exit code %d, %v: %s%s", code, err, stdout, stderr)
	}
	if r.Model != "test-model" || r.Failed != 0 || r.Fallback != 0 {
		t.Errorf("got model %s, %d failed, %d fell back", r.Model, r.Failed, r.Fallback)
	}
	for name, want := range map[string]float64{eval.MetricRight: 0.5, eval.MetricAnswered: 1, eval.MetricRefused: 1, eval.MetricFirstCitation: 1, eval.MetricVerified: 1} {
		if got := r.All.Metrics[name].Mean; got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	if got := r.All.Metrics[eval.MetricSupportAUC].Mean; got != 1 {
		t.Errorf("support AUC: got %v, want the right answer to have more support than the wrong one", got)
	}
	// The question without an answer is refused by the model if not by the evidence, so no threshold has it answered wrongly.
	if curve := r.Refusals[0].Curve; len(curve) == 0 || curve[len(curve)-1].Coverage > 0.67 {
		t.Errorf("got %+v, want it to end at two thirds", curve)
	}
}
