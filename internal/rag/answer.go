package rag

import (
	"strconv"
	"time"
	"unicode/utf8"
)

// Question asks for an answer grounded in collections.
type Question struct {
	Query                 // TopK 0: 8
	ID         AnswerID   // that the answer shall have; empty: a fresh one
	Language   string     // of the answer; empty: the question's
	Messages   []Message  // earlier turns, oldest first
	Neighbours int        // how many chunks before and after a found one may be passages too; at most MaxNeighbours
	Generation Generation // how a language model writes
	Verify     Verify     // empty: VerifyFast
	Policy     Policy     // empty: PolicyMark
}

// Generation says how a language model writes. The zero value leaves everything to the service.
type Generation struct {
	Temperature *float32 // 0 to MaxTemperature; nil: the service's
	Seed        *int     // of the model's sampling; nil: none
	MaxTokens   int      // of the answer, 0 to MaxAnswerTokens; 0: the service's
	Stop        []string // at most MaxStops texts that end the answer
	Budget      int      // tokens that the prompt may have, as the model counts; 0: what the model's window leaves
}

// Bounds of a Generation.
const (
	MaxTemperature  = 2
	MaxAnswerTokens = 8192
	MaxStops        = 4
	MaxStopLength   = 100 // code points
	MinBudget       = 256
)

// Validate reports an Invalid error naming the field that is out of bounds.
func (g Generation) Validate() error {
	switch {
	case g.Temperature != nil && (*g.Temperature < 0 || *g.Temperature > MaxTemperature):
		return FieldErrorf("/temperature", "temperature must be between 0 and %d, got %g.", MaxTemperature, *g.Temperature)
	case g.MaxTokens < 0 || g.MaxTokens > MaxAnswerTokens:
		return FieldErrorf("/max_tokens", "max_tokens must be between 1 and %d, got %d.", MaxAnswerTokens, g.MaxTokens)
	case len(g.Stop) > MaxStops:
		return FieldErrorf("/stop", "stop has %d texts; at most %d are allowed.", len(g.Stop), MaxStops)
	case g.Budget != 0 && g.Budget < MinBudget:
		return FieldErrorf("/budget", "budget must be at least %d tokens, got %d.", MinBudget, g.Budget)
	}
	for i, s := range g.Stop {
		if n := utf8.RuneCountInString(s); n == 0 || n > MaxStopLength {
			return FieldErrorf("/stop/"+strconv.Itoa(i), "A stop text must have 1 to %d characters, got %d.", MaxStopLength, n)
		}
	}
	return nil
}

// Verify says how the claims of an answer are checked.
type Verify string

// The ways.
const (
	VerifyOff   Verify = "off"   // provenance only: quotes are found at their spans, support is not scored
	VerifyFast  Verify = "fast"  // support is scored by code
	VerifyJudge Verify = "judge" // and by a judge, where one is named
)

// Policy says what becomes of claims that nothing bears out.
type Policy string

// The policies.
const (
	PolicyMark   Policy = "mark"   // they stay, and their verdict says so
	PolicyDrop   Policy = "drop"   // they are left out
	PolicyStrict Policy = "strict" // one of them, and the whole answer is withheld
)

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
	VerdictUnchecked    Verdict = "unchecked" // VerifyOff: nobody looked, and Support means nothing
)

// Passage is a hit numbered for the prompt, from 1. One that was not found but stands beside a found one in its document says of which passage.
type Passage struct {
	Number      int
	Hit         Hit
	NeighbourOf int // the number of the passage that it stands beside; 0: it was found
}

// Attribution says how a claim came to its source.
type Attribution string

// The attributions.
const (
	AttributionMarker  Attribution = "marker"  // the author set a footnote
	AttributionAligned Attribution = "aligned" // nobody did: code found the span that bears the claim out best
)

// MismatchKind names what a claim says otherwise than its source.
type MismatchKind string

// The kinds.
const (
	MismatchNumber     MismatchKind = "number"
	MismatchUnit       MismatchKind = "unit"
	MismatchDate       MismatchKind = "date"
	MismatchName       MismatchKind = "name"
	MismatchRole       MismatchKind = "role"       // the same names, who does what to whom swapped
	MismatchNegation   MismatchKind = "negation"   // one side denies
	MismatchQuantifier MismatchKind = "quantifier" // all, some, none, at most, only
	MismatchDirection  MismatchKind = "direction"  // rises or falls, before or after, more or less
	MismatchJudged     MismatchKind = "judged"     // no code but the judge says so; Source is what it quotes
)

// Mismatch is a point on which a claim and its source differ. Without one, a claim is never called contradicted by code.
type Mismatch struct {
	Kind       MismatchKind
	Claim      string // the words of the claim; empty where the claim lacks what the source has
	Source     string // the words of the source; empty where the source lacks it
	ClaimSpan  Span   // of Answer.Text, or of the text that was grounded
	SourceSpan Span   // of the document version's normalised text, or of the passage that was given
}

// Claim is a part of the answer that says one thing. Citations are markers, none when nothing bears it out.
type Claim struct {
	Span        Span    // of Answer.Text
	Support     float64 // 0 to 1: that of its best citation
	Verdict     Verdict
	Citations   []int
	Attribution Attribution // empty: it has no citation
	Mismatches  []Mismatch  // with the source of its best citation
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
	Support     float64
	Attribution Attribution
	Passage     int // number of the passage that has the span; 0 in a citation read from the catalog
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

	Missing  []string          // words, names and numbers of the question that no passage has; of abstentions
	Nearest  []NearestDocument // what came closest; of abstentions
	Dropped  []int             // numbers of the passages that did not fit into the model's window
	Thinking string            // what a reasoning model thought before it answered; never part of Text
	Prompt   *PromptVersion    // nil: no language model was asked
}

// NearestDocument is a document that came close to answering.
type NearestDocument struct {
	Collection string
	Document   Document
	Score      float64 // of its best passage
}

// PromptVersion names the template that a prompt was made of.
type PromptVersion struct {
	Name    string // "default", or the collection whose template it is
	Version int    // rises with each change of the template
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
	Text     string
	Thinking string // a piece of what a reasoning model thinks; never part of the answer
	Cut      bool   // the model stopped because it had written as much as it may; with the last piece
	Usage    *Usage // with the last piece, when the provider tells
}

// Prompt is what a chat model is sent.
type Prompt struct {
	System      string
	Messages    []Message // the last is the user's
	MaxTokens   int       // 0: the provider's
	Temperature *float32  // nil: the provider's
	Seed        *int
	Stop        []string
}
