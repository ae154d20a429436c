package local

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// plainTokenizer follows the definition and nothing else: maps, a look-up of every span, one lattice a text, float64.
type plainTokenizer struct {
	*listing
	ids     map[string]int32
	longest int // characters of a piece
	unknown float64
}

var plainly = sync.OnceValue(func() *plainTokenizer {
	p := &plainTokenizer{listing: listed(), ids: make(map[string]int32)}
	for id, piece := range p.pieces {
		if !p.special[id] {
			p.ids[string(piece)] = int32(id)
			p.longest = max(p.longest, utf8.RuneCount(piece))
		}
	}
	p.unknown = float64(slices.Min(p.scores)) - unknownPenalty
	return p
})

func (p *plainTokenizer) normalise(text string) string {
	var mapped strings.Builder
	for _, r := range text {
		if to, ok := p.replace[r]; ok {
			mapped.WriteString(to)
		} else {
			mapped.WriteRune(r)
		}
	}
	s := norm.NFC.String(mapped.String())
	for strings.Contains(s, "  ") {
		s = strings.ReplaceAll(s, "  ", " ")
	}
	return wordMark + strings.ReplaceAll(strings.TrimPrefix(s, " "), " ", wordMark)
}

func (p *plainTokenizer) encode(text string) []int32 {
	s := []rune(p.normalise(text))
	ids := []int32{0, 2}
	if len(s) == 1 {
		return ids
	}
	type way struct {
		score float64
		from  int
		id    int32
	}
	ways := make([]way, len(s)+1)
	for to := 1; to <= len(s); to++ {
		ways[to].score = math.Inf(-1)
		for from := max(0, to-p.longest); from < to; from++ {
			id, ok := p.ids[string(s[from:to])]
			score := ways[from].score
			switch {
			case ok:
				score += float64(p.scores[id])
			case to == from+1:
				id, score = 3, score+p.unknown
			default:
				continue
			}
			if score > ways[to].score {
				ways[to] = way{score, from, id}
			}
		}
	}
	for at := len(s); at > 0; at = ways[at].from {
		ids = slices.Insert(ids, 1, ways[at].id)
	}
	return ids
}

// randomText mixes what tokenizers stumble over: pieces, code points of every kind, spaces, marks that combine, replaced characters, bytes that are no UTF-8.
func randomText(r *rand.Rand, p *plainTokenizer, replaced []rune, texts []referenceText) string {
	var b strings.Builder
	for range r.IntN(30) {
		switch r.IntN(12) {
		case 0, 1, 2:
			b.WriteString(strings.ReplaceAll(string(p.pieces[r.IntN(len(p.pieces))]), wordMark, " "))
		case 3:
			b.WriteString(string(p.pieces[r.IntN(2000)]))
		case 4:
			b.WriteRune(rune(r.IntN(utf8.MaxRune + 1)))
		case 5:
			b.WriteRune(rune(r.IntN(0x3000)))
		case 6:
			b.WriteRune(rune(0x3000 + r.IntN(0xd000)))
		case 7:
			b.WriteRune(rune(0x300 + r.IntN(0x70)))
		case 8:
			b.WriteString(strings.Repeat(" ", r.IntN(4)))
		case 9:
			b.WriteRune(replaced[r.IntN(len(replaced))])
		case 10:
			b.WriteByte(byte(r.Uint32()))
		default:
			text := texts[r.IntN(len(texts))].Text
			from := r.IntN(len(text) + 1)
			piece := text[from : from+r.IntN(min(40, len(text)-from)+1)]
			if r.IntN(4) == 0 {
				piece = norm.NFD.String(piece)
			}
			b.WriteString(piece)
		}
	}
	return b.String()
}

func checkPlain(t *testing.T, text string) {
	t.Helper()
	want := plainly().encode(text)
	if got := tokenizing().encode(text); !slices.Equal(got, want) {
		t.Fatalf("%q:\ngot  %v\nwant %v", text, got, want)
	}
	if got := tokenizing().count(text); got != len(want)-2 {
		t.Fatalf("%q: counted %d, want %d", text, got, len(want)-2)
	}
	// The lattice that is not cut at word marks is what other models' files use.
	s, ids := plainly().normalise(text), want[1:len(want)-1]
	tokenizing().each(s, func(id int32) {
		if len(ids) == 0 || ids[len(ids)-1] != id {
			t.Fatalf("%q: each gives %d, want %v", text, id, ids)
		}
		ids = ids[:len(ids)-1]
	})
	if len(ids) > 0 {
		t.Fatalf("%q: each stops short of %v", text, ids)
	}
}

func TestTokenizer_IDsEqualTheDefinition(t *testing.T) {
	texts := reference(t)
	for _, r := range texts {
		checkPlain(t, r.Text)
	}
	var replaced []rune
	for from := range plainly().replace {
		replaced = append(replaced, from)
	}
	slices.Sort(replaced)
	n := 4000
	if raceEnabled || testing.Short() {
		n = 1000
	}
	for seed := range n {
		checkPlain(t, randomText(rand.New(rand.NewPCG(uint64(seed), 1)), plainly(), replaced, texts))
	}
}

// TestTokenizer_EveryCharacterAlone goes through Unicode: each code point before, after and between others.
func TestTokenizer_EveryCharacterAlone(t *testing.T) {
	step := rune(7) // each of the seven residues was tried once
	if raceEnabled || testing.Short() {
		step = 97
	}
	for r := rune(0); r <= utf8.MaxRune; r += step {
		if r == 0x30000 {
			r = 0xe0000 // unassigned in between
		}
		checkPlain(t, string(r)+"e"+string(r)+"\u0301 中"+string(r))
	}
}

// TestTokenizer_SumsAreExact is why a text can be cut at its word marks: with scores that are whole multiples of 2^-22, no sum is rounded.
func TestTokenizer_SumsAreExact(t *testing.T) {
	for id, s := range tokenizing().scores {
		if v := float64(s) * (1 << 22); v != math.Trunc(v) {
			t.Fatalf("the score of piece %d, %v, is no multiple of 2^-22", id, s)
		}
	}
	for id, p := range listed().pieces {
		if strings.LastIndex(string(p), wordMark) > 0 {
			t.Fatalf("piece %d, %q, has a word mark inside", id, p)
		}
	}
}

func FuzzTokenizer(f *testing.F) {
	for _, s := range []string{"query: 你好，world ¼ \x00", "e\u0301\u0323 ﷺ", "  a  b ", "\u1100\u1161\u11a8", "▁▁ \u2581x"} {
		f.Add(s)
	}
	f.Fuzz(checkPlain)
}
