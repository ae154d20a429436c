package folder

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"footnote/internal/blob/blobtest"
)

func TestStore_PassesTheConformanceSuite(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "blobs")
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	blobtest.Run(t, s)
	for _, sha := range []string{strings.Repeat("../", 21) + "x", "/" + strings.Repeat("a", 63)} {
		if _, err := s.Get(t.Context(), sha); err == nil {
			t.Errorf("%q was opened", sha)
		}
	}
	left, err := filepath.Glob(filepath.Join(dir, "tmp-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("refused uploads left %v, %v", left, err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("others can look into the folder: %v, %v", info, err)
	}
}
