package document

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"

	"golang.org/x/net/html/charset"

	"footnote/internal/rag"
)

// XML reads elements by descent. It counts their depth, since the decoder's tokens have no bound, and knows no entities but XML's own five: nothing is ever fetched, and nothing
// expands.
type XML struct {
	d     *xml.Decoder
	depth int
	most  int
}

// Element is an element that was opened.
type Element struct {
	Name  string // local
	Space string // namespace, or the prefix where it is not declared
	attrs []xml.Attr
}

// Attr is the value of the attribute with a local name; empty when there is none.
func (e Element) Attr(name string) string {
	for _, a := range e.attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// AttrIn is the value of the attribute with a local name whose namespace contains space; empty when there is none.
func (e Element) AttrIn(space, name string) string {
	for _, a := range e.attrs {
		if a.Name.Local == name && strings.Contains(a.Name.Space, space) {
			return a.Value
		}
	}
	return ""
}

// NewXML begins to read. Limits.Depth bounds how deep elements may nest; 0: 256.
func NewXML(content []byte, limits Limits) *XML {
	x := &XML{d: xml.NewDecoder(bytes.NewReader(content)), most: limits.Depth}
	if x.most == 0 {
		x.most = DefaultLimits.Depth
	}
	x.d.CharsetReader = charset.NewReaderLabel
	x.d.Strict = false // office programs write what is not quite XML, too
	x.d.Entity = map[string]string{}
	return x
}

// Children calls element for each child of the element that was opened last, or of the document before one is, and text for the character data between them; either may be
// nil. A child that element does not read to its end is skipped.
func (x *XML) Children(element func(e Element) error, text func(s string)) error {
	depth := x.depth
	for {
		t, err := x.d.Token()
		if errors.Is(err, io.EOF) {
			if depth > 0 {
				return rag.Errorf(rag.Invalid, "The XML ends inside an element.")
			}
			return nil
		}
		if err != nil {
			return rag.Errorf(rag.Invalid, "The XML is damaged: %w", err)
		}
		switch t := t.(type) {
		case xml.StartElement:
			if x.depth++; x.depth > x.most {
				return rag.Errorf(rag.TooLarge, "The XML's elements nest deeper than %d.", x.most)
			}
			if element != nil {
				if err := element(Element{t.Name.Local, t.Name.Space, t.Attr}); err != nil {
					return err
				}
			}
			for x.depth > depth { // what element has left
				if err := x.skip(); err != nil {
					return err
				}
			}
		case xml.EndElement:
			x.depth--
			if x.depth < depth {
				return nil
			}
		case xml.CharData:
			if text != nil {
				text(string(t))
			}
		}
	}
}

// skip reads up to the end of the element that was opened last.
func (x *XML) skip() error {
	return x.Children(nil, nil)
}

// Text is the character data of the element that was opened last, with that of everything in it.
func (x *XML) Text() (string, error) {
	var b strings.Builder
	var walk func(e Element) error
	walk = func(Element) error { return x.Children(walk, func(s string) { b.WriteString(s) }) }
	err := x.Children(walk, func(s string) { b.WriteString(s) })
	return b.String(), err
}
