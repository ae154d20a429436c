package rag

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"time"
)

// KeyID identifies an API key; it is no secret.
type KeyID string // key_…

// Scope is what a key may do. Each includes the ones before it.
type Scope string

// The scopes.
const (
	ScopeRead  Scope = "read"  // look up, search, ask
	ScopeWrite Scope = "write" // take in, change and delete documents and collections
	ScopeAdmin Scope = "admin" // keys, metrics, export, import
)

var scopeOrder = []Scope{ScopeRead, ScopeWrite, ScopeAdmin}

// Includes tells whether s may do what needs t. An unknown scope includes nothing.
func (s Scope) Includes(t Scope) bool {
	have, need := slices.Index(scopeOrder, s), slices.Index(scopeOrder, t)
	return need >= 0 && have >= need
}

// Bounds of an API key.
const (
	MaxKeyName      = 100 // code points
	MaxKeyPerMinute = 1_000_000
)

// APIKey is a credential as it is stored: its secret is known to its holder alone.
type APIKey struct {
	ID          KeyID
	Name        string
	Prefix      string // the start of the secret, to tell keys apart
	Hash        string // hex SHA-256 of the secret
	Scope       Scope
	Collections []string // names it is limited to; empty: all
	PerMinute   int      // requests; 0: unlimited
	CreatedAt   time.Time
	ExpiresAt   time.Time // zero: never
	LastUsedAt  time.Time // zero: never; kept to the minute
	RevokedAt   time.Time // zero: not revoked
}

// Active tells whether the key is good at a time.
func (k APIKey) Active(now time.Time) bool {
	return k.RevokedAt.IsZero() && (k.ExpiresAt.IsZero() || now.Before(k.ExpiresAt))
}

// Sees tells whether the key reaches the collection of that name.
func (k APIKey) Sees(collection string) bool {
	return len(k.Collections) == 0 || slices.Contains(k.Collections, collection)
}

// Validate reports an Invalid error naming the field that is out of bounds.
func (k APIKey) Validate() error {
	if n := len([]rune(k.Name)); n == 0 || n > MaxKeyName || !keyName.MatchString(k.Name) {
		return FieldErrorf("/name", "name must be 1 to %d characters without control characters: what the key is for.", MaxKeyName)
	}
	if !slices.Contains(scopeOrder, k.Scope) {
		return FieldErrorf("/scope", "scope must be read, write or admin, got %q.", Clip(string(k.Scope), 40))
	}
	if k.Scope == ScopeAdmin && len(k.Collections) > 0 {
		return FieldErrorf("/collections", "A key with scope admin reaches every collection; leave collections out, or give scope write.")
	}
	if len(k.Collections) > MaxCollections {
		return FieldErrorf("/collections", "collections names %d collections; at most %d are allowed.", len(k.Collections), MaxCollections)
	}
	if err := validateCollectionNames(k.Collections); err != nil {
		return err
	}
	if k.PerMinute < 0 || k.PerMinute > MaxKeyPerMinute {
		return FieldErrorf("/per_minute", "per_minute must be between 1 and %d, or 0 for no limit, got %d.", MaxKeyPerMinute, k.PerMinute)
	}
	return nil
}

var keyName = regexp.MustCompile(`^[^\x00-\x1f\x7f]+$`)

// NewKeySecret makes a secret of 160 random bits, with a prefix that scanners for leaked credentials can be taught.
func NewKeySecret() string {
	var b [20]byte
	rand.Read(b[:])
	return "fnk_" + idAlphabet.EncodeToString(b[:])
}

// KeyPrefix is the part of a secret that may be shown: too little to help in guessing the rest.
func KeyPrefix(secret string) string { return secret[:min(len(secret), 10)] }

// HashKey is how a secret is stored. A plain hash does: secrets are random, not chosen.
func HashKey(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// NewKeyID makes a fresh key identity.
func NewKeyID() KeyID { return KeyID(newID("key_")) }
