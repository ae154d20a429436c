package compare

import (
	"strings"
	"unicode"
)

func (s *scanner) isMonth(in []token, i int) bool {
	k := in[i]
	if monthWords[k.word] == 0 || !unicode.IsUpper(s.runes[k.span.Start]) {
		return false
	}
	if k.word != "may" && k.word != "march" && len(k.word) > 3 {
		return true
	}
	if i+1 < len(in) && in[i+1].number != nil || i > 0 && in[i-1].number != nil && in[i-1].number.value <= 31 {
		return true
	}
	if i > 0 {
		switch in[i-1].word {
		case "in", "since", "until", "from", "by", "early", "late", "mid", "last", "next", "of", "th", "st":
			return k.word == "may" || k.word == "march"
		}
	}
	return false
}

// beforeYear are words that a year follows.
var beforeYear = setOf(`in since from until till by of during between to and year before after circa ca around early late mid season spring summer autumn fall winter the`)

// datesAndUnits says of each number what it counts.
func (s *scanner) datesAndUnits() {
	for i := range s.tokens {
		if q := s.tokens[i].number; q != nil {
			s.count(i, q)
			s.limit(i, q)
		}
	}
	for i := range s.tokens { // 3 to 5 km: both are
		q := s.tokens[i].number
		for j := i + 1; q != nil && q.unit == "" && q.class == plain && j <= i+2 && j < len(s.tokens); j++ {
			if o := s.tokens[j].number; o != nil {
				if listed(o.unit) && o.class == plain {
					q.unit = o.unit
				}
				break
			}
		}
	}
	for i := range s.tokens { // what follows a number may have changed its class
		if q := s.tokens[i].number; q != nil {
			s.tokens[i].key = q.key()
		}
	}
}

func (s *scanner) near(i, j int) *token {
	if i < 0 || j < 0 || i >= len(s.tokens) || j >= len(s.tokens) {
		return nil
	}
	a, b := s.tokens[min(i, j)], s.tokens[max(i, j)]
	if b.span.Start-a.span.End > 2 {
		return nil
	}
	return &s.tokens[j]
}

func (s *scanner) count(i int, q *quantity) {
	k := &s.tokens[i]
	next, prev := s.near(i, i+1), s.near(i, i-1)
	if q.class == ordinal && q.value <= 31 && prev != nil && prev.number != nil && prev.number.class == month {
		q.class = day
		return
	}
	if q.class == month || q.class == weekday || q.class == ordinal || q.class == decade || q.class == percent {
		return
	}
	if prev != nil && prev.word == "第" {
		q.class = ordinal
		return
	}
	if prev != nil && (prev.word == "星期" || prev.word == "礼拜" || prev.word == "周") && q.value <= 7 && q.word && !prev.negates {
		q.class = weekday
		return
	}
	if next != nil {
		switch next.word {
		case "年":
			if q.value >= 100 && q.value <= 2100 && q.decimals == 0 && k.span.End == next.span.Start && (q.value >= 1000 || s.era(i)) || s.era(i) {
				q.class = year
				s.fromEra(i, q)
				return
			}
		case "年代":
			q.class = decade
			return
		case "月", "月份":
			if q.value <= 12 {
				q.class = month
				return
			}
		case "日", "号":
			if q.value <= 31 && (next.word == "日" || prev != nil && i > 1 && s.tokens[i-2].number != nil && s.tokens[i-2].number.class == month) {
				q.class = day
				return
			}
		case "世纪", "century", "centuries":
			q.class = century
			return
		case "bc", "bce":
			q.class, q.value = year, -q.value
			return
		case "ad", "ce":
			q.class = year
			return
		case "%", "percent", "pct", "百分点":
			q.class, q.unit = percent, "%"
			return
		case "per":
			if after := s.near(i+1, i+2); after != nil && after.word == "cent" {
				q.class, q.unit = percent, "%"
				return
			}
		}
		name := next.word
		if u, ok := units[name]; ok && s.unitFits(i, next) {
			q.unit = u.name
			next.key, next.stop = "u:"+u.name, false
		} else if after := s.near(i+1, i+2); after != nil && (name == "square" || name == "cubic") {
			if u, ok := units[name+" "+after.word]; ok {
				q.unit = u.name
			}
		}
	}
	if prev != nil {
		switch prev.word {
		case "$", "€", "£", "¥":
			q.unit = units[prev.word].name
		}
	}
	if q.unit == "" {
		s.plainYearOrNoun(i, q)
	}
	if q.unit == "" && (q.value == 1 && q.word) {
		q.vague = true
	}
	if q.value == 1 && q.word && strings.HasPrefix(q.unit, "~") {
		q.vague = true
	}
}

// unitFits keeps single letters and ambiguous words from being units where they are none.
func (s *scanner) unitFits(i int, next *token) bool {
	gap := next.span.Start - s.tokens[i].span.End
	switch next.word {
	case "m", "l", "g", "v", "w", "mi", "ha":
		return gap <= 1
	case "里", "分", "周":
		return gap == 0
	case "second", "seconds":
		return next.number == nil || next.word == "seconds"
	}
	return true
}

func (s *scanner) plainYearOrNoun(i int, q *quantity) {
	k := s.tokens[i]
	next, prev := s.near(i, i+1), s.near(i, i-1)
	if !q.word && q.decimals == 0 && k.span.Len() == 4 && q.value >= 1000 && q.value <= 2100 {
		counts := next != nil && !next.stop && next.number == nil && !next.han && next.clause == k.clause && !next.capital
		dated := prev != nil && (beforeYear[prev.word] || prev.number != nil && (prev.number.class == month || prev.number.class == day || prev.number.class == year))
		if !counts || dated {
			q.class = year
			return
		}
	}
	if q.decimals == 0 && q.value >= 1 && q.value <= 31 && !q.word {
		if prev != nil && prev.number != nil && prev.number.class == month || next != nil && next.number != nil && next.number.class == month {
			q.class = day
			return
		}
	}
	for j := i + 1; j < len(s.tokens) && j <= i+2; j++ {
		n := s.tokens[j]
		if n.clause != k.clause || n.number != nil {
			break
		}
		if !n.stop || n.han {
			q.unit = "~" + n.key
			break
		}
	}
}

func (s *scanner) era(i int) bool {
	if i == 0 {
		return false
	}
	switch s.tokens[i-1].word {
	case "民国", "公元前", "公元", "西元", "西元前":
		return true
	}
	return false
}

func (s *scanner) fromEra(i int, q *quantity) {
	if i == 0 {
		return
	}
	switch s.tokens[i-1].word {
	case "民国":
		q.value += 1911
	case "公元前", "西元前":
		q.value = -q.value
	}
}

func (s *scanner) limit(i int, q *quantity) {
	if prev := s.near(i, i-1); prev != nil {
		if b, ok := limits[prev.word]; ok {
			q.bound = b
		} else if prev2 := s.near(i-1, i-2); prev2 != nil {
			if b, ok := limitPairs[prev2.word+" "+prev.word]; ok {
				q.bound = b
			} else if (prev.word == "为" || prev.word == "有" || prev.word == "达") && limits[prev2.word] != 0 {
				q.bound = limits[prev2.word]
			}
		}
	}
	for j := i + 1; j <= i+2; j++ {
		next := s.near(j-1, j)
		if next == nil || !next.han {
			break
		}
		if b, ok := limitsAfter[next.word]; ok && q.bound == exact {
			q.bound = b
		}
	}
}
