package local

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"unsafe"
)

// A segment is one run of bytes, in memory or in a file alike:
//
//	magic (8) · sections, each at a multiple of 64 · table, 24 bytes a section: kind, CRC-32C, offset, length · trailer (40)
//
// The trailer has the place of the table, the counts, the CRC-32C of table and trailer, and the version. Integers are little-endian, as the machines are
// that this is built for: sections are read in place.
const (
	segmentMagic   = "FNSEGMT\n"
	segmentVersion = 2
	sectionAlign   = 64
	entryBytes     = 24
	trailerBytes   = 40
)

type sectionKind uint32

const (
	sectionIDs          sectionKind = iota + 1 // [n][16]byte
	sectionOrder                               // [n]uint32: points by id
	sectionScales                              // [n]float32
	sectionRows                                // [n][layout.size]byte
	sectionMean                                // [dims]float32; only with codes
	sectionCodes                               // [⌈n/8⌉][words][8]uint64; only in segments that are scanned by them
	sectionGains                               // [⌈n/8⌉·8]uint16; with codes
	sectionRuns                                // [runs+1]uint32: where each run of points of one document begins
	sectionDocumentEnds                        // [runs]uint32
	sectionDocuments                           // the runs' documents, joined
	sectionWeightStarts                        // [n+1]uint32
	sectionWeights                             // each point's distinct BM25 weights, ascending: float32
	sectionTerms                               // [terms]uint32, ascending
	sectionTermEnds                            // [terms]uint64 in sectionPostings
	sectionTermCounts                          // [terms]uint32
	sectionPostings                            // see postings.go
	sectionColumns                             // see columns.go
	sectionColumnData
	sectionLast = sectionColumnData
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sectionWriter writes a segment from front to back.
type sectionWriter struct {
	w       io.Writer
	at      uint64
	err     error
	entries []byte
	kind    sectionKind
	start   uint64
	sum     uint32
}

func newSectionWriter(w io.Writer) *sectionWriter {
	s := &sectionWriter{w: w}
	s.raw([]byte(segmentMagic))
	return s
}

func (s *sectionWriter) raw(b []byte) {
	if s.err == nil {
		_, s.err = s.w.Write(b)
		s.at += uint64(len(b))
	}
}

func (s *sectionWriter) begin(kind sectionKind) {
	var zeros [sectionAlign]byte
	s.raw(zeros[:(sectionAlign-s.at%sectionAlign)%sectionAlign])
	s.kind, s.start, s.sum = kind, s.at, 0
}

func (s *sectionWriter) write(b []byte) {
	s.sum = crc32.Update(s.sum, castagnoli, b)
	s.raw(b)
}

func (s *sectionWriter) end() {
	e := binary.LittleEndian.AppendUint32(nil, uint32(s.kind))
	e = binary.LittleEndian.AppendUint32(e, s.sum)
	e = binary.LittleEndian.AppendUint64(e, s.start)
	s.entries = append(s.entries, binary.LittleEndian.AppendUint64(e, s.at-s.start)...)
}

func writeSection[T any](s *sectionWriter, kind sectionKind, values []T) {
	s.begin(kind)
	s.write(bytesOf(values))
	s.end()
}

// finish writes table and trailer; the segment has points, runs and dims. sum names the segment's content.
func (s *sectionWriter) finish(points, runs, dims int) (sum uint32, err error) {
	s.begin(0)
	t := binary.LittleEndian.AppendUint64(s.entries, s.at)
	for _, v := range []int{len(s.entries) / entryBytes, points, runs, dims, 0, segmentVersion} {
		t = binary.LittleEndian.AppendUint32(t, uint32(v))
	}
	sum = crc32.Checksum(t, castagnoli)
	t = binary.LittleEndian.AppendUint32(t, sum)
	s.raw(append(t, segmentMagic[:4]...))
	return sum, s.err
}

var errDamaged = errors.New("damaged")

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errDamaged, fmt.Sprintf(format, args...))
}

// sections are the parts of a segment's bytes, each within bounds and true to its checksum.
type sections struct {
	points, runs, dims int
	sum                uint32
	of                 [sectionLast + 1][]byte
}

// readSections checks every byte that counts: at some 10 GB/s it is cheaper than a doubt.
func readSections(data []byte) (*sections, error) {
	n := uint64(len(data))
	if n < uint64(len(segmentMagic))+trailerBytes || string(data[:len(segmentMagic)]) != segmentMagic {
		return nil, damaged("this is no segment, or is cut short")
	}
	trailer := data[n-trailerBytes:]
	word := func(i int) uint32 { return binary.LittleEndian.Uint32(trailer[8+4*i:]) }
	table, count := binary.LittleEndian.Uint64(trailer), uint64(word(0))
	if string(trailer[trailerBytes-4:]) != segmentMagic[:4] || word(5) != segmentVersion {
		return nil, damaged("the trailer is not one of version %d", segmentVersion)
	}
	if count > uint64(sectionLast) || table > n || table+count*entryBytes+trailerBytes != n {
		return nil, damaged("the table is out of bounds")
	}
	s := &sections{points: int(word(1)), runs: int(word(2)), dims: int(word(3)), sum: word(6)}
	if crc32.Checksum(data[table:n-8], castagnoli) != s.sum {
		return nil, damaged("the table's checksum is wrong")
	}
	for i := range count {
		e := data[table+i*entryBytes:]
		kind, sum := sectionKind(binary.LittleEndian.Uint32(e)), binary.LittleEndian.Uint32(e[4:])
		offset, length := binary.LittleEndian.Uint64(e[8:]), binary.LittleEndian.Uint64(e[16:])
		if kind == 0 || kind > sectionLast || s.of[kind] != nil || offset%sectionAlign != 0 || offset > table || length > table-offset {
			return nil, damaged("section %d is out of bounds", kind)
		}
		b := data[offset : offset+length : offset+length]
		if crc32.Checksum(b, castagnoli) != sum {
			return nil, damaged("section %d has a wrong checksum", kind)
		}
		if s.of[kind] = b; b == nil {
			s.of[kind] = []byte{}
		}
	}
	return s, nil
}

// bytesOf and view look at the same memory as another type; sections begin at multiples of 64 in memory that is aligned to 8 at least.
func bytesOf[T any](v []T) []byte {
	if len(v) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&v[0])), len(v)*int(unsafe.Sizeof(v[0])))
}

func view[T any](b []byte) []T {
	var zero T
	size := int(unsafe.Sizeof(zero))
	if len(b) < size {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&b[0])), len(b)/size)
}
