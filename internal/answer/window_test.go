package answer

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"footnote/internal/rag"
)

// runes is a model that counts a token for each code point.
type runes struct {
	window int
	thinks bool
}

func (runes) Model() string                                                     { return "runes" }
func (runes) Generate(context.Context, rag.Prompt, func(rag.Delta) error) error { return nil }
func (m runes) Window() int                                                     { return m.window }
func (runes) CountTokens(s string) int                                          { return utf8.RuneCountInString(s) }
func (runes) MessageTokens() int                                                { return 5 }
func (m runes) Thinks() bool                                                    { return m.thinks }

func passagesOf(texts ...string) (out []rag.Passage) {
	for i, s := range texts {
		out = append(out, rag.Passage{Number: i + 1, Hit: rag.Hit{Chunk: rag.Chunk{Text: s, Span: rag.Span{End: utf8.RuneCountInString(s)}}}})
	}
	return out
}

func counted(r rag.Rendering, m runes) int {
	n := 3 + m.CountTokens(r.Prompt.System) + m.MessageTokens()
	for _, msg := range r.Prompt.Messages {
		n += m.CountTokens(msg.Content) + m.MessageTokens()
	}
	return n
}

func TestBuild_PacksByRankAndReportsWhatIsDropped(t *testing.T) {
	t.Parallel()
	s := New(Options{})
	texts := []string{strings.Repeat("Parental leave is long. ", 10), strings.Repeat("年假有十五天。", 30), "short", strings.Repeat("x", 300)}
	var before int
	for window := 900; window < 3000; window += 37 {
		m := runes{window: window}
		r, err := s.build(rag.Question{Query: rag.Query{Text: "How long?"}}, passagesOf(texts...), defaultTemplate, m)
		if err != nil {
			if rag.CodeOf(err) != rag.Invalid || !strings.Contains(err.Error(), "FOOTNOTE_LLM_CONTEXT") || before > 0 {
				t.Fatalf("window %d: %v", window, err)
			}
			continue
		}
		if r.Tokens != counted(r, m) || r.Tokens+r.Prompt.MaxTokens > window {
			t.Errorf("window %d: %d tokens said, %d counted, %d kept for the answer", window, r.Tokens, counted(r, m), r.Prompt.MaxTokens)
		}
		all := append(slices.Clone(r.Passages), r.Dropped...)
		if !slices.Equal(all, []int{1, 2, 3, 4}) || len(r.Passages) < 1 || len(r.Passages) < before {
			t.Errorf("window %d: kept %v, dropped %v, with less room %d were kept", window, r.Passages, r.Dropped, before)
		}
		before = len(r.Passages)
		prompt := r.Prompt.Messages[0].Content
		for i := range texts {
			has := strings.Contains(prompt, fmt.Sprintf("<passage-%s number=\"%d\">", r.Fence, i+1))
			if has != slices.Contains(r.Passages, i+1) {
				t.Errorf("window %d: passage %d in the prompt: %t, kept %v", window, i+1, has, r.Passages)
			}
		}
		if r.Cut == 1 && (!strings.Contains(prompt, "long.\n</passage-") || len(r.Passages) != 1) {
			t.Errorf("window %d: the first passage is cut elsewhere than at a sentence's end: %q", window, prompt)
		}
	}
	if before != 4 {
		t.Errorf("the largest window keeps %d passages, want 4", before)
	}
}

func TestBuild_CutsTheFirstPassageAtASentence(t *testing.T) {
	t.Parallel()
	s := New(Options{})
	for _, sentence := range []string{"The leave lasts sixteen weeks. ", "員工每年享有十五天帶薪年假。"} {
		p := passagesOf(strings.Repeat(sentence, 100))
		r, err := s.build(rag.Question{Query: rag.Query{Text: "?"}, Generation: rag.Generation{Budget: 1100}}, p, defaultTemplate, runes{window: 100_000})
		if err != nil {
			t.Fatal(err)
		}
		_, body, _ := strings.Cut(r.Prompt.Messages[0].Content, "number=\"1\">\n")
		body, _, _ = strings.Cut(body, "\n</passage-")
		if r.Cut != 1 || r.Tokens > 1100 || body == "" || !strings.HasPrefix(p[0].Hit.Chunk.Text, body) || !strings.HasSuffix(body, strings.TrimSpace(sentence)) {
			t.Errorf("%q: cut %d, %d tokens, %q", sentence, r.Cut, r.Tokens, body)
		}
	}
	_, err := s.build(rag.Question{Query: rag.Query{Text: "?"}, Generation: rag.Generation{Budget: 300}}, passagesOf(strings.Repeat("x", 500)), defaultTemplate, runes{window: 100_000})
	if e, ok := err.(*rag.Error); !ok || e.Field != "/budget" {
		t.Errorf("got %v, want an error on /budget", err)
	}
}

