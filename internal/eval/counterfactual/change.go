// Package counterfactual makes claims from the sentences of texts: false ones, by one change of a fact, and true ones, by light paraphrase. They measure whether a system that checks
// claims notices the first and leaves the second alone.
//
// It owns its word lists and knows nothing of what is measured. The same texts and seed give the same claims.
package counterfactual

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"unicode"

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

// numeral is a number in digits, in bytes of a sentence.
type numeral struct {
	start, end int
	value      int
	date       bool
}

// numerals lists whole numbers in digits that stand alone; date tells years, and days beside a month.
func numerals(s string) []numeral {
	var out []numeral
	for i := 0; i < len(s); {
		if s[i] < '0' || s[i] > '9' {
			i++
			continue
		}
		j := i
		for j < len(s) && (s[j] >= '0' && s[j] <= '9') {
			j++
		}
		before, after := s[:i], s[j:]
		i = j
		if len(s[len(before):j]) > 6 || joinsNumber(before, after) {
			continue
		}
		v, err := strconv.Atoi(s[len(before):j])
		if err != nil {
			continue
		}
		n := numeral{start: len(before), end: j, value: v}
		digits := j - n.start
		switch {
		case digits == 4 && v >= 1000 && v <= 2100 && (strings.HasPrefix(after, "年") || yearBefore(before)):
			n.date = true
		case v >= 1 && v <= 12 && strings.HasPrefix(after, "月"), v >= 1 && v <= 31 && (strings.HasPrefix(after, "日")):
			n.date = true
		case v >= 1 && v <= 31 && monthAround(before, after):
			n.date = true
		}
		out = append(out, n)
	}
	return out
}

// joinsNumber tells whether a number is part of a longer thing: a decimal, an identifier, a footnote.
func joinsNumber(before, after string) bool {
	if before != "" {
		r := []rune(before[max(0, len(before)-4):])
		last := r[len(r)-1]
		if unicode.IsLetter(last) && !isHan(last) || strings.ContainsRune(".,-/:_[(±=<>&", last) || unicode.IsDigit(last) {
			return true
		}
	}
	for i, r := range after {
		switch {
		case i == 0 && (unicode.IsLetter(r) && !isHan(r) || strings.ContainsRune("-/:_[]±&", r)):
			return true
		case i == 0 && (r == '.' || r == ','):
			continue
		case i == 1:
			return unicode.IsDigit(r)
		}
		break
	}
	return false
}

func isHan(r rune) bool { return unicode.Is(unicode.Han, r) }

func yearBefore(before string) bool {
	f := strings.Fields(before)
	if len(f) == 0 {
		return false
	}
	switch strings.ToLower(strings.TrimLeft(f[len(f)-1], "(")) {
	case "in", "since", "from", "until", "by", "of", "during", "after", "before", "around":
		return true
	}
	return isMonth(f[len(f)-1])
}

var months = strings.Fields("January February March April May June July August September October November December")

func isMonth(w string) bool {
	for _, m := range months {
		if w == m {
			return true
		}
	}
	return false
}

func monthAround(before, after string) bool {
	b, a := strings.Fields(before), strings.Fields(after)
	return len(b) > 0 && isMonth(b[len(b)-1]) || len(a) > 0 && isMonth(strings.TrimRight(a[0], ",.;"))
}

// changeNumber puts another number in the place of one: of the same size, and nowhere in the passage.
func changeNumber(s, passage string, date bool, rng *rand.Rand) string {
	var fit []numeral
	for _, n := range numerals(s) {
		if n.date == date && n.value > 0 {
			fit = append(fit, n)
		}
	}
	if len(fit) == 0 {
		return changeMonth(s, date, rng)
	}
	n := fit[rng.IntN(len(fit))]
	for range 20 {
		v := n.value
		switch {
		case date && v >= 1000:
			v += rng.IntN(60) - 30
			if v > 2100 {
				continue
			}
		case date:
			v = 1 + rng.IntN(12)
		case v < 20:
			v = 2 + rng.IntN(30)
		default:
			v = v/2 + rng.IntN(v*2)
		}
		w := strconv.Itoa(v)
		if v == n.value || v <= 0 || strings.Contains(passage, w) {
			continue
		}
		return s[:n.start] + w + s[n.end:]
	}
	return ""
}

