package local

import (
	"math/bits"
	"unicode/utf8"
)

// trie is a double-array trie (Aoe, IEEE Transactions on Software Engineering 15(9), 1989) over characters, not bytes: one step a
// character, in any script. A node is a unit; its child by symbol s is the unit at base+s, if that unit's label is s. Bases are unique, so
// that the label alone tells whose child a unit is (Yata, Oono, Morita et al., 2007). A unit is 64 bits, so that a step is one load:
// base in the upper 24, then 24 of the id of the string that ends here, then 16 of the label.
//
// The nodes of depth 1 are the units at their symbols, which is what root base 0 says. It is read-only: any number of goroutines may use it.
type trie struct {
	units []uint64
	characters
}

const (
	labelBits = 16
	idBits    = 24
	noID      = 1<<idBits - 1    // no string ends at the unit
	noBase    = 1<<24 - 1        // past every unit: the unit has no children
	noLabel   = 1<<labelBits - 1 // no symbol: the unit is vacant
	vacant    = noBase<<(idBits+labelBits) | noID<<labelBits | noLabel
	// unknownSymbol is the symbol of the characters in no string. Unit 0, which it leads to, is vacant, and no unit has its label.
	unknownSymbol = 0
	maxUnits      = 1<<24 - 1<<labelBits // so that a base and a symbol add up to less than 24 bits
)

// newTrie builds the trie of the strings for which include holds; their ids are their indices, below 1<<24−1, and the last of equal
// strings counts. Strings that are empty or not UTF-8 are left out, as are those past some eight million nodes.
func newTrie(strings [][]byte, include func(id int) bool) *trie {
	return newTrieReplacing(strings, include, nil)
}

// newTrieReplacing is newTrie with a table of replacements in its characters.
func newTrieReplacing(strings [][]byte, include func(id int) bool, replace map[rune]string) *trie {
	b := newTrieBuilder(strings, include)
	return &trie{units: b.place(), characters: newCharacters(b.symbols, replace)}
}

// trieBuilder holds the trie as nodes in the order of their first use. Vocabularies list the likeliest pieces first, so that is also the
// order of their use in texts: placed in it, the units that most texts touch share cache lines.
type trieBuilder struct {
	symbols []uint16 // [code point], in the order of their first use; small symbols are dense, and so are the places of children
	nodes   []trieNode
	edges   []trieEdge // open-addressed
	mask    uint64
	// The places: a bit a unit, and a bit a base.
	taken, based []uint64
	firstFree    int // the words of taken before it are full
}

type trieNode struct {
	id          uint32
	label       uint16
	child, next uint32 // the last child and the sibling before; 0: none
	slot        uint32
}

// trieEdge leads from a node by a symbol: key is node<<16 | symbol, which is never 0.
type trieEdge struct {
	key   uint64
	child uint32
}

func newTrieBuilder(strings [][]byte, include func(id int) bool) *trieBuilder {
	b := &trieBuilder{symbols: make([]uint16, utf8.MaxRune+1), nodes: make([]trieNode, 1, len(strings)*2+1)}
	b.nodes[0].id = noID
	b.resize(1 << 10)
	symbols := uint16(unknownSymbol)
	for id, s := range strings {
		if id >= noID || len(b.nodes) > maxUnits/2 {
			break
		}
		if len(s) == 0 || !include(id) || !utf8.Valid(s) {
			continue
		}
		node := uint32(0)
		for _, r := range string(s) {
			if b.symbols[r] == unknownSymbol {
				if symbols == noLabel-1 {
					// More characters than any vocabulary has: texts with this one keep it unknown.
					node = 0
					break
				}
				symbols++
				b.symbols[r] = symbols
			}
			node = b.grow(node, b.symbols[r])
		}
		if node != 0 {
			b.nodes[node].id = uint32(id)
		}
	}
	return b
}

// resize makes room for n edges, a power of two, and puts those there are into it.
func (b *trieBuilder) resize(n int) {
	old := b.edges
	b.edges, b.mask = make([]trieEdge, n), uint64(n-1)
	for _, e := range old {
		if e.key != 0 {
			i := b.find(e.key)
			b.edges[i] = e
		}
	}
}

// find returns where the edge with the key is, or the free place where it belongs.
func (b *trieBuilder) find(key uint64) uint64 {
	i := key * 0x9e3779b97f4a7c15 >> 32 & b.mask
	for b.edges[i].key != 0 && b.edges[i].key != key {
		i = (i + 1) & b.mask
	}
	return i
}

func (b *trieBuilder) grow(node uint32, symbol uint16) uint32 {
	key := uint64(node)<<16 | uint64(symbol)
	i := b.find(key)
	if b.edges[i].key == key {
		return b.edges[i].child
	}
	child := uint32(len(b.nodes))
	b.nodes = append(b.nodes, trieNode{id: noID, label: symbol, next: b.nodes[node].child})
	b.nodes[node].child = child
	b.edges[i] = trieEdge{key, child}
	if 2*len(b.nodes) > len(b.edges) {
		b.resize(2 * len(b.edges))
	}
	return child
}

// place gives every node its unit.
func (b *trieBuilder) place() []uint64 {
	units := append(make([]uint64, 0, len(b.nodes)+1<<labelBits), vacant)
	b.edges = nil // its memory is wanted
	b.room(1 << labelBits)
	b.taken[0] |= 1 // unit 0 stays vacant
	var labels []int
	for i := range b.nodes {
		node := &b.nodes[i]
		base := noBase
		if node.child != 0 {
			labels = labels[:0]
			for c := node.child; c != 0; c = b.nodes[c].next {
				labels = append(labels, int(b.nodes[c].label))
			}
			base = 0
			if i != 0 {
				base = b.fit(labels)
			}
		}
		if base < maxUnits {
			b.based[base>>6] |= 1 << (base & 63)
			for c := node.child; c != 0; c = b.nodes[c].next {
				slot := base + int(b.nodes[c].label)
				b.taken[slot>>6] |= 1 << (slot & 63)
				b.nodes[c].slot = uint32(slot)
				for len(units) <= slot {
					units = append(units, vacant)
				}
			}
		} else {
			base = noBase // no room is left in 24 bits: what is below is left out
		}
		// A node without a place, below one that found no room, has slot 0 and is dropped with it.
		if node.slot != 0 {
			units[node.slot] = uint64(base)<<(idBits+labelBits) | uint64(node.id)<<labelBits | uint64(node.label)
		}
	}
	return units
}

// room extends the places to n and a window more.
func (b *trieBuilder) room(n int) {
	for len(b.taken)*64 < n+128 {
		b.taken, b.based = append(b.taken, 0), append(b.based, 0)
	}
}

// fit returns the least base, not in use, at which the places of all labels are free. It tries 64 bases at once.
func (b *trieBuilder) fit(labels []int) int {
	least, greatest := labels[0], labels[0]
	for _, l := range labels {
		least, greatest = min(least, l), max(greatest, l)
	}
	for b.taken[b.firstFree] == 1<<64-1 {
		b.firstFree++
		b.room(b.firstFree * 64)
	}
	for word := max(0, b.firstFree*64-least) / 64; ; word++ {
		b.room(word*64 + greatest + 64)
		barred := b.based[word]
		for _, l := range labels {
			at, shift := word+l>>6, l&63
			barred |= b.taken[at]>>shift | b.taken[at+1]<<(64-shift)
			if barred == 1<<64-1 {
				break
			}
		}
		if barred != 1<<64-1 {
			return word*64 + bits.TrailingZeros64(^barred)
		}
	}
}
