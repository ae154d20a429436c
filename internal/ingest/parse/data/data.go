// Package data reads JSON, JSON Lines and YAML as text that can be found and quoted: a line a value, under the keys that lead to it.
package data

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"footnote/internal/ingest/parse/document"
	"footnote/internal/rag"
)

// maxNodes bounds the values of one file: YAML's aliases can make many of few.
const maxNodes = 1 << 20

var (
	errTooDeep = errors.New("its values nest too deep")
	errTooMany = errors.New("it has too many values")
)

// JSON adds a JSON document, or several one after the other as JSON Lines has them. Objects in a list with the same keys are a table.
func JSON(ctx context.Context, b *document.Builder, content []byte) error {
	d := json.NewDecoder(strings.NewReader(document.Decode(content)))
	d.UseNumber()
	w := writer{ctx: ctx, b: b}
	for n := 0; ; n++ {
		v, err := ordered(d, 0, b.Limits.Depth)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			if n > 0 {
				b.Warn("after %d values, the rest could not be read: %v", n, err)
				return nil
			}
			return err
		}
		if err := w.value(nil, v); err != nil {
			return err
		}
		if b.Full() {
			return nil
		}
	}
}

// member is a key of an object with its value: an object is a []member, so that keys keep the order that they were written in.
type member struct {
	key   string
	value any
}

// ordered reads the next value: nil, bool, json.Number, string, []any or []member.
func ordered(d *json.Decoder, depth, most int) (any, error) {
	if most > 0 && depth > most {
		return nil, errTooDeep
	}
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t {
	case json.Delim('['):
		list := []any{}
		for d.More() {
			v, err := ordered(d, depth+1, most)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := d.Token()
		return list, err
	case json.Delim('{'):
		object := []member{}
		for d.More() {
			k, err := d.Token()
			if err != nil {
				return nil, err
			}
			v, err := ordered(d, depth+1, most)
			if err != nil {
				return nil, err
			}
			object = append(object, member{fmt.Sprint(k), v})
		}
		_, err := d.Token()
		return object, err
	}
	return t, nil
}

// YAML adds the documents of a YAML file.
func YAML(ctx context.Context, b *document.Builder, content []byte) error {
	d := yaml.NewDecoder(bytes.NewReader([]byte(document.Decode(content))))
	w := writer{ctx: ctx, b: b}
	for {
		var n yaml.Node
		err := d.Decode(&n)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		nodes := 0
		v, err := fromYAML(&n, 0, b.Limits.Depth, &nodes)
		if err != nil {
			return err
		}
		if err := w.value(nil, v); err != nil {
			return err
		}
	}
}

// fromYAML turns a node into what ordered reads.
func fromYAML(n *yaml.Node, depth, most int, nodes *int) (any, error) {
	if *nodes++; *nodes > maxNodes {
		return nil, errTooMany
	}
	if most > 0 && depth > most {
		return nil, errTooDeep
	}
	switch n.Kind {
	case yaml.DocumentNode:
		if len(n.Content) == 0 {
			return nil, nil
		}
		return fromYAML(n.Content[0], depth, most, nodes)
	case yaml.AliasNode:
		return fromYAML(n.Alias, depth+1, most, nodes)
	case yaml.SequenceNode:
		list := []any{}
		for _, c := range n.Content {
			v, err := fromYAML(c, depth+1, most, nodes)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	case yaml.MappingNode:
		object := []member{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			v, err := fromYAML(n.Content[i+1], depth+1, most, nodes)
			if err != nil {
				return nil, err
			}
			object = append(object, member{n.Content[i].Value, v})
		}
		return object, nil
	}
	if n.Tag == "!!null" {
		return nil, nil
	}
	return n.Value, nil
}

type writer struct {
	ctx context.Context
	b   *document.Builder
}

// longText is how many bytes a value has that is a paragraph of its own rather than a line beside its key.
const longText = 200

// value writes a value under the keys that lead to it.
func (w writer) value(path []string, v any) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	switch v := v.(type) {
	case []any:
		return w.list(path, v)
	case []member:
		var lines []string
		flush := func() {
			w.b.Add(rag.BlockParagraph, 0, strings.Join(lines, "\n"))
			lines = nil
		}
		for _, m := range v {
			if s, ok := scalar(m.value); ok {
				switch {
				case s == "":
				case len(s) > longText || strings.Contains(s, "\n"):
					flush()
					w.b.Add(rag.BlockParagraph, 0, m.key+":\n"+s)
				default:
					lines = append(lines, m.key+": "+s)
				}
			}
		}
		flush()
		for _, m := range v {
			if _, ok := scalar(m.value); ok {
				continue
			}
			if l, ok := m.value.([]any); ok && len(l) == 0 {
				continue
			}
			w.b.Add(rag.BlockHeading, min(len(path)+1, 6), m.key)
			if err := w.value(append(slices.Clone(path), m.key), m.value); err != nil {
				return err
			}
		}
		return nil
	}
	if s, ok := scalar(v); ok {
		w.b.Add(rag.BlockParagraph, 0, s)
	}
	return nil
}

func (w writer) list(path []string, list []any) error {
	if columns := table(list); columns != nil {
		rows := [][]string{columns}
		for _, v := range list {
			row := make([]string, len(columns))
			for _, m := range v.([]member) {
				row[slices.Index(columns, m.key)], _ = scalar(m.value)
			}
			rows = append(rows, row)
		}
		w.b.Table(rows, 1)
		return nil
	}
	var lines []string
	flush := func() {
		w.b.Add(rag.BlockList, 1, strings.Join(lines, "\n"))
		lines = nil
	}
	for _, v := range list {
		if s, ok := scalar(v); ok {
			if s != "" {
				lines = append(lines, "- "+strings.ReplaceAll(s, "\n", "\n  "))
			}
			continue
		}
		flush()
		if err := w.value(path, v); err != nil {
			return err
		}
	}
	flush()
	return nil
}

// table lists the keys of objects that are the rows of a table: two or more, with short plain values, and no more than twice as many keys as the first has. Nil where they are none.
func table(list []any) (columns []string) {
	if len(list) < 2 {
		return nil
	}
	for _, v := range list {
		object, ok := v.([]member)
		if !ok || len(object) == 0 {
			return nil
		}
		for _, m := range object {
			if s, ok := scalar(m.value); !ok || len(s) > longText {
				return nil
			}
			if !slices.Contains(columns, m.key) {
				columns = append(columns, m.key)
			}
		}
		if len(columns) > 2*len(list[0].([]member)) || len(columns) > 64 {
			return nil
		}
	}
	return columns
}

// scalar is a plain value as text.
func scalar(v any) (string, bool) {
	switch v := v.(type) {
	case nil:
		return "", true
	case string:
		return strings.TrimSpace(v), true
	case json.Number:
		return v.String(), true
	case bool:
		return fmt.Sprint(v), true
	}
	return "", false
}
