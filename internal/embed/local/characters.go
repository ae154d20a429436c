package local

import (
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// characters says of each code point what the normaliser does with it and which symbol of the trie it is: a table of two stages (Unicode
// 5.22, "Optimized Storage"), so that the look-up is two loads and no hash. It is read-only: any number of goroutines may use it.
type characters struct {
	pages     []uint16 // [code point>>7], the page
	entries   []uint32 // [page][128]; page 0 is ASCII's
	sequences []uint32 // of a replaced character: its own entry, how many replace it, and those code points
}

const (
	pageBits = 7
	pageSize = 1 << pageBits
	// codePages is the number of pages of Unicode's code points.
	codePages = (utf8.MaxRune + 1) / pageSize
)

// An entry is the character's symbol, or the index of its sequence, and what is to be done beside using the symbol.
const (
	entryBits = 24
	// entryAsk marks a character that is not known to be inert: only composition (NFC) can tell what it becomes.
	entryAsk      = 1 << 24
	entrySpace    = 1 << 25
	entryReplaced = 1 << 26
)

func newCharacters(symbols []uint16, replace map[rune]string) characters {
	var c characters
	plain := func(r rune) uint32 {
		entry := uint32(0)
		if int(r) < len(symbols) {
			entry = uint32(symbols[r])
		}
		if r == ' ' {
			entry |= entrySpace
		}
		// What the vocabulary does not list may be unknown to this release of Unicode, too; it is asked about when it comes.
		if r >= utf8.RuneSelf && (entry == unknownSymbol || !inert(utf8.AppendRune(nil, r))) {
			entry |= entryAsk
		}
		return entry
	}
	c.pages = make([]uint16, codePages)
	seen := make(map[[pageSize]uint32]uint16)
	for first := rune(0); first <= utf8.MaxRune; first += pageSize {
		var page [pageSize]uint32
		for i := range page {
			r := first + rune(i)
			to, replaced := replace[r]
			if !replaced {
				page[i] = plain(r)
				continue
			}
			page[i] = entryReplaced | uint32(len(c.sequences))
			c.sequences = append(c.sequences, plain(r), uint32(utf8.RuneCountInString(to)))
			for _, r := range to {
				c.sequences = append(c.sequences, uint32(r))
			}
		}
		at, ok := seen[page]
		if !ok {
			at = uint16(len(c.entries) / pageSize)
			c.entries = append(c.entries, page[:]...)
			seen[page] = at
		}
		c.pages[first>>pageBits] = at
	}
	return c
}

// inert reports that a character, in UTF-8, is normal in NFC whatever stands before and after it, unless that is not inert.
func inert(character []byte) bool {
	return norm.NFC.Properties(character).BoundaryBefore() && norm.NFC.QuickSpan(character) == len(character)
}

// entry is what the table says of r.
func (c *characters) entry(r rune) uint32 {
	return c.entries[int(c.pages[uint32(r)>>pageBits])<<pageBits|int(r&(pageSize-1))]
}

// plain is r's own entry, without its replacement.
func (c *characters) plain(r rune) uint32 {
	e := c.entry(r)
	if e&entryReplaced != 0 {
		e = c.sequences[e&(1<<entryBits-1)]
	}
	return e
}

// symbol is the trie's symbol of r.
func (c *characters) symbol(r rune) uint16 { return uint16(c.plain(r)) }

// replacement is what stands for a character whose entry is e.
func (c *characters) replacement(e uint32) []uint32 {
	at := e&(1<<entryBits-1) + 1
	return c.sequences[at+1:][:c.sequences[at]]
}
