package local

import (
	"bytes"
	"errors"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"footnote/internal/rag"
)

// stored makes a folder with a collection "c" of two segments and some deletions, checkpointed at 7.
func stored(t testing.TB) (dir string) {
	t.Helper()
	dir = t.TempDir()
	x, err := open(Options{Dir: dir, Logger: slog.New(slog.DiscardHandler)}, small)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	if err := x.EnsureCollection(t.Context(), "c", 16); err != nil {
		t.Fatal(err)
	}
	for n := range 100 {
		p := point(r, n, 16)
		if err := x.Upsert(t.Context(), "c", []rag.Point{p}); err != nil {
			t.Fatal(err)
		}
		if n%9 == 0 {
			if err := x.Delete(t.Context(), "c", []rag.ChunkID{p.ID}); err != nil {
				t.Fatal(err)
			}
		}
	}
	x.Wait()
	if err := errors.Join(x.Checkpoint(t.Context(), "c", 7), x.Close()); err != nil {
		t.Fatal(err)
	}
	return dir
}

func files(t testing.TB, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(dir, "c-c"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, filepath.Join(dir, "c-c", e.Name()))
	}
	return names
}

// TestOpen_DamageIsFoundAndTheCollectionDropped spoils every file in every way: the collection is reported, gone, and can be made anew.
func TestOpen_DamageIsFoundAndTheCollectionDropped(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 3))
	for name, spoil := range map[string]func(path string, b []byte) error{
		"a bit flipped": func(path string, b []byte) error {
			b[r.IntN(len(b))] ^= 1 << r.IntN(8)
			return os.WriteFile(path, b, 0o600)
		},
		"cut short":  func(path string, b []byte) error { return os.WriteFile(path, b[:r.IntN(len(b))], 0o600) },
		"emptied":    func(path string, _ []byte) error { return os.WriteFile(path, nil, 0o600) },
		"lengthened": func(path string, b []byte) error { return os.WriteFile(path, append(b, b[:64]...), 0o600) },
		"swapped for another": func(path string, _ []byte) error {
			for _, other := range files(t, filepath.Dir(filepath.Dir(path))) {
				if other != path {
					b, err := os.ReadFile(other)
					return errors.Join(err, os.WriteFile(path, b, 0o600))
				}
			}
			return errors.New("there is one file only")
		},
		"missing": func(path string, _ []byte) error {
			if filepath.Base(path) == manifestName {
				return os.WriteFile(path, []byte("x"), 0o600) // without one, the collection was never checkpointed
			}
			return os.Remove(path)
		},
	} {
		for i := range len(files(t, stored(t))) {
			for range 3 {
				dir := stored(t)
				path := files(t, dir)[i]
				b, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if err := spoil(path, b); err != nil {
					t.Fatal(err)
				}
				var log bytes.Buffer
				x := openIndex(t, Options{Dir: dir, Logger: slog.New(slog.NewTextHandler(&log, nil))}, small)
				after, err := os.ReadFile(path)
				if _, ok := x.Applied("c"); ok && (err != nil || !harmless(b, after)) {
					t.Fatalf("%s, %s: not noticed", filepath.Base(path), name)
				}
				if !slices.Equal(x.Damaged(), []rag.CollectionID{"c"}) || strings.Count(log.String(), "\n") != 1 {
					if !harmless(b, after) {
						t.Fatalf("%s, %s: damaged %v, log %q", filepath.Base(path), name, x.Damaged(), log.String())
					}
					continue
				}
				if _, err := x.Count(t.Context(), "c"); rag.CodeOf(err) != rag.NotFound {
					t.Fatalf("a damaged collection is there: %v", err)
				}
				if err := x.EnsureCollection(t.Context(), "c", 16); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// harmless tells that a segment's damage lies in the padding between sections, which nobody reads.
func harmless(before, after []byte) bool {
	if len(before) != len(after) {
		return false
	}
	s, err := readSections(after)
	if err != nil {
		return false
	}
	was, err := readSections(before)
	return err == nil && s.sum == was.sum
}

// TestOpen_LeftoversAreRemoved has a temporary file and a segment that no manifest lists, as a crash leaves them.
func TestOpen_LeftoversAreRemoved(t *testing.T) {
	t.Parallel()
	dir := stored(t)
	before := files(t, dir)
	for _, name := range []string{"0123.segment", "0123.segment.tmp", "manifest.tmp"} {
		if err := os.WriteFile(filepath.Join(dir, "c-c", name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	x := openIndex(t, Options{Dir: dir}, small)
	if seq, ok := x.Applied("c"); !ok || seq != 7 {
		t.Fatalf("applied %d, %t", seq, ok)
	}
	if after := files(t, dir); !slices.Equal(before, after) {
		t.Errorf("got %v, want %v", after, before)
	}
}

func TestCheckpoint_AFullDiskLosesNothing(t *testing.T) {
	t.Parallel()
	if os.Getuid() == 0 {
		t.Log("root may write anywhere: the folder is removed instead of made read-only")
	}
	dir := t.TempDir()
	x := openIndex(t, Options{Dir: dir}, small)
	ctx, r := t.Context(), rand.New(rand.NewPCG(4, 4))
	if err := x.EnsureCollection(ctx, "c", 16); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "c-c")); err != nil {
		t.Fatal(err)
	}
	want := map[rag.ChunkID]rag.Point{}
	for n := range 80 {
		p := point(r, n, 16)
		want[p.ID] = p
		if err := x.Upsert(ctx, "c", []rag.Point{p}); err != nil {
			t.Fatal(err)
		}
	}
	if err := x.Checkpoint(ctx, "c", 1); err == nil {
		t.Fatal("a checkpoint without a folder succeeded")
	}
	if _, ok := x.Applied("c"); ok {
		t.Fatal("a failed checkpoint counts")
	}
	compare(t, x, r, want, 16)
	if err := os.Mkdir(filepath.Join(dir, "c-c"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := x.Checkpoint(ctx, "c", 2); err != nil {
		t.Fatal(err)
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	x = openIndex(t, Options{Dir: dir}, small)
	if seq, ok := x.Applied("c"); !ok || seq != 2 {
		t.Fatalf("applied %d, %t", seq, ok)
	}
	compare(t, x, r, want, 16)
}

// FuzzOpenSegment reads arbitrary bytes as a segment: they are one, or damaged.
func FuzzOpenSegment(f *testing.F) {
	for _, path := range files(f, stored(f)) {
		if strings.HasSuffix(path, segmentSuffix) {
			b, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b, uint32(0), byte(0))
			f.Add(b, uint32(len(b)-30), byte(9))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte, at uint32, x byte) {
		if len(b) > 0 {
			b = bytes.Clone(b)
			b[int(at)%len(b)] ^= x
		}
		m := &memory{}
		if _, err := m.Write(b); err != nil {
			t.Fatal(err)
		}
		l := newLayout(16)
		if seg, err := openSegment(m.bytes(), &l); err == nil && seg.n == 0 {
			t.Error("an empty segment was opened")
		} else if err != nil && !errors.Is(err, errDamaged) {
			t.Errorf("got %v", err)
		}
	})
}
