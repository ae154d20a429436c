package ingest

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"

	"footnote/internal/rag"
)

// pack reads a ragpack.
type pack struct {
	header    packHeader
	lines     *bufio.Reader
	sum       hash.Hash
	documents int
	chunks    int
}

func damaged(format string, args ...any) error {
	return rag.Errorf(rag.Invalid, "The pack is damaged: %w", fmt.Errorf(format, args...))
}

func openPack(r io.Reader) (*pack, error) {
	zipped, err := gzip.NewReader(r)
	if err != nil {
		return nil, rag.Errorf(rag.Invalid, "This is not a ragpack: %w", err)
	}
	p := &pack{lines: bufio.NewReaderSize(zipped, 1<<20), sum: sha256.New()}
	line, err := p.line()
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(line, &p.header); err != nil || p.header.Ragpack == 0 {
		return nil, rag.Errorf(rag.Invalid, "This is not a ragpack: its first record is no header.")
	}
	if p.header.Ragpack != packVersion {
		return nil, rag.Errorf(rag.Invalid, "The pack has version %d of the format, and this release reads version %d; import it with a release that reads it.", p.header.Ragpack, packVersion)
	}
	if d := p.header.Embedding.Dimensions; d < 1 || d > 65535 {
		return nil, damaged("vectors of %d dimensions", d)
	}
	p.sum.Write(line)
	return p, nil
}

// line reads a record with its line feed.
func (p *pack) line() ([]byte, error) {
	var whole []byte
	for {
		part, err := p.lines.ReadSlice('\n')
		whole = append(whole, part...)
		switch {
		case len(whole) > maxPackLine:
			return nil, damaged("a record has more than %d bytes", maxPackLine)
		case err == nil:
			return whole, nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return nil, damaged("it ends too early")
		default:
			var corrupt flate.CorruptInputError
			if errors.Is(err, gzip.ErrChecksum) || errors.Is(err, gzip.ErrHeader) || errors.As(err, &corrupt) {
				return nil, damaged("%w", err)
			}
			return nil, err
		}
	}
}

// next reads the next document; io.EOF after the last, when the end agrees with what was read.
func (p *pack) next() (d packDocument, err error) {
	line, err := p.line()
	if err != nil {
		return d, err
	}
	if bytes.HasPrefix(line, []byte(`{"end":`)) {
		var end packEnd
		if err := json.Unmarshal(line, &end); err != nil {
			return d, damaged("its end cannot be read: %w", err)
		}
		if got := hex.EncodeToString(p.sum.Sum(nil)); got != end.SHA256 || p.documents != end.Documents || p.chunks != end.Chunks {
			return d, damaged("it has %d documents and %d chunks with checksum %.8s, its end says %d, %d and %.8s", p.documents, p.chunks, got, end.Documents, end.Chunks, end.SHA256)
		}
		if _, err := p.lines.ReadByte(); !errors.Is(err, io.EOF) {
			return d, damaged("something follows its end")
		}
		return d, io.EOF
	}
	if err := json.Unmarshal(line, &d); err != nil {
		return d, damaged("a record cannot be read: %w", err)
	}
	p.sum.Write(line)
	p.documents, p.chunks = p.documents+1, p.chunks+len(d.Chunks)
	return d, nil
}
