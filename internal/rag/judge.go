package rag

// JudgeCase asks what a source says of a claim.
type JudgeCase struct {
	Claim  string
	Source string // the text that is to bear the claim out
}

// Judgement is what a judge says of a case. The zero value says nothing: the judge could not be asked, or answered nonsense.
type Judgement struct {
	Relation   Relation
	Quote      string  // the words of the source that decide it; empty when the judge does not quote
	Confidence float64 // 0 to 1; 1 from a judge that does not say
}

// Relation says what a source does for a claim, in the words of textual entailment.
type Relation string

// The relations.
const (
	Entailed  Relation = "entailed"
	Denied    Relation = "contradicted"
	NotStated Relation = "not_stated"
)
