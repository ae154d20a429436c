package answer

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"footnote/internal/lexical"
	"footnote/internal/rag"
	"footnote/internal/text"
)

// Bounds of what an abstention tells.
const (
	maxMissing = 12
	maxNearest = 3
)

// missing lists what the question is about and no passage has: words and numbers, and runs of Chinese characters no two neighbours of which stand together in a
// passage, in the question's order. Where all passages are in the other language only numbers and Latin words can be compared, and only where the passages have such.
func missing(question string, passages []rag.Passage) []string {
	has := map[string]bool{}
	chinese, latin := false, false
	for _, p := range passages {
		body := p.Hit.Chunk.Embedded(p.Hit.Document.Title)
		for term := range termSet(body) {
			has[term] = true
		}
		if script(p.Hit.Chunk.Text) == "zh" {
			chinese = true
		} else {
			latin = true
		}
	}
	var out []string
	add := func(word string) {
		if word != "" && len(out) < maxMissing && !slices.Contains(out, word) {
			out = append(out, word)
		}
	}
	for _, run := range runs(withoutAsking(question)) {
		switch {
		case lexical.IsHan([]rune(run)[0]):
			if chinese || len(passages) == 0 {
				for _, word := range unknownHan(run, has) {
					add(word)
				}
			}
		case strings.ContainsFunc(run, unicode.IsDigit) || latin || len(passages) == 0:
			terms := termSet(run)
			if len(terms) > 0 && coverage(terms, has) == 0 {
				add(run)
			}
		}
	}
	return out
}

// runs cuts a text into words and runs of Chinese characters, as they are written.
func runs(s string) []string {
	var out []string
	var run []rune
	flush := func() {
		if word := strings.Trim(string(run), ".-_'’/:@#+"); word != "" {
			out = append(out, word)
		}
		run = run[:0]
	}
	for _, r := range s {
		han := lexical.IsHan(r)
		inWord := han || unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || strings.ContainsRune(".-_'’/:@#+", r)
		if !inWord || len(run) > 0 && lexical.IsHan(run[0]) != han {
			flush()
		}
		if inWord {
			run = append(run, r)
		}
	}
	flush()
	return out
}

// unknownHan are the longest parts of a run of Chinese characters of which no pair of neighbours is known.
func unknownHan(run string, has map[string]bool) []string {
	r := []rune(run)
	known := func(from, to int) bool {
		for term := range termSet(string(r[from:to])) {
			if text.Len(term) == to-from {
				return has[term]
			}
		}
		return false
	}
	if len(r) == 1 {
		if known(0, 1) {
			return nil
		}
		return []string{run}
	}
	in := make([]bool, len(r)) // some known pair has the character
	for i := 0; i+1 < len(r); i++ {
		if known(i, i+2) {
			in[i], in[i+1] = true, true
		}
	}
	var out []string
	for i := 0; i < len(r); i++ {
		j := i
		for j < len(r) && !in[j] {
			j++
		}
		if j-i >= 2 || j-i == 1 && !known(i, j) {
			out = append(out, string(r[i:j]))
		}
		i = j
	}
	return out
}

// nearest are the documents of the first passages, each once.
func nearest(passages []rag.Passage) []rag.NearestDocument {
	var out []rag.NearestDocument
	seen := map[rag.DocumentID]bool{}
	for _, p := range found(passages) {
		if len(out) == maxNearest {
			break
		}
		if !seen[p.Hit.Document.ID] {
			seen[p.Hit.Document.ID] = true
			out = append(out, rag.NearestDocument{Collection: p.Hit.Collection, Document: p.Hit.Document, Score: p.Hit.Score})
		}
	}
	return out
}

// lacking says in a sentence what was missing; it is empty when nothing was.
func lacking(words []string) string {
	switch len(words) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf(" No passage has %q.", words[0])
	}
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = fmt.Sprintf("%q", w)
	}
	return " No passage has " + strings.Join(quoted[:len(quoted)-1], ", ") + " or " + quoted[len(quoted)-1] + "."
}
