package answer

import (
	"context"

	"footnote/internal/rag"
	"footnote/internal/text"
)

// Check is a claim and a passage to check it against.
type Check struct{ Claim, Title, Passage string }

// Checked is how a passage stands to a claim.
type Checked struct {
	Source        rag.Span // of Passage: what bears the claim out best
	Support       float64  // 0 to 1
	Verdict       rag.Verdict
	Mismatches    []rag.Mismatch // their spans are of Claim and of Passage
	Cosine        float64        // of claim and span
	Covered       float64        // share of the claim's terms, by rarity, that the span has
	NumberMissing bool           // a number of the claim stands nowhere in the passage
	Features      []float64      // of the regression, in the order of FeatureNames
}

// FeatureNames name the features of the regression behind Support.
func FeatureNames() []string { return featureNames }

// Check aligns and scores each claim with its passage, as the claims of an answer are. For measuring and fitting. There is one Checked for each check, in their order. Errors: those of the embedder.
func (s *Service) Check(ctx context.Context, checks []Check) ([]Checked, error) {
	out := make([]Checked, len(checks))
	for at := 0; at < len(checks); at += checkBatch { // embedded together, which is quicker
		var texts []string
		for _, c := range checks[at:min(at+checkBatch, len(checks))] {
			texts = append(texts, c.Claim)
			for _, span := range sentences(rag.Chunk{Text: c.Passage}) {
				texts = append(texts, text.Slice(c.Passage, span.Start, span.End))
			}
		}
		if _, err := s.sentenceVectors(ctx, texts); err != nil {
			return nil, err
		}
		if err := s.check(ctx, checks[at:min(at+checkBatch, len(checks))], out[at:]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

const checkBatch = 64

func (s *Service) check(ctx context.Context, checks []Check, out []Checked) error {
	for i, c := range checks {
		p := rag.Passage{Number: 1, Hit: rag.Hit{Document: rag.Document{Title: c.Title}, Chunk: rag.Chunk{Text: c.Passage, Span: rag.Span{End: text.Len(c.Passage)}}}}
		aligned, err := s.align(ctx, []statement{{c.Claim, rag.Span{End: text.Len(c.Claim)}}}, []rag.Passage{p}, []pair{{}})
		if err != nil {
			return err
		}
		a := aligned[0]
		out[i] = Checked{Source: a.Source, Support: a.Support, Verdict: a.Verdict, Mismatches: a.Mismatches, Cosine: a.bearing.Cosine, Covered: a.bearing.Covered, NumberMissing: a.bearing.Comparison.Numbers.Missing() > 0, Features: a.bearing.features()}
	}
	return nil
}
