package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// groundingJSON is the part of a grounding that tests look at.
type groundingJSON struct {
	Status, Text, Language string
	Degraded               []string
	Claims                 []struct {
		Span        spanJSON
		Support     float64
		Verdict     string
		Citations   []int
		Attribution string
		Mismatches  []struct {
			Kind, Claim, Source string
			ClaimSpan           spanJSON `json:"claim_span"`
		}
	}
	Citations []struct {
		ID         *string
		Marker     int
		AnswerSpan spanJSON `json:"answer_span"`
		SourceSpan spanJSON `json:"source_span"`
		Document   *struct {
			ExternalID string `json:"external_id"`
		}
		Quote     string
		URL       *string
		Verified  bool
		Passage   int
		PassageID *string `json:"passage_id"`
	}
	Passages []struct {
		Number int
		Text   string
		Span   spanJSON
	}
}

// claim is the text of a claim.
func (g groundingJSON) claim(i int) string {
	return string([]rune(g.Text)[g.Claims[i].Span.Start:g.Claims[i].Span.End])
}

// ground asks and checks what every grounding must keep: each quote stands at its span of its passage and, of a collection, of the document.
func (s *service) ground(in map[string]any) (got groundingJSON) {
	s.t.Helper()
	s.call("POST", "/v1/ground", in, 200, &got)
	if got.Text != in["text"] {
		s.t.Errorf("got the text %q, sent %q", got.Text, in["text"])
	}
	markers := map[int]bool{}
	for _, c := range got.Citations {
		markers[c.Marker] = true
		p := got.Passages[c.Passage-1]
		r := []rune(p.Text)
		if from, to := c.SourceSpan.Start-p.Span.Start, c.SourceSpan.End-p.Span.Start; !c.Verified || from < 0 || to > len(r) || string(r[from:to]) != c.Quote || c.Quote == "" {
			s.t.Errorf("citation %+v does not stand in passage %+v", c, p)
		}
		if c.Document == nil {
			continue
		}
		source := s.content("handbook", c.Document.ExternalID)
		if string(source[c.SourceSpan.Start:c.SourceSpan.End]) != c.Quote {
			s.t.Errorf("citation %+v does not stand in its document", c)
		}
		var link struct{ State, Quote string }
		if s.call("GET", *c.URL, nil, 200, &link); link.State != "current" || link.Quote != c.Quote {
			s.t.Errorf("got the permalink %+v of %+v", link, c)
		}
	}
	for i, c := range got.Claims {
		for _, m := range c.Citations {
			if !markers[m] {
				s.t.Errorf("claim %q names citation %d, and there is none", got.claim(i), m)
			}
		}
		if (c.Verdict == "contradicted") != (len(c.Mismatches) > 0) {
			s.t.Errorf("claim %q is %s with the mismatches %v", got.claim(i), c.Verdict, c.Mismatches)
		}
	}
	return got
}

const foreignAnswer = "# Leave 假期\n\nHere is what I found:\n\n- Parental leave lasts sixteen weeks at full pay [7].\n- 员工每年享有十五天带薪年假。【3†source】\n\n" +
	"| Trip | Limit |\n|---|---|\n| 出差住宿每晚 | 以三千元為上限 |\n\nParental leave does not last sixteen weeks at full pay. Would you like to know more? 👶🏽"

func TestGround_TextsOfOthersAgainstCollections(t *testing.T) { bothModes(t, testGround_Collections) }

func testGround_Collections(t *testing.T) {
	s := handbook(t)
	got := s.ground(map[string]any{"text": foreignAnswer, "collections": []string{"handbook"}})
	if len(got.Claims) != 4 || got.Status != "partial" {
		t.Fatalf("got %s %+v", got.Status, got.Claims)
	}
	for i, want := range []struct{ verdict, document, quote string }{
		{"supported", "leave.md", "Parental leave lasts sixteen weeks at full pay."},
		{"supported", "休假.md", "员工每年享有十五天带薪年假。"},
		{"supported", "travel.md", "出差住宿每晚以三千元為上限"},
		{"contradicted", "leave.md", "Parental leave lasts sixteen weeks at full pay."},
	} {
		c := got.Claims[i]
		if c.Verdict != want.verdict || len(c.Citations) == 0 {
			t.Errorf("claim %q: got %+v, want %s", got.claim(i), c, want.verdict)
			continue
		}
		cited := got.Citations[c.Citations[0]-1]
		if cited.Document.ExternalID != want.document || !strings.Contains(cited.Quote, want.quote) || c.Attribution != "aligned" {
			t.Errorf("claim %q: got %+v, want %+v", got.claim(i), cited, want)
		}
	}
	// A filter holds; the order of the passages has no say.
	got = s.ground(map[string]any{"text": "Parental leave lasts sixteen weeks at full pay.", "collections": []string{"handbook"}, "filter": map[string]any{"type": "eq", "key": "team", "value": "finance"}, "top_k": 3})
	for _, p := range got.Passages {
		if !strings.Contains(leaveTW, strings.TrimSpace(p.Text)) {
			t.Errorf("got the passage %q, want the finance team's only", p.Text)
		}
	}
}

