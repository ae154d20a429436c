package postgres

import (
	"os"
	"testing"

	"footnote/internal/blob/blobtest"
	pgserver "footnote/internal/servertest/postgres"
)

func TestMain(m *testing.M) { os.Exit(pgserver.Main(m)) }

func TestStore_PassesTheConformanceSuite(t *testing.T) {
	s, err := Open(t.Context(), pgserver.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	blobtest.Run(t, s)
	var parts, blobs int
	if err := s.pool.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM blobs), (SELECT count(DISTINCT sha256) FROM blob_parts)`).Scan(&blobs, &parts); err != nil {
		t.Fatal(err)
	}
	if blobs != parts {
		t.Errorf("%d blobs, but parts of %d: something was left behind", blobs, parts)
	}
}
