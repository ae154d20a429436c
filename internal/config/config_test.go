package config

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLoad_FlagBeatsEnvironmentBeatsFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "footnote.yaml")
	if err := os.WriteFile(file, []byte("listen: 127.0.0.1:1\ndata: /file\nllm:\n  base_url: http://127.0.0.1:9/v1\n  model: m\ncors_origins: [https://a.example, https://b.example]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load([]string{"FOOTNOTE_LISTEN=127.0.0.1:2", "FOOTNOTE_DATA=/env", "PATH=/bin"}, file, map[string]string{"LISTEN": "127.0.0.1:3"})
	if err != nil {
		t.Fatal(err)
	}
	if c.Listen != "127.0.0.1:3" || c.Data != "/env" || c.LLMModel != "m" || len(c.CORSOrigins) != 2 {
		t.Fatalf("got %+v", c)
	}
}

func TestLoad_DefaultsWorkAlone(t *testing.T) {
	t.Chdir(t.TempDir())
	if _, err := Load(nil, "", nil); err != nil {
		t.Fatal(err)
	}
}

func TestLoad_ReportsEveryProblemAtOnce(t *testing.T) {
	t.Chdir(t.TempDir())
	_, err := Load([]string{"FOOTNOTE_LISTEN=0.0.0.0:80", "FOOTNOTE_LISTN=x", "FOOTNOTE_LLM_MODEL=m", "FOOTNOTE_LOG_LEVEL=loud", "FOOTNOTE_EMBED_BASE_URL=ftp://x"}, "", nil)
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"did you mean FOOTNOTE_LISTEN?", "FOOTNOTE_API_KEY", "FOOTNOTE_LLM_BASE_URL", "FOOTNOTE_LOG_LEVEL", "FOOTNOTE_EMBED_BASE_URL"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %q, want it to mention %q", err, want)
		}
	}
	if _, err := Load([]string{"FOOTNOTE_WORKERS=many"}, "", nil); err == nil {
		t.Error("a word passed for a number")
	}
}

func TestValidate_BeyondLoopbackDemandsAKey(t *testing.T) {
	t.Chdir(t.TempDir())
	for listen, want := range map[string]bool{"127.0.0.1:0": true, "localhost:1": true, "[::1]:1": true, ":8080": false, "0.0.0.0:8080": false, "192.0.2.1:80": false} {
		_, err := Load(nil, "", map[string]string{"LISTEN": listen})
		if (err == nil) != want {
			t.Errorf("%s: got %v", listen, err)
		}
		if _, err := Load(nil, "", map[string]string{"LISTEN": listen, "API_KEY": "0123456789abcdef"}); err != nil {
			t.Errorf("%s with a key: %v", listen, err)
		}
		if _, err := Load(nil, "", map[string]string{"LISTEN": listen, "INSECURE": "true"}); err != nil {
			t.Errorf("%s insecure: %v", listen, err)
		}
	}
}

func TestSecret_NeverPrints(t *testing.T) {
	c := Config{APIKey: "canary-canary"}
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{string(b), fmt.Sprint(c), fmt.Sprintf("%+v %#v %s %q", c, c, c.APIKey, c.APIKey), c.APIKey.LogValue().String()} {
		if strings.Contains(s, "canary") {
			t.Errorf("printed: %s", s)
		}
	}
	if c.APIKey.Reveal() != "canary-canary" {
		t.Error("lost")
	}
}

