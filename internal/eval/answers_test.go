package eval

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"footnote/internal/rag"
	"footnote/internal/text"
)

// write writes a set's files into a new folder.
func write(t *testing.T, files map[string]string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// small is a set in both languages. Its first document begins with a byte order mark, which is not stored.
func small() map[string]string {
	return map[string]string{
		"corpus.jsonl": `{"_id":"en","title":"","text":"\ufeffTea 🍵 is old. It came from China in 1610. People like it."}` + "\n" +
			`{"_id":"zh","title":"","text":"綠茶用八十度的水沖泡。紅茶用開水。"}` + "\n",
		"queries.jsonl": `{"_id":"q1","text":"When did tea come?"}` + "\n" + `{"_id":"q2","text":"绿茶用多少度的水？"}` + "\n" +
			`{"_id":"q3","text":"What does tea cost?"}` + "\n" + `{"_id":"q4","text":"Tell me about tea."}` + "\n" + `{"_id":"q5","text":"not labelled"}` + "\n",
		"qrels.tsv": "query-id\tcorpus-id\tscore\nq1\ten\t1\nq2\tzh\t1\nq4\ten\t1\nq5\ten\t1\n",
		"answers.jsonl": `{"_id":"q1","answers":["in 1610","1610"],"answerable":true}` + "\n" + `{"_id":"q2","answers":["80度","八十度"]}` + "\n" +
			`{"_id":"q3","answers":[],"answerable":false}` + "\n" + `{"_id":"q4","answers":["Tea is old and people like it."],"answerable":true,"selected_sentences":["a","b"]}` + "\n",
		"spans.jsonl": `{"query_id":"q1","doc_id":"en","start":37,"end":41,"text":"1610"}` + "\n" + `{"query_id":"q2","doc_id":"zh","start":3,"end":6,"text":"八十度"}` + "\n" +
			`{"query_id":"q4","doc_id":"en","start":1,"end":14,"text":"Tea 🍵 is old."}` + "\n" + `{"query_id":"q4","doc_id":"en","start":43,"end":58,"text":"People like it."}` + "\n",
	}
}

// scripted answers each question with the sentences that the script has for it.
type scripted struct {
	stored map[string]string
	script map[string]line
}

type line struct {
	evidence float64
	cites    []string // "document: quote", and an asterisk before one that claims what is not there
	fails    rag.Code
	refuses  bool // even when asked for an answer in spite of the evidence
}

func (s *scripted) Add(_ context.Context, documents []Document) error {
	for _, d := range documents {
		s.stored[d.ID] = text.Normalise(d.Text)
	}
	return nil
}

func (s *scripted) Stored(_ context.Context, document string) (string, error) {
	return s.stored[document], nil
}

func (s *scripted) Answer(_ context.Context, question string) (Given, error) {
	l := s.script[question]
	if l.fails != "" {
		return Given{}, rag.Errorf(l.fails, "It failed.")
	}
	a := rag.Answer{Status: rag.Answered, Model: "scripted", Timings: rag.Timings{"total": time.Second}}
	for i, c := range l.cites {
		document, quote, _ := strings.Cut(strings.TrimPrefix(c, "*"), ": ")
		source := rag.Span{Start: text.Len(s.stored[document][:max(strings.Index(s.stored[document], quote), 0)])}
		source.End = source.Start + text.Len(quote)
		if strings.HasPrefix(c, "*") {
			source = source.Shift(1)
		}
		start := text.Len(a.Text)
		a.Text += quote + " [" + string(rune('1'+i)) + "] "
		a.Claims = append(a.Claims, rag.Claim{Support: 0.5 + l.evidence/10})
		a.Citations = append(a.Citations, rag.Citation{Document: rag.Document{ExternalID: document}, SourceSpan: source, Quote: quote, Verified: true, AnswerSpan: rag.Span{Start: start, End: text.Len(a.Text) - 1}})
	}
	abstained := rag.Answer{Status: rag.Abstained, Text: "The documents do not answer this question.", Model: "scripted"}
	g := Given{Answer: a, Evidence: l.evidence}
	switch {
	case l.refuses:
		g.Answer = abstained
	case l.evidence < 0:
		g.Answer, g.Anyway = abstained, &a
	}
	return g, nil
}

func runSmall(t *testing.T, script map[string]line, foreign ...Dataset) AnswerReport {
	t.Helper()
	d, err := ReadAnswers(write(t, small()))
	if err != nil {
		t.Fatal(err)
	}
	d.Name = "small"
	r, err := RunAnswers(t.Context(), &scripted{map[string]string{}, script}, d, foreign, func(string, int, int) {})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func asked() map[string]line {
	return map[string]line{
		"When did tea come?":  {evidence: 3, cites: []string{"en: People like it.", "en: It came from China in 1610."}}, // right, with its second citation
		"绿茶用多少度的水？":           {evidence: 2, cites: []string{"zh: 綠茶用八十度的水沖泡。"}},                                        // right: traditional characters make no difference
		"What does tea cost?": {evidence: 1, cites: []string{"*en: People like it."}},                                   // nothing answers it, and the quote is not there
		"Tell me about tea.":  {evidence: -1, cites: []string{"en: Tea 🍵 is old."}},                                     // refused; it would have been right
		"Wo ist der Bahnhof?": {evidence: -2, cites: []string{"en: People like it."}},
		"月亮离地球多远？":            {evidence: 4, refuses: true}, // in spite of the evidence
	}
}

var other = Dataset{Name: "other", Queries: []Query{{"q1", "Wo ist der Bahnhof?"}, {"f2", "月亮离地球多远？"}}} // q1 is a question of the set, too

func TestRunAnswers_ScoresAnswersAndCitations(t *testing.T) {
	r := runSmall(t, asked(), other)
	if r.SpansLost != 0 || r.Answerable != 3 || r.Unanswerable != 1 || r.Model != "scripted" || r.Documents != 2 || r.Failed != 0 {
		t.Errorf("got %+v", r)
	}
	for name, want := range map[string]float64{
		MetricRight: 2.0 / 3, MetricContains: 1, MetricExact: 0, MetricAnswered: 2.0 / 3,
		MetricF1:                (4.0/11 + 6.0/13 + 0) / 3, // two words of nine and two; a run of three characters of ten and three; refused
		MetricCitationPrecision: (0.5 + 1) / 2, MetricFirstCitation: 1.0 / 3, MetricCitationRecall: 2.0 / 3, MetricCitedDocument: 1, MetricVerified: 3.0 / 4,
		MetricRefused: 2.0 / 3, MetricSupportAUC: 1, // .8 and .7 against .6
		MetricEvidenceAUC: 8.0 / 9,                                                     // 3, 2, −1 against 1, −2 and never
		MetricRefused80:   2.0 / 3, MetricRefused90: 2.0 / 3, MetricRefused95: 2.0 / 3, // from −1 on
	} {
		if got := r.All.Metrics[name].Mean; !near(got, want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	if len(r.All.Metrics) != len(AnswerMetrics) {
		t.Errorf("got %d metrics, want all %d", len(r.All.Metrics), len(AnswerMetrics))
	}
	if s := r.All; s.Citations != 4 || !near(s.Sentences, 4.0/3) {
		t.Errorf("got %d citations and %v sentences, want 4 and 4/3", s.Citations, s.Sentences)
	}
	if len(r.Languages) != 2 || r.Languages[0].Language != "en" || r.Languages[0].Metrics[MetricRight].Mean != 0.5 || r.Languages[1].Metrics[MetricRight].Mean != 1 || r.Languages[1].Metrics[MetricRefused].Mean != 1 {
		t.Errorf("got %+v, want half of the English and all Chinese answers right", r.Languages)
	}
}

func TestRunAnswers_TellsWhatRefusingCosts(t *testing.T) {
	r := runSmall(t, asked(), other, other)
	if len(r.Refusals) != 4 {
		t.Fatalf("got %+v", r.Refusals)
	}
	if both := r.Refusals[3]; both.Unanswerable != 4 || both.Foreign != together || both.FalseAnswer != 0 {
		t.Errorf("got %+v, want both foreign sets in one", both)
	}
	own, foreign := r.Refusals[0], r.Refusals[1]
	if own.Foreign != "" || own.Unanswerable != 1 || !near(own.FalseRefusal, 1.0/3) || own.FalseAnswer != 1 || !near(own.AUC.Mean, 2.0/3) || !near(own.StatusAUC, 1.0/3) {
		t.Errorf("got %+v", own)
	}
	// By evidence: right, right, wrong for being unanswerable, and the right one that was refused.
	if d := cmp.Diff([]RiskPoint{{0.25, 0, 3}, {0.5, 0, 2}, {0.75, 1.0 / 3, 1}, {1, 0.25, -1}}, own.Curve); d != "" || !near(own.Area, 7.0/48) {
		t.Errorf("area %v, want 7/48; %s", own.Area, d)
	}
	if d := cmp.Diff([]RiskPoint{{0.2, 0, 3}, {0.4, 0, 2}, {0.6, 0, -1}, {0.8, 0.25, -2}}, foreign.Curve); d != "" || !near(foreign.Area, 1.0/16) {
		t.Errorf("area %v, want 1/16; %s", foreign.Area, d)
	}
	if foreign.Foreign != "other" || foreign.FalseAnswer != 0 || foreign.AUC.Mean != 1 || !near(foreign.StatusAUC, 5.0/6) {
		t.Errorf("got %+v", foreign)
	}
}

func TestRunAnswers_FailedAnswersCountAsWrong(t *testing.T) {
	script := asked()
	script["When did tea come?"] = line{fails: rag.Timeout}
	r := runSmall(t, script)
	if r.Failed != 1 || !near(r.All.Metrics[MetricRight].Mean, 1.0/3) || !near(r.All.Metrics[MetricContains].Mean, 1.0/2) || !near(r.All.Metrics[MetricCitationPrecision].Mean, 1) {
		t.Errorf("got %d failed, %+v", r.Failed, r.All.Metrics)
	}
	d, err := ReadAnswers(write(t, small()))
	if err != nil {
		t.Fatal(err)
	}
	script["When did tea come?"] = line{fails: rag.Internal}
	if _, err := RunAnswers(t.Context(), &scripted{map[string]string{}, script}, d, nil, func(string, int, int) {}); rag.CodeOf(err) != rag.Internal {
		t.Errorf("a failure of our own: got %v, want it to end the run", err)
	}
	down := Dataset{Name: "down", Queries: slices.Repeat([]Query{{"1", "Is it down?"}}, maxFailures+1)}
	script = asked()
	script["Is it down?"] = line{fails: rag.Unavailable}
	if _, err := RunAnswers(t.Context(), &scripted{map[string]string{}, script}, d, []Dataset{down}, func(string, int, int) {}); rag.CodeOf(err) != rag.Unavailable {
		t.Errorf("a service that is down: got %v, want it to end the run", err)
	}
}

func TestRecalled_HalfOfASpanIsEnough(t *testing.T) {
	gold := []placed{{document: "a", span: rag.Span{Start: 0, End: 10}}, {document: "a", span: rag.Span{Start: 20, End: 30}}}
	cite := func(document string, start, end int) rag.Citation {
		return rag.Citation{Document: rag.Document{ExternalID: document}, SourceSpan: rag.Span{Start: start, End: end}}
	}
	for _, c := range []struct {
		citations []rag.Citation
		all       float64
		one       float64
	}{
		{nil, 0, 0},
		{[]rag.Citation{cite("a", 0, 5)}, 0.5, 1},
		{[]rag.Citation{cite("a", 0, 4)}, 0, 0},
		{[]rag.Citation{cite("a", 0, 3), cite("a", 8, 10)}, 0.5, 1}, // together
		{[]rag.Citation{cite("b", 0, 30)}, 0, 0},
		{[]rag.Citation{cite("a", 0, 30)}, 1, 1},
	} {
		if all, one := recalled(gold, c.citations, true), recalled(gold, c.citations, false); all != c.all || one != c.one {
			t.Errorf("%v: got %v and %v, want %v and %v", c.citations, all, one, c.all, c.one)
		}
	}
}

func TestReadAnswers_HoldsSpansToTheirText(t *testing.T) {
	d, err := ReadAnswers(write(t, small()))
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Queries) != 4 || d.Gold["q3"].Answerable || !d.Gold["q2"].Answerable || !d.Gold["q4"].Long || len(d.Gold["q4"].Spans) != 2 || d.Gold["q1"].Long {
		t.Errorf("got %+v", d)
	}
	for name, c := range map[string]struct{ file, content, want string }{
		"bytes for code points": {"spans.jsonl", `{"query_id":"q1","doc_id":"en","start":42,"end":46,"text":"1610"}`, "code points 42 to 46"},
		"an unknown document":   {"spans.jsonl", `{"query_id":"q1","doc_id":"none","start":1,"end":2,"text":"T"}`, "none"},
		"no JSON":               {"answers.jsonl", `{"_id":`, "answers.jsonl, line 1"},
	} {
		files := small()
		files[c.file] = c.content
		if _, err := ReadAnswers(write(t, files)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
	files := small()
	delete(files, "answers.jsonl")
	if d, err = ReadAnswers(write(t, files)); err != nil || len(d.Queries) != 3 || !d.Gold["q1"].Long {
		t.Errorf("spans alone: got %+v, %v", d, err)
	}
	delete(files, "spans.jsonl")
	if _, err = ReadAnswers(write(t, files)); err == nil || !strings.Contains(err.Error(), "neither answers.jsonl nor spans.jsonl") {
		t.Errorf("neither: got %v", err)
	}
	groups := small()
	groups["answers.jsonl"] = `{"_id":"q1","answers":["a","b"],"answer_groups":[["a"],["b"]]}` + "\n" + `{"_id":"q2","answers":["yes"],"long_answer":"Green tea takes less."}` + "\n" + `{"_id":"q3","answers":["a long one without a sentence"],"selected_sentences":[]}`
	if d, err = ReadAnswers(write(t, groups)); err != nil || len(d.Gold["q1"].Groups) != 2 || !d.Gold["q2"].Long || d.Gold["q2"].Answers[0] != "Green tea takes less." || !d.Gold["q3"].Long {
		t.Errorf("groups and a long answer: got %+v, %v", d, err)
	}
}

func TestPlace_FollowsTheTextThroughNormalisation(t *testing.T) {
	for _, c := range []struct {
		original, stored string
		span             rag.Span
		want             rag.Span
		ok               bool
	}{
		{"\ufeff茶很🍵好", "茶很🍵好", rag.Span{Start: 2, End: 4}, rag.Span{Start: 1, End: 3}, true},
		{"cafe\u0301 noir", "café noir", rag.Span{Start: 6, End: 10}, rag.Span{Start: 5, End: 9}, true},
		{"  a cat, a cat", "a cat, a cat", rag.Span{Start: 11, End: 14}, rag.Span{Start: 9, End: 12}, true}, // the nearest of two
		{"a cat", "a dog", rag.Span{Start: 2, End: 5}, rag.Span{}, false},
		{"a\u0007b", "ab", rag.Span{Start: 1, End: 2}, rag.Span{}, false}, // nothing is left of it
	} {
		got, ok := place(c.original, c.stored, c.span)
		if ok != c.ok || ok && got != c.want {
			t.Errorf("%q: got %v, %t, want %v, %t", c.original, got, ok, c.want, c.ok)
		}
	}
}

func TestSample_IsEvenlySpread(t *testing.T) {
	d := Dataset{Queries: []Query{{ID: "0"}, {ID: "1"}, {ID: "2"}, {ID: "3"}, {ID: "4"}}}
	all := d
	all.Sample(0)
	if d.Sample(2); len(all.Queries) != 5 || len(d.Queries) != 2 || d.Queries[0].ID != "0" || d.Queries[1].ID != "2" {
		t.Errorf("got %v and %v", all.Queries, d.Queries)
	}
}

func TestThresholds_NameWhatIsBelow(t *testing.T) {
	r := runSmall(t, asked())
	thresholds, err := ParseThresholds([]string{"contains=1", " right=0.9", "verified=0.75", "refused=0"})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"small: right is 0.6667, below 0.9"}, r.Below(thresholds)); d != "" {
		t.Error(d)
	}
	delete(r.All.Metrics, MetricContains)
	if got := r.Below(thresholds); len(got) != 2 || !strings.Contains(got[0], "contains was not measured") {
		t.Errorf("got %v, want what was not measured to be below", got)
	}
	for value, want := range map[string]string{"bleu=0.5": "citation_precision", "right": "right=0.85", "right=high": "right=high", "right=85": "right=85", "right=NaN": "NaN", "": "there is no metric"} {
		if _, err := ParseThresholds([]string{value}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", value, err, want)
		}
	}
}

func TestAnswerReport_IsWrittenForPeopleDocumentsAndPrograms(t *testing.T) {
	r := runSmall(t, asked(), other)
	var table, markdown, forPrograms bytes.Buffer
	if err := r.Table(&table); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"3 answerable and 1 unanswerable", "en ", "zh", "citation_precision", "0.6667", "questions of other: 2 questions", "area 0.146"} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, table.String())
		}
	}
	if err := AnswerMarkdown(&markdown, []AnswerReport{r}); err != nil {
		t.Fatal(err)
	}
	columns := map[int]int{}
	for _, row := range strings.Split(strings.TrimSpace(markdown.String()), "\n") {
		columns[strings.Count(row, "|")]++
	}
	if columns[14] != 5 || columns[10] != 4 || columns[0] != 1 || len(columns) != 3 {
		t.Errorf("got %v columns a row, want two whole tables:\n%s", columns, markdown.String())
	}
	if err := r.JSON(&forPrograms); err != nil {
		t.Fatal(err)
	}
	var back AnswerReport
	if err := json.Unmarshal(forPrograms.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(r, back); d != "" {
		t.Error(d)
	}
}
