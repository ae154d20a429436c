package text

import "unicode"

// breaks reports whether the newline at r[i] ends a paragraph: a blank line, a list item, a table row or a heading follows, or
// the line that ends here is a heading or a table row. start is where the line that ends at i begins.
func breaks(r []rune, start, i int) bool {
	next := i + 1
	end := next
	for end < len(r) && r[end] != '\n' {
		end++
	}
	line := trimLeft(r[next:end])
	if len(line) == 0 {
		return true
	}
	here := trimLeft(r[start:i])
	return isHeading(line) || isHeading(here) || line[0] == '|' || len(here) > 0 && here[0] == '|' || itemMarker(line) > 0
}

func trimLeft(r []rune) []rune {
	for len(r) > 0 && unicode.IsSpace(r[0]) {
		r = r[1:]
	}
	return r
}

// isHeading tells whether line is a Markdown heading (ATX).
func isHeading(line []rune) bool {
	n := 0
	for n < len(line) && line[n] == '#' {
		n++
	}
	return n >= 1 && n <= 6 && n < len(line) && line[n] == ' '
}

// itemMarker returns the length of the list marker that line begins with, or 0: a bullet and a space; 1. 1) (1) a. a) iv. and a space;
// 1、 一、 （一） (一) 第一，is no marker.
func itemMarker(line []rune) int {
	if len(line) < 2 {
		return 0
	}
	switch line[0] {
	case '-', '*', '+', '–', '—', '·', '‣', '▪', '◦', '●', '○', '■', '□', '◆', '➢', '✓', '✔':
		if unicode.IsSpace(line[1]) {
			return 1
		}
		return 0
	case '•':
		return 1
	}
	i, open := 0, false
	if line[0] == '(' || line[0] == '（' {
		i, open = 1, true
	}
	from := i
	for i < len(line) && i-from < 4 && isOrdinal(line[i]) {
		i++
	}
	if i == from || i == len(line) {
		return 0
	}
	number := line[from:i]
	switch c := line[i]; {
	case c == ')' || c == '）':
		if open || isChineseNumber(number) || spaceAt(line, i+1) {
			return i + 1
		}
	case open:
	case c == '、':
		return i + 1
	case (c == '.' || c == '．') && !isChineseNumber(number):
		if spaceAt(line, i+1) {
			return i + 1
		}
	}
	return 0
}

func spaceAt(r []rune, i int) bool { return i < len(r) && unicode.IsSpace(r[i]) }

func isOrdinal(r rune) bool {
	switch FoldRuneWidth(r) {
	case '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'i', 'v', 'x', 'a', 'b', 'c', 'd', 'e', 'f', 'I', 'V', 'X', 'A', 'B', 'C', 'D', 'E', 'F',
		'一', '二', '三', '四', '五', '六', '七', '八', '九', '十':
		return true
	}
	return false
}

func isChineseNumber(r []rune) bool { return len(r) > 0 && IsHan(r[0]) }
