package local

import (
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// wordMark is what stands for a space, and before a text.
const (
	wordMark     = "\u2581"
	wordMarkRune = '\u2581'
)

// normalise prepares text for the pieces as SentencePiece's precompiled table of this model does: map each code point, compose, fold
// runs of spaces, and mark the start of words. Invalid bytes become U+FFFD. The symbols are l's, until it is used again: a word mark, then
// the text; none when nothing is left of the text. One pass does all of it, unless a character turns up that composition may change.
func (t *tokenizer) normalise(l *lattice, text string) []uint16 {
	c := &t.trie.characters
	ascii := (*[utf8.RuneSelf]uint32)(c.entries)
	out := l.room(0, len(text)+1)
	out[0] = t.mark
	n, space := 1, true // so that spaces at the start are folded into the mark
	for i := 0; i < len(text); {
		var e uint32
		r, width := rune(text[i]), 1
		if r < utf8.RuneSelf {
			e = ascii[r]
		} else {
			r, width = utf8.DecodeRuneInString(text[i:])
			e = c.entry(r)
		}
		i += width
		if e < entryAsk {
			out[n] = uint16(e)
			n, space = n+1, false
			continue
		}
		var single [1]uint32
		becomes := single[:]
		if e&entryReplaced != 0 {
			becomes = c.replacement(e)
			out = l.room(n, len(becomes)+len(text)-i)
		} else {
			single[0] = uint32(r)
		}
		for _, r := range becomes {
			e := c.plain(rune(r))
			switch {
			case e&entrySpace != 0:
				if !space {
					out[n] = t.mark
					n, space = n+1, true
				}
			case e&entryAsk != 0 && !inert(utf8.AppendRune(l.character[:0], rune(r))):
				return t.compose(l, text)
			default:
				out[n] = uint16(e)
				n, space = n+1, false
			}
		}
	}
	return trim(out[:n])
}

// compose is normalise for all texts: first map, then compose what is left decomposed.
func (t *tokenizer) compose(l *lattice, text string) []uint16 {
	c := &t.trie.characters
	mapped := l.mapped[:0]
	for _, r := range text {
		if e := c.entry(r); e&entryReplaced != 0 {
			for _, r := range c.replacement(e) {
				mapped = utf8.AppendRune(mapped, rune(r))
			}
		} else {
			mapped = utf8.AppendRune(mapped, r)
		}
	}
	composed := norm.NFC.Append(l.composed[:0], mapped...)
	l.mapped, l.composed = mapped, composed
	out := l.room(0, len(composed)+1)
	out[0] = t.mark
	n, space := 1, true
	for i := 0; i < len(composed); {
		r, width := utf8.DecodeRune(composed[i:])
		i += width
		if r != ' ' {
			out[n] = c.symbol(r)
			n, space = n+1, false
		} else if !space {
			out[n] = t.mark
			n, space = n+1, true
		}
	}
	return trim(out[:n])
}

// trim leaves nothing of a word mark alone.
func trim(symbols []uint16) []uint16 {
	if len(symbols) == 1 {
		return nil
	}
	return symbols
}