func TestGround_GivenPassagesAreNotKept(t *testing.T) {
	t.Parallel() // in one mode: no store takes part
	s := startService(t)
	got := s.ground(map[string]any{
		"text": "Parental leave lasts 26 weeks at full pay. 员工每年享有十五天带薪年假。",
		"passages": []map[string]any{
			{"id": "a", "title": "Leave", "text": "👩‍👧 Parental leave lasts 16 weeks at full pay."},
			{"text": "员工每年享有十五天带薪年假。"},
		},
	})
	if len(got.Claims) != 2 || got.Claims[0].Verdict == "supported" || got.Claims[1].Verdict != "supported" || got.Status != "partial" {
		t.Fatalf("got %+v", got)
	}
	for _, c := range got.Citations {
		if c.ID != nil || c.Document != nil || c.URL != nil || (c.PassageID == nil) != (c.Passage == 2) {
			t.Errorf("got %+v, want no document and no permalink", c)
		}
	}
}

func TestGround_RefusesWhatIsOutOfBounds(t *testing.T) {
	t.Parallel() // in one mode: no store takes part
	s := handbook(t)
	for body, want := range map[string]string{
		`{"text": " ", "collections": ["handbook"]}`: "/text",
		`{"text": "x"}`: "/passages",
		`{"text": "x", "collections": ["handbook"], "passages": [{"text": "x"}]}`:            "/passages",
		`{"text": "x", "passages": []}`:                                                      "/passages",
		`{"text": "x", "passages": [{"text": "x"}, {"text": ""}]}`:                           "/passages/1/text",
		`{"text": "x", "passages": [{"text": "x", "number": 1}]}`:                            "number",
		`{"text": "x", "passages": [{"text": "x"}], "top_k": 3}`:                             "/top_k",
		`{"text": "x", "collections": ["handbook"], "top_k": 0}`:                             "/top_k",
		`{"text": "x", "collections": ["handbook"], "verify": "off"}`:                        "/verify",
		`{"text": "x", "collections": ["handbook"], "verify": "judge"}`:                      "FOOTNOTE_JUDGE",
		`{"text": "x", "collections": ["a b"]}`:                                              "/collections/0",
		`{"text": "` + strings.Repeat("It is so. ", 101) + `", "collections": ["handbook"]}`: "at most 100",
	} {
		if a := s.send("POST", "/v1/ground", "application/json", strings.NewReader(body)); a.status != 400 || !strings.Contains(string(a.body), want) {
			t.Errorf("%.80s: got %d %s, want a 400 that names %s", body, a.status, a.body, want)
		}
	}
	s.call("POST", "/v1/ground", map[string]any{"text": "x", "collections": []string{"absent"}}, 404, nil)
	for body, want := range map[string]string{
		`{"query": "x", "collections": ["handbook"], "verify": "judge"}`:                 "FOOTNOTE_JUDGE",
		`{"query": "x", "collections": ["handbook"], "verify": "off", "policy": "drop"}`: "/policy",
	} {
		if a := s.send("POST", "/v1/query", "application/json", strings.NewReader(body)); a.status != 400 || !strings.Contains(string(a.body), want) {
			t.Errorf("%s: got %d %s", body, a.status, a.body)
		}
	}
}

// says is a service whose language model answers with text.
func says(t *testing.T, text *atomic.Value, more ...string) *service {
	return withModel(t, chatServer(t, func(w http.ResponseWriter, _ *http.Request) {
		r := []rune(text.Load().(string))
		var pieces []string
		for len(r) > 0 {
			n := min(7, len(r))
			pieces, r = append(pieces, string(r[:n])), r[n:]
		}
		writes(w, true, pieces...)
	}), more...)
}

// streamed asks with stream and returns the deltas joined and the whole answer.
func (s *service) streamed(in map[string]any) (text string, completed answerJSON) {
	s.t.Helper()
	in["stream"] = true
	b, _ := json.Marshal(in)
	a := s.send("POST", "/v1/query", "application/json", strings.NewReader(string(b)))
	if a.status != 200 {
		s.t.Fatalf("got %d %s", a.status, a.body)
	}
	for block := range strings.SplitSeq(string(a.body), "\n\n") {
		_, data, _ := strings.Cut(block, "data: ")
		switch {
		case strings.Contains(block, "event: answer.delta"):
			var d struct{ Text string }
			response{body: []byte(data)}.json(s.t, &d)
			text += d.Text
		case strings.Contains(block, "event: response.completed"):
			response{body: []byte(data)}.json(s.t, &completed)
		}
	}
	return text, completed
}

