package counterfactual

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"unicode"
)

// reorder moves the first clause to the end, where it is one that may stand there: a phrase of time or place.
func reorder(s string, chinese bool) string {
	if chinese {
		body, end := strings.CutSuffix(s, "。")
		first, rest, ok := strings.Cut(body, "，")
		if !ok || len([]rune(first)) > 14 || len([]rune(first)) < 4 || !hasPrefix(first, "在", "於", "于", "根據", "根据", "1", "2", "隨著", "随着", "由於", "由于", "因為", "因为") || strings.ContainsAny(first, "《「（“") {
			return ""
		}
		s = rest + "，" + first
		if end {
			s += "。"
		}
		return s
	}
	body, end := strings.CutSuffix(s, ".")
	first, rest, ok := strings.Cut(body, ", ")
	if !ok || len(first) > 60 || !hasPrefix(first, "In ", "On ", "At ", "During ", "After ", "Before ", "Since ", "By ", "From ", "For ", "As ", "With ", "Under ", "Despite ", "According to ", "Because ", "When ", "While ", "Although ") {
		return ""
	}
	r := []rune(rest)
	r[0] = unicode.ToUpper(r[0])
	f := []rune(first)
	f[0] = unicode.ToLower(f[0])
	s = string(r) + " " + string(f)
	if end {
		s += "."
	}
	return s
}

// dropAdjunct leaves out a parenthesis or a last clause that only adds.
func dropAdjunct(s string, chinese bool, rng *rand.Rand) string {
	for _, marks := range [][2]string{{" (", ")"}, {"（", "）"}, {"(", ")"}} {
		if i := strings.Index(s, marks[0]); i > 0 {
			if j := strings.Index(s[i:], marks[1]); j > 0 {
				return s[:i] + s[i+j+len(marks[1]):]
			}
		}
	}
	if chinese {
		body := strings.TrimSuffix(s, "。")
		parts := strings.Split(body, "，")
		if len(parts) < 3 || strings.ContainsAny(parts[len(parts)-1], "不沒没未無无非但卻却") {
			return ""
		}
		return strings.Join(parts[:len(parts)-1], "，") + "。"
	}
	for _, w := range []string{", however,", "However, ", "Furthermore, ", "Moreover, ", "In addition, ", "Additionally, ", "In fact, ", "For example, ", ", for example,", "Therefore, ", "Thus, "} {
		if strings.Contains(s, w) {
			out := []rune(strings.TrimSpace(strings.Replace(s, w, "", 1)))
			out[0] = unicode.ToUpper(out[0])
			return string(out)
		}
	}
	body := strings.TrimSuffix(s, ".")
	if i := strings.LastIndex(body, ", which "); i > 40 && rng.IntN(2) == 0 {
		return body[:i] + "."
	}
	if i := strings.LastIndex(body, ", including "); i > 40 {
		return body[:i] + "."
	}
	return ""
}

var smallNumbers = strings.Fields("zero one two three four five six seven eight nine ten eleven twelve")

const hanDigits = "零一二三四五六七八九"

// rewriteNumber writes a number in another form: words for digits, digits for words, with or without separators, full width.
func rewriteNumber(s string, chinese bool) string {
	if !chinese {
		for _, n := range numerals(s) {
			if n.value >= 2 && n.value <= 12 && !n.date && !strings.HasPrefix(s[n.end:], "%") {
				return s[:n.start] + smallNumbers[n.value] + s[n.end:]
			}
			if n.value >= 10000 {
				w := strconv.Itoa(n.value)
				return s[:n.start] + w[:len(w)-3] + "," + w[len(w)-3:] + s[n.end:]
			}
		}
		for v, w := range smallNumbers {
			if i := strings.Index(s, " "+w+" "); v >= 2 && i > 0 {
				return s[:i+1] + strconv.Itoa(v) + s[i+1+len(w):]
			}
		}
		if strings.Contains(s, "%") {
			return strings.Replace(s, "%", " percent", 1)
		}
		return ""
	}
	for _, n := range numerals(s) {
		after := s[n.end:]
		switch {
		case n.date && n.value >= 1000 && strings.HasPrefix(after, "年"):
			w := ""
			for _, d := range strconv.Itoa(n.value) {
				w += strings.Replace(string([]rune(hanDigits)[d-'0']), "零", "〇", 1)
			}
			return s[:n.start] + w + after
		case n.value >= 11 && n.value <= 99 && n.value%10 > 0 && !strings.HasPrefix(after, "%") && (after != "" && isHan([]rune(after)[0])):
			w := ""
			if n.value >= 20 {
				w = string([]rune(hanDigits)[n.value/10])
			}
			return s[:n.start] + w + "十" + string([]rune(hanDigits)[n.value%10]) + after
		default:
			w := ""
			for _, d := range s[n.start:n.end] {
				w += string(d + 0xfee0)
			}
			return s[:n.start] + w + after
		}
	}
	return ""
}
