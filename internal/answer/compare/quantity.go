package compare

import (
	"math"
	"strconv"
	"strings"
	"unicode"
)

// class is what a number counts.
type class uint8

const (
	plain class = iota
	ordinal
	percent
	year
	month
	day
	weekday
	century
	decade
)

// isDate tells the classes that name a point of time.
func (c class) isDate() bool { return c >= year }

// bound says that a number is a limit.
type bound int8

const (
	exact   bound = iota
	atLeast       // or more than
	atMost        // or less than
	about
)

// quantity is a number with what it counts.
type quantity struct {
	value    float64
	decimals int // digits after the point, as written
	class    class
	unit     string // of the lists, canonical; "~" and the noun that follows when none is listed; empty: none
	bound    bound
	vague    bool // an article more than a number: one, 一个
	word     bool // written in words
}

func (q quantity) key() string {
	switch q.class {
	case ordinal:
		return "#o" + strconv.FormatFloat(q.value, 'g', -1, 64)
	case month:
		return "#m" + strconv.FormatFloat(q.value, 'g', -1, 64)
	case weekday:
		return "#w" + strconv.FormatFloat(q.value, 'g', -1, 64)
	}
	return "#" + strconv.FormatFloat(q.value, 'g', -1, 64)
}

// digits takes a number in digits at i, or an identifier that begins with one.
func (s *scanner) digits(i int) int {
	end := i
	for end < len(s.folded) {
		r := s.folded[end]
		if r >= '0' && r <= '9' || (r == ',' || r == '.') && end+1 < len(s.folded) && s.folded[end+1] >= '0' && s.folded[end+1] <= '9' {
			end++
			continue
		}
		break
	}
	written := string(s.folded[i:end])
	value, decimals, ok := parseDigits(written)
	if !ok { // 1,2,3 or 1.2.3: a list or a version; the first part alone
		cut := strings.IndexAny(written, ",.")
		end = i + cut
		value, decimals, _ = parseDigits(written[:cut])
	}
	q := &quantity{value: value, decimals: decimals}
	tail := end
	for tail < len(s.folded) && (unicode.IsLetter(s.folded[tail]) && s.folded[tail] < 0x2e80) {
		tail++
	}
	switch suffix := string(s.folded[end:tail]); {
	case suffix == "":
	case suffix == "st" || suffix == "nd" || suffix == "rd" || suffix == "th":
		q.class, end = ordinal, tail
	case suffix == "s" && end-i >= 2 && int(value)%10 == 0:
		q.class, end = decade, tail
	case units[suffix].name != "" || multiples[suffix] > 0:
	case suffix == "k" || suffix == "m" || suffix == "bn":
	default:
		for tail < len(s.folded) && (unicode.IsLetter(s.folded[tail]) && s.folded[tail] < 0x2e80 || s.folded[tail] >= '0' && s.folded[tail] <= '9') {
			tail++
		}
		k := s.add(i, tail, false)
		k.capital = true // an identifier is a name
		return tail
	}
	k := s.add(i, end, false)
	k.number = q
	k.key = q.key()
	return end
}

// parseDigits reads 1234, 1,234, 1,234.5 and 12.5; ok is false for what is no number, such as 1,2,3.
func parseDigits(w string) (value float64, decimals int, ok bool) {
	whole, fraction, has := strings.Cut(w, ".")
	if strings.ContainsAny(fraction, ".,") {
		return 0, 0, false
	}
	if parts := strings.Split(whole, ","); len(parts) > 1 {
		for i, p := range parts {
			if i == 0 && (p == "" || len(p) > 3) || i > 0 && len(p) != 3 {
				return 0, 0, false
			}
		}
		whole = strings.Join(parts, "")
	}
	if has {
		whole += "." + fraction
	}
	v, err := strconv.ParseFloat(whole, 64)
	return v, len(fraction), err == nil
}

const hanDigits = "零一二三四五六七八九"

var hanDigit = func() map[rune]float64 {
	m := map[rune]float64{'〇': 0, '两': 2, '壹': 1, '贰': 2, '叁': 3, '肆': 4, '伍': 5, '陆': 6, '柒': 7, '捌': 8, '玖': 9}
	i := 0.0
	for _, r := range hanDigits {
		m[r] = i
		i++
	}
	return m
}()

var hanPower = map[rune]float64{'十': 10, '拾': 10, '百': 100, '佰': 100, '千': 1000, '仟': 1000}
var hanMyriad = map[rune]float64{'万': 1e4, '亿': 1e8}

