// Package answer makes grounded answers: it searches, decides whether the evidence will do, extracts or has a model write, and ties every
// claim to the exact span of its source, checked by code.
//
// It owns the prompt, the claims, citations and their verification, and abstention. It knows no store and no client.
package answer

import (
	"context"
	"log/slog"
	"time"

	"footnote/internal/rag"
	"footnote/internal/text"
)

// Search finds passages.
type Search interface {
	Search(ctx context.Context, q rag.Query) (rag.Hits, error)
}

// Embedder embeds questions and sentences; the vectors are comparable by dot product.
type Embedder interface {
	EmbedQueries(ctx context.Context, texts []string) ([]rag.Embedding, error)
	EmbedDocuments(ctx context.Context, texts []string) ([]rag.Embedding, error)
	Model() string
	MaxTokens() int
	CountTokens(text string) int
}

// TokenEmbedder gives the state of every token of a text, as unit vectors of one length. Only some models do.
type TokenEmbedder interface {
	TokenStates(ctx context.Context, texts []string, query bool) ([][]rag.Embedding, error)
}

// Centre takes out of the unit states of one text, in place, what those of all texts share.
type Centre func(states []rag.Embedding, query bool)

// Catalog holds the text that citations are checked against, and the citations.
type Catalog interface {
	DocumentByID(ctx context.Context, id rag.DocumentID) (rag.Document, error)
	Text(ctx context.Context, id rag.DocumentID) (string, error)
	Pages(ctx context.Context, id rag.DocumentID) ([]rag.PageSpan, error)
	Chunks(ctx context.Context, id rag.DocumentID, after, limit int) ([]rag.Chunk, error)
	SaveCitations(ctx context.Context, citations []rag.Citation) error
	Citation(ctx context.Context, id rag.CitationID) (rag.Citation, error)
}

// Chat is a language model. Generate calls emit with each piece, in order; an error of emit ends it.
type Chat interface {
	Generate(ctx context.Context, p rag.Prompt, emit func(rag.Delta) error) error
	Model() string
}

// Options wires a Service. Search, Embedder, Catalog and Logger are needed.
type Options struct {
	Search      Search
	Embedder    Embedder
	Tokens      TokenEmbedder // for late interaction; nil: there is none
	Centre      Centre        // of the states that Tokens gives; nil: only their own mean is known
	Catalog     Catalog
	Supporter   Supporter      // scores how far a span bears a claim out; nil: the regression that is built in
	Chat        Chat           // nil: extractive answers
	Judge       Judge          // nil: verify=judge is refused
	Others      []Chat         // asked in order where the one before fails before its first word
	Timeout     time.Duration  // of a whole generation, whoever writes; 0: the Chats' own
	Defaults    rag.Generation // for what a question leaves open
	Window      Window         // of prompts where no Chat has one; nil: they are not bounded
	Collections Collections    // whose templates make the prompts; nil: the default one does
	Fallback    bool           // when Chat fails before its first word, answer extractively rather than with an error
	Always      bool           // hold the evidence of any passage to be enough: to measure what abstaining is worth
	Logger      *slog.Logger
	Observe     func(stage string, d time.Duration) // nil: nobody looks
}

// Service answers. Any number of goroutines may use it.
type Service struct {
	o    Options
	kept *sentenceCache
}

// New makes a Service.
func New(o Options) *Service {
	if o.Observe == nil {
		o.Observe = func(string, time.Duration) {}
	}
	if o.Supporter == nil {
		o.Supporter = regression{}
	}
	return &Service{o, newSentenceCache()}
}

// DefaultPassages is how many passages an answer is made from when the question does not say.
const DefaultPassages = 8

// Extractive is the model name of answers that no language model wrote.
const Extractive = "extractive"

