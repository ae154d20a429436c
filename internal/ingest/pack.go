package ingest

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"time"
	"unicode/utf8"

	"footnote/internal/rag"
	"footnote/internal/text"
)

// A ragpack is a collection on its way: a gzip stream of lines, each a JSON record. The first is the header, the last the end with the counts and the SHA-256 of
// all bytes before it; in between stands one record a document. docs/ragpack.md describes it for other programs.
const packVersion = 1

// maxPackLine bounds a record, in bytes: a document of the greatest size with its vectors is well below.
const maxPackLine = 512 << 20

type packHeader struct {
	Ragpack     int          `json:"ragpack"`
	Name        string       `json:"name"`
	Description string       `json:"description"`
	Embedding   packModel    `json:"embedding"`
	Chunking    packChunking `json:"chunking"`
	Prompt      *packPrompt  `json:"prompt,omitempty"`
	CreatedAt   time.Time    `json:"created_at"`
}

// packPrompt is the template of a collection's prompts. A pack without one leaves the default.
type packPrompt struct {
	System  string `json:"system"`
	User    string `json:"user"`
	Version int    `json:"version"`
}

type packModel struct {
	Model       string `json:"model"`
	Fingerprint string `json:"fingerprint"`
	Dimensions  int    `json:"dimensions"`
}

type packChunking struct {
	TargetTokens  int `json:"target_tokens"`
	OverlapTokens int `json:"overlap_tokens"`
}

type packDocument struct {
	ID         rag.DocumentID `json:"id"`
	ExternalID string         `json:"external_id"`
	Version    int            `json:"version"`
	Title      string         `json:"title"`
	SourceURI  string         `json:"source_uri"`
	MediaType  string         `json:"media_type"`
	SHA256     string         `json:"sha256"`
	Language   string         `json:"language"`
	Metadata   map[string]any `json:"metadata"`
	Text       string         `json:"text"`
	Chunks     []packChunk    `json:"chunks"`
	Vectors    string         `json:"vectors"` // base64 of float32, little-endian, chunk after chunk

	// What packs of former releases do not have.
	Archive  string   `json:"archive,omitempty"`
	Pages    [][3]int `json:"pages,omitempty"`    // number, start and end of each
	Original []byte   `json:"original,omitempty"` // the uploaded file, of which sha256 is; once in a pack, with the first document that has it
}

type packChunk struct {
	ID          rag.ChunkID `json:"id"`
	Start       int         `json:"start"`
	End         int         `json:"end"`
	HeadingPath []string    `json:"heading_path"`
	Context     string      `json:"context,omitempty"`
	Page        int         `json:"page"`
}

type packEnd struct {
	End       bool   `json:"end"`
	Documents int    `json:"documents"`
	Chunks    int    `json:"chunks"`
	SHA256    string `json:"sha256"`
}

// version checks a document of a pack and makes a version of it, without chunk ids.
func (d packDocument) version(c rag.Collection, dims int) (v rag.Version, vectors []rag.Embedding, err error) {
	bad := func(format string, args ...any) error {
		return rag.Errorf(rag.Invalid, "Document %q of the pack %s.", rag.Clip(d.ExternalID, 80), fmt.Sprintf(format, args...))
	}
	metadata, err := metadataOf(d.Metadata)
	if err != nil {
		return v, nil, err
	}
	u := rag.Upload{ExternalID: d.ExternalID, Title: d.Title, SourceURI: d.SourceURI, MediaType: d.MediaType, Metadata: metadata}
	if err := validate(u); err != nil {
		return v, nil, err
	}
	if d.Archive != "" {
		if err := rag.ValidateExternalID(d.Archive); err != nil {
			return v, nil, bad("has an archive that is no external_id")
		}
	}
	switch {
	case d.ExternalID == "":
		return v, nil, bad("has no external_id")
	case d.Version < 1:
		return v, nil, bad("has version %d", d.Version)
	case !utf8.ValidString(d.Text) || text.Normalise(d.Text) != d.Text:
		return v, nil, bad("has a text that is not in normalised form, so its spans cannot be trusted")
	case len(d.Chunks) == 0:
		return v, nil, bad("has no chunks")
	}
	runes := []rune(d.Text)
	for i, k := range d.Chunks {
		if k.Start < 0 || k.End > len(runes) || k.Start >= k.End {
			return v, nil, bad("has a chunk at [%d, %d) of %d characters", k.Start, k.End, len(runes))
		}
		if len([]rune(k.Context)) > rag.MaxContext+1 || text.Normalise(k.Context) != k.Context {
			return v, nil, bad("has a chunk whose context is not normalised text of at most %d characters", rag.MaxContext)
		}
		v.Chunks = append(v.Chunks, rag.Chunk{Version: d.Version, Ordinal: i, Span: rag.Span{Start: k.Start, End: k.End}, HeadingPath: k.HeadingPath, Context: k.Context, Page: max(k.Page, 0), Text: string(runes[k.Start:k.End])})
	}
	for i, p := range d.Pages {
		if p[0] < 1 || p[1] >= p[2] || p[1] < 0 || p[2] > len(runes) || i > 0 && p[1] < d.Pages[i-1][2] {
			return v, nil, bad("has page %d at [%d, %d) of %d characters, out of its place", p[0], p[1], p[2], len(runes))
		}
		v.Pages = append(v.Pages, rag.PageSpan{Number: p[0], Span: rag.Span{Start: p[1], End: p[2]}})
	}
	raw, err := base64.StdEncoding.DecodeString(d.Vectors)
	if err != nil || len(raw) != 4*dims*len(d.Chunks) {
		return v, nil, bad("has %d bytes of vectors, want %d", len(raw), 4*dims*len(d.Chunks))
	}
	for range d.Chunks {
		e := make(rag.Embedding, dims)
		for i := range e {
			e[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
		}
		raw = raw[4*dims:]
		vectors = append(vectors, e)
	}
	v.Text = d.Text
	v.Document = rag.Document{ID: d.ID, Collection: c.ID, ExternalID: d.ExternalID, Archive: d.Archive, Version: d.Version, Title: d.Title, SourceURI: d.SourceURI, MediaType: d.MediaType, SHA256: d.SHA256,
		Language: d.Language, Metadata: metadata, Characters: len(runes), Chunks: len(v.Chunks)}
	return v, vectors, nil
}

// metadataOf turns decoded JSON into metadata; what no metadata may hold is left for Validate to name.
func metadataOf(m map[string]any) (rag.Metadata, error) {
	out := rag.Metadata{}
	for k, v := range m {
		if items, ok := v.([]any); ok {
			list := make([]string, len(items))
			for i, x := range items {
				s, ok := x.(string)
				if !ok {
					return nil, rag.FieldErrorf("/metadata/"+k, "metadata.%s must hold only strings.", k)
				}
				list[i] = s
			}
			v = list
		}
		out[k] = v
	}
	return out, out.Validate()
}
