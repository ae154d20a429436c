package pdf

import (
	"errors"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	pdfium "github.com/klippa-app/go-pdfium"
	"github.com/klippa-app/go-pdfium/references"
	"github.com/klippa-app/go-pdfium/requests"
)

// line is a run of characters on one height. Lengths are points; y grows upwards.
type line struct {
	text                     string
	left, right, top, bottom float64
	size                     float64 // height of the font's box
	bold, mono               bool
	hyphen                   bool   // it ends inside a word; the hyphen is not in text
	cells                    []cell // of a line with wide gaps: what stands between them; nil for any other
}

// cell is a part of a line between wide gaps.
type cell struct {
	text        string
	left, right float64
}

// wideGap is the gap, in heights of the font's box, that parts the cells of a table or two columns rather than two words.
const wideGap = 0.9

// A font is bold, or has one width, by its flags (ISO 32000-1, table 123) or, more often, by its name.
const (
	fixedPitch = 1 << 0
	forceBold  = 1 << 18
)

var monoName = regexp.MustCompile(`(?i)courier|mono|consolas|menlo|cmtt|typewriter`)

var boldName = regexp.MustCompile(`(?i)bold|black|heavy|(?:simhei|stheiti|heiti|黑体|黑體)|[-,]bd|cmbx`)

// softHyphen is how PDFium marks a hyphen at a line's end that is no part of the text.
const softHyphen = 0x02

// reader turns the characters of a page into lines.
type reader struct {
	p     pdfium.Pdfium
	text  references.FPDF_TEXTPAGE
	lines []line

	chars []rune
	at    []int // index of each of chars in the page
}

func (r *reader) read() error {
	n, err := r.p.FPDFText_CountChars(&requests.FPDFText_CountChars{TextPage: r.text})
	if err != nil {
		return err
	}
	request := requests.FPDFText_GetUnicode{TextPage: r.text}
	high := rune(0) // the first half of a character beyond U+FFFF: PDFium counts its two halves of UTF-16 as two characters
	for i := range n.Count {
		request.Index = i
		u, err := r.p.FPDFText_GetUnicode(&request)
		if err != nil {
			return err
		}
		c := rune(uint32(u.Unicode))
		if whole := utf16.DecodeRune(high, c); whole != unicode.ReplacementChar {
			c = whole
		}
		high = c
		switch {
		case c == '\r' || c == '\n':
			if err := r.end(); err != nil {
				return err
			}
		case c == 0 || c == 0xfffe || c == 0xffff || c > unicode.MaxRune || c >= 0xd800 && c < 0xe000:
		case c < 0x20 && c != '\t' && c != softHyphen:
		default:
			if c == '\t' || c == 0xa0 {
				c = ' '
			}
			r.chars, r.at = append(r.chars, c), append(r.at, i)
			if c == softHyphen { // what follows stands on the next line
				if err := r.end(); err != nil {
					return err
				}
			}
		}
	}
	return r.end()
}

// end makes a line of the characters since the last one.
func (r *reader) end() error {
	chars, at := r.chars, r.at
	r.chars, r.at = r.chars[:0], r.at[:0]
	var l line
	for len(chars) > 0 && (chars[len(chars)-1] == ' ' || chars[len(chars)-1] == softHyphen) {
		l.hyphen = l.hyphen || chars[len(chars)-1] == softHyphen
		chars, at = chars[:len(chars)-1], at[:len(at)-1]
	}
	for len(chars) > 0 && chars[0] == ' ' {
		chars, at = chars[1:], at[1:]
	}
	if len(chars) == 0 {
		return nil
	}
	left, top, _, bottom, err := r.box(at[0])
	if err != nil {
		return err
	}
	last, lastTop, right, lastBottom, err := r.box(at[len(at)-1])
	if err != nil {
		return err
	}
	if right < left { // written from right to left, or upwards
		left, right = last, max(right, left)
	}
	l.left, l.right, l.top, l.bottom = left, right, max(top, lastTop), min(bottom, lastBottom)
	l.size = max(min(top-bottom, lastTop-lastBottom), 0)
	if f, err := r.p.FPDFText_GetFontInfo(&requests.FPDFText_GetFontInfo{TextPage: r.text, Index: at[len(at)/2]}); err == nil {
		l.bold = f.Flags&forceBold != 0 || boldName.MatchString(f.FontName)
		l.mono = f.Flags&fixedPitch != 0 || monoName.MatchString(f.FontName)
	}
	if l.bold { // a line may begin with a bold word only
		if f, err := r.p.FPDFText_GetFontInfo(&requests.FPDFText_GetFontInfo{TextPage: r.text, Index: at[len(at)-1]}); err == nil {
			l.bold = f.Flags&forceBold != 0 || boldName.MatchString(f.FontName)
		}
	}
	if err := r.split(&l, chars, at); err != nil {
		return err
	}
	l.text = clean(chars)
	if l.text != "" {
		r.lines = append(r.lines, l)
	}
	return nil
}

