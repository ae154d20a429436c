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

func TestStore_ReplaysAnAnswerByKey(t *testing.T) {
	clock := catalogtest.NewClock()
	s, err := Open(t.Context(), Options{Path: filepath.Join(t.TempDir(), "c.db"), Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.SaveIdempotentResponse(t.Context(), "k", "hash", 202, map[string]string{"Location": "/x"}, []byte("{}")); err != nil {
		t.Fatal(err)
	}
	hash, status, header, body, found, err := s.IdempotentResponse(t.Context(), "k")
	if err != nil || !found || hash != "hash" || status != 202 || header["Location"] != "/x" || string(body) != "{}" {
		t.Errorf("got %q %d %v %q %t %v", hash, status, header, body, found, err)
	}
	clock.Advance(2 * idempotencyAge)
	if _, _, _, _, found, _ := s.IdempotentResponse(t.Context(), "k"); found {
		t.Error("an old answer was replayed")
	}
}
