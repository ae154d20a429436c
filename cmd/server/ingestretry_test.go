package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"footnote/internal/rag"
)

func TestRetry_FromTheCommandLine(t *testing.T) { bothModes(t, testRetryCommand) }

// Documents fail because the service has lost their bytes, and are tried again when it has them.
func testRetryCommand(t *testing.T) {
	e := newCounting(t)
	s := startService(t, "EMBED_BASE_URL="+e.URL+"/v1", "EMBED_MODEL=counting")
	s.call("POST", "/v1/collections", map[string]any{"name": "c"}, 201, nil)
	s.add("c", "good.txt", "A good file. 好的檔案。", nil)
	c, err := s.app.catalog.Collection(t.Context(), "c")
	if err != nil {
		t.Fatal(err)
	}
	good, err := s.app.catalog.Document(t.Context(), c.ID, "good.txt")
	if err != nil {
		t.Fatal(err)
	}
	lost := map[string]string{"一.txt": "The first lost file. 第一個丟失的檔案。", "二.txt": "The second lost file. 第二個丟失的檔案。"}
	submit := func(ups ...rag.Upload) string {
		t.Helper()
		j, err := s.app.catalog.Submit(t.Context(), c.ID, ups)
		if err != nil {
			t.Fatal(err)
		}
		s.call("GET", "/v1/jobs/"+string(j.ID)+"?wait=60s", nil, 200, nil)
		return string(j.ID)
	}
	upload := func(id string) rag.Upload {
		sum := sha256.Sum256([]byte(lost[id]))
		return rag.Upload{ExternalID: id, MediaType: "text/plain", SHA256: hex.EncodeToString(sum[:]), Bytes: int64(len(lost[id]))}
	}
	first := submit(rag.Upload{ExternalID: "copy.txt", MediaType: "text/plain", SHA256: good.SHA256, Bytes: 1}, upload("一.txt"),
		rag.Upload{ExternalID: "x.zip/locked.pdf", Archive: "x.zip", Action: rag.ActionRefuse, Reason: &rag.JobError{Code: rag.Invalid, Message: "It asks for a password."}})
	second := submit(upload("二.txt"))
	hopeless := submit(rag.Upload{ExternalID: "x.zip/other.pdf", Archive: "x.zip", Action: rag.ActionRefuse, Reason: &rag.JobError{Code: rag.Invalid, Message: "It asks for a password."}})

	type report struct {
		Published, Unchanged, Failed int
		Failures                     []fileFailure
	}
	command := func(args ...string) (code int, out report, stderr string) {
		t.Helper()
		var stdout, errs strings.Builder
		code = run(t.Context(), append([]string{"ingest", "--retry", "--json", "--server", s.url}, args...), nil, strings.NewReader(""), &stdout, &errs)
		if stdout.Len() > 0 {
			if err := json.Unmarshal([]byte(stdout.String()), &out); err != nil {
				t.Fatalf("%v in %q", err, stdout.String())
			}
		}
		return code, out, errs.String()
	}
	if code, out, _ := command("-c", "c"); code != exitFailed || out.Failed != 2 || out.Published != 0 {
		t.Errorf("while the cause lasts: got %d, %+v", code, out)
	}
	s.call("POST", "/v1/collections", map[string]any{"name": "elsewhere"}, 201, nil)
	s.upload("elsewhere", map[string][]byte{"一.txt": []byte(lost["一.txt"]), "二.txt": []byte(lost["二.txt"])})
	if code, out, stderr := command(first); code != exitOK || out.Published != 1 || out.Failed != 0 {
		t.Errorf("one job: got %d, %+v, %s", code, out, stderr)
	}
	if text := string(s.content("c", "%E4%B8%80.txt")); text != lost["一.txt"] {
		t.Errorf("got %q", text)
	}
	if code, out, stderr := command("-c", "c"); code != exitOK || out.Published != 1 || out.Failed != 0 {
		t.Errorf("all failed jobs: got %d, %+v, %s", code, out, stderr)
	}
	var job jobJSON
	if s.call("GET", "/v1/jobs/"+second, nil, 200, &job); job.Status != "succeeded" {
		t.Errorf("got %+v", job)
	}
	for _, id := range []string{second, hopeless} {
		if code, _, stderr := command(id); code != exitFailed || !strings.Contains(stderr, "nothing that can be tried again") {
			t.Errorf("got %d, %s", code, stderr)
		}
	}
	if code, _, stderr := command("job_none"); code != exitFailed || !strings.Contains(stderr, "job_none") {
		t.Errorf("got %d, %s", code, stderr)
	}
	if code, out, _ := command("-c", "c"); code != exitOK || out.Published+out.Failed != 0 {
		t.Errorf("nothing left: got %d, %+v", code, out)
	}
	var stdout, stderr strings.Builder
	if code := run(t.Context(), []string{"ingest", "--server", s.url}, nil, strings.NewReader(""), &stdout, &stderr); code != exitUsage || !strings.Contains(stderr.String(), "name what to take in") {
		t.Errorf("no arguments: got %d, %s", code, stderr.String())
	}
}
