package ingest

import (
	"context"

	"footnote/internal/ingest/parse"
	"footnote/internal/rag"
)

// Preview tells what a source would give: its text, structure and chunks, or those of each file of an archive, cut as the named collection's are, or as a new one's where none is named. Nothing is stored or embedded.
// Errors: those of Submit.
func (s *Service) Preview(ctx context.Context, collection string, source rag.Source) (rag.Preview, error) {
	var out rag.Preview
	c, e := rag.Collection{Chunking: rag.DefaultChunking}, s.o.Embedder
	if collection != "" {
		var err error
		if c, e, err = s.open(ctx, collection); err != nil {
			return out, err
		}
	}
	u, content, err := s.read(source)
	if err != nil {
		return out, err
	}
	if parse.IsArchive(u.MediaType) {
		return s.previewFiles(ctx, c, e, u, content)
	}
	return s.preview(ctx, c, e, u, content)
}

func (s *Service) preview(ctx context.Context, c rag.Collection, e Embedder, u rag.Upload, content []byte) (out rag.Preview, err error) {
	v, parsed, err := s.prepare(ctx, c, e, u, rag.JobDocument{ExternalID: u.ExternalID, Version: 1}, content, nil, nil)
	if err != nil {
		return out, err
	}
	out.Parsed, out.Chunks = parsed, v.Chunks
	out.Parsed.Title, out.Parsed.Metadata = v.Document.Title, v.Document.Metadata
	for _, k := range v.Chunks {
		out.Tokens = append(out.Tokens, e.CountTokens(k.Embedded(v.Document.Title)))
	}
	return out, nil
}
