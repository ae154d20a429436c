package httpapi

import (
	"net/http"
	"unicode/utf8"

	"footnote/internal/rag"
)

// Bounds of a question.
const (
	maxPassages       = 50
	maxMessages       = 50
	maxMessageContent = 20000 // code points
)

type queryRequest struct {
	Query       string   `json:"query"`
	Collections []string `json:"collections"`
	Filter      *filter  `json:"filter"`
	TopK        *int     `json:"top_k"`
	Messages    []turn   `json:"messages"`
	Language    string   `json:"language"`
	Stream      bool     `json:"stream"`
	Neighbours  int      `json:"neighbours"`
	Verify      string   `json:"verify"`
	Policy      string   `json:"policy"`
	Temperature *float32 `json:"temperature"`
	Seed        *int     `json:"seed"`
	MaxTokens   *int     `json:"max_tokens"`
	Stop        []string `json:"stop"`
	Budget      *int     `json:"budget"`
	Explain     bool     `json:"explain"`
}

type turn struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// question checks a request's own bounds; the rest is search's to check.
func (in queryRequest) question() (rag.Question, error) {
	q := rag.Question{Query: rag.Query{Text: in.Query, Collections: in.Collections, Filter: in.Filter.domain(), TopK: 8, IgnorePhrases: true, Explain: in.Explain}, Language: in.Language, Neighbours: in.Neighbours,
		Verify: rag.Verify(in.Verify), Policy: rag.Policy(in.Policy)}
	q.Generation = rag.Generation{Temperature: in.Temperature, Seed: in.Seed, Stop: in.Stop}
	for _, field := range []struct {
		name  string
		given *int
		into  *int
	}{{"max_tokens", in.MaxTokens, &q.Generation.MaxTokens}, {"budget", in.Budget, &q.Generation.Budget}} {
		if field.given != nil {
			if *field.into = *field.given; *field.into < 1 {
				return q, rag.FieldErrorf("/"+field.name, "%s must be at least 1, got %d.", field.name, *field.given)
			}
		}
	}
	if err := q.Generation.Validate(); err != nil {
		return q, err
	}
	if v := q.Verify; v != "" && v != rag.VerifyOff && v != rag.VerifyFast && v != rag.VerifyJudge {
		return q, rag.FieldErrorf("/verify", "verify must be off, fast or judge, got %q.", rag.Clip(in.Verify, 40))
	}
	if p := q.Policy; p != "" && p != rag.PolicyMark && p != rag.PolicyDrop && p != rag.PolicyStrict {
		return q, rag.FieldErrorf("/policy", "policy must be mark, drop or strict, got %q.", rag.Clip(in.Policy, 40))
	}
	if in.TopK != nil {
		if q.TopK = *in.TopK; q.TopK < 1 || q.TopK > maxPassages {
			return q, rag.FieldErrorf("/top_k", "top_k must be between 1 and %d, got %d.", maxPassages, q.TopK)
		}
	}
	if in.Neighbours < 0 || in.Neighbours > rag.MaxNeighbours {
		return q, rag.FieldErrorf("/neighbours", "neighbours must be between 0 and %d, got %d.", rag.MaxNeighbours, in.Neighbours)
	}
	if in.Language != "" && rag.LanguageName(in.Language) == "" {
		return q, rag.FieldErrorf("/language", "language must be one of %s, got %q.", languageTags(), rag.Clip(in.Language, 40))
	}
	if len(in.Messages) > maxMessages {
		return q, rag.FieldErrorf("/messages", "messages has %d turns; at most %d are allowed.", len(in.Messages), maxMessages)
	}
	for _, m := range in.Messages {
		if m.Role != "user" && m.Role != "assistant" {
			return q, rag.FieldErrorf("/messages", "A message's role must be user or assistant, got %q.", rag.Clip(m.Role, 40))
		}
		if n := utf8.RuneCountInString(m.Content); n == 0 || n > maxMessageContent {
			return q, rag.FieldErrorf("/messages", "A message's content must have 1 to %d characters.", maxMessageContent)
		}
		q.Messages = append(q.Messages, rag.Message(m))
	}
	return q, q.Query.WithDefaults().Validate()
}

func (s *server) query(w http.ResponseWriter, r *http.Request) error {
	body, err := readJSON(w, r, maxJSON)
	if err != nil {
		return err
	}
	var in queryRequest
	if err := decodeBytes(body, &in); err != nil {
		return err
	}
	q, err := in.question()
	if err != nil {
		return err
	}
	if err := seesAll(r, q.Collections); err != nil {
		return err
	}
	if in.Stream {
		return s.stream(w, r, q, hashOf(body))
	}
	a, err := s.o.Answer.Answer(r.Context(), q, nil)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, wireAnswer(a))
}
