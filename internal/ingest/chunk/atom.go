package chunk

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"footnote/internal/rag"
	"footnote/internal/text"
)

// atom is what a chunk is not cut inside of: a sentence, a line of a list, table or code, or a piece of one that is too long.
type atom struct {
	span     rag.Span
	tokens   int
	sentence bool // whole, so that it may be repeated as overlap
	leads    bool // what follows is not understood without it
	block    int  // of its section
}

// longestToken bounds the characters that a token may stand for when a text is too long to be worth counting.
const longestToken = 16

// atoms cuts a block. Each atom has at most room tokens.
func (s *splitter) atoms(b rag.Block, room int) []atom {
	prose := b.Kind == rag.BlockParagraph || b.Kind == rag.BlockQuote || b.Kind == rag.BlockHeading
	var out []atom
	if prose {
		return s.sentences(out, b.Span, room)
	}
	for _, line := range lines(s.index, b.Span) {
		if n, fits := s.fits(line, room); fits {
			out = append(out, atom{span: line, tokens: n})
			continue
		}
		out = s.sentences(out, line, room)
	}
	return out
}

func (s *splitter) sentences(out []atom, span rag.Span, room int) []atom {
	for _, sentence := range text.Sentences(s.index.Slice(span)) {
		sentence = trim(s.index, sentence.Shift(span.Start))
		if sentence.Empty() {
			continue
		}
		if n, fits := s.fits(sentence, room); fits {
			out = append(out, atom{span: sentence, tokens: n, sentence: true})
			continue
		}
		out = s.pieces(out, sentence, room)
	}
	return out
}

func (s *splitter) fits(span rag.Span, room int) (tokens int, ok bool) {
	if span.Len() > room*longestToken {
		return 0, false
	}
	n := s.Count(s.index.Slice(span))
	return n, n <= room
}

// pieces cuts what has no sentence end in reach: the longest start that fits, back to white space or a comma where there is one in its second half.
func (s *splitter) pieces(out []atom, span rag.Span, room int) []atom {
	for !span.Empty() {
		low, high := 1, min(span.Len(), room*longestToken) // a start of low code points fits, or is one code point
		for low < high {
			middle := (low + high + 1) / 2
			if s.Count(s.index.Slice(rag.Span{Start: span.Start, End: span.Start + middle})) <= room {
				low = middle
			} else {
				high = middle - 1
			}
		}
		end := span.Start + low
		if end < span.End {
			end = boundary(s.index, span, end)
		}
		if piece := trim(s.index, rag.Span{Start: span.Start, End: end}); !piece.Empty() {
			out = append(out, atom{span: piece, tokens: s.Count(s.index.Slice(piece))})
		}
		span.Start = end
	}
	return out
}

// boundary moves a cut at end back to where it hurts least: after white space or a comma in the second half of the piece, else to a
// place that is not inside a user-perceived character. It lies after span.Start.
func boundary(index *text.Index, span rag.Span, end int) int {
	piece := index.Slice(rag.Span{Start: span.Start, End: end})
	if i := strings.LastIndexFunc(piece, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(",，、;；", r) }); i >= len(piece)/2 {
		_, size := utf8.DecodeRuneInString(piece[i:])
		return span.Start + text.Len(piece[:i+size])
	}
	for at := end; at > span.Start+1 && at > end-32; at-- {
		next, _ := utf8.DecodeRuneInString(index.Slice(rag.Span{Start: at, End: min(at+1, span.End)}))
		last, _ := utf8.DecodeRuneInString(index.Slice(rag.Span{Start: at - 1, End: at}))
		if !joins(next) && last != zeroWidthJoiner && !(regional(last) && regional(next)) {
			return at
		}
	}
	return end
}

const zeroWidthJoiner = '\u200d'

// joins tells whether r belongs to the character before it: marks, variation selectors, joiners, skin tones.
func joins(r rune) bool {
	return unicode.Is(unicode.M, r) || r == zeroWidthJoiner || r >= 0x1f3fb && r <= 0x1f3ff
}

// regional tells whether r is half of a flag.
func regional(r rune) bool { return r >= 0x1f1e6 && r <= 0x1f1ff }

// lines are the non-empty lines of a span, trimmed.
func lines(index *text.Index, span rag.Span) []rag.Span {
	var out []rag.Span
	at := span.Start
	for line := range strings.Lines(index.Slice(span)) {
		n := text.Len(line)
		if l := trim(index, rag.Span{Start: at, End: at + n}); !l.Empty() {
			out = append(out, l)
		}
		at += n
	}
	return out
}
