package office

import (
	"slices"
	"strings"

	"footnote/internal/ingest/parse/document"
	"footnote/internal/rag"
)

func addSlide(z *document.Zip, part string, b *document.Builder) error {
	shapes, err := readShapes(z, part, b.Limits)
	if err != nil {
		return err
	}
	slices.SortStableFunc(shapes, func(a, b shape) int {
		switch {
		case a.title == b.title:
			return 0
		case a.title:
			return -1
		}
		return 1
	})
	for _, s := range shapes {
		addShape(b, s)
	}
	if err := charts(z, part, b); err != nil {
		return err
	}
	rels, err := relations(z, part, b.Limits)
	if err != nil {
		return err
	}
	for _, name := range rels {
		if strings.HasPrefix(name, "ppt/comments/") && z.Has(name) {
			if err := addComments(z, name, b); err != nil {
				b.Warn("the comments of a slide could not be read: %v", err)
			}
		}
		if !strings.HasPrefix(name, "ppt/notesSlides/") || !z.Has(name) {
			continue
		}
		notes, err := readShapes(z, name, b.Limits)
		if err != nil {
			b.Warn("the notes of a slide could not be read: %v", err)
			continue
		}
		for _, s := range notes {
			var text []string
			for _, l := range s.lines {
				text = append(text, l.text)
			}
			b.Add(rag.BlockQuote, 0, strings.Join(text, "\n"))
		}
	}
	return nil
}

func addShape(b *document.Builder, s shape) {
	if s.rows != nil {
		head := 0
		if len(s.rows) > 1 {
			head = 1
		}
		b.Table(s.rows, head)
		return
	}
	if s.title {
		var parts []string
		for _, l := range s.lines {
			parts = append(parts, l.text)
		}
		b.Add(rag.BlockHeading, 2, strings.Join(strings.Fields(strings.Join(parts, " ")), " "))
		return
	}
	var list []string
	flush := func() {
		if len(list) > 0 {
			b.Add(rag.BlockList, 1, strings.Join(list, "\n"))
			b.LeadIn()
		}
		list = nil
	}
	for _, l := range s.lines {
		if strings.TrimSpace(l.text) == "" {
			continue
		}
		if l.bullet {
			list = append(list, strings.Repeat("  ", min(l.level, 8))+"- "+strings.TrimSpace(strings.ReplaceAll(l.text, "\n", " ")))
			continue
		}
		flush()
		b.Add(rag.BlockParagraph, 0, l.text)
	}
	flush()
}

// addComments adds the comments on a slide as quotes, each with its author.
func addComments(z *document.Zip, part string, b *document.Builder) error {
	authors := map[string]string{}
	for _, name := range []string{"ppt/commentAuthors.xml", "ppt/authors.xml"} {
		if !z.Has(name) {
			continue
		}
		content, err := z.Read(name)
		if err != nil {
			return err
		}
		x := document.NewXML(content, b.Limits)
		if err := x.Children(func(document.Element) error {
			return x.Children(func(e document.Element) error {
				authors[e.Attr("id")] = e.Attr("name")
				return nil
			}, nil)
		}, nil); err != nil {
			return err
		}
	}
	content, err := z.Read(part)
	if err != nil {
		return err
	}
	x := document.NewXML(content, b.Limits)
	author := ""
	var said []string
	flush := func() {
		if s := strings.TrimSpace(strings.Join(said, "")); s != "" {
			if author != "" {
				s = author + ": " + s
			}
			b.Add(rag.BlockQuote, 0, s)
		}
		said = nil
	}
	var walk func(e document.Element) error
	walk = func(e document.Element) error {
		switch e.Name {
		case "cm", "reply":
			flush()
			author = authors[e.Attr("authorId")]
		case "t", "text":
			s, err := x.Text()
			said = append(said, s)
			return err
		}
		return x.Children(walk, nil)
	}
	err = x.Children(walk, nil)
	flush()
	return err
}
