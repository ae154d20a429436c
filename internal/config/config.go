// Package config turns flags, environment and footnote.yaml into one validated Config.
//
// Only cmd/server imports it. Every setting has a default that works with nothing else installed; precedence is flag, then
// environment, then file, then default.
package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"
	"gopkg.in/yaml.v3"
)

const prefix = "FOOTNOTE_"

// Secret is a credential. It prints as [redacted] everywhere; Reveal gives its text.
type Secret string

const redacted = "[redacted]"

func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return redacted
}

// GoString keeps %#v from printing the secret.
func (s Secret) GoString() string { return s.String() }

// LogValue keeps slog from printing the secret.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalJSON keeps encoding/json from printing the secret.
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }

// Reveal returns the secret's text, for the one place that sends it.
func (s Secret) Reveal() string { return string(s) }

// Config is every setting of the service.
type Config struct {
	Listen          string        `env:"LISTEN" envDefault:"127.0.0.1:8080"`
	Data            string        `env:"DATA" envDefault:"./footnote-data"`
	Catalog         Secret        `env:"CATALOG" envDefault:"sqlite"` // a URL may hold a password
	Index           Secret        `env:"INDEX" envDefault:"local"`    // a URL may hold a key
	Blobs           string        `env:"BLOBS"`
	S3AccessKey     Secret        `env:"S3_ACCESS_KEY"`
	S3SecretKey     Secret        `env:"S3_SECRET_KEY"`
	QdrantShards    int           `env:"QDRANT_SHARDS" envDefault:"1"`
	QdrantReplicas  int           `env:"QDRANT_REPLICAS" envDefault:"1"`
	QdrantOnDisk    bool          `env:"QDRANT_ON_DISK"`
	QdrantQuantize  string        `env:"QDRANT_QUANTIZATION" envDefault:"none"`
	QdrantExact     int           `env:"QDRANT_EXACT_BELOW" envDefault:"50000"`
	EmbedBaseURL    string        `env:"EMBED_BASE_URL"`
	EmbedModel      string        `env:"EMBED_MODEL"`
	EmbedAPIKey     Secret        `env:"EMBED_API_KEY"`
	EmbedDimensions int           `env:"EMBED_DIMENSIONS"`
	EmbedQuery      string        `env:"EMBED_QUERY_PREFIX"`
	EmbedDocument   string        `env:"EMBED_DOCUMENT_PREFIX"`
	EmbedPrecision  string        `env:"EMBED_PRECISION"`
	EmbedCache      int           `env:"EMBED_CACHE" envDefault:"4096"`
	OtherBaseURL    string        `env:"OTHER_EMBED_BASE_URL"`
	OtherModel      string        `env:"OTHER_EMBED_MODEL"`
	OtherAPIKey     Secret        `env:"OTHER_EMBED_API_KEY"`
	OtherDimensions int           `env:"OTHER_EMBED_DIMENSIONS"`
	OtherQuery      string        `env:"OTHER_EMBED_QUERY_PREFIX"`
	OtherDocument   string        `env:"OTHER_EMBED_DOCUMENT_PREFIX"`
	OtherPrecision  string        `env:"OTHER_EMBED_PRECISION"`
	LLMBaseURL      string        `env:"LLM_BASE_URL"`
	LLMModel        string        `env:"LLM_MODEL"`
	LLMAPIKey       Secret        `env:"LLM_API_KEY"`
	LLMTimeout      time.Duration `env:"LLM_TIMEOUT" envDefault:"60s"`
	LLMContext      int           `env:"LLM_CONTEXT"`
	LLMTemperature  float32       `env:"LLM_TEMPERATURE" envDefault:"0"`
	LLMSeed         *int          `env:"LLM_SEED"`
	LLMMaxTokens    int           `env:"LLM_MAX_TOKENS"`
	LLM2            LLM           `envPrefix:"LLM_2_"`
	LLM3            LLM           `envPrefix:"LLM_3_"`
	LLM4            LLM           `envPrefix:"LLM_4_"`
	Rerank          string        `env:"RERANK" envDefault:"none"`
	RerankBaseURL   string        `env:"RERANK_BASE_URL"`
	RerankModel     string        `env:"RERANK_MODEL"`
	RerankAPIKey    Secret        `env:"RERANK_API_KEY"`
	RerankTimeout   time.Duration `env:"RERANK_TIMEOUT" envDefault:"3s"`
	Judge           string        `env:"JUDGE"`
	JudgeBaseURL    string        `env:"JUDGE_BASE_URL"`
	JudgeModel      string        `env:"JUDGE_MODEL"`
	JudgeAPIKey     Secret        `env:"JUDGE_API_KEY"`
	JudgeTimeout    time.Duration `env:"JUDGE_TIMEOUT" envDefault:"30s"`
	OCRBaseURL      string        `env:"OCR_BASE_URL"`
	OCRModel        string        `env:"OCR_MODEL"`
	OCRAPIKey       Secret        `env:"OCR_API_KEY"`
	OCRTimeout      time.Duration `env:"OCR_TIMEOUT" envDefault:"60s"`
	AnswerFallback  bool          `env:"ANSWER_FALLBACK" envDefault:"true"`
	StreamGrace     time.Duration `env:"STREAM_GRACE" envDefault:"3s"`
	APIKey          Secret        `env:"API_KEY"`
	CORSOrigins     []string      `env:"CORS_ORIGINS"`
	CPU             string        `env:"CPU"`
	Workers         int           `env:"WORKERS" envDefault:"1"`
	JobLease        time.Duration `env:"JOB_LEASE" envDefault:"30s"`
	LogLevel        string        `env:"LOG_LEVEL" envDefault:"info"`
	LogFormat       string        `env:"LOG_FORMAT" envDefault:"text"`
	Shutdown        time.Duration `env:"SHUTDOWN_TIMEOUT" envDefault:"20s"`
	Insecure        bool          `env:"INSECURE"`
}

