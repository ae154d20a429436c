package office

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"footnote/internal/ingest/parse/document"
	"footnote/internal/rag"
)

// Document adds the text of a Word document: headings by style or outline level, lists with their numbers, tables with their head, footnotes after the paragraph that has them.
// What was deleted under revision, comments, headers and footers are left out.
func Document(ctx context.Context, b *document.Builder, content []byte) error {
	z, err := document.OpenZip(content, b.Limits)
	if err != nil {
		return err
	}
	if err := properties(z, b); err != nil {
		return err
	}
	main, err := mainPart(z, "word/document.xml", b.Limits)
	if err != nil {
		return err
	}
	d := docx{ctx: ctx, b: b, styles: map[string]style{}, lists: map[string]map[string]listLevel{}, counters: map[string][]int{}, notes: map[string]string{}}
	rels, err := relations(z, main, b.Limits)
	if err != nil {
		return err
	}
	for _, part := range []struct {
		suffix string
		read   func(x *document.XML) error
	}{{"styles.xml", d.readStyles}, {"numbering.xml", d.readNumbering}, {"footnotes.xml", d.readNotes("footnote")}, {"endnotes.xml", d.readNotes("endnote")}} {
		for _, name := range rels {
			if !strings.HasSuffix(name, part.suffix) || !z.Has(name) {
				continue
			}
			content, err := z.Read(name)
			if err != nil {
				return err
			}
			x := document.NewXML(content, b.Limits)
			d.x = x
			if err := part.read(x); err != nil {
				b.Warn("%s could not be read: %v", part.suffix, err)
			}
		}
	}
	body, err := z.Read(main)
	if err != nil {
		return err
	}
	d.x = document.NewXML(body, b.Limits)
	d.pages = strings.Contains(string(body), "lastRenderedPageBreak")
	if d.pages {
		d.page = 1
		b.Page(1)
	}
	err = d.x.Children(func(e document.Element) error { return d.block(e) }, nil)
	d.flushList()
	if err != nil {
		return err
	}
	return charts(z, main, b)
}

// mainPart is the part that the package's own relations name as the document; usual otherwise.
func mainPart(z *document.Zip, usual string, limits document.Limits) (string, error) {
	if z.Has(usual) {
		return usual, nil
	}
	rels, err := relations(z, "", limits)
	if err != nil {
		return "", err
	}
	for _, name := range rels {
		if z.Has(name) && strings.HasSuffix(name, ".xml") && strings.HasPrefix(name, strings.SplitN(usual, "/", 2)[0]) {
			return name, nil
		}
	}
	return usual, nil
}

type style struct {
	name    string
	basedOn string
	outline int // 1 to 9; 0: none
	numID   string
	level   string
}

type listLevel struct {
	bullet bool
	format string // decimal, lowerLetter, …
	text   string // such as "%1."
	start  int
	style  string // of the headings that have this level's numbers
}

type docx struct {
	ctx    context.Context
	b      *document.Builder
	x      *document.XML
	styles map[string]style
	lists  map[string]map[string]listLevel // numId → level → how it is written

	counters  map[string][]int  // numId → the numbers reached
	notes     map[string]string // "footnote 2" → its text
	pages     bool              // Word has noted where pages ended
	page      int
	listPage  int      // on which the list in the making begins
	list      []string // lines of the list in the making
	listTurns []rag.PageTurn
}

func (d *docx) readStyles(x *document.XML) error {
	return x.Children(func(document.Element) error {
		return x.Children(func(e document.Element) error {
			if e.Name != "style" {
				return nil
			}
			id, s := e.Attr("styleId"), style{}
			err := x.Children(func(e document.Element) error {
				switch e.Name {
				case "name":
					s.name = strings.ToLower(e.Attr("val"))
				case "basedOn":
					s.basedOn = e.Attr("val")
				case "pPr":
					return x.Children(func(e document.Element) error {
						switch e.Name {
						case "outlineLvl":
							if n, err := strconv.Atoi(e.Attr("val")); err == nil && n < 9 {
								s.outline = n + 1
							}
						case "numPr":
							return x.Children(func(e document.Element) error {
								switch e.Name {
								case "numId":
									s.numID = e.Attr("val")
								case "ilvl":
									s.level = e.Attr("val")
								}
								return nil
							}, nil)
						}
						return nil
					}, nil)
				}
				return nil
			}, nil)
			d.styles[id] = s
			return err
		}, nil)
	}, nil)
}

