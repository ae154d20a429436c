package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"time"
)

// problems are the settings that cannot work.
type problems []error

func (p *problems) add(format string, args ...any) { *p = append(*p, fmt.Errorf(format, args...)) }

// wantURL adds a setting that is given and no endpoint's address.
func (p *problems) wantURL(setting, value string) {
	if value != "" && !isURL(value) {
		p.add("%s must be an http or https URL such as http://127.0.0.1:11434/v1", setting)
	}
}

// Validate reports every setting that cannot work, all at once.
func (c Config) Validate() error {
	var p problems
	c.validateServing(&p)
	c.validateStores(&p)
	c.validateEmbed(&p)
	c.validateLLM(&p)
	c.validateRerank(&p)
	c.validateJudge(&p)
	c.validateOCR(&p)
	c.validateProcess(&p)
	return errors.Join(p...)
}

// validateServing is for what may come in from outside, and who may ask.
func (c Config) validateServing(p *problems) {
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		p.add("FOOTNOTE_LISTEN %q is not host:port, such as 127.0.0.1:8080", c.Listen)
	} else if c.APIKey == "" && !c.Insecure && !loopback(host) {
		p.add("listening on %s lets other machines in: set FOOTNOTE_API_KEY, or say --insecure if a proxy in front checks credentials", c.Listen)
	}
	if c.APIKey != "" && len(c.APIKey) < 16 {
		p.add("FOOTNOTE_API_KEY must have at least 16 characters; `openssl rand -hex 32` makes a good one")
	}
	if c.StreamGrace < 0 || c.StreamGrace > time.Minute {
		p.add("FOOTNOTE_STREAM_GRACE must be between 0s and 1m, got %s", c.StreamGrace)
	}
	for _, o := range c.CORSOrigins {
		if u, err := url.Parse(o); o != "*" && (err != nil || u.Host == "" || u.Path != "" || u.Scheme == "") {
			p.add("FOOTNOTE_CORS_ORIGINS: %q is not an origin such as https://app.example.com, or *", o)
		}
	}
}

func (c Config) validateRerank(p *problems) {
	p.wantURL("FOOTNOTE_RERANK_BASE_URL", c.RerankBaseURL)
	switch {
	case !slices.Contains([]string{"none", "late", "endpoint"}, c.Rerank):
		p.add("FOOTNOTE_RERANK must be none, late or endpoint, got %q", c.Rerank)
	case c.Rerank == "late" && c.EmbedBaseURL != "":
		p.add("FOOTNOTE_RERANK=late needs the built-in model, and FOOTNOTE_EMBED_BASE_URL names another")
	case c.Rerank == "endpoint" && c.RerankBaseURL == "":
		p.add("FOOTNOTE_RERANK=endpoint needs FOOTNOTE_RERANK_BASE_URL, to which /rerank is added")
	}
	if c.RerankBaseURL == "" && (c.RerankModel != "" || c.RerankAPIKey != "") {
		p.add("FOOTNOTE_RERANK_MODEL and FOOTNOTE_RERANK_API_KEY need FOOTNOTE_RERANK_BASE_URL")
	}
	if c.RerankTimeout < 10*time.Millisecond || c.RerankTimeout > time.Minute {
		p.add("FOOTNOTE_RERANK_TIMEOUT must be between 10ms and 1m, got %s", c.RerankTimeout)
	}
}

func (c Config) validateOCR(p *problems) {
	p.wantURL("FOOTNOTE_OCR_BASE_URL", c.OCRBaseURL)
	if (c.OCRBaseURL == "") != (c.OCRModel == "") || c.OCRBaseURL == "" && c.OCRAPIKey != "" {
		p.add("FOOTNOTE_OCR_BASE_URL and FOOTNOTE_OCR_MODEL name what reads images: set both, or neither and no FOOTNOTE_OCR_API_KEY")
	}
	if c.OCRTimeout < time.Second || c.OCRTimeout > 2*time.Minute {
		p.add("FOOTNOTE_OCR_TIMEOUT must be between 1s and 2m, got %s", c.OCRTimeout)
	}
}

// validateProcess is for how this process works and what it says of that.
func (c Config) validateProcess(p *problems) {
	if c.Workers < 1 || c.Workers > 64 {
		p.add("FOOTNOTE_WORKERS must be between 1 and 64, got %d", c.Workers)
	}
	if c.JobLease < time.Second || c.JobLease > time.Hour {
		p.add("FOOTNOTE_JOB_LEASE must be between 1s and 1h, got %s", c.JobLease)
	}
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, c.LogLevel) {
		p.add("FOOTNOTE_LOG_LEVEL must be debug, info, warn or error, got %q", c.LogLevel)
	}
	if !slices.Contains([]string{"text", "json"}, c.LogFormat) {
		p.add("FOOTNOTE_LOG_FORMAT must be text or json, got %q", c.LogFormat)
	}
	if !slices.Contains([]string{"", "generic", "avx2", "avxvnni", "avx512", "neon", "neondot"}, c.CPU) {
		p.add("FOOTNOTE_CPU must be generic, avx2, avxvnni, avx512, neon or neondot, or absent for the best, got %q", c.CPU)
	}
}

// loopback tells whether only this machine can reach host.
func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// isURL tells an endpoint's address.
func isURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
}
