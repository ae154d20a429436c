package rag

import "time"

// Question asks for an answer grounded in collections.
type Question struct {
	Query                // TopK 0: 8
	Language   string    // of the answer; empty: the question's
	Messages   []Message // earlier turns, oldest first
	Neighbours int       // how many chunks before and after a found one may be passages too; at most MaxNeighbours
}

// MaxNeighbours bounds Question.Neighbours.
const MaxNeighbours = 2

// Message is one earlier turn of a conversation.
type Message struct {
	Role    string // "user" or "assistant"
	Content string
}

// AnswerStatus says how much of an answer its sources bear out.
type AnswerStatus string

// The statuses.
const (
	Answered  AnswerStatus = "answered"  // every claim is supported
	Partial   AnswerStatus = "partial"   // some claims are not
	Abstained AnswerStatus = "abstained" // not in the documents
)

// Verdict says what the cited span does for a claim.
type Verdict string

// The verdicts.
const (
	VerdictSupported    Verdict = "supported"
	VerdictWeak         Verdict = "weak"
	VerdictUnsupported  Verdict = "unsupported"
	VerdictContradicted Verdict = "contradicted"
)

// Passage is a hit numbered for the prompt, from 1. One that was not found but stands beside a found one in its document says of which passage.
type Passage struct {
	Number      int
	Hit         Hit
	NeighbourOf int // the number of the passage that it stands beside; 0: it was found
}

// Claim is a part of the answer that says one thing. Citations are markers.
type Claim struct {
	Span      Span // of Answer.Text
	Support   float64
	Verdict   Verdict
	Citations []int
}

// Citation ties a claim to its source. Verified means that code found Quote verbatim at SourceSpan of the stored text of that
// version, inside a passage that was supplied; it proves provenance, not support.
type Citation struct {
	ID          CitationID
	Marker      int
	AnswerSpan  Span // of Answer.Text
	Collection  string
	Document    Document // ID, ExternalID, Title, Version
	ChunkID     ChunkID
	SourceSpan  Span // of the document version's normalised text
	Quote       string
	Page        int
	HeadingPath []string
	Verified    bool
	Verdict     Verdict
}

// Usage counts a language model's tokens.
type Usage struct{ PromptTokens, CompletionTokens int }

// Answer is a grounded answer. In Text every marker [n] resolves to a citation.
type Answer struct {
	ID        AnswerID
	Status    AnswerStatus
	Reason    string   // why it abstained, is partial, or fell back; empty otherwise
	Degraded  []string // stages of the search that failed and were left out
	Fallback  bool     // a language model was named but failed, and the answer is extractive
	Text      string
	Language  string
	Claims    []Claim
	Citations []Citation
	Passages  []Passage
	Model     string // "extractive" or the language model's name
	Usage     Usage
	Timings   Timings
	CreatedAt time.Time

	Explanation *Explanation // of the search for passages; nil unless it was asked for
}

// EventKind names a step of an answer in the making.
type EventKind string

// The kinds, in the order in which they come.
const (
	EventRetrieved EventKind = "retrieval.completed" // Passages
	EventDelta     EventKind = "answer.delta"        // Delta
	EventCitation  EventKind = "citation.added"      // Citation
	EventGrounded  EventKind = "grounding.completed" // Answer
)

// Event is a step of an answer in the making; only the field that its kind names is set.
type Event struct {
	Kind     EventKind
	Passages []Passage
	Delta    string
	Citation *Citation
	Answer   *Answer
}

// Delta is a piece of generated text.
type Delta struct {
	Text  string
	Usage *Usage // with the last piece, when the provider tells
}

// Prompt is what a chat model is sent.
type Prompt struct {
	System      string
	Messages    []Message // the last is the user's
	MaxTokens   int
	Temperature float32
}
