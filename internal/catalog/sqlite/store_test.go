package sqlite

import (
	"path/filepath"
	"testing"

	"footnote/internal/catalog/catalogtest"
	"footnote/internal/rag"
)

func TestStore_PassesTheConformanceSuite(t *testing.T) {
	catalogtest.Run(t, func(t *testing.T, clock *catalogtest.Clock) catalogtest.Catalog {
		s, err := Open(t.Context(), Options{Path: filepath.Join(t.TempDir(), "目录 ?#.db"), Now: clock.Now})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		return s
	})
}

func TestStore_KeepsWhatItAcknowledgedWhenItIsNotClosed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.db")
	a, err := Open(t.Context(), Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if _, err := a.CreateCollection(t.Context(), rag.Collection{Name: "kept"}); err != nil {
		t.Fatal(err)
	}
	b, err := Open(t.Context(), Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if _, err := b.Collection(t.Context(), "kept"); err != nil {
		t.Error(err)
	}
	if err := b.Check(t.Context()); err != nil {
		t.Error(err)
	}
}
