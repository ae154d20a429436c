package local

// trie holds byte strings in an open-addressed table of edges: one probe a byte. Node 0 is the root.
type trie struct {
	edges []edge
	mask  uint32
	shift uint32
	value []int32 // [node], the id of the string that ends there, or -1
}

// edge leads from a node by a byte: key is node<<8 | byte, plus one, so that an empty slot is zero.
type edge struct{ key, child uint32 }

// newTrie builds the trie of the strings for which include holds; their ids are their indices. Nodes fit 24 bits.
func newTrie(strings [][]byte, include func(id int) bool) *trie {
	bytes := 0
	for _, s := range strings {
		bytes += len(s)
	}
	bits := uint32(16)
	for 1<<bits <= bytes && bits < 24 { // nodes are well under half of the bytes: prefixes are shared
		bits++
	}
	t := &trie{edges: make([]edge, 1<<bits), mask: 1<<bits - 1, shift: 32 - bits, value: make([]int32, 1, bytes/2+1)}
	t.value[0] = -1
	for id, s := range strings {
		if len(s) == 0 || !include(id) {
			continue
		}
		node := uint32(0)
		for _, b := range s {
			node = t.grow(node, b)
		}
		t.value[node] = int32(id)
	}
	return t
}

func (t *trie) slot(key uint32) uint32 { return key * 0x9e3779b1 >> t.shift }

func (t *trie) grow(node uint32, b byte) uint32 {
	key := node<<8 | uint32(b) + 1
	i := t.slot(key)
	for t.edges[i].key != 0 {
		if t.edges[i].key == key {
			return t.edges[i].child
		}
		i = (i + 1) & t.mask
	}
	child := uint32(len(t.value))
	t.value = append(t.value, -1)
	t.edges[i] = edge{key, child}
	return child
}

// next follows byte b from node; ok is false when no string goes on that way.
func (t *trie) next(node uint32, b byte) (child uint32, ok bool) {
	key := node<<8 | uint32(b) + 1
	for i := t.slot(key); ; i = (i + 1) & t.mask {
		e := t.edges[i]
		if e.key == key {
			return e.child, true
		}
		if e.key == 0 {
			return 0, false
		}
	}
}
