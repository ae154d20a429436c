package document

import (
	"io"
	"time"

	"footnote/internal/rag"
)

// Limits bound what one file may cost, however it was made. A zero field is no limit.
type Limits struct {
	TextBytes     int64         // of the text that is kept
	Pages         int           // of a document with pages
	Depth         int           // of nested elements, and of archives in archives
	Entries       int           // of an archive
	EntryBytes    int64         // of one entry, unpacked
	ExpandedBytes int64         // of all entries together, unpacked
	Ratio         int64         // of unpacked to packed bytes, where more than a megabyte is unpacked
	Time          time.Duration // of the whole parse
}

// DefaultLimits are those of the service. The text of the longest novels has 6 MB.
var DefaultLimits = Limits{
	TextBytes: 32 << 20, Pages: 20000, Depth: 256, Entries: 10000, EntryBytes: 128 << 20, ExpandedBytes: 512 << 20, Ratio: 200, Time: 2 * time.Minute,
}

// ReadAll reads r to its end, at most limit bytes, else rag.TooLarge with what: a reader's own word on its size is not believed.
func ReadAll(r io.Reader, limit int64, what string) ([]byte, error) {
	content, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(content)) > limit {
		return nil, rag.Errorf(rag.TooLarge, "%s unpacks to more than %d bytes, which is the limit.", what, limit)
	}
	return content, nil
}
