package s3

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"footnote/internal/blob/blobtest"
	"footnote/internal/rag"
)

func TestStore_PassesTheConformanceSuite(t *testing.T) {
	backend := s3mem.New()
	if err := backend.CreateBucket("originals"); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(gofakes3.New(backend).Server())
	defer srv.Close()
	s, err := Open("s3://originals/footnote/?region=us-east-1&endpoint="+srv.URL, "key", "secret")
	if err != nil {
		t.Fatal(err)
	}
	blobtest.Run(t, s)
	none, err := Open("s3://none?region=us-east-1&endpoint="+srv.URL, "key", "secret")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := none.Put(t.Context(), strings.NewReader("x"), 10); rag.CodeOf(err) != rag.BadUpstream {
		t.Errorf("a bucket that is not there: %v", err)
	}
}

func TestOpen_RefusesOtherForms(t *testing.T) {
	for _, address := range []string{"", "s3://", "http://bucket", "s3://b?endpoint=http://h/path"} {
		if _, err := Open(address, "k", "s"); rag.CodeOf(err) != rag.Invalid {
			t.Errorf("%s: %v", address, err)
		}
	}
}