// LLM is a chat endpoint that is asked when those before it fail.
type LLM struct {
	BaseURL string `env:"BASE_URL"`
	Model   string `env:"MODEL"`
	APIKey  Secret `env:"API_KEY"`
	Context int    `env:"CONTEXT"`
}

// names lists every setting without its prefix, for unknown ones' suggestions.
func names() []string {
	params, _ := env.GetFieldParams(&Config{})
	out := make([]string, len(params))
	for i, p := range params {
		out[i] = p.Key
	}
	return out
}

// Load builds the configuration. environ has the form of os.Environ; flags maps setting names without prefix ("LISTEN") to values given on
// the command line; file is the path of a YAML file, or empty for ./footnote.yaml when there is one. Every problem is
// reported at once.
func Load(environ []string, file string, flags map[string]string) (Config, error) {
	values := map[string]string{}
	var problems []error
	fromFile, err := readFile(file)
	if err != nil {
		problems = append(problems, err)
	}
	known := names()
	take := func(source, name, value string) {
		if !slices.Contains(known, name) {
			problems = append(problems, fmt.Errorf("%s: unknown setting %s%s", source, spelled(source, name), suggestion(source, name, known)))
			return
		}
		values[name] = value
	}
	for name, value := range fromFile {
		take("footnote.yaml", name, value)
	}
	for _, e := range environ {
		name, value, _ := strings.Cut(e, "=")
		if rest, ok := strings.CutPrefix(name, prefix); ok && value != "" {
			take("environment", rest, value)
		}
	}
	for name, value := range flags {
		take("flag", name, value)
	}
	var c Config
	if err := env.ParseWithOptions(&c, env.Options{Environment: values}); err != nil {
		var agg env.AggregateError
		if errors.As(err, &agg) {
			for _, e := range agg.Errors {
				problems = append(problems, fmt.Errorf("setting of the wrong type: %w", e))
			}
		} else {
			problems = append(problems, err)
		}
	} else if err := c.Validate(); err != nil {
		problems = append(problems, err)
	}
	return c, errors.Join(problems...)
}

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

// BuiltIn names the built-in model where a setting must name one.
const BuiltIn = "built-in"