// Answer answers q from the collections that it names. emit, unless nil, is called with each step as it happens, in the caller's
// goroutine; what it is given adds up to the Answer that is returned. An error of emit ends the work and is returned.
// Errors: those of search; rag.Unavailable, rag.RateLimited, rag.Timeout or rag.BadUpstream when the language model failed.
func (s *Service) Answer(ctx context.Context, q rag.Question, emit func(rag.Event) error) (rag.Answer, error) {
	streaming := emit != nil
	if !streaming {
		emit = func(rag.Event) error { return nil }
	}
	if q.TopK == 0 {
		q.TopK = DefaultPassages
	}
	q.Collapse = true // a text that is there twice has its place in the prompt once
	if err := s.allowed(q.Verify, q.Policy); err != nil {
		return rag.Answer{}, err
	}
	started := time.Now()
	hits, err := s.o.Search.Search(ctx, q.Query)
	if err != nil {
		return rag.Answer{}, err
	}
	if q.ID == "" {
		q.ID = rag.NewAnswerID()
	}
	a := rag.Answer{ID: q.ID, Language: q.Language, Model: Extractive, Degraded: hits.Degraded, Timings: hits.Timings, CreatedAt: started, Explanation: hits.Explanation}
	if a.Language == "" {
		a.Language = text.Language(q.Text)
	}
	if s.o.Chat != nil {
		a.Model = s.o.Chat.Model()
	}
	for i, h := range hits.Hits {
		a.Passages = append(a.Passages, rag.Passage{Number: i + 1, Hit: h})
	}
	if err := s.addNeighbours(ctx, q.Neighbours, &a); err != nil {
		return a, err
	}
	w := &writer{Service: s, ctx: ctx, question: q, answer: &a, emit: emit, streaming: streaming, sources: map[rag.DocumentID]source{}}
	if err := emit(rag.Event{Kind: rag.EventRetrieved, Passages: a.Passages}); err != nil {
		return a, err
	}
	if err := w.held(w.write); err != nil {
		return a, err
	}
	if err := s.o.Catalog.SaveCitations(ctx, a.Citations); err != nil {
		return a, err
	}
	a.Timings["total"] = time.Since(started)
	return a, emit(rag.Event{Kind: rag.EventGrounded, Answer: &a})
}

// writer makes one answer.
type writer struct {
	*Service
	ctx       context.Context // of this one call
	question  rag.Question
	answer    *rag.Answer
	emit      func(rag.Event) error
	streaming bool                      // somebody reads along: what was said cannot be taken back
	sources   map[rag.DocumentID]source // read so far
	reading   *reading                  // what the passages say of the question; nil: not looked yet
	parts     []part                    // of a written answer, and its markers
	marks     []rag.Span
	notes     []footnote
	concluded string // what conclude gave for the reason
	live      *live  // nil: nothing is said before all is written
}

func (w *writer) write() error {
	reason, err := w.weak()
	if err != nil {
		return err
	}
	if reason != "" && (!w.o.Always || len(w.answer.Passages) == 0) {
		return w.abstain(reason)
	}
	if w.o.Chat == nil {
		return w.timed("extract", w.extract)
	}
	err = w.timed("generate", w.generate)
	if err != nil && rag.CodeOf(err) != rag.Invalid && w.o.Fallback && (w.answer.Text == "" || !w.streaming) && w.ctx.Err() == nil {
		w.o.Logger.Warn("the language model failed, answering extractively", "error", err)
		w.answer.Text, w.answer.Claims, w.answer.Citations, w.answer.Usage = "", nil, nil, rag.Usage{}
		w.answer.Dropped, w.answer.Thinking, w.answer.Prompt = nil, "", nil
		w.parts, w.marks, w.notes, w.live = nil, nil, nil, nil
		w.answer.Model, w.answer.Fallback, w.answer.Reason = Extractive, true, "The language model failed ("+string(rag.CodeOf(err))+"); this answer was extracted from the documents without it."
		return w.timed("extract", w.extract)
	}
	return err
}

func (w *writer) timed(stage string, f func() error) error {
	started := time.Now()
	err := f()
	d := time.Since(started)
	w.answer.Timings[stage] = d
	w.o.Observe(stage, d)
	return err
}

// say appends to the answer.
func (w *writer) say(s string) error {
	if s == "" {
		return nil
	}
	w.answer.Text += s
	if w.live != nil {
		return w.live.look()
	}
	return w.emit(rag.Event{Kind: rag.EventDelta, Delta: s})
}

// abstain says that the documents have no answer.
func (w *writer) abstain(reason string) error {
	w.answer.Missing, w.answer.Nearest = missing(w.question.Text, w.answer.Passages), nearest(w.answer.Passages)
	w.answer.Status, w.answer.Reason = rag.Abstained, reason+lacking(w.answer.Missing)
	if w.answer.Text != "" {
		return nil
	}
	return w.say(noAnswer(w.question))
}