func TestBuild_TrimsTurnsFromTheOldest(t *testing.T) {
	t.Parallel()
	s := New(Options{})
	var turns []rag.Message
	for i := range 10 {
		turns = append(turns, rag.Message{Role: "user", Content: fmt.Sprintf("问题 %d %s", i, strings.Repeat("q", 60))}, rag.Message{Role: "assistant", Content: fmt.Sprintf("answer %d", i)})
	}
	q := rag.Question{Query: rag.Query{Text: "and now?"}, Messages: turns}
	m := runes{window: 2200}
	r, err := s.build(q, passagesOf(strings.Repeat("word ", 60)), defaultTemplate, m)
	if err != nil {
		t.Fatal(err)
	}
	if r.Turns == 0 || r.Turns >= len(turns) || len(r.Passages) != 1 || r.Cut != 0 || r.Tokens > 2200-r.Prompt.MaxTokens || r.Tokens != counted(r, m) {
		t.Errorf("%d turns left out, passages %v, %d tokens", r.Turns, r.Passages, r.Tokens)
	}
	kept := r.Prompt.Messages
	if kept[0].Role != "user" || len(kept) != len(turns)-r.Turns+1 || kept[len(kept)-2].Content != "answer 9" {
		t.Errorf("got %+v", kept)
	}
	for i, msg := range kept {
		if want := []string{"user", "assistant"}[i%2]; msg.Role != want {
			t.Errorf("message %d is the %s's, want the %s's", i, msg.Role, want)
		}
	}
	// With room for all there are all, and messages of one role after the other become one.
	q.Messages = []rag.Message{{Role: "user", Content: "one"}, {Role: "user", Content: "two"}}
	r, err = s.build(q, nil, defaultTemplate, runes{window: 100_000})
	if err != nil || r.Turns != 0 || len(r.Prompt.Messages) != 1 || !strings.HasPrefix(r.Prompt.Messages[0].Content, "one\n\ntwo\n\nPassages:") {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestBuild_SettingsOfTheQuestionGoBeforeTheServices(t *testing.T) {
	t.Parallel()
	zero, hot, seed := float32(0), float32(1.5), 9
	s := New(Options{Defaults: rag.Generation{Temperature: &zero, MaxTokens: 70}})
	r, err := s.build(rag.Question{Query: rag.Query{Text: "?"}}, nil, defaultTemplate, runes{window: 10_000})
	if err != nil || *r.Prompt.Temperature != 0 || r.Prompt.MaxTokens != 70 || r.Prompt.Seed != nil {
		t.Errorf("got %+v, %v", r.Prompt, err)
	}
	r, err = s.build(rag.Question{Query: rag.Query{Text: "?"}, Generation: rag.Generation{Temperature: &hot, Seed: &seed, MaxTokens: 9, Stop: []string{"。"}}}, nil, defaultTemplate, runes{window: 10_000})
	if err != nil || *r.Prompt.Temperature != 1.5 || r.Prompt.MaxTokens != 9 || *r.Prompt.Seed != 9 || !slices.Equal(r.Prompt.Stop, []string{"。"}) {
		t.Errorf("got %+v, %v", r.Prompt, err)
	}
	r, err = New(Options{}).build(rag.Question{Query: rag.Query{Text: "?"}}, nil, defaultTemplate, runes{window: 100_000, thinks: true})
	if err != nil || r.Prompt.MaxTokens != thoughtsTokens {
		t.Errorf("a model that thinks: got %d tokens, %v", r.Prompt.MaxTokens, err)
	}
}

func TestFence_IsTheSameForTheSameAndNobodyElses(t *testing.T) {
	t.Parallel()
	p := passagesOf("a", "b")
	again := passagesOf("a", "b")
	if newFence("q", p) != newFence("q", again) || newFence("q", p) == newFence("r", p) || newFence("q", p) == newFence("q", passagesOf("ab")) || len(newFence("q", nil)) != 16 {
		t.Error("the fence does not follow what it fences")
	}
}

func TestLanguageOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ asked, question, name, tag, refusal string }{
		{"", "How long is parental leave?", sameLanguage, "", "The documents do not answer this question."},
		{"", "Combien dure le congé ?", sameLanguage, "", "The documents do not answer this question."},
		{"", "育儿假有多长？", "Chinese", "zh", "文档中没有这个问题的答案。"},
		{"", "育兒假有多長？", "Traditional Chinese", "zh-Hant", "文件中沒有這個問題的答案。"},
		{"", "鲁迅的著名小说有哪些？", "Chinese", "zh", "文档中没有这个问题的答案。"},
		{"zh-Hant", "How long?", "Traditional Chinese", "zh-Hant", "文件中沒有這個問題的答案。"},
		{"zh-Hans", "育兒假有多長？", "Simplified Chinese", "zh-Hans", "文档中没有这个问题的答案。"},
		{"ja", "育児休暇は？", "Japanese", "ja", "The documents do not answer this question."},
	} {
		q := rag.Question{Query: rag.Query{Text: c.question}, Language: c.asked}
		if name, tag := languageOf(q); name != c.name || tag != c.tag || noAnswer(q) != c.refusal {
			t.Errorf("%s %s: got %s %s %s", c.asked, c.question, name, tag, noAnswer(q))
		}
	}
}
