// Package e2e runs the binary as its users do: as a process, over HTTP, with kill -9.
package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	pgserver "footnote/internal/servertest/postgres"
)

func TestMain(m *testing.M) {
	code := pgserver.Main(m)
	if path, err := binary(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// kills is how often a process is killed at each stage. TEST_KILLS sets another number.
func kills(t *testing.T, standard int) int {
	if v := os.Getenv("TEST_KILLS"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if testing.Short() {
		return 3
	}
	return standard
}

// A process is killed after a step of the protocol, again and again on one store. Afterwards every document that was acknowledged must be there,
// once, whole and found, and none that was deleted. An embedded index must have come there by replaying the catalog's log: that it lacks or has too much is never found out by counting.
func TestCrash_EveryAcknowledgedDocumentSurvivesOnce(t *testing.T) {
	for _, stage := range []string{"store", "submit", "lease", "chunk", "embed", "index", "publish", "remove", "finish", "checkpoint", "any moment"} {
		t.Run(stage, func(t *testing.T) {
			t.Parallel()
			crash(t, stage, kills(t, 15), "CHECKPOINT=10ms") // so that files are of every moment
		})
		if stage == "checkpoint" {
			continue // Qdrant has none
		}
		t.Run("production, "+stage, func(t *testing.T) {
			t.Parallel()
			crash(t, stage, kills(t, 5), production(t)...)
		})
	}
}

func crash(t *testing.T, stage string, times int, settings ...string) {
	data := t.TempDir()
	p := start(t, data, "", settings...)
	if got := p.do("POST", "/v1/collections", map[string]any{"name": "c"}, nil); got != 201 {
		t.Fatalf("make the collection: %d", got)
	}
	p.kill()
	latest := map[string]string{}  // external id → text of the last acknowledged version
	maybe := map[string][]string{} // sent after that, but the answer was lost: any of them may be there or not
	var deleted []string           // acknowledged
	killed := 0
	replayed := 0
	look := func(p *process) {
		t.Helper()
		replayed += len(p.said("changes were made up for"))
		for _, reason := range []string{"as many points as the catalog", "of another time", "damaged"} {
			for _, line := range p.said(reason) {
				t.Errorf("the log says %s", line)
			}
		}
	}
	for n := 0; killed < times; n++ {
		if n > 4*times {
			t.Fatalf("only %d of %d runs died at %s", killed, n, stage)
		}
		failpoint := stage + ":1"
		if stage == "any moment" {
			failpoint = ""
		}
		if n%3 == 2 {
			failpoint = "none" // a job is not begun for ever: every third run works the queue off
		}
		p := start(t, data, failpoint, settings...)
		if failpoint == "" {
			go func() {
				time.Sleep(time.Duration(rand.IntN(120)) * time.Millisecond)
				_ = p.cmd.Process.Kill()
			}()
		}
		for _, d := range []struct{ id, text string }{
			{fmt.Sprintf("doc-%d", n), fmt.Sprintf("Document number word%dword tells of 事件%d. It has two sentences.", n, n)},
			{"changing", fmt.Sprintf("The changing one is at state%dstate now.", n)},
		} {
			switch p.do("POST", "/v1/collections/c/documents", map[string]any{"external_id": d.id, "text": d.text}, nil) {
			case 202:
				latest[d.id] = d.text
				delete(maybe, d.id)
			case 0:
				maybe[d.id] = append(maybe[d.id], d.text)
			}
		}
		if id := fmt.Sprintf("doc-%d", n-2); n%2 == 0 && latest[id] != "" {
			switch p.do("DELETE", "/v1/collections/c/documents/"+id, nil, nil) {
			case 204:
				deleted = append(deleted, id)
				delete(latest, id)
			case 0: // it may be there or not
				delete(latest, id)
			}
		}
		if failpoint == "none" {
			drain(t, p)
			p.kill()
			look(p)
			continue
		}
		select {
		case <-p.dead:
			killed++
		case <-time.After(4 * time.Second): // nothing came to this step, such as a removal on the first run
			p.kill()
		}
		look(p)
	}
	p = start(t, data, "", settings...)
	drain(t, p)
	p.kill() // once more, with everything done
	p = start(t, data, "", settings...)
	drain(t, p)
	look(p)
	var listed struct {
		Data []struct {
			ExternalID string `json:"external_id"`
		}
		HasMore bool   `json:"has_more"`
		Next    string `json:"next_cursor"`
	}
	seen := map[string]int{}
	for after := ""; ; after = "&after=" + listed.Next {
		listed.Next = ""
		if got := p.do("GET", "/v1/collections/c/documents?limit=200"+after, nil, &listed); got != 200 {
			t.Fatalf("list: %d", got)
		}
		for _, d := range listed.Data {
			seen[d.ExternalID]++
		}
		if !listed.HasMore {
			break
		}
	}
	lost, double := 0, 0
	for id, want := range latest {
		switch {
		case seen[id] == 0:
			lost++
			t.Errorf("%s was acknowledged and is gone", id)
		case seen[id] > 1:
			double++
			t.Errorf("%s is there %d times", id, seen[id])
		}
		var found struct {
			Hits []struct {
				Document struct {
					ExternalID string `json:"external_id"`
				}
				Chunk struct{ Text string }
			}
		}
		ok := false
		for _, text := range append(maybe[id], want) {
			word := regexp.MustCompile(`\b(word|state)\d+(word|state)\b`).FindString(text)
			p.do("POST", "/v1/search", map[string]any{"query": word, "collections": []string{"c"}, "mode": "lexical"}, &found)
			ok = ok || len(found.Hits) == 1 && found.Hits[0].Document.ExternalID == id && found.Hits[0].Chunk.Text == text
		}
		if !ok {
			var jobs any
			p.do("GET", "/v1/jobs?limit=4", nil, &jobs)
			t.Errorf("%s: neither %q nor any of %q is found; the last jobs: %+v", id, want, maybe[id], jobs)
		}
	}
	for _, id := range deleted {
		if seen[id] > 0 {
			t.Errorf("%s was deleted and is there", id)
		}
		var found struct{ Hits []any }
		if p.do("POST", "/v1/search", map[string]any{"query": strings.Replace(id, "doc-", "word", 1) + "word", "collections": []string{"c"}, "mode": "lexical"}, &found); len(found.Hits) > 0 {
			t.Errorf("%s was deleted and is found", id)
		}
	}
	p.kill()
	if len(settings) == 1 { // embedded: a start sweeps, where in production the sweeper has half a minute
		reconciled(t, data, settings...)
	}
	t.Logf("%s: %d kills, %d acknowledged, %d lost, %d doubled, %d deleted, %d starts replayed something", stage, killed, len(latest), lost, double, len(deleted), replayed)
}

// reconciled checks that the index agrees with the catalog point by point.
func reconciled(t *testing.T, data string, settings ...string) {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "reconcile", "--check", "--data", data)
	cmd.Env = append(os.Environ(), settings...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("reconcile: %v\n%s", err, out)
	}
}
