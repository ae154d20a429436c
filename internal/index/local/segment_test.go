package local

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"footnote/internal/rag"
)

// TestSegment_FindsEveryPoint asks segments of every small size and a large one for what they have and what they lack, with ids that lie evenly, as hashes do, in two clumps, and all but the same.
func TestSegment_FindsEveryPoint(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	kinds := map[string]func() (id pointID){
		"even": func() (id pointID) {
			binary.BigEndian.PutUint64(id[:], r.Uint64())
			return id
		},
		"clumps": func() (id pointID) {
			binary.BigEndian.PutUint64(id[:], r.Uint64()>>40|uint64(r.IntN(2))<<63)
			return id
		},
		"one prefix": func() (id pointID) {
			copy(id[:], "\xff\xff\xff\xff")
			binary.BigEndian.PutUint64(id[8:], r.Uint64())
			return id
		},
	}
	for name, next := range kinds {
		for _, n := range []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 17, 100, 5000} {
			s := &segment{n: n}
			for i := range n {
				s.ids, s.order = append(s.ids, next()), append(s.order, uint32(i))
			}
			slices.SortFunc(s.order, func(a, b uint32) int { return bytes.Compare(s.ids[a][:], s.ids[b][:]) })
			for i, id := range s.ids {
				if at, ok := s.find(id); !ok || s.ids[at] != id {
					t.Fatalf("%s, %d points: the %d-th is not found", name, n, i)
				}
				id[15] ^= 1
				if at, ok := s.find(id); ok {
					t.Fatalf("%s, %d points: got %d for an id that is not there", name, n, at)
				}
			}
			for _, id := range []pointID{{}, {0: 0xff, 1: 0xff, 2: 0xff, 3: 0xff, 4: 0xff, 15: 1}, {0: 0x80}} {
				if _, ok := s.find(id); ok {
					t.Fatalf("%s, %d points: found %x", name, n, id)
				}
			}
		}
	}
}

func TestPack_IsReadBack(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	for width := range 33 {
		for _, n := range []int{0, 1, 2, 7, 64, 127, 128} {
			values := make([]uint32, n)
			for i := range values {
				values[i] = uint32(r.Uint64() & (1<<width - 1))
			}
			if n > 0 && width > 0 {
				values[n-1] = uint32(1<<width - 1)
			}
			before := []byte{1, 2, 3}
			packed := pack(before, values, width)
			if len(packed) != 3+packedSize(n, width) || !bytes.Equal(packed[:3], []byte{1, 2, 3}) {
				t.Fatalf("width %d, %d values: %d bytes", width, n, len(packed))
			}
			for _, pad := range []int{packedPad, 64} { // at the end of a segment, and before it
				src := append(packed[3:len(packed):len(packed)], make([]byte, pad)...)
				var got [blockLength]uint32
				unpack(&got, n, src, width)
				if !slices.Equal(got[:n], values) {
					t.Fatalf("width %d: got %v, want %v", width, got[:n], values)
				}
				unpackGaps(&got, n, src, width, 5)
				sum := uint32(5)
				for i, v := range values {
					if sum += v + 1; got[i] != sum {
						t.Fatalf("width %d: the %d-th point is %d, want %d", width, i, got[i], sum)
					}
				}
			}
		}
	}
}

// TestMerge_KeepsCodes holds the codes of a merged segment, which are copied, to those that are computed from its rows.
func TestMerge_KeepsCodes(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	c := newCollection("c", 130)
	c.layout.headPoints, c.layout.minCoded = 21, 10
	for i := range 8 * 21 {
		p := point(r, i, c.layout.dims)
		id, _ := parseID(p.ID)
		c.upsert([]pointID{id}, []rag.Point{p})
	}
	d := c.draft()
	c.seal(d)
	c.current.Store(&d.snapshot)
	var parts []part
	for i, v := range c.current.Load().segments {
		dead := newBitset(v.n)
		dead.set(i) // so that places shift, and groups of eight with them
		parts = append(parts, newSegmentPart(v.segment, c.layout, dead))
	}
	merged := c.make(c.mean, parts)
	v := make([]float32, c.layout.dims)
	for i := range merged.n {
		group := make([]uint64, 8*c.layout.words)
		c.layout.decode(v, merged.rows[i*c.layout.size:][:c.layout.size], merged.scales[i])
		for j, x := range v {
			code := merged.codes[i/8*8*c.layout.words+j/64*8+i%8]>>(j%64)&1 == 1
			if code != (x > c.mean[j]) {
				t.Fatalf("point %d, dimension %d: the code says %t", i, j, code)
			}
		}
		if want := c.layout.encodeCode(group, 0, v, c.mean); merged.gains[i] != want {
			t.Fatalf("point %d has gain %d, want %d", i, merged.gains[i], want)
		}
	}
	if len(parts) != 8 || merged.n != 8*20 {
		t.Fatalf("got %d points of %d segments", merged.n, len(parts))
	}
}
