package qdrant

import (
	"crypto/tls"
	"net/url"
	"strconv"
	"strings"
	"time"

	"footnote/internal/rag"
)

// Quantization names how Qdrant compresses dense vectors; results are scored again with the vectors themselves.
type Quantization string

// The kinds.
const (
	NoQuantization     Quantization = "none"
	ScalarQuantization Quantization = "scalar" // int8: a quarter of the memory
	BinaryQuantization Quantization = "binary" // 1 bit: a thirty-second; for models of 1,024 dimensions and more
)

// Options configures New. Host is needed.
type Options struct {
	Host   string
	Port   int // 0: 6334
	APIKey string
	TLS    *tls.Config // nil: plain text

	Prefix       string        // of collection names, so that services can share a server; "": "footnote_"
	Shards       int           // of new collections; 0: 1. Scores of BM25 are of a shard, so more of them shift the lexical ranking a little.
	Replicas     int           // of each shard of new collections; 0: 1
	OnDisk       bool          // keep the vectors of new collections on disk, with a cache of the system's
	Quantization Quantization  // of new collections; "": none
	ExactBelow   int           // collections of fewer points are searched exactly, larger ones by HNSW; 0: 50,000; -1: none
	Timeout      time.Duration // of one call; 0: 10 s, writes thrice as long
	Attempts     int           // of a call that fails for a passing reason; 0: 3
}

// ParseURL reads qdrant://[key@]host[:6334] or, for TLS, qdrants://…. Invalid for anything else, without the text, which may hold the key.
func ParseURL(s string) (Options, error) {
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "qdrant" && u.Scheme != "qdrants") || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		// The error of url.Parse quotes the URL, which may hold the key.
		return Options{}, rag.Errorf(rag.Invalid, "The Qdrant URL must have the form qdrant://[key@]host:6334, or qdrants:// for TLS.")
	}
	o := Options{Host: u.Hostname(), APIKey: u.User.Username()}
	if p := u.Port(); p != "" {
		if o.Port, err = strconv.Atoi(p); err != nil || o.Port < 1 || o.Port > 65535 {
			return Options{}, rag.Errorf(rag.Invalid, "The port of the Qdrant URL must be between 1 and 65535; gRPC listens on 6334 by default.")
		}
	}
	if u.Scheme == "qdrants" {
		o.TLS = &tls.Config{MinVersion: tls.VersionTLS12, ServerName: o.Host}
	}
	return o, nil
}