// Precisions of the arithmetic of a model that runs in this process; absent: Int8 for the built-in one, Float32 for one in a folder.
const (
	Int8    = "int8"
	Float32 = "float32"
)

// Kinds of judges; absent: a language model, when one is named.
const (
	JudgeModel    = "llm"
	JudgeEndpoint = "endpoint"
)

// NoPrefix stands for an empty prefix where an absent one means the model's own.
const NoPrefix = "none"

// Folder names a model in a folder and how to run it.
type Folder struct{ Path, Query, Document, Precision string }

// EmbedFolder is the folder of the model; its Path is empty when the model is the built-in one or at an endpoint.
func (c Config) EmbedFolder() Folder {
	return Folder{folder(c.EmbedBaseURL, c.EmbedModel), c.EmbedQuery, c.EmbedDocument, c.EmbedPrecision}
}

// OtherFolder is the same of the other model.
func (c Config) OtherFolder() Folder {
	return Folder{folder(c.OtherBaseURL, c.OtherModel), c.OtherQuery, c.OtherDocument, c.OtherPrecision}
}

func folder(baseURL, model string) string {
	if baseURL != "" || model == BuiltIn {
		return ""
	}
	return model
}

// Postgres tells whether the catalog is in Postgres.
func (c Config) Postgres() bool {
	return strings.HasPrefix(string(c.Catalog), "postgres://") || strings.HasPrefix(string(c.Catalog), "postgresql://")
}

// Qdrant tells whether the index is in Qdrant.
func (c Config) Qdrant() bool {
	return strings.HasPrefix(string(c.Index), "qdrant://") || strings.HasPrefix(string(c.Index), "qdrants://")
}

// UsesFolder tells whether something is kept in the data folder.
func (c Config) UsesFolder() bool { return !c.Postgres() || c.Blobs == "folder" }

// loopback tells whether only this machine can reach host.
func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

func head(s string) string {
	// Only the scheme: such a value may carry a password.
	s, _, _ = strings.Cut(s, ":")
	return s[:min(len(s), 20)]
}

// readFile flattens the YAML file into setting names: {llm: {base_url: x}} becomes LLM_BASE_URL.
func readFile(path string) (map[string]string, error) {
	named := path != ""
	if !named {
		path = "footnote.yaml"
	}
	b, err := os.ReadFile(filepath.Clean(path))
	if errors.Is(err, os.ErrNotExist) && !named {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("configuration file: %w", err)
	}
	var tree map[string]any
	if err := yaml.Unmarshal(b, &tree); err != nil {
		return nil, fmt.Errorf("configuration file %s: %w", path, err)
	}
	out := map[string]string{}
	flatten(out, "", tree)
	return out, nil
}

func flatten(out map[string]string, at string, tree map[string]any) {
	for k, v := range tree {
		name := at + strings.ToUpper(k)
		switch v := v.(type) {
		case map[string]any:
			flatten(out, name+"_", v)
		case map[any]any: // a key is a number, as in {llm: {2: {model: m}}}
			named := map[string]any{}
			for k, x := range v {
				named[fmt.Sprint(k)] = x
			}
			flatten(out, name+"_", named)
		case []any:
			items := make([]string, len(v))
			for i, x := range v {
				items[i] = fmt.Sprint(x)
			}
			out[name] = strings.Join(items, ",")
		case nil:
		default:
			out[name] = fmt.Sprint(v)
		}
	}
}

func spelled(source, name string) string {
	switch source {
	case "environment":
		return prefix + name
	case "flag":
		return "--" + strings.ReplaceAll(strings.ToLower(name), "_", "-")
	}
	return strings.ToLower(name)
}

func suggestion(source, name string, known []string) string {
	best, distance := "", 4
	for _, k := range known {
		if d := editDistance(name, k); d < distance {
			best, distance = k, d
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + spelled(source, best) + "?"
}

// editDistance is Levenshtein's.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			next := min(row[j+1]+1, row[j]+1, diagonal+cost)
			diagonal, row[j+1] = row[j+1], next
		}
	}
	return row[len(b)]
}
