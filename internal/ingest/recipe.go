package ingest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"footnote/internal/rag"
)

// recipe is a hash of all that a version follows from: what was handed in, how the collection cuts and embeds, and the code that reads. The same recipe gives the same version, so a file
// that comes again is known by the hash of its bytes, before it is read. Empty, for never, where the code has no name.
func (s *Service) recipe(c rag.Collection, e Embedder, u rag.Upload) string {
	if s.o.Build == "" {
		return ""
	}
	if len(u.Metadata) == 0 {
		u.Metadata = nil
	}
	b, err := json.Marshal(struct {
		Build, Model                                  string
		SHA256, Title, SourceURI, Filename, MediaType string
		Metadata                                      rag.Metadata // keys are sorted
		Chunking                                      rag.Chunking
	}{s.o.Build, e.Fingerprint(), u.SHA256, u.Title, u.SourceURI, u.Filename, u.MediaType, u.Metadata, c.Chunking})
	if err != nil {
		return "" // what cannot be hashed is worked on
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
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
