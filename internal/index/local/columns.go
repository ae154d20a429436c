package local

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"sort"

	"footnote/internal/rag"
)

// columns index the metadata of a segment. Chunks of one document share their metadata and lie together, so the unit is the run:
// neighbouring points of one document. A column holds the values of one key and type, ascending, and for each value the runs that have
// it; equality is one value, a range a stretch of them. A list has each of its items.
type columns map[string]*keyColumns

type keyColumns struct {
	present []uint32 // runs that have the key, whatever its value
	texts   textColumn
	numbers numberColumn
	truths  numberColumn // false is 0, true is 1
}

type textColumn struct {
	ends    []uint32 // of each value in bytes
	bytes   []byte
	runEnds []uint32 // of each value's runs
	runs    []uint32
}

type numberColumn struct {
	values  []float64
	runEnds []uint32
	runs    []uint32
}

func (c *textColumn) value(i int) string {
	from := uint32(0)
	if i > 0 {
		from = c.ends[i-1]
	}
	return string(c.bytes[from:c.ends[i]])
}

func stretch(ends, runs []uint32, from, to int) []uint32 {
	if from >= to {
		return nil
	}
	start := uint32(0)
	if from > 0 {
		start = ends[from-1]
	}
	return runs[start:ends[to-1]]
}

// with gives the runs whose value stands to v as op says.
func (c *textColumn) with(op rag.FilterOp, v string) []uint32 {
	n := len(c.ends)
	first := sort.Search(n, func(i int) bool { return c.value(i) >= v })
	after := first
	if first < n && c.value(first) == v {
		after++
	}
	from, to := between(op, first, after, n)
	return stretch(c.runEnds, c.runs, from, to)
}

func (c *numberColumn) with(op rag.FilterOp, v float64) []uint32 {
	if math.IsNaN(v) {
		return nil
	}
	n := len(c.values)
	first := sort.SearchFloat64s(c.values, v)
	after := first
	if first < n && c.values[first] == v {
		after++
	}
	from, to := between(op, first, after, n)
	return stretch(c.runEnds, c.runs, from, to)
}

// between turns a comparison into a stretch of n ascending values, of which [first, after) equal the operand.
func between(op rag.FilterOp, first, after, n int) (from, to int) {
	switch op {
	case rag.OpGt:
		return after, n
	case rag.OpGte:
		return first, n
	case rag.OpLt:
		return 0, first
	case rag.OpLte:
		return 0, after
	}
	return first, after
}

// columnsBuilder collects metadata run by run, ascending.
type columnsBuilder map[string]*keyBuilder

type keyBuilder struct {
	present []uint32
	texts   map[string][]uint32
	numbers map[float64][]uint32
	truths  map[float64][]uint32
}

func (b columnsBuilder) key(name string) *keyBuilder {
	k := b[name]
	if k == nil {
		k = &keyBuilder{texts: map[string][]uint32{}, numbers: map[float64][]uint32{}, truths: map[float64][]uint32{}}
		b[name] = k
	}
	return k
}

func (b columnsBuilder) add(run uint32, m rag.Metadata) {
	for name, v := range m {
		k := b.key(name)
		k.present = append(k.present, run)
		switch v := v.(type) {
		case string:
			k.texts[v] = append(k.texts[v], run)
		case float64:
			if !math.IsNaN(v) { // it equals nothing
				v += 0 // −0 is 0
				k.numbers[v] = append(k.numbers[v], run)
			}
		case bool:
			n := 0.0
			if v {
				n = 1
			}
			k.truths[n] = append(k.truths[n], run)
		case []string:
			for _, s := range v {
				if list := k.texts[s]; len(list) == 0 || list[len(list)-1] != run {
					k.texts[s] = append(list, run)
				}
			}
		}
	}
}

// merge adds what c has of the runs that are kept; to gives their new numbers, −1 for one that is gone.
func (b columnsBuilder) merge(c columns, to []int32) {
	for name, from := range c {
		k := b.key(name)
		k.present = renumber(k.present, from.present, to)
		for i := range from.texts.ends {
			v := from.texts.value(i)
			if runs := renumber(k.texts[v], stretch(from.texts.runEnds, from.texts.runs, i, i+1), to); len(runs) > 0 {
				k.texts[v] = runs
			}
		}
		for _, of := range []struct {
			from *numberColumn
			into map[float64][]uint32
		}{{&from.numbers, k.numbers}, {&from.truths, k.truths}} {
			for i, v := range of.from.values {
				if runs := renumber(of.into[v], stretch(of.from.runEnds, of.from.runs, i, i+1), to); len(runs) > 0 {
					of.into[v] = runs
				}
			}
		}
	}
}

