package local

import (
	"io"
	"runtime"
)

// make builds a segment of parts. With a folder it is a file; one that cannot be written stays in memory, to be tried again at the next
// checkpoint. The caller need not have the lock.
func (c *collection) make(mean []float32, parts []part) *segment {
	defer runtime.KeepAlive(parts)
	if c.files != nil {
		seg, err := c.files.make(c.layout, func(w io.Writer) error {
			_, err := build(newSectionWriter(w), c.layout, mean, parts)
			return err
		})
		if err == nil {
			return seg
		}
		c.files.log.Error("an index segment cannot be written and stays in memory", "collection", c.id, "error", err)
	}
	size := 0
	for _, p := range parts {
		if s, ok := p.(*segmentPart); ok {
			size += len(s.data)
		}
	}
	m := &memory{words: make([]uint64, 0, size/8+1)}
	if _, err := build(newSectionWriter(m), c.layout, mean, parts); err != nil {
		panic("local: writing to memory failed: " + err.Error())
	}
	seg, err := openSegment(m.bytes(), c.layout)
	if err != nil {
		panic("local: a new segment is not one: " + err.Error())
	}
	return seg
}

// memory is a writer whose bytes are aligned to 8.
type memory struct {
	words []uint64
	n     int
}

func (m *memory) Write(b []byte) (int, error) {
	need := (m.n + len(b) + 7) / 8
	if need > cap(m.words) {
		grown := make([]uint64, len(m.words), max(need, cap(m.words)*5/4))
		copy(grown, m.words)
		m.words = grown
	}
	m.words = m.words[:need]
	copy(bytesOf(m.words)[m.n:], b)
	m.n += len(b)
	return len(b), nil
}

// bytes gives what was written, in a room of its size.
func (m *memory) bytes() []byte {
	if cap(m.words) > len(m.words)+len(m.words)/16 {
		m.words = append(make([]uint64, 0, len(m.words)), m.words...)
	}
	return bytesOf(m.words)[:m.n]
}
