package ingest

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
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

// Export writes a collection to w as a ragpack, document by document, each as one version has it. It may run while documents are taken in.
func (s *Service) Export(ctx context.Context, name string, w io.Writer) error {
	c, err := s.o.Catalog.Collection(ctx, name)
	if err != nil {
		return err
	}
	zipped, err := gzip.NewWriterLevel(w, gzip.BestSpeed) // vectors hardly compress, and text does well enough
	if err != nil {
		return err
	}
	sum := sha256.New()
	out := bufio.NewWriterSize(io.MultiWriter(zipped, sum), 1<<20)
	lines := json.NewEncoder(out)
	lines.SetEscapeHTML(false)
	header := packHeader{Ragpack: packVersion, Name: c.Name, Description: c.Description, Embedding: packModel(c.Embedding), Chunking: packChunking(c.Chunking), CreatedAt: time.Now().UTC()}
	if c.Prompt != (rag.PromptTemplate{}) {
		prompt := packPrompt(c.Prompt)
		header.Prompt = &prompt
	}
	if err := lines.Encode(header); err != nil {
		return err
	}
	end := packEnd{End: true}
	for after := ""; ; {
		page, err := s.o.Catalog.Documents(ctx, c.ID, nil, after, 100)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			break
		}
		for _, d := range page {
			after = d.ExternalID
			record, err := s.packDocument(ctx, c, d.ExternalID)
			if rag.CodeOf(err) == rag.NotFound {
				continue // deleted meanwhile
			}
			if err != nil {
				return err
			}
			if err := lines.Encode(record); err != nil {
				return err
			}
			end.Documents, end.Chunks = end.Documents+1, end.Chunks+len(record.Chunks)
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	end.SHA256 = hex.EncodeToString(sum.Sum(nil))
	if err := lines.Encode(end); err != nil {
		return err
	}
	return errors.Join(out.Flush(), zipped.Close())
}

// packDocument reads one version of a document whole: when it is replaced while it is read, it is read again.
func (s *Service) packDocument(ctx context.Context, c rag.Collection, externalID string) (packDocument, error) {
	for {
		d, err := s.o.Catalog.Document(ctx, c.ID, externalID)
		if err != nil {
			return packDocument{}, err
		}
		record := packDocument{ID: d.ID, ExternalID: d.ExternalID, Version: d.Version, Title: d.Title, SourceURI: d.SourceURI, MediaType: d.MediaType, SHA256: d.SHA256,
			Language: d.Language, Metadata: d.Metadata, Chunks: []packChunk{}}
		if record.Text, err = s.o.Catalog.Text(ctx, d.ID); err != nil {
			return record, err
		}
		var vectors []byte
		whole := true
		for after := -1; whole; {
			chunks, err := s.o.Catalog.Chunks(ctx, d.ID, after, 1000)
			if err != nil {
				return record, err
			}
			if len(chunks) == 0 {
				break
			}
			ids := make([]rag.ChunkID, len(chunks))
			for i, k := range chunks {
				ids[i], after = k.ID, k.Ordinal
				record.Chunks = append(record.Chunks, packChunk{k.ID, k.Span.Start, k.Span.End, k.HeadingPath, k.Context, k.Page})
			}
			known, err := s.o.Catalog.Embeddings(ctx, ids)
			if err != nil {
				return record, err
			}
			for _, id := range ids {
				v, ok := known[id]
				whole = whole && ok
				for _, x := range v {
					vectors = binary.LittleEndian.AppendUint32(vectors, math.Float32bits(x))
				}
			}
		}
		again, err := s.o.Catalog.Document(ctx, c.ID, externalID)
		if err != nil {
			return record, err
		}
		if whole && again.ID == d.ID && again.Version == d.Version {
			record.Vectors = base64.StdEncoding.EncodeToString(vectors)
			return record, nil
		}
	}
}

// Import makes a collection named name of a ragpack, which another service may have written. It appears when all of it is there, or not at all. Documents keep their ids, and so permalinks
// and order among equals, unless this catalog has documents with those ids already. reEmbed has the service's model embed the chunks anew; without it the pack must be of that
// model.
// Errors: rag.Conflict for a name that is taken; rag.Invalid for a pack that is damaged, cut short or of another form; rag.ModelMismatch.
func (s *Service) Import(ctx context.Context, name string, r io.Reader, reEmbed bool) (_ rag.Collection, err error) {
	if err := rag.ValidateCollectionName(name); err != nil {
		return rag.Collection{}, err
	}
	if _, err := s.o.Catalog.Collection(ctx, name); err == nil {
		return rag.Collection{}, rag.Errorf(rag.Conflict, "A collection named %q exists already; import under another name, or delete it first.", name)
	}
	p, err := openPack(r)
	if err != nil {
		return rag.Collection{}, err
	}
	e := s.o.Embedder
	if !reEmbed && p.header.Embedding.Fingerprint != e.Fingerprint() {
		return rag.Collection{}, rag.Errorf(rag.ModelMismatch, "The pack was embedded by %s (%s), and the service runs %s (%s). Import it with re_embed=true (--re-embed) to embed it anew, or start the service with that model.",
			p.header.Embedding.Model, p.header.Embedding.Fingerprint, e.Model(), e.Fingerprint())
	}
	c := rag.Collection{ID: rag.NewCollectionID(), Description: p.header.Description, Chunking: rag.Chunking(p.header.Chunking),
		Embedding: rag.EmbeddingSpec{Model: e.Model(), Fingerprint: e.Fingerprint(), Dimensions: e.Dimensions()}}
	if p.header.Prompt != nil {
		c.Prompt = rag.PromptTemplate(*p.header.Prompt)
		if c.Prompt.Version < 0 {
			return rag.Collection{}, damaged("version %d of its prompt", c.Prompt.Version)
		}
		if err := s.o.CheckPrompt(c.Prompt); err != nil {
			return rag.Collection{}, rag.Errorf(rag.Invalid, "The pack has a prompt that this release cannot use. %w", err)
		}
	}
	c.Name = rag.HiddenName("import", c.ID)
	if err := c.Chunking.Validate(); err != nil {
		return rag.Collection{}, err
	}
	unlock, err := s.o.Locks.Lock(ctx, string(c.ID))
	if err != nil {
		return c, err
	}
	defer unlock()
	if err := s.o.Index.EnsureCollection(ctx, c.ID, c.Embedding.Dimensions); err != nil {
		return c, err
	}
	defer func() {
		if err != nil {
			s.abandon(ctx, c)
		}
	}()
	if c, err = s.o.Catalog.CreateCollection(ctx, c); err != nil {
		return c, err
	}
	for {
		d, err := p.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return c, err
		}
		if err := s.importDocument(ctx, c, d, p.header.Embedding.Dimensions, reEmbed); err != nil {
			return c, err
		}
	}
	if err := s.o.Catalog.RenameCollection(ctx, c.ID, name); err != nil {
		return c, err
	}
	s.changed(c.ID, p.documents)
	return s.o.Catalog.DescribeCollection(ctx, name)
}

