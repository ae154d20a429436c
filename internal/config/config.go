// Package config turns flags, environment and footnote.yaml into one validated Config.
//
// Only cmd/server imports it. Every setting has a default that works with nothing else installed; precedence is flag, then
// environment, then file, then default.
package config

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"
)

const prefix = "FOOTNOTE_"

// Config is every setting of the service.
type Config struct {
	Listen          string        `env:"LISTEN" envDefault:"127.0.0.1:8080"`
	Data            string        `env:"DATA" envDefault:"./footnote-data"`
	Catalog         Secret        `env:"CATALOG" envDefault:"sqlite"` // a URL may hold a password
	Index           Secret        `env:"INDEX" envDefault:"local"`    // a URL may hold a key
	IndexMargin     float64       `env:"INDEX_MARGIN" envDefault:"2.5"`
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
	params, _ := env.GetFieldParams(&Config{}) // it fails for what is no pointer to a struct
	out := make([]string, len(params))
	for i, p := range params {
		out[i] = p.Key
	}
	return out
}

// Load builds the configuration. environ has the form of os.Environ; flags maps setting names without prefix ("LISTEN") to values given on
// the command line; file is the path of a YAML file, or empty for ./footnote.yaml when there is one. Every problem is
// reported at once: the error joins them, each in a sentence that says what to do.
func Load(environ []string, file string, flags map[string]string) (Config, error) {
	values := map[string]string{}
	var p problems
	fromFile, err := readFile(file)
	if err != nil {
		p = append(p, err)
	}
	known := names()
	take := func(source, name, value string) {
		if !slices.Contains(known, name) {
			p.add("%s: unknown setting %s%s", source, spelled(source, name), suggestion(source, name, known))
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
		if agg, ok := errors.AsType[env.AggregateError](err); ok {
			for _, e := range agg.Errors {
				p.add("setting of the wrong type: %w", e)
			}
		} else {
			p = append(p, err)
		}
	} else if err := c.Validate(); err != nil {
		p = append(p, err)
	}
	return c, errors.Join(p...)
}
