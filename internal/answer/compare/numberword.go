package compare

// joinNumbers makes one token of a number in several words, of a number and its multiple, and of months and weekdays.
func (s *scanner) joinNumbers() {
	in := s.tokens
	out := in[:0]
	for i := 0; i < len(in); i++ {
		k := in[i]
		switch {
		case k.number != nil:
			n := s.multiple(in, i)
			out = append(out, joined(in[i:i+n], scaled(in[i:i+n])))
			i += n - 1
		case !k.han && isNumberWord(k.word):
			n, q := wordsNumber(in[i:])
			out = append(out, joined(in[i:i+n], q))
			i += n - 1
		case ordinalWords[k.word] > 0:
			q := quantity{value: ordinalWords[k.word], class: ordinal, word: true, vague: k.word == "first" || k.word == "second"}
			j := joined(in[i:i+1], q)
			j.senses = k.senses
			out = append(out, j)
		case s.isMonth(in, i):
			out = append(out, joined(in[i:i+1], quantity{value: monthWords[k.word], class: month, word: true}))
		case weekdayWords[k.word] > 0:
			out = append(out, joined(in[i:i+1], quantity{value: weekdayWords[k.word], class: weekday, word: true}))
		default:
			out = append(out, k)
		}
	}
	s.tokens = out
}

func joined(ks []token, q quantity) token {
	k := ks[0]
	for _, o := range ks[1:] {
		k.word += " " + o.word
		k.span.End = o.span.End
	}
	k.number, k.key, k.stop, k.senses, k.negates, k.han = &q, q.key(), false, nil, false, false
	return k
}

// multiple is how many tokens the number at i takes with the multiples that follow it.
func (s *scanner) multiple(in []token, i int) int {
	n := 1
	for i+n < len(in) && n < 3 {
		next := in[i+n]
		gap := next.span.Start - in[i+n-1].span.End
		if next.han && gap == 0 && multiples[next.word] > 0 && next.word != "百" && next.word != "千" ||
			next.han && gap == 0 && multiples[next.word] > 0 && n == 1 && !in[i].number.word ||
			!next.han && gap <= 1 && multiples[next.word] > 0 {
			n++
			continue
		}
		if next.number != nil && next.number.word && gap == 0 && next.number.value >= 10 && multiplesHan(s.folded[next.span.Start]) {
			n++
		}
		break
	}
	return n
}

func multiplesHan(r rune) bool { return hasKey(hanPower, r) && r != '十' || hasKey(hanMyriad, r) }

func scaled(ks []token) quantity {
	q := *ks[0].number
	for _, k := range ks[1:] {
		if k.number != nil {
			q.value *= k.number.value
		} else {
			q.value *= multiples[k.word]
		}
		q.decimals = 0
	}
	return q
}

func isNumberWord(w string) bool {
	_, ok := numberWords[w]
	return ok
}

// wordsNumber reads twenty-three, two hundred and five, one million.
func wordsNumber(in []token) (int, quantity) {
	total, section := 0.0, 0.0
	n := 0
	for n < len(in) && n < 10 {
		w := in[n].word
		if n > 0 && in[n].span.Start-in[n-1].span.End > 1 {
			break
		}
		if v, ok := numberWords[w]; ok {
			if n > 0 && !(section >= 20 && int(section)%10 == 0 && v < 10 && section < 100 || multiples[in[n-1].word] > 0 || in[n-1].word == "and" && multiples[in[n-2].word] > 0) {
				break
			}
			section += v
		} else if m := multiples[w]; m == 100 && n > 0 {
			section *= 100
		} else if m > 0 && n > 0 {
			total, section = total+section*m, 0
		} else if w == "and" && n > 0 && multiples[in[n-1].word] > 0 && n+1 < len(in) && numberWords[in[n+1].word] > 0 {
			// two hundred and five
		} else {
			break
		}
		n++
	}
	q := quantity{value: total + section, word: true}
	q.vague = n == 1 && in[0].word == "one"
	return n, q
}