func renumber(dst, runs []uint32, to []int32) []uint32 {
	for _, r := range runs {
		if n := to[r]; n >= 0 {
			dst = append(dst, uint32(n))
		}
	}
	return dst
}

// columnEntry says where the arrays of one key lie in the data: offset and length in elements, in the order of its fields.
type columnEntry struct {
	Key    string
	Arrays [11][2]int
}

// write lays the columns out as a directory and its arrays, each at a multiple of 8.
func (b columnsBuilder) write(s *sectionWriter) {
	var directory []columnEntry
	var data []byte
	put := func(bytes []byte, n int) [2]int {
		at := len(data)
		data = append(data, bytes...)
		for len(data)%8 != 0 {
			data = append(data, 0)
		}
		return [2]int{at, n}
	}
	for _, name := range slices.Sorted(maps.Keys(b)) {
		k := b[name]
		if len(k.present) == 0 {
			continue
		}
		e := columnEntry{Key: name}
		var ends, runEnds, runs []uint32
		var text []byte
		for _, v := range slices.Sorted(maps.Keys(k.texts)) {
			text, runs = append(text, v...), append(runs, k.texts[v]...)
			ends, runEnds = append(ends, uint32(len(text))), append(runEnds, uint32(len(runs)))
		}
		e.Arrays = [11][2]int{
			put(bytesOf(k.present), len(k.present)),
			put(bytesOf(ends), len(ends)), put(text, len(text)), put(bytesOf(runEnds), len(runEnds)), put(bytesOf(runs), len(runs)),
		}
		for i, m := range []map[float64][]uint32{k.numbers, k.truths} {
			values := slices.Sorted(maps.Keys(m))
			var runEnds, runs []uint32
			for _, v := range values {
				runs = append(runs, m[v]...)
				runEnds = append(runEnds, uint32(len(runs)))
			}
			at := 5 + 3*i
			e.Arrays[at], e.Arrays[at+1], e.Arrays[at+2] = put(bytesOf(values), len(values)), put(bytesOf(runEnds), len(runEnds)), put(bytesOf(runs), len(runs))
		}
		directory = append(directory, e)
	}
	text, err := json.Marshal(directory)
	if err != nil && s.err == nil {
		s.err = err
	}
	writeSection(s, sectionColumns, text)
	writeSection(s, sectionColumnData, data)
}

// openColumns reads what write wrote, for a segment of this many runs. Errors: errDamaged.
func openColumns(directory, data []byte, runs int) (columns, error) {
	var entries []columnEntry
	if err := json.Unmarshal(directory, &entries); err != nil {
		return nil, damaged("the columns' directory: %v", err)
	}
	out := make(columns, len(entries))
	for _, e := range entries {
		ok := true
		part := func(i, size int) []byte {
			at, n := e.Arrays[i][0], e.Arrays[i][1]
			if at < 0 || n < 0 || at%8 != 0 || at > len(data) || n > (len(data)-at)/size {
				ok = false
				return nil
			}
			return data[at:][:n*size]
		}
		words := func(i int) []uint32 { return view[uint32](part(i, 4)) }
		k := &keyColumns{present: words(0)}
		k.texts = textColumn{ends: words(1), bytes: part(2, 1), runEnds: words(3), runs: words(4)}
		k.numbers = numberColumn{values: view[float64](part(5, 8)), runEnds: words(6), runs: words(7)}
		k.truths = numberColumn{values: view[float64](part(8, 8)), runEnds: words(9), runs: words(10)}
		ok = ok && len(k.texts.ends) == len(k.texts.runEnds) && ends(k.texts.ends, uint32(len(k.texts.bytes)), false) && ends(k.texts.runEnds, uint32(len(k.texts.runs)), false)
		for _, c := range []*numberColumn{&k.numbers, &k.truths} {
			ok = ok && len(c.values) == len(c.runEnds) && ends(c.runEnds, uint32(len(c.runs)), false)
		}
		for _, list := range [][]uint32{k.present, k.texts.runs, k.numbers.runs, k.truths.runs} {
			for _, r := range list {
				ok = ok && int(r) < runs
			}
		}
		if !ok {
			return nil, damaged("the column %q is out of bounds", e.Key)
		}
		out[e.Key] = k
	}
	return out, nil
}