// hanNumeral reads a numeral in characters at the beginning of r, and how many it takes: 一百二十, 二〇二四, 壹万, 三点五, 百分之五.
func hanNumeral(r []rune) (int, quantity) {
	if len(r) > 3 && r[0] == '百' && r[1] == '分' && r[2] == '之' {
		if n, q := hanNumeral(r[3:]); n > 0 {
			q.class, q.unit = percent, "%"
			return n + 3, q
		}
		return 0, quantity{}
	}
	var total, section, digit float64
	digits, powers, had := 0, 0, false
	year := 0.0
	i := 0
scan:
	for ; i < len(r); i++ {
		switch c := r[i]; {
		case hasKey(hanDigit, c):
			digit, had = hanDigit[c], true
			year = year*10 + digit
			digits++
		case hasKey(hanPower, c):
			if !had {
				if powers > 0 || i > 0 && c != '十' {
					break scan
				}
				digit = 1
			}
			section += digit * hanPower[c]
			digit, had = 0, false
			powers++
		case hasKey(hanMyriad, c):
			if i == 0 {
				break scan
			}
			total = (total + section + digit) * hanMyriad[c]
			section, digit, had = 0, 0, false
			powers++
		default:
			break scan
		}
	}
	if i == 0 {
		return 0, quantity{}
	}
	q := quantity{value: total + section + digit, word: true}
	if powers == 0 && digits > 1 {
		q.value = year // digit by digit
	}
	if i+1 < len(r) && r[i] == '点' && hasKey(hanDigit, r[i+1]) && powers+digits > 0 {
		i++
		scale := 0.1
		for ; i < len(r) && hasKey(hanDigit, r[i]); i++ {
			q.value += hanDigit[r[i]] * scale
			scale /= 10
			q.decimals++
		}
	}
	return i, q
}

func hasKey[V any](m map[rune]V, r rune) bool { _, ok := m[r]; return ok }

// isHanNumber tells whether the numeral of n characters at i counts something: most single ones are parts of words.
func (s *scanner) isHanNumber(i, n int) bool {
	if n == 1 && (s.folded[i] == '万' || s.folded[i] == '亿') {
		return false
	}
	if n == 1 && !strings.ContainsRune("一二两三四五六七八九十", s.folded[i]) {
		return false
	}
	ordinal := i > 0 && (s.folded[i-1] == '第' || s.folded[i-1] == '初')
	if n >= 3 || ordinal {
		return true
	}
	next := rune(0)
	if i+n < len(s.folded) {
		next = s.folded[i+n]
	}
	if n == 2 {
		return lexicalMeasure(next) || hasKey(hanPower, s.folded[i]) || hasKey(hanPower, s.folded[i+1]) || hasKey(hanMyriad, s.folded[i+1])
	}
	if i > 0 && hasKey(hanPower, s.folded[i]) && s.folded[i] != '十' {
		return false
	}
	return lexicalMeasure(next)
}

func lexicalMeasure(r rune) bool { return strings.ContainsRune(hanMeasures, r) && r != 0 }

// same tells whether two numbers may stand for each other, as far as they are written: a rounded one for the exact one, a limit for what keeps it.
func (q quantity) same(source quantity) bool {
	a, b := q.value, source.value
	if listed(q.unit) && listed(source.unit) && q.unit != source.unit {
		f, g := units[q.unit], units[source.unit]
		return f.dimension == g.dimension && f.factor > 0 && g.factor > 0 && nearly(a*f.factor, b*g.factor, 0.005)
	}
	if a == b {
		return true
	}
	if q.class == decade && source.class == year {
		return math.Floor(b/10)*10 == a || a < 100 && math.Mod(math.Floor(b/10)*10, 100) == a || math.Mod(a, 100) == 0 && math.Floor(b/100)*100 == a
	}
	if q.class.isDate() || source.class.isDate() || q.class == ordinal {
		return false
	}
	switch {
	case q.bound == about || source.bound == about:
		if nearly(a, b, 0.05) {
			return true
		}
	case q.bound == atLeast && b > a && b <= 2*a, q.bound == atMost && b < a && b >= a/2:
		return true
	}
	// Rounding: 2.3 for 2.34, and 1.2 million for 1,234,567.
	if q.decimals < source.decimals && a >= 1 {
		p := math.Pow10(q.decimals)
		return math.Round(b*p)/p == a && a*p >= 10
	}
	if a >= 1e5 && b >= 1e5 && a != math.Trunc(a/1e3)*1e3+1 {
		return nearly(a, b, 0.005)
	}
	return false
}

// nearly tells whether two numbers differ by no more than a share of the greater.
func nearly(a, b, share float64) bool {
	return math.Abs(a-b) <= share*math.Max(math.Abs(a), math.Abs(b))
}
