package pdf

import (
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"footnote/internal/ingest/parse/document"
	"footnote/internal/ingest/parse/plain"
	"footnote/internal/rag"
)

// Proportions of a layout, in heights of the font's box unless said.
const (
	headingSize   = 1.12 // of the body's: from here on a line is a heading
	sameLevel     = 0.93 // of a heading's size: another of at least this is of the same level
	headingLength = 200  // code points of a heading, at most
	paragraphGap  = 0.55 // between lines, more than what the page has between most
	shortLine     = 0.82 // of its column's width: a line that ends before may end a paragraph
	indent        = 0.8  // of a first line
)

// layout turns the lines of all pages into blocks.
func layout(b *document.Builder, pages []sheet) {
	dropRepeated(pages)
	for i := range pages {
		pages[i].lines = columns(pages[i].lines)
	}
	l := layouter{b: b, body: bodySize(pages)}
	l.levels = headingSizes(pages, l.body)
	for i, s := range pages {
		l.page(i+1, s.lines)
		if s.scanned != "" {
			l.flush()
			b.Page(i + 1)
			plain.Parse(b, s.scanned)
		}
	}
	l.flush()
}

// layouter makes blocks out of lines, over page borders where a sentence goes on.
type layouter struct {
	b      *document.Builder
	body   float64
	levels []float64

	kind   rag.BlockKind // of the block in the making; empty: none
	level  int
	from   int // its first page
	at     int // the page of what was added to it last
	turns  []rag.PageTurn
	text   strings.Builder
	last   line
	rows   [][]string // of a table
	margin float64    // left of a piece of code
	right  float64    // of the column that the page's lines stand in
	left   float64
	gap    float64 // usual distance between lines
}

func (l *layouter) page(number int, lines []line) {
	l.left, l.right, l.gap = measure(lines)
	for i, ln := range lines {
		table := i+1 < len(lines) && beside(ln, lines[i+1]) || i > 0 && beside(lines[i-1], ln)
		switch {
		case table:
			if l.kind != rag.BlockTable {
				l.start(rag.BlockTable, 0, number)
			}
			l.turn(number, len(l.rows))
			l.rows = append(l.rows, cellsOf(ln))
		case ln.mono && (i > 0 && lines[i-1].mono || i+1 < len(lines) && lines[i+1].mono):
			if l.kind != rag.BlockCode {
				l.start(rag.BlockCode, 0, number)
				l.margin = ln.left
			} else {
				l.text.WriteByte('\n')
			}
			l.turn(number, l.text.Len())
			if n := utf8.RuneCountInString(ln.text); ln.left > l.margin && ln.right > ln.left { // one width: the indent is so many characters
				l.text.WriteString(strings.Repeat(" ", min(int(math.Round((ln.left-l.margin)*float64(n)/(ln.right-ln.left))), 80)))
			}
			l.text.WriteString(ln.text)
		case isHeadingSize(ln, l.body) || boldHeading(ln, lines, i):
			level := l.headingLevel(ln.size)
			if l.kind == rag.BlockHeading && l.level == level && l.from == number && l.near(ln) && !endsSentence(l.last.text) && l.text.Len() < headingLength {
				l.join(ln, number)
				break
			}
			l.start(rag.BlockHeading, level, number)
			l.text.WriteString(ln.text)
		case bullet(ln.text) || strings.Contains(ln.text, " … "):
			if l.kind != rag.BlockList {
				l.start(rag.BlockList, 1, number)
			} else {
				l.text.WriteByte('\n')
			}
			l.turn(number, l.text.Len())
			l.text.WriteString(listItem(ln.text))
		case l.kind == rag.BlockList && l.continues(ln, number) && ln.left > l.last.left-0.3*ln.size:
			l.join(ln, number)
		case l.kind == rag.BlockParagraph && l.continues(ln, number):
			l.join(ln, number)
		default:
			l.start(rag.BlockParagraph, 0, number)
			l.text.WriteString(ln.text)
		}
		l.last = ln
	}
}

// start ends the block in the making and begins another.
func (l *layouter) start(kind rag.BlockKind, level, page int) {
	l.flush()
	l.kind, l.level, l.from, l.at = kind, level, page, page
}

