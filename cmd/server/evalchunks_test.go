package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestEvalChunks_ScoresGoldSpansOfEveryCutter(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	english := strings.Repeat("The weather was fair and nobody came. ", 12)
	chinese := strings.Repeat("天氣很好，沒有人來。", 20)
	for name, content := range map[string]string{
		"corpus.jsonl":  `{"_id": "en", "title": "Leave", "text": "` + english + `Parental leave lasts sixteen weeks.  \n\n\n` + english + `"}` + "\n" + `{"_id": "zh", "title": "假", "text": "` + chinese + `育兒假為十六週 🌴。` + chinese + `"}` + "\n",
		"queries.jsonl": `{"_id": "1", "text": "How long is parental leave?"}` + "\n" + `{"_id": "2", "text": "育兒假多長？"}` + "\n",
		"qrels.tsv":     "query-id\tcorpus-id\tscore\n1\ten\t1\n2\tzh\t1\n",
		"spans.jsonl":   `{"query_id": "1", "doc_id": "en", "start": 456, "end": 491, "text": "Parental leave lasts sixteen weeks."}` + "\n" + `{"query_id": "2", "doc_id": "zh", "start": 200, "end": 210, "text": "育兒假為十六週 🌴。"}` + "\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	eval := func(more ...string) (int, string, string) {
		var out, errOut strings.Builder
		code := run(t.Context(), append([]string{"eval", "chunks", "--dataset", dir, "--target-tokens", "40", "--overlap-tokens", "0", "--top-k", "2", "--json"}, more...), nil, strings.NewReader(""), &out, &errOut)
		return code, out.String(), errOut.String()
	}
	code, out, errOut := eval("--cutter", "own,recursive,fixed")
	var rows []chunkRow
	if err := json.Unmarshal([]byte(out), &rows); code != 0 || err != nil || len(rows) != 9 {
		t.Fatalf("got %d, %v, %d rows: %s", code, err, len(rows), errOut)
	}
	for i, r := range rows {
		if want := []string{"own", "recursive", "fixed"}[i/3] + " " + []string{"dense", "lexical", "hybrid"}[i%3]; r.Cutter+" "+r.Search != want {
			t.Errorf("row %d: got %s %s, want %s", i, r.Cutter, r.Search, want)
		}
		if r.Chunks < 6 || r.Recall.Mean <= .4 || r.Precision.Mean <= 0 || r.IoU.Mean > r.Precision.Mean {
			t.Errorf("got %+v", r)
		}
		if i < 3 && r.Whole.Mean != 1 {
			t.Errorf("own chunks, which end where sentences do: got %+v", r)
		}
	}
	if code, _, errOut := eval("--neighbours", "1", "--mode", "hybrid"); code != 0 {
		t.Errorf("with neighbours: got %d: %s", code, errOut)
	}
	for _, wrong := range [][]string{{"--cutter", "recursive"}, {"--cutter", "own,magic"}, {"--top-k", "0"}, {"--target-tokens", "5"}} {
		if code, _, _ := eval(wrong...); code != exitUsage {
			t.Errorf("%v: got exit code %d, want %d", wrong, code, exitUsage)
		}
	}
}
