package sqlite

import (
	"maps"
	"path/filepath"
	"testing"

	"footnote/internal/catalog/stored"
	"footnote/internal/rag"
)

// TestLanguages_CountsToALimit has more documents in one language than are counted: a search asks once a second, and need not wait for all.
func TestLanguages_CountsToALimit(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), Options{Path: filepath.Join(t.TempDir(), "catalog.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	c, err := s.CreateCollection(t.Context(), rag.Collection{Name: "c"})
	if err != nil {
		t.Fatal(err)
	}
	for language, n := range map[string]int{"zh": stored.MostCounted + 500, "en": 120} {
		if _, err := s.write.ExecContext(t.Context(), `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < ?3)
		    INSERT INTO documents(id, collection_id, external_id, last_version, active_version, title, source_uri, media_type, sha256, language, metadata, characters, chunks, created_at, updated_at, archive)
		    SELECT ?1 || i, ?2, ?1 || i, 1, 1, '', '', '', '', ?1, '{}', 1, 1, 0, 0, '' FROM n`, language, c.ID, n); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.Languages(t.Context(), c.ID)
	if want := map[string]int{"zh": stored.MostCounted, "en": 120}; err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
}