func changeMonth(s string, date bool, rng *rand.Rand) string {
	if !date {
		return ""
	}
	for _, m := range months {
		if i := strings.Index(s, m+" "); i > 0 && m != "May" && m != "March" {
			for range 10 {
				if o := months[rng.IntN(len(months))]; o != m && o != "May" && !strings.Contains(s, o) {
					return s[:i] + o + s[i+len(m):]
				}
			}
		}
	}
	return ""
}

func endsInNumber(before string) bool {
	before = strings.TrimRight(before, " ")
	rest := strings.TrimRight(before, "0123456789")
	digits := len(before) - len(rest)
	return digits > 0 && digits < 4 && !strings.HasSuffix(rest, "元") && !strings.HasSuffix(rest, "前") // four may be a year, and so may what an era stands before
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

// denyEnglish puts a not behind an auxiliary, or takes one away.
func denyEnglish(s string, rng *rand.Rand) string {
	for _, w := range [][2]string{{" did not ", " did "}, {" was not ", " was "}, {" were not ", " were "}, {" is not ", " is "}, {" are not ", " are "}, {" could not ", " could "}, {" cannot ", " can "}} {
		if strings.Count(s, w[0]) == 1 && rng.IntN(2) == 0 {
			return strings.Replace(s, w[0], w[1], 1)
		}
	}
	var places []int
	for _, w := range []string{" is ", " are ", " was ", " were ", " has been ", " have been ", " can ", " could ", " will ", " would ", " should ", " may "} {
		for from := 0; ; {
			i := strings.Index(s[from:], w)
			if i < 0 {
				break
			}
			i += from
			from = i + len(w)
			rest := s[from:]
			if hasPrefix(rest, "not ", "no ", "never ", "n't", "neither ", "nothing ", "only ", "none ") || strings.Contains(w, "been") {
				continue
			}
			places = append(places, from)
		}
	}
	if len(places) == 0 {
		return ""
	}
	at := places[rng.IntN(len(places))]
	return s[:at] + "not " + s[at:]
}

func hasPrefix(s string, prefixes ...string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

// denyChinese denies the verb of a sentence.
func denyChinese(s string, rng *rand.Rand) string {
	type swap struct{ from, to string }
	swaps := []swap{
		{"並沒有", "有"}, {"并没有", "有"}, {"没有", "有"}, {"沒有", "有"}, {"並不是", "是"}, {"不是", "是"}, {"不能", "能"}, {"不會", "會"}, {"不会", "会"}, {"未能", "能"},
		{"是由", "不是由"}, {"被稱為", "不被稱為"}, {"被称为", "不被称为"}, {"位於", "不位於"}, {"位于", "不位于"}, {"可以", "不可以"}, {"會在", "不會在"}, {"具有", "不具有"}, {"屬於", "不屬於"}, {"属于", "不属于"},
		{"認為", "不認為"}, {"认为", "不认为"}, {"包括", "不包括"}, {"成為", "沒有成為"}, {"成为", "没有成为"}, {"獲得", "沒有獲得"}, {"获得", "没有获得"}, {"是一", "不是一"}, {"為了", "不是為了"}, {"進行", "沒有進行"}, {"进行", "没有进行"},
		{"開始", "沒有開始"}, {"发现", "没有发现"}, {"發現", "沒有發現"}, {"需要", "不需要"}, {"使用", "不使用"}, {"建立", "沒有建立"}, {"擁有", "沒有擁有"}, {"拥有", "没有拥有"},
	}
	var fit []swap
	for _, w := range swaps {
		i := strings.Index(s, w.from)
		if i < 0 || strings.Count(s, w.from) != 1 {
			continue
		}
		if r := []rune(s[:i]); len(r) > 0 && strings.ContainsRune("不沒没未無无非並并別别而只但凡都还還总總若就或既要即又便乃正才更最也", r[len(r)-1]) {
			continue
		}
		fit = append(fit, w)
	}
	if len(fit) == 0 {
		return ""
	}
	w := fit[rng.IntN(len(fit))]
	return strings.Replace(s, w.from, w.to, 1)
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
