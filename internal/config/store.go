package config

import (
	"net/url"
	"slices"
	"strings"
)

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

func head(s string) string {
	// Only the scheme: such a value may carry a password.
	s, _, _ = strings.Cut(s, ":")
	return s[:min(len(s), 20)]
}

func (c Config) validateStores(p *problems) {
	if c.Catalog != "sqlite" && !c.Postgres() {
		p.add("FOOTNOTE_CATALOG must be sqlite or postgres://user:password@host:5432/database, got a value that starts %q", head(c.Catalog.Reveal()))
	}
	if c.Index != "local" && !c.Qdrant() {
		p.add("FOOTNOTE_INDEX must be local or qdrant://[key@]host:6334 (qdrants:// for TLS), got a value that starts %q", head(c.Index.Reveal()))
	}
	if !(c.IndexMargin >= 0.5 && c.IndexMargin <= 10) {
		p.add("FOOTNOTE_INDEX_MARGIN must be between 0.5 (fast, finds .9 of the nearest) and 10 (slow, finds all but some in a thousand), got %g", c.IndexMargin)
	}
	if c.Postgres() && c.Index == "local" {
		p.add("FOOTNOTE_CATALOG names Postgres, so FOOTNOTE_INDEX must name Qdrant: the local index lives in one process, and replicas would not see each other's documents")
	}
	switch scheme, _, _ := strings.Cut(c.Blobs, ":"); {
	case c.Blobs == "" || c.Blobs == "folder":
	case c.Blobs == "postgres" && c.Postgres():
	case c.Blobs == "postgres":
		p.add("FOOTNOTE_BLOBS=postgres needs FOOTNOTE_CATALOG=postgres://…")
	case scheme == "s3":
		if u, err := url.Parse(c.Blobs); err != nil || u.Host == "" || u.User != nil {
			p.add("FOOTNOTE_BLOBS must have the form s3://bucket/prefix?endpoint=https://host&region=name; credentials go into FOOTNOTE_S3_ACCESS_KEY and FOOTNOTE_S3_SECRET_KEY")
		}
		if (c.S3AccessKey == "") != (c.S3SecretKey == "") {
			p.add("FOOTNOTE_S3_ACCESS_KEY and FOOTNOTE_S3_SECRET_KEY go together; without both, the machine's own role is used")
		}
	default:
		p.add("FOOTNOTE_BLOBS must be folder, postgres or s3://bucket, or absent (folder with SQLite, postgres with Postgres)")
	}
	if c.QdrantShards < 1 || c.QdrantShards > 1024 || c.QdrantReplicas < 1 || c.QdrantReplicas > 16 {
		p.add("FOOTNOTE_QDRANT_SHARDS must be between 1 and 1024 and FOOTNOTE_QDRANT_REPLICAS between 1 and 16")
	}
	if !slices.Contains([]string{"none", "scalar", "binary"}, c.QdrantQuantize) {
		p.add("FOOTNOTE_QDRANT_QUANTIZATION must be none, scalar or binary, got %q", c.QdrantQuantize)
	}
	if c.QdrantExact < -1 {
		p.add("FOOTNOTE_QDRANT_EXACT_BELOW must be a number of chunks, or -1 for never")
	}
}