// split finds the wide gaps of a line. Only a line that is wider than its characters explain is looked at closely.
func (r *reader) split(l *line, chars []rune, at []int) error {
	width := 0.0 // of the characters, in heights of the font's box, on the wide side
	spaces := 0
	for _, c := range chars {
		switch {
		case c == ' ':
			spaces++
			width += 0.25
		case wide(c):
			width += 0.95
		default:
			width += 0.42
		}
	}
	if spaces == 0 || l.size == 0 || l.right-l.left < width*l.size*0.9 {
		return nil
	}
	var cells []cell
	from, left := 0, l.left
	for i, c := range chars {
		if c != ' ' || i == 0 || i+1 >= len(chars) || chars[i-1] == ' ' {
			continue
		}
		next := i + 1
		for next < len(chars) && chars[next] == ' ' {
			next++
		}
		if next == len(chars) {
			break
		}
		_, _, end, _, err := r.box(at[i-1])
		if err != nil {
			return err
		}
		start, _, _, _, err := r.box(at[next])
		if err != nil {
			return err
		}
		if start-end > wideGap*l.size {
			cells = append(cells, cell{clean(chars[from:i]), left, end})
			from, left = next, start
		}
	}
	if len(cells) > 0 && utf8.RuneCountInString(cells[0].text) == 1 && bullet(cells[0].text+" x") {
		if len(cells) == 1 { // the sign of a list's item, its text far off
			return nil
		}
		cells = cells[1:]
	}
	if cells != nil {
		l.cells = append(cells, cell{clean(chars[from:]), left, l.right})
	}
	return nil
}

func (r *reader) box(i int) (left, top, right, bottom float64, err error) {
	b, err := r.p.FPDFText_GetLooseCharBox(&requests.FPDFText_GetLooseCharBox{TextPage: r.text, Index: i})
	if err != nil {
		if errors.Is(broken(err), errBroken) {
			return 0, 0, 0, 0, err
		}
		return 0, 0, 0, 0, nil // a character that is nowhere
	}
	return float64(b.Rect.Left), float64(b.Rect.Top), float64(b.Rect.Right), float64(b.Rect.Bottom), nil
}

// wide tells characters that are as wide as high.
func wide(c rune) bool {
	return c >= 0x2e80 && c <= 0x9fff || c >= 0xac00 && c <= 0xd7a3 || c >= 0xf900 && c <= 0xfaff || c >= 0xff00 && c <= 0xff60 || c >= 0x20000 && c <= 0x3ffff
}

// unspaced tells the wide characters of scripts without spaces between words: Korean has them.
func unspaced(c rune) bool {
	return wide(c) && !(c >= 0xac00 && c <= 0xd7a3) && !(c >= 0x3130 && c <= 0x318f)
}

// leader is a row of dots that leads the eye to a page number.
var leader = regexp.MustCompile(`(?:\s*[.·…]){5,}\s*`)

// clean writes characters as text: spaces between two characters of a script that has none are the typesetter's, no one's word border, and a leader's dots say nothing.
func clean(chars []rune) string {
	var b strings.Builder
	for i, c := range chars {
		if c == ' ' {
			if i == 0 || i+1 == len(chars) || chars[i-1] == ' ' {
				continue
			}
			next := i + 1
			for next < len(chars) && chars[next] == ' ' {
				next++
			}
			if next < len(chars) && unspaced(chars[i-1]) && unspaced(chars[next]) {
				continue
			}
		}
		b.WriteRune(c)
	}
	return strings.TrimSpace(leader.ReplaceAllString(b.String(), " … "))
}
