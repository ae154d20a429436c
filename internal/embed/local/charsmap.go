package local

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// charsmap is SentencePiece's precompiled table of replacements: a double-array trie (Aoe, 1989; in the layout of darts-clone) from
// sequences of bytes to offsets into a blob of replacements that each end in a zero.
type charsmap struct {
	units []uint32
	blob  []byte
	plain [utf8.RuneSelf]bool // characters that stay as they are when they stand alone
}

var errCharsmap = errors.New("precompiled_charsmap is cut or damaged; fetch the file again")

// openCharsmap reads the table: the trie's length in bytes as a u32, the trie, the blob.
func openCharsmap(b []byte) (*charsmap, error) {
	if len(b) < 4 {
		return nil, errCharsmap
	}
	length := binary.LittleEndian.Uint32(b)
	if length == 0 || length%4 != 0 || uint64(length) > uint64(len(b)-4) {
		return nil, errCharsmap
	}
	m := &charsmap{units: make([]uint32, length/4), blob: b[4+length:]}
	for i := range m.units {
		m.units[i] = binary.LittleEndian.Uint32(b[4+4*i:])
	}
	if !utf8.Valid(m.blob) {
		return nil, errCharsmap
	}
	for c := range m.plain {
		_, replaced := m.find(string(rune(c)))
		m.plain[c] = !replaced
	}
	return m, nil
}

// find returns the replacement of the shortest prefix of s that has one. That the shortest counts, and that it then stands for all of s, is
// what the models' own tokenizers do.
func (m *charsmap) find(s string) ([]byte, bool) {
	at := uint32(0)
	unit := m.units[0]
	at ^= offset(unit)
	for i := range len(s) {
		at ^= uint32(s[i])
		if s[i] == 0 || int64(at) >= int64(len(m.units)) {
			return nil, false
		}
		if unit = m.units[at]; unit&(1<<31|0xff) != uint32(s[i]) {
			return nil, false
		}
		at ^= offset(unit)
		if unit>>8&1 == 0 { // no entry ends here
			continue
		}
		if int64(at) >= int64(len(m.units)) {
			return nil, false
		}
		from := m.units[at] & (1<<31 - 1)
		if int64(from) >= int64(len(m.blob)) || !utf8.RuneStart(m.blob[from]) {
			return nil, false
		}
		text, _, _ := bytes.Cut(m.blob[from:], []byte{0})
		return text, true
	}
	return nil, false
}

// offset is where a unit's children begin, relative to it.
func offset(unit uint32) uint32 { return unit >> 10 << (unit >> 6 & 8) }

// longestCluster is how many bytes a character with its marks may have to be looked up as one.
const longestCluster = 5

// normalise replaces each character with its marks when the table has it, else each code point by itself.
func (m *charsmap) normalise(text string) string {
	var b strings.Builder
	b.Grow(len(text) + len(text)/8)
	for text != "" {
		n := cluster(text)
		if n == 1 && m.plain[text[0]] {
			b.WriteByte(text[0])
			text = text[1:]
			continue
		}
		whole := text[:n]
		text = text[n:]
		if n <= longestCluster {
			if to, ok := m.find(whole); ok {
				b.Write(to)
				continue
			}
		}
		for i, r := range whole {
			one := whole[i : i+utf8.RuneLen(r)]
			if to, ok := m.find(one); ok {
				b.Write(to)
			} else {
				b.WriteString(one)
			}
		}
	}
	return b.String()
}

// cluster is the length of the extended grapheme cluster (Unicode, UAX 29) that s begins with, as far as it matters here: clusters
// longer than longestCluster are taken apart again, so that those of flags, of Indic conjuncts and of joined emoji may as well be cut.
func cluster(s string) int {
	r, n := utf8.DecodeRuneInString(s)
	if r == '\r' && n < len(s) && s[n] == '\n' {
		return 2
	}
	if breaks(r) {
		return n
	}
	for unicode.Is(unicode.Prepended_Concatenation_Mark, r) && n < len(s) {
		next, width := utf8.DecodeRuneInString(s[n:])
		if breaks(next) {
			return n
		}
		r = next
		n += width
	}
	jamo := kindOfJamo(r)
	for n < len(s) {
		next, width := utf8.DecodeRuneInString(s[n:])
		if next < 0x300 || !extends(next) {
			kind := kindOfJamo(next)
			if !joins(jamo, kind) {
				return n
			}
			jamo = kind
		} else {
			jamo = 0
		}
		n += width
	}
	return n
}

// breaks tells whether a cluster ends before and after r whatever stands there: UAX 29's Control.
func breaks(r rune) bool {
	return r < ' ' || r >= 0x7f && r < 0xa0 || r == 0xad || r == 0x2028 || r == 0x2029 ||
		r >= 0x300 && unicode.Is(unicode.Cf, r) && r != 0x200c && r != 0x200d && !unicode.Is(unicode.Prepended_Concatenation_Mark, r) && (r < 0xe0020 || r > 0xe007f)
}

// extends tells whether r belongs to the character before it: UAX 29's Extend, SpacingMark and ZWJ.
func extends(r rune) bool {
	return unicode.In(r, unicode.Mn, unicode.Me, unicode.Mc, unicode.Other_Grapheme_Extend) || r == 0x200c || r == 0x200d || r == 0xe33 || r == 0xeb3 ||
		r >= 0x1f3fb && r <= 0x1f3ff || r >= 0xe0020 && r <= 0xe007f
}

// Kinds of Hangul's letters and syllables: leading, vowel, trailing, and syllables without and with a trailing one.
const (
	jamoL = 1 + iota
	jamoV
	jamoT
	jamoLV
	jamoLVT
)

func kindOfJamo(r rune) int {
	switch {
	case r < 0x1100:
	case r <= 0x115f, r >= 0xa960 && r <= 0xa97c:
		return jamoL
	case r >= 0x1160 && r <= 0x11a7, r >= 0xd7b0 && r <= 0xd7c6:
		return jamoV
	case r >= 0x11a8 && r <= 0x11ff, r >= 0xd7cb && r <= 0xd7fb:
		return jamoT
	case r >= 0xac00 && r <= 0xd7a3:
		if (r-0xac00)%28 == 0 {
			return jamoLV
		}
		return jamoLVT
	}
	return 0
}

// joins tells whether Hangul of kind b goes on the syllable that a ends: UAX 29's rules 6 to 8.
func joins(a, b int) bool {
	switch a {
	case jamoL:
		return b == jamoL || b == jamoV || b == jamoLV || b == jamoLVT
	case jamoV, jamoLV:
		return b == jamoV || b == jamoT
	case jamoT, jamoLVT:
		return b == jamoT
	}
	return false
}
