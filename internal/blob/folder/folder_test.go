package folder

import (
	"context"
	"io"
	"os"
	"strings"
	"testing"

	"footnote/internal/rag"
)

func TestStore_KeepsContentByItsHash(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		sha, n, err := s.Put(t.Context(), strings.NewReader("文 😀"), 100)
		if err != nil || n != 8 || len(sha) != 64 {
			t.Fatalf("got %s %d %v", sha, n, err)
		}
		r, err := s.Get(t.Context(), sha)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		r.Close()
		if err != nil || string(b) != "文 😀" {
			t.Fatalf("got %q %v", b, err)
		}
	}
	if _, _, err := s.Put(t.Context(), strings.NewReader("12345"), 4); rag.CodeOf(err) != rag.TooLarge {
		t.Errorf("got %v", err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := s.Put(cancelled, strings.NewReader("x"), 4); rag.CodeOf(err) != rag.Cancelled {
		t.Errorf("got %v", err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("refused uploads left files: %v %v", left, err)
	}
	for _, sha := range []string{"", "../../etc/passwd", strings.Repeat("../", 21) + "x", strings.Repeat("0", 64)} {
		if _, err := s.Get(t.Context(), sha); err == nil {
			t.Errorf("%q opened", sha)
		}
	}
}