// shape is what two answers of one text have in common.
func shape(a answerJSON) string {
	out := fmt.Sprintf("%s %q %+v", a.Status, a.Text, a.Claims)
	for _, c := range a.Citations {
		out += fmt.Sprintf("\n%d %v %v %s %q %s", c.Marker, c.AnswerSpan, c.SourceSpan, c.Document.ExternalID, c.Quote, c.Attribution)
	}
	return out
}

func TestPolicy_StreamedAndPlainAnswersAreOne(t *testing.T) { bothModes(t, testPolicy) }

func testPolicy(t *testing.T) {
	said := &atomic.Value{}
	s := says(t, said)
	mixed := "The rules on leave are:\n\n- Parental leave lasts sixteen weeks at full pay [1].\n- It does not last sixteen weeks at full pay [1].\n- It may be taken within two years of the birth [1][9].\n\nParental leave may not be taken within two years of the birth.\n\n[^1]: Leave policy"
	for _, c := range []struct {
		name, said, policy, verify, status, text string
	}{
		{"nothing to take back", "Parental leave lasts sixteen weeks at full pay [1].", "strict", "fast", "answered", "Parental leave lasts sixteen weeks at full pay [1]."},
		{"marked", mixed, "mark", "fast", "partial", "The rules on leave are:\n\n- Parental leave lasts sixteen weeks at full pay [1].\n- It does not last sixteen weeks at full pay [2].\n- It may be taken within two years of the birth [3].\n\nParental leave may not be taken within two years of the birth."},
		{"dropped", mixed, "drop", "fast", "partial", "The rules on leave are:\n\n- Parental leave lasts sixteen weeks at full pay [1].\n- It may be taken within two years of the birth [2]."},
		{"strict", mixed, "strict", "fast", "abstained", "The documents do not answer this question."},
		{"nothing supported, marked", "Parental leave does not last sixteen weeks at full pay [1].", "mark", "fast", "partial", "Parental leave does not last sixteen weeks at full pay [1]."},
		{"nothing supported, dropped", "Parental leave does not last sixteen weeks at full pay [1].", "drop", "fast", "abstained", "The documents do not answer this question."},
		{"nothing to check", "Sure! Here is what I found:", "mark", "fast", "partial", "Sure! Here is what I found:"},
		{"silence of the sources", "The passages do not mention parental leave.", "mark", "fast", "abstained", "The passages do not mention parental leave."},
		{"provenance only", "Parental leave lasts sixteen weeks [1]. It may be taken later.", "mark", "off", "partial", "Parental leave lasts sixteen weeks [1]. It may be taken later."},
		{"dropped in Chinese", "员工每年享有十五天带薪年假【1】。员工每年不享有十五天带薪年假[1]。未休的年假可以顺延到次年三月底[文献1]。", "drop", "fast", "partial", "员工每年享有十五天带薪年假[1]。未休的年假可以顺延到次年三月底[2]。"},
	} {
		said.Store(c.said)
		question := parental
		if strings.Contains(c.name, "Chinese") {
			question = "员工每年有多少天年假？"
		}
		in := map[string]any{"query": question, "collections": []string{"handbook"}, "policy": c.policy, "verify": c.verify}
		var plain answerJSON
		s.call("POST", "/v1/query", in, 200, &plain)
		s.grounded("handbook", plain)
		deltas, completed := s.streamed(in)
		if deltas != plain.Text || shape(completed) != shape(plain) {
			t.Errorf("%s: streamed\n%s\nplain\n%s", c.name, shape(completed), shape(plain))
		}
		if plain.Status != c.status || c.text != "" && plain.Text != c.text || (plain.Status == "answered") != (plain.Reason == nil) {
			t.Errorf("%s: got %s %q (%v), want %s %q", c.name, plain.Status, plain.Text, plain.Reason, c.status, c.text)
		}
		for _, claim := range plain.Claims {
			if c.policy != "mark" && (claim.Verdict == "unsupported" || claim.Verdict == "contradicted") || (c.verify == "off") != (claim.Verdict == "unchecked") {
				t.Errorf("%s: got claim %+v", c.name, claim)
			}
		}
	}
}

