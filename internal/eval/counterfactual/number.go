package counterfactual

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

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
	return slices.Contains(months, w)
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
