package pdf

import (
	"cmp"
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

// bodySize is the size of most characters.
func bodySize(pages []sheet) float64 {
	count := map[float64]int{}
	for _, s := range pages {
		for _, l := range s.lines {
			count[round(l.size)] += utf8.RuneCountInString(l.text)
		}
	}
	best, most := 0.0, 0
	for size, n := range count {
		if n > most || n == most && size < best {
			best, most = size, n
		}
	}
	return best
}

func round(size float64) float64 { return math.Round(size*2) / 2 }

// headingSizes lists the sizes of lines that may be headings, the greatest first, one for each level.
func headingSizes(pages []sheet, body float64) []float64 {
	seen := map[float64]bool{}
	for _, s := range pages {
		for _, l := range s.lines {
			if isHeadingSize(l, body) {
				seen[round(l.size)] = true
			}
		}
	}
	var out []float64
	for size := range seen {
		out = append(out, size)
	}
	slices.SortFunc(out, func(a, b float64) int { return cmp.Compare(b, a) })
	// Sizes that nobody can tell apart are one level's.
	levels := out[:0]
	for _, size := range out {
		if len(levels) == 0 || size < levels[len(levels)-1]*sameLevel {
			levels = append(levels, size)
		}
	}
	return levels
}

// level is the level of a heading of a size, 1 to 6; one of the body's size, told by its weight, stands below all larger ones.
func (l *layouter) headingLevel(size float64) int {
	for i, s := range l.levels {
		if round(size) >= s*sameLevel {
			return min(i+1, 6)
		}
	}
	return min(len(l.levels)+1, 6)
}

func isHeadingSize(l line, body float64) bool {
	return body > 0 && l.size >= body*headingSize && l.cells == nil && utf8.RuneCountInString(l.text) <= headingLength && strings.ContainsFunc(l.text, unicode.IsLetter)
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

// boldHeading tells whether a line of the body's size is a heading: short, bold, no sentence, among lines that are not bold.
func boldHeading(ln line, lines []line, i int) bool {
	if !ln.bold || ln.cells != nil || bullet(ln.text) || utf8.RuneCountInString(ln.text) > 90 || endsSentence(ln.text) || !strings.ContainsFunc(ln.text, unicode.IsLetter) {
		return false
	}
	before, after := i == 0 || !lines[i-1].bold, i+1 < len(lines) && !lines[i+1].bold
	return before && after && (i == 0 || lines[i-1].bottom-ln.top > 0.25*ln.size || lines[i-1].bottom < ln.bottom || endsSentence(lines[i-1].text))
}

// bullet tells whether a line begins an item of a list.
func bullet(s string) bool {
	r, n := utf8.DecodeRuneInString(s)
	if strings.ContainsRune("•▪◦‣●○■□►➢➤✓✔❖·∙", r) {
		return len(s) > n
	}
	if (r == '-' || r == '–' || r == '—' || r == '*') && len(s) > n+1 && s[n] == ' ' {
		return true
	}
	rest := strings.TrimLeft(s, "0123456789")
	if n := len(s) - len(rest); n > 0 && n <= 2 && (strings.HasPrefix(rest, ". ") || strings.HasPrefix(rest, ") ")) {
		return true
	}
	return false
}

// listItem writes an item with a dash in the place of its sign.
func listItem(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if strings.ContainsRune("•▪◦‣●○■□►➢➤✓✔❖·∙–—*", r) {
		return "- " + strings.TrimSpace(s[n:])
	}
	return s
}
