// Package blobtest is the conformance suite of blob stores: whatever passes it may keep uploaded originals.
package blobtest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"footnote/internal/rag"
)

// Store is all that the service asks of one.
type Store interface {
	Put(ctx context.Context, r io.Reader, maxBytes int64) (sha string, n int64, err error)
	Get(ctx context.Context, sha string) (io.ReadCloser, error)
	Delete(ctx context.Context, sha string) error
}

func read(t *testing.T, s Store, sha string) []byte {
	t.Helper()
	r, err := s.Get(t.Context(), sha)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Run runs the suite on an empty store.
func Run(t *testing.T, s Store) {
	const limit = 5 << 20
	for name, content := range map[string][]byte{
		"text": []byte("內容 🗂"), "zeros": make([]byte, 100), "a part": bytes.Repeat([]byte("x"), 1<<20), "parts and a bit": bytes.Repeat([]byte("part"), 3<<18+1),
		"at the limit": bytes.Repeat([]byte{0xff, 0}, limit/2),
	} {
		for range 2 { // stored twice, kept once
			sha, n, err := s.Put(t.Context(), iotest.HalfReader(bytes.NewReader(content)), limit)
			sum := sha256.Sum256(content)
			if err != nil || sha != hex.EncodeToString(sum[:]) || n != int64(len(content)) {
				t.Fatalf("%s: got %s, %d, %v", name, sha, n, err)
			}
			if got := read(t, s, sha); !bytes.Equal(got, content) {
				t.Errorf("%s: got %d bytes back, want %d", name, len(got), len(content))
			}
		}
	}
	if _, _, err := s.Put(t.Context(), io.LimitReader(endless{}, limit+1), limit); rag.CodeOf(err) != rag.TooLarge {
		t.Errorf("too much: %v", err)
	}
	broken := errors.New("the client went away")
	if _, _, err := s.Put(t.Context(), io.MultiReader(strings.NewReader("half"), iotest.ErrReader(broken)), limit); !errors.Is(err, broken) {
		t.Errorf("a broken upload: %v", err)
	}
	half := sha256.Sum256([]byte("half"))
	for _, sha := range []string{hex.EncodeToString(half[:]), "", "../../etc/passwd", "00", strings.Repeat("0", 64)} {
		if r, err := s.Get(t.Context(), sha); rag.CodeOf(err) != rag.NotFound {
			t.Errorf("%q: got %v, %v", sha, r, err)
		}
		if err := s.Delete(t.Context(), sha); err != nil {
			t.Errorf("deleting %q: %v", sha, err)
		}
	}
	sha, _, err := s.Put(t.Context(), strings.NewReader("short-lived"), limit)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(t.Context(), sha); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), sha); rag.CodeOf(err) != rag.NotFound {
		t.Errorf("a deleted blob: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := s.Put(ctx, strings.NewReader("x"), limit); err == nil {
		t.Error("stored under a cancelled context")
	}
	var many sync.WaitGroup
	for range 8 {
		many.Go(func() {
			if _, _, err := s.Put(t.Context(), bytes.NewReader(bytes.Repeat([]byte("same"), 1<<19)), limit); err != nil {
				t.Error(err)
			}
		})
	}
	many.Wait()
	sum := sha256.Sum256(bytes.Repeat([]byte("same"), 1<<19))
	if got := read(t, s, hex.EncodeToString(sum[:])); len(got) != 2<<20 {
		t.Errorf("got %d bytes", len(got))
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }
