package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"footnote/internal/embed/local/foldertest"
)

// TestRun_AModelFromAFolder takes documents in and finds them with a model of a folder, of either kind, through the commands that a user types.
func TestRun_AModelFromAFolder(t *testing.T) {
	docs := t.TempDir()
	writeFile(t, docs+"/leave.md", leaveEN)
	writeFile(t, docs+"/休假.md", leaveZH)
	for name, m := range map[string]foldertest.Model{"tiny-bert": {}, "tiny-xlm-roberta": {XLMRoberta: true, CLS: true, Type: "F16"}} {
		data, dir := t.TempDir(), filepath.Join(t.TempDir(), name)
		foldertest.Write(t, dir, m, leaveEN, leaveZH)
		environ := []string{"FOOTNOTE_DATA=" + data, "FOOTNOTE_EMBED_MODEL=" + dir}
		command := func(environ []string, args ...string) (int, string, string) {
			var stdout, stderr strings.Builder
			code := run(t.Context(), args, environ, strings.NewReader(""), &stdout, &stderr)
			return code, stdout.String(), stderr.String()
		}
		for _, c := range []struct {
			args []string
			want string
		}{
			{[]string{"ingest", docs, "--collection", "handbook"}, "up to date"},
			{[]string{"search", "--collection", "handbook", "--mode", "dense", "Parental leave lasts sixteen weeks at full pay."}, "leave.md"},
			{[]string{"ask", "--collection", "handbook", "How long is parental leave at full pay?"}, "sixteen weeks"},
			{[]string{"doctor"}, "ok     embedding      " + name},
		} {
			code, stdout, stderr := command(environ, c.args...)
			if code != 0 || !strings.Contains(stdout, c.want) {
				t.Errorf("%s: %v: got code %d, stdout %q, stderr %q; want %q", name, c.args, code, stdout, stderr, c.want)
			}
		}
		// The nearest passage to a text is that text.
		_, stdout, _ := command(environ, "search", "--collection", "handbook", "--mode", "dense", "--json", "员工每年享有十五天带薪年假。未休的年假可以顺延到次年三月底。")
		var found struct {
			Hits []struct {
				Chunk struct{ Text string }
			}
		}
		if err := json.Unmarshal([]byte(stdout), &found); err != nil || len(found.Hits) == 0 || !strings.Contains(found.Hits[0].Chunk.Text, "十五天") {
			t.Errorf("%s: got %s, %v", name, stdout, err)
		}
		// Another prefix makes other vectors: the collection is not searched with them.
		code, stdout, _ := command(append(environ, "FOOTNOTE_EMBED_QUERY_PREFIX=query: "), "doctor")
		if code != exitFailed || !strings.Contains(stdout, `Collection "handbook" was embedded by `+name) {
			t.Errorf("%s: with another prefix: got code %d, %s", name, code, stdout)
		}
		// A model that cannot be run is refused before anything else, and doctor says what to do.
		foldertest.Edit(t, dir, "config.json", func(c map[string]any) { c["hidden_act"] = "relu" })
		if code, _, stderr := command(environ, "ask", "--docs", docs, "x"); code != exitUsage || !strings.Contains(stderr, "hidden_act") {
			t.Errorf("%s: a model that cannot be run: got code %d, %s", name, code, stderr)
		}
		if code, stdout, _ := command(environ, "doctor"); code != exitFailed || !strings.Contains(stdout, "hidden_act") || !strings.Contains(stdout, "docs/models.md") {
			t.Errorf("%s: doctor: got code %d, %s", name, code, stdout)
		}
	}
	var stdout, stderr strings.Builder
	if code := run(t.Context(), []string{"ask", "--docs", docs, "x"}, []string{"FOOTNOTE_EMBED_MODEL=" + docs + "/absent"}, strings.NewReader(""), &stdout, &stderr); code != exitUsage || !strings.Contains(stderr.String(), "is no folder") {
		t.Errorf("a folder that is not there: got code %d, %s", code, stderr.String())
	}
}
