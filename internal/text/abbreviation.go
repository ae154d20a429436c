package text

import (
	"strings"
	"unicode"
)

// abbreviated tells whether the full stop at r[i], which white space and then r[next] follow, belongs to an abbreviation, an
// initial or an ordinal rather than ending the sentence begun at start. r[next] is not a lower-case letter.
func abbreviated(r []rune, start, i, next int) bool {
	if i > start && isTerminator(r[i-1]) || i+1 < len(r) && isTerminator(r[i+1]) {
		return false // an ellipsis before a capital
	}
	from := i
	for from > start && (unicode.IsLetter(r[from-1]) && !IsHan(r[from-1]) || unicode.IsDigit(r[from-1]) || r[from-1] == '.') {
		from--
	}
	if from == i {
		return false
	}
	word := string(r[from:i])
	if first := itemMarker(r[start:]); first > 0 && start+first == i+1 {
		return true // "1." or "a." at the beginning of an item
	}
	if i+1 < next && !unicode.IsSpace(r[i+1]) {
		return false // a closing quote or bracket ended it
	}
	lower := strings.ToLower(word)
	switch {
	case always[lower]:
		return true
	case beforeNumber[lower]:
		return unicode.IsDigit(r[next]) || len(lower) > 1 && lower != "no" && isLabel(r[next:])
	}
	dotted := strings.Contains(word, ".") && !strings.ContainsFunc(word, unicode.IsDigit)
	initial := i-from == 1 && unicode.IsUpper(r[from])
	calendar := unicode.IsUpper(r[from]) && sometimesCapital[lower]
	if dotted || initial || calendar || sometimes[lower] {
		return !startsSentence(r[next:])
	}
	return false
}

// isLabel tells whether r begins with a label such as A, B2 or IV: a word of capitals and digits.
func isLabel(r []rune) bool {
	n := 0
	for n < len(r) && n < 5 && (unicode.IsUpper(r[n]) || unicode.IsDigit(r[n])) {
		n++
	}
	return n > 0 && n <= 4 && (n == len(r) || !unicode.IsLetter(r[n])) && !(n == 1 && (r[0] == 'A' || r[0] == 'I') && n < len(r) && r[n] == ' ')
}

// startsSentence tells whether r begins with a word that, capitalised, is far more often the first of a sentence than a name.
func startsSentence(r []rune) bool {
	for len(r) > 0 && !unicode.IsLetter(r[0]) && !unicode.IsDigit(r[0]) && !unicode.IsSpace(r[0]) {
		r = r[1:]
	}
	n := 0
	for n < len(r) && n < 16 && unicode.IsLetter(r[n]) {
		n++
	}
	return n > 0 && (isIdeographic(r[0]) || starters[strings.ToLower(string(r[:n]))])
}

func set(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}

var (
	// always precede what they belong to.
	always = set(`mr mrs ms dr prof messrs mme mlle fr rev hon gen col maj capt cpt lt sgt cpl adm cmdr gov sen rep pres amb supt insp
		st ste mt vs cf viz e.g i.e eg ie approx ca resp incl excl esp a.k.a aka n.b`)
	// beforeNumber precede a number or a label, and are words or endings otherwise.
	beforeNumber = set(`fig figs eq eqs no nos sec secs sect ch chap vol vols p pp art arts ref refs tab cl para paras app ex exs
		nr op pt def thm lem prop cor ver v`)
	// sometimes end a sentence: only when the next word looks like the first of one.
	sometimes = set(`etc inc ltd co corp llc bros jr sr esq al dept est assn univ ave blvd rd sq hwy ft lb lbs oz min max avg
		ed eds trans repr phd ph.d m.d b.a m.a u.s u.k u.n a.m p.m`)
	// sometimesCapital are abbreviations only when capitalised.
	sometimesCapital = set(`jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur thurs fri sat sun`)
	starters         = set(`the a an this that these those it its he she they we you i his her their our your my in on at by for from with to
		as if when while where after before since until although though because however therefore thus hence moreover furthermore
		meanwhile nevertheless but and or so yet then there here what who how why which both each all some many most several few one
		no not another other such during under over between among despite according also once now today both finally first second
		third next later earlier is are was were do does did can could will would should may might must has have had let see note`)
)