// heading is the level of a style's headings, 1 to 6, or 0. Styles take from those that they are based on.
func (d *docx) heading(id string) int {
	for range 10 { // styles may be based on each other in a circle
		s, ok := d.styles[id]
		if !ok {
			break
		}
		if s.name == "title" {
			return 1
		}
		if rest, ok := strings.CutPrefix(s.name, "heading "); ok {
			if n, err := strconv.Atoi(rest); err == nil && n >= 1 {
				return min(n, 6)
			}
		}
		if s.outline > 0 {
			return min(s.outline, 6)
		}
		id = s.basedOn
	}
	return 0
}

func (d *docx) readNumbering(x *document.XML) error {
	abstract := map[string]map[string]listLevel{}
	return x.Children(func(document.Element) error {
		return x.Children(func(e document.Element) error {
			switch e.Name {
			case "abstractNum":
				levels := map[string]listLevel{}
				abstract[e.Attr("abstractNumId")] = levels
				return x.Children(func(e document.Element) error {
					if e.Name != "lvl" {
						return nil
					}
					at, l := e.Attr("ilvl"), listLevel{start: 1}
					err := x.Children(func(e document.Element) error {
						switch v := e.Attr("val"); e.Name {
						case "numFmt":
							l.format, l.bullet = v, v == "bullet" || v == "none"
						case "lvlText":
							l.text = v
						case "pStyle":
							l.style = v
						case "start":
							if n, err := strconv.Atoi(v); err == nil {
								l.start = n
							}
						}
						return nil
					}, nil)
					levels[at] = l
					return err
				}, nil)
			case "num":
				id := e.Attr("numId")
				return x.Children(func(e document.Element) error {
					if e.Name == "abstractNumId" {
						d.lists[id] = abstract[e.Attr("val")]
					}
					return nil
				}, nil)
			}
			return nil
		}, nil)
	}, nil)
}

func (d *docx) readNotes(kind string) func(x *document.XML) error {
	return func(x *document.XML) error {
		return x.Children(func(document.Element) error {
			return x.Children(func(e document.Element) error {
				if e.Name != kind || e.Attr("type") != "" { // separators have a type
					return nil
				}
				id := e.Attr("id")
				var parts []string
				err := x.Children(func(e document.Element) error {
					if e.Name != "p" {
						return nil
					}
					p, err := d.paragraph()
					parts = append(parts, strings.TrimSpace(p.text.String()))
					return err
				}, nil)
				d.notes[kind+" "+id] = strings.TrimSpace(strings.Join(parts, " "))
				return err
			}, nil)
		}, nil)
	}
}

// block reads an element that holds paragraphs and tables.
func (d *docx) block(e document.Element) error {
	if err := d.ctx.Err(); err != nil {
		return err
	}
	switch e.Name {
	case "p":
		p, err := d.paragraph()
		if err != nil {
			return err
		}
		return d.add(p)
	case "tbl":
		d.flushList()
		rows, head, turns, err := d.table()
		if err != nil {
			return err
		}
		d.b.TableOver(rows, head, turns)
		d.b.Page(d.page)
	case "document", "body", "sdt", "sdtContent", "ins", "moveTo", "customXml", "smartTag", "txbxContent", "Choice", "AlternateContent":
		return d.x.Children(d.block, nil)
	}
	return nil
}

// add writes a paragraph as what it is, and what stands in its text boxes and notes after it.
func (d *docx) add(p *paragraph) error {
	s := strings.TrimSpace(p.text.String())
	numID, level := p.numID, p.level
	if st := d.styles[p.style]; numID == "" && st.numID != "" {
		numID, level = st.numID, st.level
		for at, l := range d.lists[numID] {
			if l.style == p.style {
				level = at
			}
		}
	}
	heading := p.outline
	if heading == 0 {
		heading = d.heading(p.style)
	}
	var turns []rag.PageTurn
	if d.pages {
		turns = p.turns(d.page)
		defer func() {
			d.page += len(p.breaks)
			d.b.Page(d.page)
		}()
	}
	switch {
	case s == "":
	case heading > 0:
		d.flushList()
		for _, t := range turns { // a heading has one page: that on which it begins
			if t.At == 0 {
				d.b.Page(t.Page)
			}
		}
		d.b.Add(rag.BlockHeading, heading, strings.Join(strings.Fields(d.number(numID, level, true)+s), " "))
	case numID != "" && numID != "0" && d.lists[numID] != nil || strings.HasPrefix(d.styles[p.style].name, "list "):
		depth, _ := strconv.Atoi(level)
		mark := d.number(numID, level, false)
		if mark == "" {
			mark = "- "
		}
		if len(d.list) == 0 {
			d.listPage = d.page
		}
		start := 0 // of the item in the list
		for _, item := range d.list {
			start += len(item) + 1
		}
		head, hang := strings.Repeat("  ", min(depth, 8))+mark, "\n"+strings.Repeat(" ", len(mark))
		for _, t := range turns {
			if t.At > 0 {
				t.At = len(head) + len(strings.ReplaceAll(s[:t.At], "\n", hang))
			}
			d.listTurns = append(d.listTurns, rag.PageTurn{At: start + t.At, Page: t.Page})
		}
		d.list = append(d.list, head+strings.ReplaceAll(s, "\n", hang))
	case codeStyle(d.styles[p.style].name):
		d.flushList()
		for i := range turns {
			turns[i].At = p.breaks[i]
		}
		d.b.AddOver(rag.BlockCode, 0, p.text.String(), turns)
	case strings.Contains(d.styles[p.style].name, "quote"):
		d.flushList()
		d.b.AddOver(rag.BlockQuote, 0, s, turns)
	default:
		d.flushList()
		d.b.AddOver(rag.BlockParagraph, 0, s, turns)
	}
	if d.pages && s != "" {
		d.b.Page(d.page + len(p.breaks)) // notes and boxes stand after it
	}
	for _, n := range p.notes {
		if note := d.notes[n]; note != "" {
			d.flushList()
			d.b.Add(rag.BlockParagraph, 0, note)
		}
	}
	for _, box := range p.boxes {
		d.flushList()
		for _, q := range box {
			if err := d.add(q); err != nil {
				return err
			}
		}
	}
	return nil
}

