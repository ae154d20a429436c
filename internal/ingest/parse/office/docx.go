package office

import (
	"context"
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
		d.item(s, numID, level, turns)
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
