package ingest

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"footnote/internal/rag"
)

// Export writes a collection to w as a ragpack, document by document, each as one version has it. It may run while documents are taken in.
// originals has it carry the uploaded files, too, where they are kept. NotFound when there is no such collection; after an error what w has is no whole pack, and importing it says so.
func (s *Service) Export(ctx context.Context, name string, w io.Writer, originals bool) error {
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
	carried := map[string]bool{} // originals, by their hash
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
			if originals && !carried[record.SHA256] {
				if record.Original, err = s.original(ctx, record.SHA256); err != nil {
					return err
				}
				carried[record.SHA256] = true
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

// original is an uploaded file; none where it is not kept.
func (s *Service) original(ctx context.Context, sha string) ([]byte, error) {
	if sha == "" {
		return nil, nil
	}
	r, err := s.o.Blobs.Get(ctx, sha)
	if rag.CodeOf(err) == rag.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(r)
	if err = errors.Join(err, r.Close()); err != nil {
		return nil, fmt.Errorf("read an original: %w", err)
	}
	return content, nil
}

// packDocument reads one version of a document whole: when it is replaced while it is read, it is read again.
func (s *Service) packDocument(ctx context.Context, c rag.Collection, externalID string) (packDocument, error) {
	for {
		d, err := s.o.Catalog.Document(ctx, c.ID, externalID)
		if err != nil {
			return packDocument{}, err
		}
		record := packDocument{ID: d.ID, ExternalID: d.ExternalID, Version: d.Version, Title: d.Title, SourceURI: d.SourceURI, MediaType: d.MediaType, SHA256: d.SHA256, Archive: d.Archive,
			Language: d.Language, Metadata: d.Metadata, Chunks: []packChunk{}}
		if record.Text, err = s.o.Catalog.Text(ctx, d.ID); err != nil {
			return record, err
		}
		pages, err := s.o.Catalog.Pages(ctx, d.ID)
		if err != nil {
			return record, err
		}
		for _, p := range pages {
			record.Pages = append(record.Pages, [3]int{p.Number, p.Span.Start, p.Span.End})
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
