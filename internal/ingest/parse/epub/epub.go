// Package epub reads books in EPUB 2 and 3.
package epub

import (
	"context"
	"net/url"
	"path"
	"strings"

	"footnote/internal/ingest/parse/document"
	"footnote/internal/ingest/parse/web"
	"footnote/internal/rag"
)

// Parse adds a book's chapters in their reading order. Its parts have no pages of their own, so none are counted.
func Parse(ctx context.Context, b *document.Builder, content []byte) error {
	z, err := document.OpenZip(content, b.Limits)
	if err != nil {
		return err
	}
	if z.Has("META-INF/rights.xml") {
		return rag.Errorf(rag.Invalid, "The book is protected by digital rights management, so nobody but its reader can read it.")
	}
	name, err := packageName(z, b.Limits)
	if err != nil {
		return err
	}
	chapters, err := spine(z, name, b)
	if err != nil {
		return err
	}
	for _, chapter := range chapters {
		if err := ctx.Err(); err != nil {
			return err
		}
		page, err := z.Read(chapter)
		if err != nil {
			if rag.CodeOf(err) == rag.TooLarge {
				return err
			}
			b.Warn("%s could not be read: %v", rag.Clip(chapter, 120), err)
			continue
		}
		if err := web.Whole(b, page); err != nil {
			b.Warn("%s could not be read: %v", rag.Clip(chapter, 120), err)
		}
	}
	return nil
}

// packageName is the part that META-INF/container.xml names as the book's description.
func packageName(z *document.Zip, limits document.Limits) (name string, err error) {
	content, err := z.Read("META-INF/container.xml")
	if err != nil {
		return "", err
	}
	x := document.NewXML(content, limits)
	var walk func(e document.Element) error
	walk = func(e document.Element) error {
		if e.Name == "rootfile" && name == "" {
			name = e.Attr("full-path")
		}
		return x.Children(walk, nil)
	}
	if err := x.Children(walk, nil); err != nil {
		return "", err
	}
	return strings.TrimPrefix(path.Clean("/"+name), "/"), nil
}

// spine takes the book's title and makers and lists its chapters' parts in reading order.
func spine(z *document.Zip, name string, b *document.Builder) ([]string, error) {
	content, err := z.Read(name)
	if err != nil {
		return nil, err
	}
	x := document.NewXML(content, b.Limits)
	items, order := map[string]string{}, []string(nil)
	var authors []string
	var walk func(e document.Element) error
	walk = func(e document.Element) error {
		switch e.Name {
		case "title", "creator", "date", "publisher", "subject", "language":
			s, err := x.Text()
			s = strings.TrimSpace(s)
			switch e.Name {
			case "title":
				if b.Title == "" {
					b.Title = s
				}
			case "creator":
				authors = append(authors, s)
			case "date":
				b.Meta("created", s)
			case "publisher":
				b.Meta("publisher", s)
			}
			return err
		case "item":
			if t := e.Attr("media-type"); strings.Contains(t, "html") || strings.Contains(t, "dtbook") {
				target, err := url.PathUnescape(e.Attr("href"))
				if err != nil {
					target = e.Attr("href")
				}
				if e.Attr("properties") != "nav" { // the list of contents
					items[e.Attr("id")] = strings.TrimPrefix(path.Clean("/"+path.Join(path.Dir(name), target)), "/")
				}
			}
		case "itemref":
			if item := items[e.Attr("idref")]; item != "" {
				order = append(order, item)
			}
		}
		return x.Children(walk, nil)
	}
	err = x.Children(walk, nil)
	b.Meta("author", strings.Join(authors, ", "))
	return order, err
}