// turn notes that what is added next, at a byte of the text or a row of the table, is on a page.
func (l *layouter) turn(page, at int) {
	if page != l.at {
		l.turns = append(l.turns, rag.PageTurn{At: at, Page: page})
		l.at = page
	}
}

func (l *layouter) flush() {
	l.b.Page(l.from)
	switch l.kind {
	case "":
	case rag.BlockTable:
		l.b.TableOver(l.rows, head(l.rows), l.turns)
	default:
		s := l.text.String()
		if l.last.hyphen {
			s += "-" // nothing follows that it could be mended with
		}
		l.b.AddOver(l.kind, l.level, s, l.turns)
		l.b.LeadIn()
	}
	l.kind, l.rows, l.turns = "", nil, nil
	l.text.Reset()
}

// join appends a line to the block: a hyphen at the end of the line before is mended, and two wide characters have no space between them.
func (l *layouter) join(ln line, page int) {
	before, _ := utf8.DecodeLastRuneInString(l.text.String())
	after, _ := utf8.DecodeRuneInString(ln.text)
	switch {
	case l.last.hyphen && unicode.IsLower(after):
	case l.last.hyphen:
		l.text.WriteByte('-')
	case before == '-' && unicode.IsLower(after) && lowerBefore(l.text.String()):
		s := strings.TrimSuffix(l.text.String(), "-")
		l.text.Reset()
		l.text.WriteString(s)
	case unspaced(before) && unspaced(after):
	default:
		l.text.WriteByte(' ')
	}
	l.turn(page, l.text.Len())
	l.text.WriteString(ln.text)
}

func lowerBefore(s string) bool {
	r, _ := utf8.DecodeLastRuneInString(strings.TrimSuffix(s, "-"))
	return unicode.IsLower(r)
}

// near tells whether ln stands right below the last line.
func (l *layouter) near(ln line) bool {
	return l.last.bottom-ln.top < paragraphGap*max(ln.size, l.last.size) && ln.top < l.last.top+ln.size
}

// continues tells whether a line goes on with the paragraph that the last line is of.
func (l *layouter) continues(ln line, page int) bool {
	if math.Abs(ln.size-l.last.size) > 0.12*max(ln.size, l.last.size) {
		return false
	}
	if l.last.hyphen {
		return true
	}
	ends := endsSentence(l.last.text)
	elsewhere := page != l.from && ln.top > l.last.bottom || ln.top > l.last.top+ln.size // another page, or the next column
	if elsewhere {
		first, _ := utf8.DecodeRuneInString(ln.text)
		return !ends && (unicode.IsLower(first) || wide(first) && wide(lastRune(l.last.text)))
	}
	if l.last.bottom-ln.top > l.gap+paragraphGap*ln.size {
		return false
	}
	if ln.left-l.last.left > indent*ln.size && ends { // a first line is indented
		return false
	}
	full := l.last.right-l.left >= shortLine*(l.right-l.left)
	return full || !ends
}

func lastRune(s string) rune {
	r, _ := utf8.DecodeLastRuneInString(s)
	return r
}

// endsSentence tells whether a text ends as sentences do.
func endsSentence(s string) bool {
	s = strings.TrimRight(s, "\"'”’»」』）)]")
	return strings.ContainsRune(".!?:;。！？：；…", lastRune(s))
}

// measure tells the page's left and right edge, of most lines, and the usual distance between two.
func measure(lines []line) (left, right, gap float64) {
	if len(lines) == 0 {
		return 0, 0, 0
	}
	var lefts, rights, gaps []float64
	for i, l := range lines {
		lefts, rights = append(lefts, l.left), append(rights, l.right)
		if i > 0 && lines[i-1].bottom > l.bottom && lines[i-1].bottom-l.top < 3*l.size {
			gaps = append(gaps, max(lines[i-1].bottom-l.top, 0))
		}
	}
	slices.Sort(lefts)
	slices.Sort(rights)
	if len(gaps) > 0 {
		slices.Sort(gaps)
		gap = gaps[len(gaps)/2]
	}
	return lefts[len(lefts)/4], rights[len(rights)*3/4], gap
}
