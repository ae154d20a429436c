package answer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"footnote/internal/lexical"
	"footnote/internal/rag"
	"footnote/internal/text"
)

// notThere is what the model is told to say when the passages have no answer.
const notThere = "NOT_IN_DOCUMENTS"

// What a model may write where neither the question nor the service says, in tokens.
const (
	answerTokens   = 800
	thoughtsTokens = 4096 // of a model that thinks first
)

// sameLanguage is what a model is told when no language is asked for and the question's is not known for sure.
const sameLanguage = "the language of the question"

// Collections finds collections by name.
type Collections interface {
	Collection(ctx context.Context, name string) (rag.Collection, error)
}

// template is the one that all of the collections have; the default one where they differ, and where theirs can no longer be read.
func (s *Service) template(ctx context.Context, collections []string) promptTemplate {
	if s.o.Collections == nil || len(collections) == 0 {
		return defaultTemplate
	}
	var common rag.Collection
	for i, name := range collections {
		c, err := s.o.Collections.Collection(ctx, name)
		if err != nil { // it was there to be searched: it has gone meanwhile, or the search says what is wrong
			return defaultTemplate
		}
		if i == 0 {
			common = c
		}
		if c.Prompt.IsDefault() || c.Prompt.System != common.Prompt.System || c.Prompt.User != common.Prompt.User {
			return defaultTemplate
		}
	}
	t, err := parsePrompt(common.Prompt, rag.PromptVersion{Name: common.Name, Version: common.Prompt.Version})
	if err != nil {
		s.o.Logger.Warn("a collection's prompt cannot be used, using the default", "collection", common.Name, "error", err)
		return defaultTemplate
	}
	return t
}

// Render makes the prompt that a question would be asked with, of its collections' template or of the one that is given along, without asking.
// Errors: those of search; rag.Invalid for a template that cannot be used and where nothing fits into the window.
func (s *Service) Render(ctx context.Context, q rag.Question, given *rag.PromptTemplate) (rag.Rendering, error) {
	var t promptTemplate
	if given != nil {
		if err := CheckPrompt(*given); err != nil {
			return rag.Rendering{}, err
		}
		var err error
		if t, err = parsePrompt(*given, rag.PromptVersion{Name: "given"}); err != nil {
			return rag.Rendering{}, err
		}
	} else {
		t = s.template(ctx, q.Collections)
	}
	if q.TopK == 0 {
		q.TopK = DefaultPassages
	}
	q.Collapse = true // as an answer's search does
	hits, err := s.o.Search.Search(ctx, q.Query)
	if err != nil {
		return rag.Rendering{}, err
	}
	a := rag.Answer{Timings: hits.Timings}
	for i, h := range hits.Hits {
		a.Passages = append(a.Passages, rag.Passage{Number: i + 1, Hit: h})
	}
	if err := s.addNeighbours(ctx, q.Neighbours, &a); err != nil {
		return rag.Rendering{}, err
	}
	return s.build(q, a.Passages, t, s.o.Chat)
}

// CheckPrompt is the function of this name, for those who are given the service alone.
func (s *Service) CheckPrompt(p rag.PromptTemplate) error { return CheckPrompt(p) }

// settings are those of the question, and the service's where it leaves them open.
func (s *Service) settings(q rag.Generation, thinks bool) rag.Generation {
	if q.Temperature == nil {
		q.Temperature = s.o.Defaults.Temperature
	}
	if q.Seed == nil {
		q.Seed = s.o.Defaults.Seed
	}
	if q.Stop == nil {
		q.Stop = s.o.Defaults.Stop
	}
	if q.Budget == 0 {
		q.Budget = s.o.Defaults.Budget
	}
	if q.MaxTokens == 0 {
		q.MaxTokens = s.o.Defaults.MaxTokens
	}
	if q.MaxTokens == 0 {
		q.MaxTokens = answerTokens
		if thinks {
			q.MaxTokens = thoughtsTokens
		}
	}
	return q
}

// languageOf says what language an answer is to be in, as a model is told and as BCP 47 names it: that asked for, or that of the question.
func languageOf(q rag.Question) (name, tag string) {
	if q.Language != "" {
		if name = rag.LanguageName(q.Language); name == "" {
			name = q.Language
		}
		return name, q.Language
	}
	if text.Language(q.Text) != "zh" {
		return sameLanguage, "" // letters other than Chinese ones are of many languages
	}
	tag = "zh"
	if traditional(q.Text) {
		tag = "zh-Hant"
	}
	return rag.LanguageName(tag), tag
}

// traditional tells a Chinese text that has traditional characters: of the 490,000 characters of two simplified sets, xquad-zh and cmrc2018, 38 have a simpler form, and 21 of those are 乾,
// which simplified texts keep in 乾坤.
func traditional(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r != '乾' && lexical.IsHan(r) && lexical.FoldRune(r) != r })
}

// noAnswer says that the documents have none.
func noAnswer(q rag.Question) string {
	switch _, tag := languageOf(q); tag {
	case "zh-Hant":
		return "文件中沒有這個問題的答案。"
	case "zh", "zh-Hans":
		return "文档中没有这个问题的答案。"
	}
	return "The documents do not answer this question."
}

// passageText is what a model reads of a passage.
func passageText(p rag.Passage) string {
	return p.Hit.Chunk.Embedded(p.Hit.Document.Title)
}

// newFence makes the mark that passages are fenced by: a hash of all that is fenced, so that whoever writes a document would have to know the question and every other passage, and
// find a text that has its own hash. The same question with the same passages has the same prompt, which caches and seeds live by.
func newFence(question string, passages []rag.Passage) string {
	h := sha256.New()
	fmt.Fprintf(h, "%d:%s", len(question), question)
	for _, p := range passages {
		body := passageText(p)
		fmt.Fprintf(h, "%d:%s", len(body), body)
	}
	sum := h.Sum(nil)
	return hex.EncodeToString(sum[:8])
}

// fenced is a passage as a prompt has it.
func fenced(fence string, number int, body string) string {
	return fmt.Sprintf("<passage-%s number=\"%d\">\n%s\n</passage-%[1]s>\n", fence, number, strings.TrimSuffix(body, "\n"))
}
