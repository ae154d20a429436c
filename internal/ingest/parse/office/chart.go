package office

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"footnote/internal/ingest/parse/document"
	"footnote/internal/rag"
)

// charts adds the charts that a part refers to as tables of the values that they show: categories down, series across.
func charts(z *document.Zip, part string, b *document.Builder) error {
	rels, err := relations(z, part, b.Limits)
	if err != nil {
		return err
	}
	var names []string
	for _, name := range rels {
		if strings.Contains(name, "/charts/chart") && z.Has(name) {
			names = append(names, name)
		}
	}
	return addEach(z, names, b)
}

// addCharts adds the charts whose parts are in a folder, in the order of their numbers.
func addCharts(z *document.Zip, folder string, b *document.Builder) error {
	var names []string
	for _, name := range z.Names() {
		if strings.HasPrefix(name, folder+"chart") && strings.HasSuffix(name, ".xml") {
			names = append(names, name)
		}
	}
	return addEach(z, names, b)
}

func addEach(z *document.Zip, names []string, b *document.Builder) error {
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(len(a)-len(b), cmp.Compare(a, b)) })
	for _, name := range slices.Compact(names) {
		content, err := z.Read(name)
		if err != nil {
			return err
		}
		if err := chart(b, content); err != nil {
			b.Warn("a chart could not be read: %v", err)
		}
	}
	return nil
}

type series struct {
	name       string
	categories map[int]string
	values     map[int]string
}

func chart(b *document.Builder, content []byte) error {
	x := document.NewXML(content, b.Limits)
	var title []string
	var all []series
	var walk func(e document.Element) error
	walk = func(e document.Element) error {
		switch e.Name {
		case "title":
			return texts(x, &title)
		case "ser":
			s := series{}
			err := x.Children(func(e document.Element) error {
				switch e.Name {
				case "tx":
					points, err := points(x)
					s.name = points[0]
					return err
				case "cat", "xVal":
					var err error
					s.categories, err = points(x)
					return err
				case "val", "yVal":
					var err error
					s.values, err = points(x)
					return err
				}
				return nil
			}, nil)
			if len(s.values) > 0 {
				all = append(all, s)
			}
			return err
		case "externalData", "style", "legend":
			return nil
		}
		return x.Children(walk, nil)
	}
	if err := x.Children(walk, nil); err != nil {
		return err
	}
	b.Add(rag.BlockParagraph, 0, strings.Join(title, " "))
	if len(all) == 0 {
		return nil
	}
	rows := [][]string{{""}}
	last := 0
	for _, s := range all {
		rows[0] = append(rows[0], s.name)
		for i := range s.values {
			last = max(last, i)
		}
	}
	for i := range last + 1 {
		row := []string{all[0].categories[i]}
		if row[0] == "" {
			row[0] = strconv.Itoa(i + 1)
		}
		for _, s := range all {
			row = append(row, s.values[i])
		}
		rows = append(rows, row)
	}
	b.Table(rows, 1)
	return nil
}

// maxPoint bounds the index that a point of a chart may say it has.
const maxPoint = 10000

// points reads the cached values below the element that was opened last, by index.
func points(x *document.XML) (map[int]string, error) {
	out := map[int]string{}
	var walk func(e document.Element) error
	walk = func(e document.Element) error {
		if e.Name == "pt" {
			i, err := strconv.Atoi(e.Attr("idx"))
			s, textErr := x.Text()
			if err == nil && i >= 0 && i < maxPoint {
				out[i] = strings.TrimSpace(s)
			}
			return textErr
		}
		return x.Children(walk, nil)
	}
	return out, x.Children(walk, nil)
}

// texts collects the runs a:t below the element that was opened last.
func texts(x *document.XML, into *[]string) error {
	var walk func(e document.Element) error
	walk = func(e document.Element) error {
		if e.Name == "t" {
			s, err := x.Text()
			if s = strings.TrimSpace(s); s != "" {
				*into = append(*into, s)
			}
			return err
		}
		return x.Children(walk, nil)
	}
	return x.Children(walk, nil)
}
