package eval

import (
	"hash/fnv"
	"os"
	"path/filepath"

	"footnote/internal/text"
)

type verifyLine struct {
	Claim    string `json:"claim"`
	DocID    string `json:"doc_id"`
	Label    string `json:"label"`
	Evidence string `json:"evidence"`
}

// LabelledClaim is a claim of a set with the document that it is checked against. Label is SUPPORT, CONTRADICT, NOT_ENOUGH_INFO, or unrelated.
type LabelledClaim struct {
	ClaimPair
	Label, Split string   // Split is "fit" or "held", half of the claims each, by hash: what was learned on the first is measured on the second
	Evidence     []string // sentences of the document that people named
}

// ReadClaims reads a set's verify.jsonl {claim, doc_id, label, evidence}: each claim with its document, and each supported one with the document of another claim, far along the list.
func ReadClaims(dir string) ([]LabelledClaim, error) {
	var documents []Document
	if err := readLines(filepath.Join(dir, "corpus.jsonl"), &documents); err != nil {
		return nil, err
	}
	byID := map[string]Document{}
	for _, d := range documents {
		byID[d.ID] = d
	}
	var lines []verifyLine
	if err := readLines(filepath.Join(dir, "verify.jsonl"), &lines); err != nil {
		return nil, err
	}
	var out []LabelledClaim
	for i, l := range lines {
		d := byID[l.DocID]
		c := LabelledClaim{ClaimPair{l.Claim, d.Title, d.Text}, l.Label, half(l.Claim), nil}
		for _, span := range text.Sentences(l.Evidence) {
			c.Evidence = append(c.Evidence, text.Slice(l.Evidence, span.Start, span.End))
		}
		out = append(out, c)
		if l.Label == "SUPPORT" {
			o := byID[lines[(i+len(lines)/2)%len(lines)].DocID]
			out = append(out, LabelledClaim{ClaimPair{l.Claim, o.Title, o.Text}, "unrelated", half(l.Claim), nil})
		}
	}
	return out, nil
}

// HasClaims tells whether a set has labelled claims.
func HasClaims(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "verify.jsonl"))
	return err == nil
}

func half(claim string) string {
	h := fnv.New32a()
	h.Write([]byte(claim)) // a hash's Write never fails
	if h.Sum32()>>8&1 == 0 {
		return "fit"
	}
	return "held"
}
