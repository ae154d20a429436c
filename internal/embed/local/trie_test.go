package local

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"unicode/utf8"
)

// find returns the id of s, or -1.
func (t *trie) find(s string) int {
	base, id := uint64(0), noID
	for _, r := range s {
		symbol := t.symbol(r)
		at := base + uint64(symbol)
		if at >= uint64(len(t.units)) || uint16(t.units[at]) != symbol {
			return -1
		}
		base, id = t.units[at]>>(idBits+labelBits), int(t.units[at]>>labelBits&noID)
	}
	if id == noID {
		return -1
	}
	return id
}

// checkTrie compares the trie of strings with a map, for every string, its prefixes, and each prefix with another character.
func checkTrie(t *testing.T, strings []string) {
	t.Helper()
	bytes, want := make([][]byte, len(strings)), map[string]int{}
	for i, s := range strings {
		bytes[i] = []byte(s)
		if i%7 != 6 && s != "" && utf8.ValidString(s) {
			want[s] = i
		}
	}
	trie := newTrie(bytes, func(id int) bool { return id%7 != 6 })
	check := func(s string) {
		id, ok := want[s]
		if !ok {
			id = -1
		}
		if got := trie.find(s); got != id {
			t.Fatalf("%d strings: %q: got %d, want %d", len(strings), s, got, id)
		}
	}
	for i, s := range strings {
		if !utf8.ValidString(s) {
			continue
		}
		for at, r := range s {
			check(s[:at] + string(r))
			for _, other := range strings[i*7%len(strings)] {
				check(s[:at] + string(other))
			}
		}
		check(s + "\U0010fffe")
	}
	seen := map[uint64]bool{}
	for i, u := range trie.units {
		if base := u >> (idBits + labelBits); base != noBase {
			if seen[base] {
				t.Fatalf("unit %d has base %d, as another", i, base)
			}
			seen[base] = true
		}
	}
}

func TestTrie_HoldsWhatItIsGiven(t *testing.T) {
	checkTrie(t, []string{""})
	if got := (&trie{units: newTrieBuilder(nil, nil).place()}).units; len(got) != 1 || got[0] != vacant {
		t.Errorf("no strings: got units %x, want the vacant one", got)
	}
	checkTrie(t, []string{"a", "", "\xff", "abc", "ab", "a", "left out", "長い", "長", "\u0000", "\U0010ffff"})
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 0))
		// Few characters make deep shared paths, many make wide ones.
		span := []rune{2, 26, 300, 20_000}[seed%4]
		var strings []string
		for range 1 + r.IntN(2000) {
			s := make([]rune, r.IntN(9))
			for i := range s {
				s[i] = 0x3400 + r.Int32N(span)
			}
			strings = append(strings, string(s))
		}
		checkTrie(t, strings)
	}
}

// TestTrie_MoreCharactersThanSymbols loses the strings past the last symbol and nothing else.
func TestTrie_MoreCharactersThanSymbols(t *testing.T) {
	var strings [][]byte
	for r := rune(0x10000); len(strings) < 70_000; r++ {
		strings = append(strings, []byte(string(r)))
	}
	trie := newTrie(strings, func(int) bool { return true })
	for i, s := range strings {
		want := i
		if i >= noLabel-1 {
			want = -1
		}
		if got := trie.find(string(s)); got != want {
			t.Fatalf("string %d: got %d, want %d", i, got, want)
		}
	}
}

func TestOpenPieces_RefusesWhatIsCut(t *testing.T) {
	for _, data := range []string{"", "PCS1", piecesFile[:piecesHeader], piecesFile[:len(piecesFile)-1], piecesFile + "\x00", "PCS2" + piecesFile[4:]} {
		if _, _, err := openPieces(data); err == nil {
			t.Errorf("opened %d bytes that begin with %.8q", len(data), data)
		}
	}
}

func TestView_ReadsWhereverItLies(t *testing.T) {
	for shift := range 8 {
		s := string(make([]byte, shift)) + "\x01\x02\x03\x04\x05\x06\x07\x08\x01\x02\x03\x04\x05\x06\x07\x08tail"
		if got, want := fmt.Sprintf("%x", view[uint64](s[shift:])), "[807060504030201 807060504030201]"; got != want {
			t.Errorf("shifted by %d: got %s, want %s", shift, got, want)
		}
	}
}

// BenchmarkTrie builds the trie of the built-in model's pieces, as a model from a folder does when it is opened.
func BenchmarkTrie(b *testing.B) {
	v := listed()
	for b.Loop() {
		newTrie(v.pieces, func(id int) bool { return !v.special[id] })
	}
}
