package evaldata

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type pair struct{ Premise, Claim string }

func write(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func compressed(t *testing.T, content string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const two = `{"premise": "It rains.", "claim": "It is wet."}` + "\n" + `{"premise": "下雨了。", "claim": "地是湿的。"}` + "\n"

func TestLines_PlainAndCompressed(t *testing.T) {
	t.Parallel()
	want := []pair{{"It rains.", "It is wet."}, {"下雨了。", "地是湿的。"}}
	for name, content := range map[string][]byte{"a.jsonl": []byte(two), "a.jsonl.gz": compressed(t, two)} {
		if diff := cmp.Diff(want, Lines[pair](t, write(t, name, content))); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
}

// A set that is read in part would give figures that look real.
func TestLines_NoPartOfASetPassesForTheWhole(t *testing.T) {
	t.Parallel()
	whole := compressed(t, two)
	for name, content := range map[string][]byte{
		"cut.jsonl": []byte(two[:len(two)-4]), "cut.jsonl.gz": whole[:len(whole)-10], "plain.jsonl.gz": []byte(two), "other.jsonl": []byte(two + "[1]\n"), "empty.jsonl": nil,
	} {
		if got, err := readLines[pair](write(t, name, content)); err == nil {
			t.Errorf("%s: got %d lines and no error", name, len(got))
		}
	}
	if _, err := readLines[pair](filepath.Join(t.TempDir(), "absent.jsonl")); err == nil {
		t.Error("a file that is not there: got no error")
	}
}

func TestPath_SkipsWithoutTheSets(t *testing.T) {
	t.Setenv("EVAL_DATA", "")
	skipped := false
	t.Run("without", func(t *testing.T) {
		defer func() { skipped = t.Skipped() }()
		Path(t, "retrieval", "scifact")
	})
	if !skipped {
		t.Error("without EVAL_DATA the test went on")
	}
	t.Setenv("EVAL_DATA", "sets")
	if got, want := Path(t, "retrieval", "scifact"), filepath.Join("sets", "retrieval", "scifact"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
