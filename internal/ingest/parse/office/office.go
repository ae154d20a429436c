// Package office reads the text of Word, PowerPoint and Excel files in the formats of ECMA-376 (docx, pptx, xlsx), from their parts: nothing in them is ever run or fetched.
package office

import (
	"path"
	"strings"

	"footnote/internal/ingest/parse/document"
)

// properties takes title, author and dates of docProps/core.xml (ECMA-376, part 2).
func properties(z *document.Zip, b *document.Builder) error {
	if !z.Has("docProps/core.xml") {
		return nil
	}
	content, err := z.Read("docProps/core.xml")
	if err != nil {
		return err
	}
	x := document.NewXML(content, b.Limits)
	err = x.Children(func(document.Element) error {
		return x.Children(func(e document.Element) error {
			s, err := x.Text()
			switch e.Name {
			case "title":
				b.Title = strings.TrimSpace(s)
			case "creator":
				b.Meta("author", s)
			case "subject":
				b.Meta("subject", s)
			case "keywords":
				b.Meta("keywords", s)
			case "created":
				b.Meta("created", s)
			case "modified":
				b.Meta("modified", s)
			}
			return err
		}, nil)
	}, nil)
	if err != nil {
		b.Warn("the document's properties could not be read: %v", err)
	}
	return nil
}

// relations maps the ids of a part's relationships to the parts' names.
func relations(z *document.Zip, part string, limits document.Limits) (map[string]string, error) {
	dir, file := path.Split(part)
	name := dir + "_rels/" + file + ".rels"
	out := map[string]string{}
	if !z.Has(name) {
		return out, nil
	}
	content, err := z.Read(name)
	if err != nil {
		return nil, err
	}
	x := document.NewXML(content, limits)
	return out, x.Children(func(document.Element) error {
		return x.Children(func(e document.Element) error {
			if e.Attr("TargetMode") != "External" {
				target := e.Attr("Target")
				if !strings.HasPrefix(target, "/") {
					target = dir + target
				}
				out[e.Attr("Id")] = strings.TrimPrefix(path.Clean("/"+target), "/")
			}
			return nil
		}, nil)
	}, nil)
}

// on tells whether a switch such as <w:b/> is on: it is unless its value says otherwise.
func on(value string) bool { return value != "0" && value != "false" && value != "off" }

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