func codeStyle(name string) bool {
	return strings.Contains(name, "code") || strings.Contains(name, "html preformatted") || strings.Contains(name, "macro text") || strings.Contains(name, "source")
}

func (d *docx) flushList() {
	if len(d.list) > 0 {
		d.b.Page(d.listPage)
		d.b.AddOver(rag.BlockList, 1, strings.Join(d.list, "\n"), d.listTurns)
		d.b.LeadIn()
		d.b.Page(d.page)
	}
	d.list, d.listTurns = nil, nil
}

// number counts a list's level on and writes its number, with a space; a sign is a dash, for a heading nothing.
func (d *docx) number(numID, level string, heading bool) string {
	levels := d.lists[numID]
	at, err := strconv.Atoi(level)
	if level == "" {
		at, level, err = 0, "0", nil
	}
	l, ok := levels[level]
	if err != nil || !ok || at < 0 || at > 8 {
		return ""
	}
	if l.bullet {
		if heading {
			return ""
		}
		return "- "
	}
	c := d.counters[numID]
	for len(c) <= at {
		c = append(c, levels[strconv.Itoa(len(c))].start-1)
	}
	c = c[:at+1] // deeper levels begin anew
	c[at]++
	d.counters[numID] = c
	s := l.text
	for i, n := range c {
		s = strings.ReplaceAll(s, "%"+strconv.Itoa(i+1), counted(levels[strconv.Itoa(i)].format, n))
	}
	if strings.TrimSpace(s) == "" {
		return ""
	}
	return s + " "
}

// counted writes a number of a list.
func counted(format string, n int) string {
	switch format {
	case "lowerLetter", "upperLetter":
		if n < 1 {
			break
		}
		s := strings.Repeat(string(rune('a'+(n-1)%26)), min((n-1)/26+1, 8))
		if format == "upperLetter" {
			s = strings.ToUpper(s)
		}
		return s
	case "lowerRoman":
		return strings.ToLower(roman(n))
	case "upperRoman":
		return roman(n)
	case "chineseCounting", "chineseCountingThousand", "japaneseCounting", "ideographDigital", "taiwaneseCountingThousand":
		return chinese(n)
	}
	return strconv.Itoa(n)
}

func roman(n int) string {
	if n < 1 || n > 3999 {
		return strconv.Itoa(n)
	}
	var b strings.Builder
	for _, r := range []struct {
		value int
		sign  string
	}{{1000, "M"}, {900, "CM"}, {500, "D"}, {400, "CD"}, {100, "C"}, {90, "XC"}, {50, "L"}, {40, "XL"}, {10, "X"}, {9, "IX"}, {5, "V"}, {4, "IV"}, {1, "I"}} {
		for n >= r.value {
			b.WriteString(r.sign)
			n -= r.value
		}
	}
	return b.String()
}

func chinese(n int) string {
	digits := []rune("零一二三四五六七八九")
	switch {
	case n < 0 || n > 99:
		return strconv.Itoa(n)
	case n < 10:
		return string(digits[n])
	case n < 20:
		return strings.TrimSuffix("十"+string(digits[n-10]), "零")
	}
	return strings.TrimSuffix(fmt.Sprintf("%c十%c", digits[n/10], digits[n%10]), "零")
}
