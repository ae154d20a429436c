package sqlite

import (
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/pressly/goose/v3"

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

// Vectors from before there were hashes are found by their text once their document is taken in again, unless they came with an import.
func TestOpen_VectorsFromBeforeHashes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.db")
	before, err := Open(t.Context(), Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	catalogtest.BeforeHashes(t, before)
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		t.Fatal(err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, before.write, files)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.DownTo(t.Context(), 4); err != nil {
		t.Fatal(err)
	}
	if err := before.Close(); err != nil {
		t.Fatal(err)
	}
	after, err := Open(t.Context(), Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer after.Close()
	catalogtest.AfterHashes(t, after)
}
