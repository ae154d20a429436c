// Package counterfactual makes claims from the sentences of texts: false ones, by one change of a fact, and true ones, by light paraphrase. They measure whether a system that checks
// claims notices the first and leaves the second alone.
//
// It owns its word lists and knows nothing of what is measured. The same texts and seed give the same claims.
package counterfactual

import (
	"math/rand/v2"
	"strings"

	"footnote/internal/text"
)

// Kind is what was changed.
type Kind string

// The kinds of false claims, and of true ones.
const (
	Number    Kind = "number"
	Date      Kind = "date"
	Unit      Kind = "unit"
	Negation  Kind = "negation"
	Direction Kind = "direction"
	Name      Kind = "name"
	Role      Kind = "role"

	Reordered Kind = "reordered" // clauses have changed places
	Synonym   Kind = "synonym"   // another word for the same
	Dropped   Kind = "dropped"   // an adjunct was left out
	Rewritten Kind = "rewritten" // a number in another form
	Verbatim  Kind = "verbatim"  // nothing but space or the last mark
)

// False tells whether claims of the kind are untrue.
func (k Kind) False() bool {
	switch k {
	case Number, Date, Unit, Negation, Direction, Name, Role:
		return true
	}
	return false
}

// Kinds of false and of true claims.
var (
	FalseKinds = []Kind{Number, Date, Unit, Negation, Direction, Name, Role}
	TrueKinds  = []Kind{Reordered, Synonym, Dropped, Rewritten, Verbatim}
)

// change makes a claim of a sentence, or "" where it cannot.
func change(k Kind, sentence, passage string, chinese bool, rng *rand.Rand) string {
	switch k {
	case Number:
		return changeNumber(sentence, passage, false, rng)
	case Date:
		return changeNumber(sentence, passage, true, rng)
	case Unit:
		return replaceOne(sentence, unitSwaps(chinese), chinese, rng, func(before, after string) bool { return endsInNumber(before) && !hasPrefix(after, "代", "年", "月") })
	case Direction:
		return replaceOne(sentence, directionSwaps(chinese), chinese, rng, nil)
	case Negation:
		if chinese {
			return denyChinese(sentence, rng)
		}
		return denyEnglish(sentence, rng)
	case Name:
		return changeName(sentence, passage, chinese, rng)
	case Role:
		return changeRole(sentence, passage, chinese, rng)
	case Reordered:
		return reorder(sentence, chinese)
	case Synonym:
		return replaceOne(sentence, synonymSwaps(chinese), chinese, rng, nil)
	case Dropped:
		return dropAdjunct(sentence, chinese, rng)
	case Rewritten:
		return rewriteNumber(sentence, chinese)
	case Verbatim:
		return strings.TrimRight(sentence, ".。 ") + " "
	}
	return ""
}

// replaceOne replaces one of the words that swaps lists by its counterpart. where, unless nil, looks at what stands before and after it.
func replaceOne(s string, swaps [][2]string, chinese bool, rng *rand.Rand, where func(before, after string) bool) string {
	type place struct {
		at   int
		swap [2]string
	}
	var places []place
	for _, w := range swaps {
		for from := 0; ; {
			i := strings.Index(s[from:], w[0])
			if i < 0 {
				break
			}
			i += from
			from = i + len(w[0])
			if !chinese && (!edge(s, i, -1) || !edge(s, from, +1)) || where != nil && !where(s[:i], s[from:]) {
				continue
			}
			places = append(places, place{i, w})
		}
	}
	if len(places) == 0 {
		return ""
	}
	p := places[rng.IntN(len(places))]
	return s[:p.at] + p.swap[1] + s[p.at+len(p.swap[0]):]
}

// edge tells whether a word ends at byte i, looking back or ahead.
func edge(s string, i, way int) bool {
	if way < 0 {
		return i == 0 || !isWordByte(s[i-1])
	}
	return i == len(s) || !isWordByte(s[i])
}

func isWordByte(b byte) bool {
	return b|0x20 >= 'a' && b|0x20 <= 'z' || b >= '0' && b <= '9' || b == '-' || b == '\''
}

// sentencesOf are the sentences of a text that a claim can be made of.
func sentencesOf(s string, chinese bool) []string {
	var out []string
	for _, span := range text.Sentences(s) {
		sentence := strings.TrimSpace(text.Slice(s, span.Start, span.End))
		n := text.Len(sentence)
		if chinese && (n < 12 || n > 120) || !chinese && (n < 40 || n > 300) || strings.ContainsAny(sentence, "\n?？") {
			continue
		}
		out = append(out, sentence)
	}
	return out
}
