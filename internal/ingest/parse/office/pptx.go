package office

import (
	"context"

	"footnote/internal/ingest/parse/document"
	"footnote/internal/rag"
)

// Presentation adds the text of a PowerPoint file: a slide is a page, its title a heading, its notes a quote after it. Shapes come in the order in which they were drawn, the title
// first.
func Presentation(ctx context.Context, b *document.Builder, content []byte) error {
	z, err := document.OpenZip(content, b.Limits)
	if err != nil {
		return err
	}
	if err := properties(z, b); err != nil {
		return err
	}
	main, err := mainPart(z, "ppt/presentation.xml", b.Limits)
	if err != nil {
		return err
	}
	slides, err := slideParts(z, main, b.Limits)
	if err != nil {
		return err
	}
	if b.Limits.Pages > 0 && len(slides) > b.Limits.Pages {
		return rag.Errorf(rag.TooLarge, "The presentation has %d slides; at most %d are read.", len(slides), b.Limits.Pages)
	}
	for i, part := range slides {
		if err := ctx.Err(); err != nil {
			return err
		}
		b.Page(i + 1)
		if err := addSlide(z, part, b); err != nil {
			if rag.CodeOf(err) == rag.TooLarge {
				return err
			}
			b.Warn("slide %d could not be read: %v", i+1, err)
		}
	}
	return nil
}

// slideParts lists the slides' parts in the order in which they are shown.
func slideParts(z *document.Zip, main string, limits document.Limits) ([]string, error) {
	content, err := z.Read(main)
	if err != nil {
		return nil, err
	}
	rels, err := relations(z, main, limits)
	if err != nil {
		return nil, err
	}
	var out []string
	x := document.NewXML(content, limits)
	return out, x.Children(func(document.Element) error {
		return x.Children(func(e document.Element) error {
			if e.Name != "sldIdLst" {
				return nil
			}
			return x.Children(func(e document.Element) error {
				if part := rels[relationID(e)]; z.Has(part) {
					out = append(out, part)
				}
				return nil
			}, nil)
		}, nil)
	}, nil)
}

// relationID is the attribute r:id, whose local name another attribute may share.
func relationID(e document.Element) string { return e.AttrIn("relationships", "id") }
