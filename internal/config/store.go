package config

import (
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
