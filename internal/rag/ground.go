package rag

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Bounds of a text to ground.
const (
	MaxGroundedText   = 20000 // code points
	MaxGivenPassages  = 64
	MaxGivenPassage   = 20000  // code points
	MaxGivenPassageID = 512    // code points
	MaxGivenTitle     = 512    // code points
	MaxGivenText      = 200000 // code points of all passages together
	MaxGroundedClaims = 100
	MaxGroundedTopK   = 20
)

// GroundRequest asks what bears a text out, whoever wrote it: passages of collections, or passages that the caller gives. Exactly one of the two.
type GroundRequest struct {
	Text        string
	Collections []string
	Filter      *Filter
	TopK        int            // passages searched for each claim; 0: 5
	Given       []GivenPassage // instead of collections
	Verify      Verify         // VerifyFast or VerifyJudge; empty: VerifyFast
}

// GivenPassage is a passage that a caller brings along.
type GivenPassage struct {
	ID    string // the caller's name for it; may be empty
	Title string
	Text  string
}

// Validate reports an Invalid error naming the field that is out of bounds. Names of collections and the filter are the search's to check.
func (r GroundRequest) Validate() error {
	switch n := utf8.RuneCountInString(r.Text); {
	case strings.TrimSpace(r.Text) == "":
		return FieldErrorf("/text", "text must not be empty.")
	case !utf8.ValidString(r.Text):
		return FieldErrorf("/text", "text must be valid UTF-8.")
	case n > MaxGroundedText:
		return FieldErrorf("/text", "text has %d characters; at most %d are allowed.", n, MaxGroundedText)
	case len(r.Collections) > 0 == (len(r.Given) > 0):
		return FieldErrorf("/passages", "Give either collections to search or passages to check against, not both and not neither.")
	case len(r.Given) > MaxGivenPassages:
		return FieldErrorf("/passages", "passages has %d entries; at most %d are allowed.", len(r.Given), MaxGivenPassages)
	case r.TopK < 0 || r.TopK > MaxGroundedTopK:
		return FieldErrorf("/top_k", "top_k must be between 1 and %d, got %d.", MaxGroundedTopK, r.TopK)
	case r.TopK > 0 && len(r.Given) > 0:
		return FieldErrorf("/top_k", "top_k is for collections; all of the passages are looked at.")
	case r.Filter != nil && len(r.Given) > 0:
		return FieldErrorf("/filter", "filter is for collections, and passages were given.")
	case r.Verify != "" && r.Verify != VerifyFast && r.Verify != VerifyJudge:
		return FieldErrorf("/verify", "verify must be fast or judge, got %q.", Clip(string(r.Verify), 40))
	}
	total := 0
	for i, p := range r.Given {
		n := utf8.RuneCountInString(p.Text)
		total += n
		switch {
		case strings.TrimSpace(p.Text) == "":
			return FieldErrorf("/passages/"+strconv.Itoa(i)+"/text", "A passage's text must not be empty.")
		case n > MaxGivenPassage:
			return FieldErrorf("/passages/"+strconv.Itoa(i)+"/text", "The passage has %d characters; at most %d are allowed.", n, MaxGivenPassage)
		case !utf8.ValidString(p.Text):
			return FieldErrorf("/passages/"+strconv.Itoa(i)+"/text", "A passage's text must be valid UTF-8.")
		case utf8.RuneCountInString(p.ID) > MaxGivenPassageID:
			return FieldErrorf("/passages/"+strconv.Itoa(i)+"/id", "The passage's id has more than %d characters.", MaxGivenPassageID)
		case utf8.RuneCountInString(p.Title) > MaxGivenTitle:
			return FieldErrorf("/passages/"+strconv.Itoa(i)+"/title", "The passage's title has more than %d characters.", MaxGivenTitle)
		case total > MaxGivenText:
			return FieldErrorf("/passages", "The passages have more than %d characters together.", MaxGivenText)
		}
	}
	return nil
}

// Grounding is a text with what bears each of its claims out. Citations of given passages have no document and no chunk: they name the passage, and their spans are of
// its text as it was given.
type Grounding struct {
	Status    AnswerStatus // Answered: every claim is supported; Partial: some are; Abstained: none is
	Text      string
	Language  string
	Claims    []Claim
	Citations []Citation
	Passages  []Passage
	Degraded  []string
	Timings   Timings
}