// abandon takes away what an import has made so far.
func (s *Service) abandon(ctx context.Context, c rag.Collection) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	_, err := s.o.Catalog.DeleteCollection(ctx, c.Name)
	if rag.CodeOf(err) == rag.NotFound {
		err = nil
	}
	if err := errors.Join(err, s.o.Index.DropCollection(ctx, c.ID)); err != nil {
		s.o.Logger.Warn("take away an import that failed", "collection", c.ID, "error", err)
	}
}

func (s *Service) importDocument(ctx context.Context, c rag.Collection, d packDocument, dims int, reEmbed bool) error {
	v, vectors, err := d.version(c, dims)
	if err != nil {
		return err
	}
	embedded := make([]string, len(v.Chunks))
	for i, k := range v.Chunks {
		embedded[i] = k.Embedded(v.Document.Title)
	}
	if reEmbed {
		found, err := s.vectors(ctx, s.o.Embedder, embedded, nil, noStep)
		if err != nil {
			return err
		}
		vectors = make([]rag.Embedding, len(embedded))
		for i, text := range embedded {
			vectors[i] = found[rag.HashText(text)]
		}
	}
	v.Embeddings, v.Imported, v.Fingerprint = vectors, !reEmbed, c.Embedding.Fingerprint
	for _, e := range vectors {
		if err := e.Validate(c.Embedding.Dimensions); err != nil {
			return rag.Errorf(rag.Invalid, "The pack has a bad vector in document %q: %w", rag.Clip(d.ExternalID, 80), err)
		}
	}
	taken, err := s.o.Catalog.HasDocument(ctx, v.Document.ID)
	if err != nil {
		return err
	}
	if taken {
		v.Document.ID = rag.NewDocumentID()
	}
	occurrences := map[string]int{}
	points := make([]rag.Point, len(v.Chunks))
	for i := range v.Chunks {
		k := &v.Chunks[i]
		k.Document = v.Document.ID
		// Never taken from the pack: an id that does not follow from the text would break what rests on it.
		k.ID = rag.NewChunkID(v.Document.ID, embedded[i], occurrences[embedded[i]])
		occurrences[embedded[i]]++
		points[i] = point(*k, embedded[i], vectors[i], v.Document.Metadata)
	}
	s.gate.RLock()
	defer s.gate.RUnlock()
	const batch = 512
	for at := 0; at < len(points); at += batch {
		if err := s.patiently(ctx, func() error { return s.o.Index.Upsert(ctx, c.ID, points[at:min(at+batch, len(points))]) }); err != nil {
			return err
		}
	}
	return s.o.Catalog.ImportDocument(ctx, v)
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
	v.Document = rag.Document{ID: d.ID, Collection: c.ID, ExternalID: d.ExternalID, Version: d.Version, Title: d.Title, SourceURI: d.SourceURI, MediaType: d.MediaType, SHA256: d.SHA256,
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
