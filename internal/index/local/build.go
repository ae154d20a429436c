package local

import (
	"bytes"
	"slices"

	"footnote/internal/simd"
)

// maxSegment bounds what one compaction has to write: a million points, about a gigabyte.
const maxSegment = 1 << 20

// build writes the points of parts, one part after the other, as one segment. mean is what the codes are centred by; nil: no codes.
// A vector's row is copied as it is: merging loses nothing.
func build(s *sectionWriter, l *layout, mean []float32, parts []part) (sum uint32, err error) {
	n, runs := 0, 0
	for _, p := range parts {
		n += len(p.kept())
	}
	ids := make([]pointID, 0, n)
	for _, p := range parts {
		for _, i := range p.kept() {
			ids = append(ids, p.id(int(i)))
		}
	}
	writeSection(s, sectionIDs, ids)
	order := make([]uint32, n)
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(a, b uint32) int { return bytes.Compare(ids[a][:], ids[b][:]) })
	writeSection(s, sectionOrder, order)
	buildVectors(s, l, n, mean, parts)
	runs = buildRuns(s, parts)
	buildPostings(s, n, parts)
	return s.finish(n, runs, l.dims)
}

func buildVectors(s *sectionWriter, l *layout, n int, mean []float32, parts []part) {
	scales := make([]float32, 0, n)
	s.begin(sectionRows)
	for _, p := range parts {
		for _, i := range p.kept() {
			row, scale := p.row(int(i))
			s.write(row)
			scales = append(scales, scale)
		}
	}
	s.end()
	writeSection(s, sectionScales, scales)
	if mean == nil {
		return
	}
	writeSection(s, sectionMean, mean)
	s.begin(sectionCodes)
	group, v, lane := make([]uint64, simd.CodeGroup*l.words), make([]float32, l.dims), 0
	gains := make([]uint16, 0, (n+simd.CodeGroup-1)/simd.CodeGroup*simd.CodeGroup)
	flush := func() {
		s.write(bytesOf(group))
		clear(group)
		lane = 0
	}
	for _, p := range parts {
		for _, i := range p.kept() {
			gain, ok := p.code(group, lane, int(i), mean)
			if !ok {
				row, scale := p.row(int(i))
				l.decode(v, row, scale)
				gain = l.encodeCode(group, lane, v, mean)
			}
			gains = append(gains, gain)
			if lane++; lane == simd.CodeGroup {
				flush()
			}
		}
	}
	if lane > 0 {
		flush()
	}
	s.end()
	writeSection(s, sectionGains, gains[:cap(gains)])
}

func buildRuns(s *sectionWriter, parts []part) int {
	var starts, documentEnds []uint32
	var documents []byte
	b := columnsBuilder{}
	at := uint32(0)
	for _, p := range parts {
		to := make([]int32, p.runCount())
		for i := range to {
			to[i] = -1
		}
		for _, i := range p.kept() {
			if r := p.runOf(int(i)); to[r] < 0 {
				to[r] = int32(len(starts))
				starts = append(starts, at)
				documents = append(documents, p.document(r)...)
				documentEnds = append(documentEnds, uint32(len(documents)))
			}
			at++
		}
		p.addColumns(b, to)
	}
	writeSection(s, sectionRuns, append(starts, at))
	writeSection(s, sectionDocumentEnds, documentEnds)
	writeSection(s, sectionDocuments, documents)
	b.write(s)
	return len(documentEnds)
}

func buildPostings(s *sectionWriter, n int, parts []part) {
	starts := make([]uint32, 1, n+1)
	var weights []float32
	to := make([][]int32, len(parts)) // a part's points' new places
	terms := make([][]uint32, len(parts))
	for i, p := range parts {
		terms[i] = p.termIDs()
		kept := p.kept()
		if len(kept) > 0 {
			to[i] = make([]int32, kept[len(kept)-1]+1)
		}
		for j := range to[i] {
			to[i][j] = -1
		}
		for _, doc := range kept {
			to[i][doc] = int32(len(starts) - 1)
			weights = append(weights, p.weightsOf(int(doc))...)
			starts = append(starts, uint32(len(weights)))
		}
	}
	writeSection(s, sectionWeightStarts, starts)
	writeSection(s, sectionWeights, weights)

	var ids, counts []uint32
	var ends []uint64
	var docs, codes []uint32 // of the list in hand
	var weighing []float32
	var buffer []byte
	end := uint64(0)
	at := make([]int, len(parts))
	s.begin(sectionPostings)
	for {
		term, found := uint32(0), false
		for i, t := range terms {
			if at[i] < len(t) && (!found || t[at[i]] < term) {
				term, found = t[at[i]], true
			}
		}
		if !found {
			break
		}
		docs, codes = docs[:0], codes[:0]
		for i, t := range terms {
			if at[i] == len(t) || t[at[i]] != term {
				continue
			}
			kept := len(docs)
			docs, codes = parts[i].list(at[i], docs, codes)
			at[i]++
			for j := kept; j < len(docs); j++ {
				if doc := docs[j]; int(doc) < len(to[i]) && to[i][doc] >= 0 {
					docs[kept], codes[kept] = uint32(to[i][doc]), codes[j]
					kept++
				}
			}
			docs, codes = docs[:kept], codes[:kept]
		}
		if len(docs) == 0 {
			continue
		}
		weighing = weighing[:0]
		if len(docs) > blockLength { // a list of one block says nothing of its weights
			for j, doc := range docs {
				weighing = append(weighing, weights[starts[doc]+codes[j]])
			}
		}
		buffer = appendList(buffer[:0], docs, codes, weighing)
		s.write(buffer)
		end += uint64(len(buffer))
		ids, counts, ends = append(ids, term), append(counts, uint32(len(docs))), append(ends, end)
	}
	s.write(make([]byte, packedPad))
	s.end()
	writeSection(s, sectionTerms, ids)
	writeSection(s, sectionTermEnds, ends)
	writeSection(s, sectionTermCounts, counts)
}

// meanOf is the mean of the parts' vectors.
func meanOf(l *layout, parts []part) []float32 {
	sum, v, n := make([]float64, l.dims), make([]float32, l.dims), 0
	for _, p := range parts {
		for _, i := range p.kept() {
			row, scale := p.row(int(i))
			l.decode(v, row, scale)
			for j, x := range v {
				sum[j] += float64(x)
			}
			n++
		}
	}
	mean := make([]float32, l.dims)
	for j, x := range sum {
		mean[j] = float32(x / float64(n))
	}
	return mean
}
