package httpapi

import (
	"net/http"
	"time"

	"footnote/internal/rag"
)

type newKey struct {
	Name        string     `json:"name"`
	Scope       rag.Scope  `json:"scope"`
	Collections []string   `json:"collections"`
	PerMinute   int        `json:"per_minute"`
	ExpiresAt   *time.Time `json:"expires_at"`
}

type key struct {
	ID          rag.KeyID  `json:"id"`
	Name        string     `json:"name"`
	Prefix      string     `json:"prefix"`
	Scope       rag.Scope  `json:"scope"`
	Collections []string   `json:"collections"`
	PerMinute   int        `json:"per_minute"`
	CreatedAt   time.Time  `json:"created_at"`
	ExpiresAt   *time.Time `json:"expires_at"`
	LastUsedAt  *time.Time `json:"last_used_at"`
	RevokedAt   *time.Time `json:"revoked_at"`
}

type createdKey struct {
	key
	Secret string `json:"secret"`
}

func wireKey(k rag.APIKey) key {
	when := func(t time.Time) *time.Time {
		if t.IsZero() {
			return nil
		}
		t = t.UTC()
		return &t
	}
	return key{k.ID, k.Name, k.Prefix, k.Scope, wireStrings(k.Collections), k.PerMinute, k.CreatedAt.UTC(), when(k.ExpiresAt), when(k.LastUsedAt), when(k.RevokedAt)}
}

// createKey makes a key. It is not idempotent by key: a kept answer would keep the secret.
func (s *server) createKey(w http.ResponseWriter, r *http.Request) error {
	var in newKey
	if err := decode(w, r, maxJSON, &in); err != nil {
		return err
	}
	secret := rag.NewKeySecret()
	k := rag.APIKey{ID: rag.NewKeyID(), Name: in.Name, Prefix: rag.KeyPrefix(secret), Hash: rag.HashKey(secret), Scope: in.Scope, Collections: in.Collections, PerMinute: in.PerMinute}
	if in.ExpiresAt != nil {
		if k.ExpiresAt = *in.ExpiresAt; !k.ExpiresAt.After(time.Now()) {
			return rag.FieldErrorf("/expires_at", "expires_at must be in the future, got %s.", k.ExpiresAt.Format(time.RFC3339))
		}
	}
	if err := k.Validate(); err != nil {
		return err
	}
	k, err := s.o.Catalog.CreateKey(r.Context(), k)
	if err != nil {
		return err
	}
	w.Header().Set("Location", "/v1/keys/"+string(k.ID))
	w.Header().Set("Cache-Control", "no-store")
	return reply(w, http.StatusCreated, createdKey{wireKey(k), secret})
}

func (s *server) listKeys(w http.ResponseWriter, r *http.Request) error {
	p, err := pageOf(r.URL.Query())
	if err != nil {
		return err
	}
	keys, err := s.o.Catalog.Keys(r.Context(), rag.KeyID(p.after), p.limit+1)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, listOf(keys, p.limit, wireKey, func(k rag.APIKey) string { return string(k.ID) }))
}

func (s *server) revokeKey(w http.ResponseWriter, r *http.Request) error {
	id, err := pathValue(r, "key")
	if err != nil {
		return err
	}
	k, err := s.o.Catalog.RevokeKey(r.Context(), rag.KeyID(id))
	if err != nil {
		return err
	}
	s.access.known.Delete(k.Hash)
	return reply(w, http.StatusOK, wireKey(k))
}
