package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"
)

// Validate reports every setting that cannot work, all at once.
func (c Config) Validate() error {
	var p []error
	bad := func(format string, args ...any) { p = append(p, fmt.Errorf(format, args...)) }
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		bad("FOOTNOTE_LISTEN %q is not host:port, such as 127.0.0.1:8080", c.Listen)
	} else if c.APIKey == "" && !c.Insecure && !loopback(host) {
		bad("listening on %s lets other machines in: set FOOTNOTE_API_KEY, or say --insecure if a proxy in front checks credentials", c.Listen)
	}
	if c.APIKey != "" && len(c.APIKey) < 16 {
		bad("FOOTNOTE_API_KEY must have at least 16 characters; `openssl rand -hex 32` makes a good one")
	}
	if c.Catalog != "sqlite" && !c.Postgres() {
		bad("FOOTNOTE_CATALOG must be sqlite or postgres://user:password@host:5432/database, got a value that starts %q", head(c.Catalog.Reveal()))
	}
	if c.Index != "local" && !c.Qdrant() {
		bad("FOOTNOTE_INDEX must be local or qdrant://[key@]host:6334 (qdrants:// for TLS), got a value that starts %q", head(c.Index.Reveal()))
	}
	if c.Postgres() && c.Index == "local" {
		bad("FOOTNOTE_CATALOG names Postgres, so FOOTNOTE_INDEX must name Qdrant: the local index lives in one process, and replicas would not see each other's documents")
	}
	switch scheme, _, _ := strings.Cut(c.Blobs, ":"); {
	case c.Blobs == "" || c.Blobs == "folder":
	case c.Blobs == "postgres" && c.Postgres():
	case c.Blobs == "postgres":
		bad("FOOTNOTE_BLOBS=postgres needs FOOTNOTE_CATALOG=postgres://…")
	case scheme == "s3":
		if u, err := url.Parse(c.Blobs); err != nil || u.Host == "" || u.User != nil {
			bad("FOOTNOTE_BLOBS must have the form s3://bucket/prefix?endpoint=https://host&region=name; credentials go into FOOTNOTE_S3_ACCESS_KEY and FOOTNOTE_S3_SECRET_KEY")
		}
		if (c.S3AccessKey == "") != (c.S3SecretKey == "") {
			bad("FOOTNOTE_S3_ACCESS_KEY and FOOTNOTE_S3_SECRET_KEY go together; without both, the machine's own role is used")
		}
	default:
		bad("FOOTNOTE_BLOBS must be folder, postgres or s3://bucket, or absent (folder with SQLite, postgres with Postgres)")
	}
	if c.QdrantShards < 1 || c.QdrantShards > 1024 || c.QdrantReplicas < 1 || c.QdrantReplicas > 16 {
		bad("FOOTNOTE_QDRANT_SHARDS must be between 1 and 1024 and FOOTNOTE_QDRANT_REPLICAS between 1 and 16")
	}
	if !slices.Contains([]string{"none", "scalar", "binary"}, c.QdrantQuantize) {
		bad("FOOTNOTE_QDRANT_QUANTIZATION must be none, scalar or binary, got %q", c.QdrantQuantize)
	}
	if c.QdrantExact < -1 {
		bad("FOOTNOTE_QDRANT_EXACT_BELOW must be a number of chunks, or -1 for never")
	}
	for name, u := range map[string]string{"FOOTNOTE_EMBED_BASE_URL": c.EmbedBaseURL, "FOOTNOTE_OTHER_EMBED_BASE_URL": c.OtherBaseURL, "FOOTNOTE_RERANK_BASE_URL": c.RerankBaseURL, "FOOTNOTE_JUDGE_BASE_URL": c.JudgeBaseURL, "FOOTNOTE_OCR_BASE_URL": c.OCRBaseURL} {
		if u == "" {
			continue
		}
		if !isURL(u) {
			bad("%s must be an http or https URL such as http://127.0.0.1:11434/v1", name)
		}
	}
	for _, e := range []struct {
		name, baseURL, model string
		folder               Folder
	}{
		{"FOOTNOTE_EMBED", c.EmbedBaseURL, c.EmbedModel, c.EmbedFolder()},
		{"FOOTNOTE_OTHER_EMBED", c.OtherBaseURL, c.OtherModel, c.OtherFolder()},
	} {
		if e.baseURL != "" && e.model == "" {
			bad("%s_BASE_URL needs %[1]s_MODEL: the model's name at that endpoint", e.name)
		}
		if e.folder.Path != "" {
			if info, err := os.Stat(e.folder.Path); err != nil || !info.IsDir() {
				bad("%[1]s_MODEL %[2]q is no folder. Without %[1]s_BASE_URL it names %[3]q, or a folder with config.json, tokenizer.json, model.safetensors, modules.json and 1_Pooling/config.json of a model (docs/models.md); with it, the model at that endpoint", e.name, e.folder.Path, BuiltIn)
			}
		} else if e.folder.Query != "" || e.folder.Document != "" {
			bad("%s_QUERY_PREFIX and _DOCUMENT_PREFIX are for a model in a folder, named by %[1]s_MODEL without %[1]s_BASE_URL", e.name)
		}
		if e.baseURL != "" && e.folder.Precision != "" {
			bad("%s_PRECISION is for a model that runs in this process, and %[1]s_BASE_URL names an endpoint", e.name)
		}
		if !slices.Contains([]string{"", Int8, Float32}, e.folder.Precision) {
			bad("%s_PRECISION must be int8, or float32 for the exact arithmetic, several times slower; got %q", e.name, e.folder.Precision)
		}
	}
	p = append(p, c.validateLLM()...)
	switch {
	case !slices.Contains([]string{"none", "late", "endpoint"}, c.Rerank):
		bad("FOOTNOTE_RERANK must be none, late or endpoint, got %q", c.Rerank)
	case c.Rerank == "late" && c.EmbedBaseURL != "":
		bad("FOOTNOTE_RERANK=late needs the built-in model, and FOOTNOTE_EMBED_BASE_URL names another")
	case c.Rerank == "endpoint" && c.RerankBaseURL == "":
		bad("FOOTNOTE_RERANK=endpoint needs FOOTNOTE_RERANK_BASE_URL, to which /rerank is added")
	}
	if c.RerankBaseURL == "" && (c.RerankModel != "" || c.RerankAPIKey != "") {
		bad("FOOTNOTE_RERANK_MODEL and FOOTNOTE_RERANK_API_KEY need FOOTNOTE_RERANK_BASE_URL")
	}
	if c.RerankTimeout < 10*time.Millisecond || c.RerankTimeout > time.Minute {
		bad("FOOTNOTE_RERANK_TIMEOUT must be between 10ms and 1m, got %s", c.RerankTimeout)
	}
	switch {
	case !slices.Contains([]string{"", JudgeModel, JudgeEndpoint}, c.Judge):
		bad("FOOTNOTE_JUDGE must be llm or endpoint, or absent for the language model that is named, got %q", c.Judge)
	case c.Judge == JudgeEndpoint && c.JudgeBaseURL == "":
		bad("FOOTNOTE_JUDGE=endpoint needs FOOTNOTE_JUDGE_BASE_URL, to which /predict is added")
	case c.Judge == JudgeModel && c.JudgeBaseURL == "" && c.LLMBaseURL == "":
		bad("FOOTNOTE_JUDGE=llm needs FOOTNOTE_JUDGE_BASE_URL and FOOTNOTE_JUDGE_MODEL, or those of FOOTNOTE_LLM")
	case c.Judge != JudgeEndpoint && c.JudgeBaseURL != "" && c.JudgeModel == "":
		bad("FOOTNOTE_JUDGE_BASE_URL needs FOOTNOTE_JUDGE_MODEL, the model's name at that endpoint, or FOOTNOTE_JUDGE=endpoint")
	case c.JudgeBaseURL == "" && (c.JudgeAPIKey != "" || c.JudgeModel != "" && c.LLMBaseURL == ""):
		bad("FOOTNOTE_JUDGE_MODEL and FOOTNOTE_JUDGE_API_KEY need FOOTNOTE_JUDGE_BASE_URL")
	}
	if (c.OCRBaseURL == "") != (c.OCRModel == "") || c.OCRBaseURL == "" && c.OCRAPIKey != "" {
		bad("FOOTNOTE_OCR_BASE_URL and FOOTNOTE_OCR_MODEL name what reads images: set both, or neither and no FOOTNOTE_OCR_API_KEY")
	}
	if c.OCRTimeout < time.Second || c.OCRTimeout > 2*time.Minute {
		bad("FOOTNOTE_OCR_TIMEOUT must be between 1s and 2m, got %s", c.OCRTimeout)
	}
	if c.JudgeTimeout < 10*time.Millisecond || c.JudgeTimeout > 10*time.Minute {
		bad("FOOTNOTE_JUDGE_TIMEOUT must be between 10ms and 10m, got %s", c.JudgeTimeout)
	}
	if c.OtherDimensions < 0 || c.OtherDimensions > 8192 {
		bad("FOOTNOTE_OTHER_EMBED_DIMENSIONS must be between 1 and 8192, or absent")
	}
	if c.EmbedDimensions < 0 || c.EmbedDimensions > 8192 {
		bad("FOOTNOTE_EMBED_DIMENSIONS must be between 1 and 8192, or absent")
	}
	if c.EmbedCache < 0 || c.EmbedCache > 1_000_000 {
		bad("FOOTNOTE_EMBED_CACHE must be a number of queries up to 1000000, or 0 for no cache, got %d", c.EmbedCache)
	}
	if c.StreamGrace < 0 || c.StreamGrace > time.Minute {
		bad("FOOTNOTE_STREAM_GRACE must be between 0s and 1m, got %s", c.StreamGrace)
	}
	if c.Workers < 1 || c.Workers > 64 {
		bad("FOOTNOTE_WORKERS must be between 1 and 64, got %d", c.Workers)
	}
	if c.JobLease < time.Second || c.JobLease > time.Hour {
		bad("FOOTNOTE_JOB_LEASE must be between 1s and 1h, got %s", c.JobLease)
	}
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, c.LogLevel) {
		bad("FOOTNOTE_LOG_LEVEL must be debug, info, warn or error, got %q", c.LogLevel)
	}
	if !slices.Contains([]string{"text", "json"}, c.LogFormat) {
		bad("FOOTNOTE_LOG_FORMAT must be text or json, got %q", c.LogFormat)
	}
	if !slices.Contains([]string{"", "generic", "avx2", "avxvnni", "avx512", "neon", "neondot"}, c.CPU) {
		bad("FOOTNOTE_CPU must be generic, avx2, avxvnni, avx512, neon or neondot, or absent for the best, got %q", c.CPU)
	}
	for _, o := range c.CORSOrigins {
		if u, err := url.Parse(o); o != "*" && (err != nil || u.Host == "" || u.Path != "" || u.Scheme == "") {
			bad("FOOTNOTE_CORS_ORIGINS: %q is not an origin such as https://app.example.com, or *", o)
		}
	}
	return errors.Join(p...)
}

// loopback tells whether only this machine can reach host.
func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