func TestJudge_HasItsSayAndAnOutageIsNoFailure(t *testing.T) {
	t.Parallel() // in one mode: no store takes part
	var down atomic.Bool
	judge := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Inputs [][2]string }
		if json.NewDecoder(r.Body).Decode(&in); down.Load() || r.URL.Path != "/predict" {
			w.WriteHeader(503)
			return
		}
		out := [][]map[string]any{}
		for _, pair := range in.Inputs {
			label := "neutral"
			switch {
			case strings.Contains(pair[1], "grandparents"):
				label = "contradiction"
			case strings.Contains(pair[0], "sixteen"):
				label = "entailment"
			}
			out = append(out, []map[string]any{{"label": label, "score": 0.97}})
		}
		_ = json.NewEncoder(w).Encode(out) // the client has gone when this fails
	}))
	defer judge.Close()
	said := &atomic.Value{}
	s := says(t, said, "JUDGE=endpoint", "JUDGE_BASE_URL="+judge.URL)
	ask := func(text string) (got answerJSON) {
		said.Store(text)
		s.call("POST", "/v1/query", map[string]any{"query": parental, "collections": []string{"handbook"}, "verify": "judge"}, 200, &got)
		s.grounded("handbook", got)
		return got
	}
	got := ask("Parental leave lasts sixteen weeks at full pay [1]. Parental leave at full pay is for grandparents [1].")
	if len(got.Claims) != 2 || got.Claims[0].Verdict != "supported" || got.Claims[1].Verdict != "contradicted" || got.Claims[1].Mismatches[0].Kind != "judged" || len(got.Degraded) != 0 {
		t.Errorf("got %+v", got)
	}
	// A negation that code found is not overruled.
	if got := ask("Parental leave does not last sixteen weeks at full pay [1]."); got.Claims[0].Verdict != "contradicted" || got.Claims[0].Mismatches[0].Kind != "negation" {
		t.Errorf("got %+v", got.Claims)
	}
	down.Store(true)
	if got := ask("Parental leave lasts sixteen weeks at full pay [1]."); got.Claims[0].Verdict != "supported" || len(got.Degraded) != 1 || got.Degraded[0] != "judge" {
		t.Errorf("got %+v, want what code says, and that the judge failed", got)
	}
}

func TestGround_KeysSeeTheirCollectionsOnly(t *testing.T) {
	t.Parallel() // in one mode: no store takes part
	s := handbook(t)
	var key struct{ Secret string }
	s.call("POST", "/v1/keys", map[string]any{"name": "k", "scope": "read", "collections": []string{"other"}}, 201, &key)
	for body, want := range map[string]int{
		`{"text": "Parental leave lasts sixteen weeks.", "collections": ["handbook"]}`:                                   404,
		`{"text": "Parental leave lasts sixteen weeks.", "passages": [{"text": "Parental leave lasts sixteen weeks."}]}`: 200,
	} {
		if a := s.send("POST", "/v1/ground", "application/json", strings.NewReader(body), "Authorization", "Bearer "+key.Secret); a.status != want {
			t.Errorf("%s: got %d %s, want %d", body, a.status, a.body, want)
		}
	}
}

func TestRun_GroundChecksFilesAndStandardInput(t *testing.T) {
	t.Parallel()
	docs := t.TempDir()
	writeFile(t, docs+"/leave.md", leaveEN)
	writeFile(t, docs+"/good.txt", "Parental leave lasts sixteen weeks at full pay.")
	environ := []string{"FOOTNOTE_DATA=" + t.TempDir()}
	for _, c := range []struct {
		args   []string
		stdin  string
		code   int
		stdout string
		stderr string
	}{
		{[]string{"ingest", docs + "/leave.md", "--collection", "handbook"}, "", 0, "up to date", ""},
		{[]string{"ground", docs + "/good.txt", "-c", "handbook", "--fail-below", "1"}, "", 0, "supported", ""},
		{[]string{"ground", "-", "--passages", docs + "/leave.md"}, "Parental leave lasts sixteen weeks at full pay.", 0, "leave.md, characters", ""},
		{[]string{"ground", "-", "--passages", docs + "/leave.md", "--json"}, "Parental leave lasts sixteen weeks at full pay.", 0, `"passage_id"`, ""},
		{[]string{"ground", "-", "--passages", docs + "/leave.md", "--fail-below", "0.8"}, "Parental leave lasts sixteen weeks at full pay. Parental leave does not last sixteen weeks at full pay.", 1, "1 of 2 claims supported", "0.50 of the claims"},
		{[]string{"ground", "-", "--passages", docs + "/leave.md", "--fail-below", "80"}, "x", 2, "", "between 0 and 1"},
		{[]string{"ground", docs + "/absent"}, "", 1, "", "absent"},
		{[]string{"ground"}, "", 2, "", "accepts 1 arg"},
	} {
		var stdout, stderr strings.Builder
		code := run(t.Context(), c.args, environ, strings.NewReader(c.stdin), &stdout, &stderr)
		if code != c.code || !strings.Contains(stdout.String(), c.stdout) || !strings.Contains(stderr.String(), c.stderr) {
			t.Errorf("%v: got code %d, stdout %q, stderr %q; want %d, %q, %q", c.args, code, stdout.String(), stderr.String(), c.code, c.stdout, c.stderr)
		}
	}
}
