package local

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// memoryLimit is what a process that embeds may keep resident: the weights in 8 bits, the pages of the binary that texts touch, the passes.
const memoryLimit = 250 << 20

// TestEmbedder_FitsInMemory embeds a few hundred passages and queries in a process of its own and looks at what that keeps resident.
func TestEmbedder_FitsInMemory(t *testing.T) {
	const child = "EMBED_MEMORY_CHILD"
	if os.Getenv(child) != "" {
		embedExamples(t)
		return
	}
	switch {
	case runtime.GOOS != "linux":
		t.Skip("it reads /proc/self/status, which only Linux has")
	case raceEnabled || testing.Short():
		t.Skip("skipped with -short and -race: the race detector needs memory of its own")
	}
	c := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v")
	c.Env = append(os.Environ(), child+"=1")
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	_, report, found := bytes.Cut(out, []byte("report: "))
	var kib int
	if _, err := fmt.Sscanf(string(report), "VmRSS %d", &kib); !found || err != nil {
		t.Fatalf("no report in:\n%s", out)
	}
	report, _, _ = bytes.Cut(report, []byte("\n"))
	t.Log(string(report))
	if kib<<10 > memoryLimit {
		t.Errorf("%d MiB resident, want at most %d", kib>>10, memoryLimit>>20)
	}
}

func embedExamples(t *testing.T) {
	start := time.Now()
	e, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	opened := time.Since(start)
	if _, err := e.EmbedQueries(t.Context(), []string{"Does it work? 能用吗？"}); err != nil {
		t.Fatal(err)
	}
	first := time.Since(start)
	files, err := filepath.Glob("../../../examples/xquad/*/*.md")
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	var passages, queries []string
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range strings.Split(string(text), "\n\n") {
			if n := e.CountTokens(p); n > 20 && n <= e.MaxTokens() && i < 5 {
				passages = append(passages, p)
				queries = append(queries, string([]rune(p)[:20]))
			}
		}
	}
	for batch := range slices.Chunk(passages, 32) {
		if _, err := e.EmbedDocuments(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
	}
	for _, q := range queries {
		if _, err := e.EmbedQueries(t.Context(), []string{q}); err != nil {
			t.Fatal(err)
		}
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	report := fmt.Sprintf("after %d passages and %d queries; opened in %v, first vector after %v", len(passages), len(queries), opened, first)
	for _, line := range []string{"RssFile", "RssAnon", "VmRSS"} {
		for l := range strings.Lines(string(status)) {
			if name, value, _ := strings.Cut(l, ":"); name == line {
				report = name + " " + strings.TrimSpace(value) + ", " + report
			}
		}
	}
	fmt.Println("report: " + report)
}

// BenchmarkStart is what a process does before it has its first vector: open the model and embed a query.
func BenchmarkStart(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		e, err := New(Options{})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := e.EmbedQueries(b.Context(), []string{"How long is parental leave? 育儿假有多久？"}); err != nil {
			b.Fatal(err)
		}
	}
}