func TestValidate_StoresAndModels(t *testing.T) {
	t.Chdir(t.TempDir())
	const pg, qd = "FOOTNOTE_CATALOG=postgres://u:s3cret@h/db", "FOOTNOTE_INDEX=qdrants://s3cret@h:6334"
	for _, good := range [][]string{
		{pg, qd}, {qd}, {pg, qd, "FOOTNOTE_BLOBS=folder"}, {pg, qd, "FOOTNOTE_BLOBS=s3://b/p?endpoint=http://h", "FOOTNOTE_S3_ACCESS_KEY=a", "FOOTNOTE_S3_SECRET_KEY=b"}, {"FOOTNOTE_OTHER_EMBED_MODEL=built-in"},
		{"FOOTNOTE_OTHER_EMBED_MODEL=m", "FOOTNOTE_OTHER_EMBED_BASE_URL=http://h/v1"}, {"FOOTNOTE_EMBED_MODEL=built-in"},
		{"FOOTNOTE_EMBED_MODEL=.", "FOOTNOTE_EMBED_QUERY_PREFIX=none", "FOOTNOTE_EMBED_PRECISION=float32", "FOOTNOTE_OTHER_EMBED_MODEL=."}, {qd, "FOOTNOTE_QDRANT_QUANTIZATION=scalar", "FOOTNOTE_QDRANT_EXACT_BELOW=-1", "FOOTNOTE_JOB_LEASE=1s"},
		{"FOOTNOTE_EMBED_CACHE=0"}, {"FOOTNOTE_INDEX_MARGIN=4"}, {"FOOTNOTE_EMBED_PRECISION=float32"},
		{"FOOTNOTE_RERANK=late"}, {"FOOTNOTE_RERANK=endpoint", "FOOTNOTE_RERANK_BASE_URL=http://h/v1", "FOOTNOTE_RERANK_MODEL=m", "FOOTNOTE_RERANK_API_KEY=s3cret", "FOOTNOTE_RERANK_TIMEOUT=500ms"},
		{"FOOTNOTE_RERANK_BASE_URL=https://h"},
		{"FOOTNOTE_JUDGE=endpoint", "FOOTNOTE_JUDGE_BASE_URL=http://h", "FOOTNOTE_JUDGE_API_KEY=s3cret", "FOOTNOTE_JUDGE_TIMEOUT=2s"},
		{"FOOTNOTE_JUDGE_BASE_URL=http://h/v1", "FOOTNOTE_JUDGE_MODEL=m"}, {"FOOTNOTE_JUDGE=llm", "FOOTNOTE_LLM_BASE_URL=http://h/v1", "FOOTNOTE_LLM_MODEL=m", "FOOTNOTE_JUDGE_MODEL=n"},
	} {
		c, err := Load(good, "", nil)
		if err != nil {
			t.Errorf("%v: %v", good, err)
		}
		if shown := fmt.Sprintf("%v %+v %#v", c, c, c); strings.Contains(shown, "s3cret") {
			t.Errorf("the password is shown: %s", shown)
		}
	}
	for want, bad := range map[string][]string{
		"FOOTNOTE_INDEX must name Qdrant":   {pg},
		"FOOTNOTE_CATALOG must be":          {"FOOTNOTE_CATALOG=mysql://u:s3cret@h"},
		"FOOTNOTE_INDEX must be":            {"FOOTNOTE_INDEX=http://s3cret@h"},
		"FOOTNOTE_BLOBS=postgres needs":     {"FOOTNOTE_BLOBS=postgres"},
		"FOOTNOTE_BLOBS must be":            {"FOOTNOTE_BLOBS=ftp://x"},
		"FOOTNOTE_BLOBS must have the form": {"FOOTNOTE_BLOBS=s3://k:s3cret@b"},
		"FOOTNOTE_S3_ACCESS_KEY":            {"FOOTNOTE_BLOBS=s3://b", "FOOTNOTE_S3_ACCESS_KEY=a"},
		"FOOTNOTE_QDRANT_QUANTIZATION":      {"FOOTNOTE_QDRANT_QUANTIZATION=half"},
		"FOOTNOTE_QDRANT_SHARDS":            {"FOOTNOTE_QDRANT_SHARDS=0"},
		"FOOTNOTE_JOB_LEASE":                {"FOOTNOTE_JOB_LEASE=1ms"},
		`FOOTNOTE_OTHER_EMBED_MODEL "m" is no folder. Without FOOTNOTE_OTHER_EMBED_BASE_URL it names "built-in"`: {"FOOTNOTE_OTHER_EMBED_MODEL=m"},
		"or a folder with config.json, tokenizer.json":                                                           {"FOOTNOTE_EMBED_MODEL=config.go"},
		"FOOTNOTE_EMBED_QUERY_PREFIX and _DOCUMENT_PREFIX":                                                       {"FOOTNOTE_EMBED_DOCUMENT_PREFIX=x"},
		"FOOTNOTE_OTHER_EMBED_QUERY_PREFIX":                                                                      {"FOOTNOTE_OTHER_EMBED_MODEL=m", "FOOTNOTE_OTHER_EMBED_BASE_URL=http://h/v1", "FOOTNOTE_OTHER_EMBED_DOCUMENT_PREFIX=x"},
		"FOOTNOTE_EMBED_PRECISION must be":                                                                       {"FOOTNOTE_EMBED_MODEL=.", "FOOTNOTE_EMBED_PRECISION=half"},
		"FOOTNOTE_INDEX_MARGIN must be":                                                                          {"FOOTNOTE_INDEX_MARGIN=NaN"},
		"FOOTNOTE_EMBED_CACHE must be":                                                                           {"FOOTNOTE_EMBED_CACHE=-1"},
		"FOOTNOTE_OTHER_EMBED_PRECISION is for":                                                                  {"FOOTNOTE_OTHER_EMBED_MODEL=m", "FOOTNOTE_OTHER_EMBED_BASE_URL=http://h/v1", "FOOTNOTE_OTHER_EMBED_PRECISION=int8"},
		"needs FOOTNOTE_OTHER_EMBED_MODEL":                                                                       {"FOOTNOTE_OTHER_EMBED_BASE_URL=http://h"},
		"FOOTNOTE_JUDGE must be":                                                                                 {"FOOTNOTE_JUDGE=jury"},
		"FOOTNOTE_JUDGE=endpoint needs":                                                                          {"FOOTNOTE_JUDGE=endpoint"},
		"FOOTNOTE_JUDGE=llm needs":                                                                               {"FOOTNOTE_JUDGE=llm"},
		"FOOTNOTE_JUDGE_BASE_URL needs":                                                                          {"FOOTNOTE_JUDGE_BASE_URL=http://h"},
		"FOOTNOTE_JUDGE_BASE_URL must be":                                                                        {"FOOTNOTE_JUDGE_BASE_URL=h", "FOOTNOTE_JUDGE_MODEL=m"},
		"FOOTNOTE_JUDGE_MODEL and FOOTNOTE_JUDGE_API_KEY need":                                                   {"FOOTNOTE_JUDGE_API_KEY=s3cret"},
		"FOOTNOTE_JUDGE_TIMEOUT must be":                                                                         {"FOOTNOTE_JUDGE_TIMEOUT=0s"},
		"FOOTNOTE_RERANK must be":                                                                                {"FOOTNOTE_RERANK=cohere"},
		"FOOTNOTE_RERANK=endpoint needs":                                                                         {"FOOTNOTE_RERANK=endpoint"},
		"FOOTNOTE_RERANK=late needs":                                                                             {"FOOTNOTE_RERANK=late", "FOOTNOTE_EMBED_BASE_URL=http://h", "FOOTNOTE_EMBED_MODEL=m"},
		"need FOOTNOTE_RERANK_BASE_URL":                                                                          {"FOOTNOTE_RERANK_API_KEY=s3cret"},
		"FOOTNOTE_RERANK_BASE_URL must be":                                                                       {"FOOTNOTE_RERANK_BASE_URL=h:80"},
		"FOOTNOTE_RERANK_TIMEOUT must be":                                                                        {"FOOTNOTE_RERANK_TIMEOUT=1h"},
	} {
		_, err := Load(bad, "", nil)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%v: got %v, want %q", bad, err, want)
		}
	}
}
