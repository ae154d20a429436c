package chunk

import (
	"slices"
	"sort"
	"strings"

	"footnote/internal/rag"
)

// keyBytes is how much of a chunk's start it is looked up by. A chunk with less text is cut anew.
const keyBytes = 24

// run is a chunk of before that stands in the section still: its first and last atom.
type run struct{ first, last int }

// keep cuts a section as it was cut before, wherever its text is the same, and anew between the chunks that stay. Cut from its start, a section would have other chunks from an edit to its
// end, and each would have to be embedded again. It reports false, and does nothing, where no chunk stays.
func (s *splitter) keep(sec section, atoms []atom, room int) (bool, error) {
	if s.anew || len(s.Before) == 0 {
		return false, nil
	}
	runs := withoutScraps(s.known(sec, atoms), atoms, room)
	if len(runs) == 0 {
		return false, nil
	}
	s.anew = true
	defer func() { s.anew = false }()
	next, least := 0, 0 // the first atom that no chunk has yet, and the first that may be repeated before it
	for _, r := range append(runs, run{len(atoms), len(atoms)}) {
		if next < r.first {
			from := next
			for sum := 0; from > least && atoms[from-1].sentence && sum+atoms[from-1].tokens <= min(s.OverlapTokens, room/2); {
				from--
				sum += atoms[from].tokens
			}
			if err := s.section(sec.within(rag.Span{Start: atoms[from].span.Start, End: atoms[r.first-1].span.End})); err != nil {
				return true, err
			}
		}
		if r.first < len(atoms) {
			s.emit(sec, atoms[r.first:r.last+1])
			next, least = r.last+1, r.first+1
		}
	}
	return true, nil
}

// known finds the chunks of before, of the same heading path, that stand in the section, in the order that most of them share. A text that stands there twice, or was two chunks, is none of them:
// it costs nothing to embed again.
func (s *splitter) known(sec section, atoms []atom) []run {
	start := s.index.Byte(atoms[0].span.Start)
	body := s.index.Slice(rag.Span{Start: atoms[0].span.Start, End: atoms[len(atoms)-1].span.End})
	at := map[string][]int{} // atoms by what stands from their start on
	ends := map[int]int{}    // atoms by the byte of body after them
	for i, a := range atoms {
		from := s.index.Byte(a.span.Start) - start
		if from+keyBytes <= len(body) {
			key := body[from : from+keyBytes]
			at[key] = append(at[key], i)
		}
		ends[s.index.Byte(a.span.End)-start] = i
	}
	if s.texts == nil {
		s.texts = map[string]int{}
		for _, c := range s.Before {
			s.texts[c.Text]++
		}
	}
	var found []run
	for _, c := range s.Before {
		if len(c.Text) < keyBytes || s.texts[c.Text] > 1 || !slices.Equal(c.HeadingPath, sec.path) {
			continue
		}
		var places []run
		for _, i := range at[c.Text[:keyBytes]] {
			from := s.index.Byte(atoms[i].span.Start) - start
			if last, ok := ends[from+len(c.Text)]; ok && last >= i && strings.HasPrefix(body[from:], c.Text) {
				places = append(places, run{i, last})
			}
		}
		if len(places) == 1 {
			found = append(found, places[0])
		}
	}
	return rising(found)
}

// rising is a longest subsequence of runs whose first and last atoms both rise (by patience sorting of the first).
func rising(runs []run) []run {
	var piles []int // the run on top of each pile
	before := make([]int, len(runs))
	for i, r := range runs {
		pile := sort.Search(len(piles), func(p int) bool { return runs[piles[p]].first >= r.first })
		before[i] = -1
		if pile > 0 {
			before[i] = piles[pile-1]
		}
		if pile == len(piles) {
			piles = append(piles, i)
		} else {
			piles[pile] = i
		}
	}
	var out []run
	if len(piles) > 0 {
		for i := piles[len(piles)-1]; i >= 0; i = before[i] {
			out = append(out, runs[i])
		}
	}
	slices.Reverse(out)
	kept := out[:0]
	for _, r := range out {
		if len(kept) == 0 || r.last > kept[len(kept)-1].last {
			kept = append(kept, r)
		}
	}
	return kept
}

// withoutScraps gives up runs beside which so little is left that it would be a tiny chunk: it is cut together with the run before it, or else the one after.
func withoutScraps(runs []run, atoms []atom, room int) []run {
	var out []run
	for _, r := range append(slices.Clone(runs), run{len(atoms), len(atoms)}) {
		next := 0
		if len(out) > 0 {
			next = out[len(out)-1].last + 1
		}
		left := 0
		for i := next; i < r.first; i++ {
			left += atoms[i].tokens
		}
		if left > 0 && left < room/4 {
			if len(out) == 0 {
				continue
			}
			out = out[:len(out)-1]
		}
		out = append(out, r)
	}
	if n := len(out); n > 0 && out[n-1].first == len(atoms) {
		out = out[:n-1]
	}
	return out
}

// within is the part of a section that lies in a span.
func (sec section) within(span rag.Span) section {
	out := sec
	out.blocks = nil
	for _, b := range sec.blocks {
		b.Span = rag.Span{Start: max(b.Span.Start, span.Start), End: min(b.Span.End, span.End)}
		if !b.Span.Empty() {
			out.blocks = append(out.blocks, b)
		}
	}
	return out
}
