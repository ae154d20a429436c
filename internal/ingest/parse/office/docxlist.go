package office

import (
	"strconv"
	"strings"

	"footnote/internal/ingest/parse/document"
	"footnote/internal/rag"
)

type listLevel struct {
	bullet bool
	format string // decimal, lowerLetter, …
	text   string // such as "%1."
	start  int
	style  string // of the headings that have this level's numbers
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

// item adds an item to the list in the making, under its number or a dash; turns are where pages end in its text.
func (d *docx) item(s, numID, level string, turns []rag.PageTurn) {
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
