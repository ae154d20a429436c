package ingest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"footnote/internal/rag"
)

// recipe is a hash of all that a version follows from: what was handed in, how the collection cuts and embeds, and the code that reads. A file that comes again is known by it, before it is read.
// It begins with the hash of what does not depend on the file (cutLike). Empty, for never, where the code has no name.
func (s *Service) recipe(c rag.Collection, e Embedder, u rag.Upload) string {
	if s.o.Build == "" {
		return ""
	}
	if len(u.Metadata) == 0 {
		u.Metadata = nil
	}
	settings, err := json.Marshal(struct {
		Build, Model string
		Chunking     rag.Chunking
	}{s.o.Build, e.Fingerprint(), c.Chunking})
	if err != nil {
		return "" // what cannot be hashed is worked on
	}
	file, err := json.Marshal(struct {
		SHA256, Title, SourceURI, Filename, MediaType string
		Metadata                                      rag.Metadata // keys are sorted
	}{u.SHA256, u.Title, u.SourceURI, u.Filename, u.MediaType, u.Metadata})
	if err != nil {
		return ""
	}
	first, second := sha256.Sum256(settings), sha256.Sum256(file)
	return hex.EncodeToString(first[:]) + recipeMark + hex.EncodeToString(second[:])
}

const recipeMark = "."

// cutLike tells whether two versions were cut by the same code, with the same sizes, for the same model.
func cutLike(recipe, other string) bool {
	a, _, known := strings.Cut(recipe, recipeMark)
	b, _, _ := strings.Cut(other, recipeMark)
	return known && a == b
}

// before are the chunks that a document's new version keeps where the text is the same: those of its active version or, for a document that is new, of one with the same bytes, as a renamed
// file has. None where they were cut otherwise than the recipe says.
func (s *Service) before(ctx context.Context, c rag.Collection, d rag.JobDocument, sha256, recipe string) ([]rag.Chunk, error) {
	if recipe == "" {
		return nil, nil
	}
	id := d.Document
	if d.Version <= 1 {
		twin, err := s.o.Catalog.Twin(ctx, c.ID, sha256)
		if rag.CodeOf(err) == rag.NotFound {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		id = twin
	}
	active, err := s.o.Catalog.Recipe(ctx, id)
	if rag.CodeOf(err) == rag.NotFound || err == nil && !cutLike(recipe, active) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return s.chunks(ctx, id)
}

// chunks are all chunks of a document's active version.
func (s *Service) chunks(ctx context.Context, id rag.DocumentID) (out []rag.Chunk, err error) {
	for after := -1; ; after = out[len(out)-1].Ordinal {
		page, err := s.o.Catalog.Chunks(ctx, id, after, 1000)
		if err != nil || len(page) == 0 {
			return out, err
		}
		out = append(out, page...)
	}
}

// maxWarning bounds a warning, in code points.
const maxWarning = 500

// bounded are the first warnings, and one that counts the rest.
func bounded(warnings []string) []string {
	var out []string
	for i, w := range warnings {
		if i == rag.MaxWarnings-1 && len(warnings) > rag.MaxWarnings {
			return append(out, fmt.Sprintf("%d more warnings are not kept.", len(warnings)-i))
		}
		out = append(out, rag.Clip(w, maxWarning))
	}
	return out
}
