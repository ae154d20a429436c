package local

import (
	"encoding/binary"
	"math"
	"slices"
)

// A posting list holds the points that have a term, ascending, each with a code: which of the point's distinct weights the term has there. BM25's
// weight is a function of the term's frequency and the text's length, so a text has five or so distinct ones, mostly the least: codes
// take a bit or two, and lose nothing.
//
// A list is blocks of 128 postings, the last one shorter: a byte with the width of the gaps, one with the width of the codes, the gaps less one,
// the codes. A list of more than one block begins with a table of its blocks, so that a reader may pass over them:
// the last point, where the block ends, and the greatest weight in it.
const (
	blockLength = 128
	skipBytes   = 12
)

// appendList appends a list. weights are those that codes stand for; a list of one block needs none.
func appendList(dst []byte, docs, codes []uint32, weights []float32) []byte {
	blocks := (len(docs) + blockLength - 1) / blockLength
	table := len(dst)
	if blocks > 1 {
		dst = append(dst, make([]byte, blocks*skipBytes)...)
	}
	data := len(dst)
	before := ^uint32(0)
	var gaps [blockLength]uint32
	for b := range blocks {
		from, to := b*blockLength, min((b+1)*blockLength, len(docs))
		for i := from; i < to; i++ {
			gaps[i-from] = docs[i] - before - 1
			before = docs[i]
		}
		gapWidth, codeWidth := widthOf(gaps[:to-from]), widthOf(codes[from:to])
		dst = append(dst, byte(gapWidth), byte(codeWidth))
		dst = pack(dst, gaps[:to-from], gapWidth)
		dst = pack(dst, codes[from:to], codeWidth)
		if blocks > 1 {
			greatest := slices.Max(weights[from:to])
			entry := dst[table+b*skipBytes:]
			binary.LittleEndian.PutUint32(entry, before)
			binary.LittleEndian.PutUint32(entry[4:], uint32(len(dst)-data))
			binary.LittleEndian.PutUint32(entry[8:], math.Float32bits(greatest))
		}
	}
	return dst
}

// cursor walks over one list, forward only.
type cursor struct {
	seg    *segment
	count  int
	blocks int
	table  []byte
	data   []byte

	block   int // the block in hand, not decoded unless decoded says so
	decoded int // the block whose docs are unpacked; −1: none
	docs    [blockLength]uint32
	n       int // postings of the decoded block
	at      int // in the decoded block

	packed []byte // the decoded block's codes
	width  int
	codes  [blockLength]uint32 // unpacked by unpackCodes

	// Of the window at hand, see boundIn.
	factor   float32 // what a weight is multiplied by
	bound    uint32  // what it can add to a score
	expected int     // postings in it, about
	gathered bool    // they are these, exactly:
	places   [2 * blockLength]uint16
	adds     [2 * blockLength]uint32
}

// open places c at the beginning of the list of the term with this number.
func (c *cursor) open(seg *segment, term int) {
	c.seg, c.count = seg, int(seg.termCounts[term])
	c.blocks = (c.count + blockLength - 1) / blockLength
	from := uint64(0)
	if term > 0 {
		from = seg.termEnds[term-1]
	}
	list := seg.postings[from:] // the section is padded, so that unpacking may read on
	c.table, c.data = nil, list
	if c.blocks > 1 {
		c.table, c.data = list[:c.blocks*skipBytes], list[c.blocks*skipBytes:]
	}
	c.block, c.decoded, c.at, c.n = 0, -1, 0, 0
}

func (c *cursor) last(block int) uint32 {
	if c.blocks == 1 {
		c.decode()
		return c.docs[c.n-1]
	}
	return binary.LittleEndian.Uint32(c.table[block*skipBytes:])
}

// greatest is the greatest weight in a block, of a list of several.
func (c *cursor) greatest(block int) float32 {
	return math.Float32frombits(binary.LittleEndian.Uint32(c.table[block*skipBytes+8:]))
}

// decode unpacks the block in hand unless it is.
func (c *cursor) decode() {
	if c.decoded == c.block {
		return
	}
	start, before := 0, ^uint32(0)
	if c.block > 0 {
		entry := c.table[(c.block-1)*skipBytes:]
		before, start = binary.LittleEndian.Uint32(entry), int(binary.LittleEndian.Uint32(entry[4:]))
	}
	c.n = min(blockLength, c.count-c.block*blockLength)
	b := c.data[start:]
	gapWidth, codeWidth := int(b[0]), int(b[1])
	b = b[2:]
	unpackGaps(&c.docs, c.n, b, gapWidth, before)
	c.packed, c.width = b[packedSize(c.n, gapWidth):], codeWidth
	c.decoded, c.at = c.block, 0
}

// unpackCodes unpacks the codes [from, to) of the decoded block.
func (c *cursor) unpackCodes(from, to int) []uint32 {
	if from > 0 { // the beginning of a window within a block
		for j := from; j < to; j++ {
			c.codes[j] = packedAt(c.packed, c.width, j)
		}
	} else {
		unpack(&c.codes, to, c.packed, c.width)
	}
	return c.codes[from:to]
}

// seek moves to the first posting that is at doc or after it; false: there is none.
func (c *cursor) seek(doc uint32) bool {
	if c.block >= c.blocks {
		return false
	}
	if c.last(c.block) < doc {
		// Gallop, then halve: a filter may leave few points, far apart.
		low, step := c.block, 1
		for low+step < c.blocks && c.last(low+step) < doc {
			low += step
			step *= 2
		}
		high := min(low+step, c.blocks)
		for low+1 < high {
			if mid := (low + high) / 2; c.last(mid) < doc {
				low = mid
			} else {
				high = mid
			}
		}
		c.block = high
		if c.block >= c.blocks {
			return false
		}
	}
	c.decode()
	for c.docs[c.at] < doc { // the block's last is not before doc
		c.at++
	}
	return true
}

// weight is the weight at doc, 0 when the list does not have it.
func (c *cursor) weight(doc uint32) (w float32, ok bool) {
	if !c.seek(doc) || c.docs[c.at] != doc {
		return 0, false
	}
	return c.seg.weights[c.seg.weightStarts[doc]+packedAt(c.packed, c.width, c.at)], true
}

// worth is what a posting of this weight adds to a score.
func (c *cursor) worth(w float32) uint32 { return uint32(w*c.factor) + 1 }

// seekBlock moves to the block that has doc or what follows it, without decoding it.
func (c *cursor) seekBlock(doc uint32) bool {
	for c.block < c.blocks && c.last(c.block) < doc {
		c.block++
	}
	return c.block < c.blocks
}

// all appends every posting of the list: points and codes.
func (c *cursor) all(docs, codes []uint32) ([]uint32, []uint32) {
	for c.block = 0; c.block < c.blocks; c.block++ {
		c.decode()
		docs, codes = append(docs, c.docs[:c.n]...), append(codes, c.unpackCodes(0, c.n)...)
	}
	return docs, codes
}
