package httpapi

import (
	"footnote/internal/rag"
)

type answer struct {
	ID        rag.AnswerID       `json:"id"`
	Status    rag.AnswerStatus   `json:"status"`
	Reason    *string            `json:"reason"`
	Text      string             `json:"text"`
	Language  string             `json:"language"`
	Fallback  bool               `json:"fallback"`
	Degraded  []string           `json:"degraded,omitempty"`
	Explain   *explanation       `json:"explain,omitempty"`
	Claims    []claim            `json:"claims"`
	Citations []citation         `json:"citations"`
	Passages  []passage          `json:"passages"`
	Model     string             `json:"model"`
	Usage     usage              `json:"usage"`
	Timings   map[string]float64 `json:"timings_ms"`
	Missing   []string           `json:"missing,omitempty"`
	Nearest   []nearest          `json:"nearest,omitempty"`
	Dropped   []int              `json:"dropped,omitempty"`
	Thinking  string             `json:"thinking,omitempty"`
	Prompt    *promptVersion     `json:"prompt,omitempty"`
}

func wireAnswer(a rag.Answer) answer {
	out := answer{
		ID: a.ID, Status: a.Status, Text: a.Text, Language: a.Language, Fallback: a.Fallback, Degraded: a.Degraded, Explain: wireExplanation(a.Explanation), Claims: wireClaims(a.Claims), Citations: []citation{},
		Passages: wirePassages(a.Passages), Model: a.Model, Usage: usage(a.Usage), Timings: milliseconds(a.Timings),
		Missing: a.Missing, Dropped: a.Dropped, Thinking: a.Thinking,
	}
	for _, n := range a.Nearest {
		out.Nearest = append(out.Nearest, nearest{n.Collection, wireDocumentRef(n.Document), n.Score})
	}
	if a.Prompt != nil {
		out.Prompt = &promptVersion{a.Prompt.Name, a.Prompt.Version}
	}
	if a.Reason != "" {
		out.Reason = &a.Reason
	}
	for _, c := range a.Citations {
		out.Citations = append(out.Citations, wireCitation(c))
	}
	return out
}

type nearest struct {
	Collection string      `json:"collection"`
	Document   documentRef `json:"document"`
	Score      float64     `json:"score"`
}

type promptVersion struct {
	Name    string `json:"name"`
	Version int    `json:"version"`
}

type usage struct {
	PromptTokens     int `json:"prompt_tokens"`
	CompletionTokens int `json:"completion_tokens"`
}

type passage struct {
	Number      int         `json:"number"`
	ChunkID     rag.ChunkID `json:"chunk_id"`
	Collection  string      `json:"collection"`
	Document    documentRef `json:"document"`
	Text        string      `json:"text"`
	Span        span        `json:"span"`
	HeadingPath []string    `json:"heading_path"`
	Context     string      `json:"context,omitempty"`
	Page        *int        `json:"page"`
	Score       float64     `json:"score"`
	NeighbourOf int         `json:"neighbour_of,omitempty"`
}

func wirePassages(ps []rag.Passage) []passage {
	out := []passage{}
	for _, p := range ps {
		c := p.Hit.Chunk
		out = append(out, passage{p.Number, c.ID, p.Hit.Collection, wireDocumentRef(p.Hit.Document), c.Text, wireSpan(c.Span), wireStrings(c.HeadingPath), c.Context, wirePage(c.Page), p.Hit.Score, p.NeighbourOf})
	}
	return out
}

type claim struct {
	Span        span             `json:"span"`
	Support     *float64         `json:"support"`
	Verdict     rag.Verdict      `json:"verdict"`
	Citations   []int            `json:"citations"`
	Attribution *rag.Attribution `json:"attribution"`
	Mismatches  []mismatch       `json:"mismatches"`
}

type mismatch struct {
	Kind       rag.MismatchKind `json:"kind"`
	Claim      string           `json:"claim"`
	Source     string           `json:"source"`
	ClaimSpan  span             `json:"claim_span"`
	SourceSpan span             `json:"source_span"`
}

func wireClaims(claims []rag.Claim) []claim {
	out := []claim{}
	for _, c := range claims {
		w := claim{Span: wireSpan(c.Span), Support: wireSupport(c.Support, c.Verdict), Verdict: c.Verdict, Citations: c.Citations, Mismatches: []mismatch{}}
		if w.Citations == nil {
			w.Citations = []int{}
		}
		if c.Attribution != "" {
			w.Attribution = &c.Attribution
		}
		for _, m := range c.Mismatches {
			w.Mismatches = append(w.Mismatches, mismatch{m.Kind, m.Claim, m.Source, wireSpan(m.ClaimSpan), wireSpan(m.SourceSpan)})
		}
		out = append(out, w)
	}
	return out
}

// wireSupport is null where nothing was scored.
func wireSupport(support float64, v rag.Verdict) *float64 {
	if v == rag.VerdictUnchecked {
		return nil
	}
	return &support
}
