package rag

import (
	"strings"
	"testing"
	"time"
)

func TestScope_EachIncludesTheOnesBefore(t *testing.T) {
	for _, c := range []struct {
		have, need Scope
		want       bool
	}{
		{ScopeRead, ScopeRead, true}, {ScopeRead, ScopeWrite, false}, {ScopeWrite, ScopeRead, true}, {ScopeAdmin, ScopeWrite, true}, {ScopeWrite, ScopeAdmin, false},
		{"", ScopeRead, false}, {"root", ScopeRead, false}, {ScopeAdmin, "", false}, {ScopeAdmin, "root", false}, {"", "", false},
	} {
		if got := c.have.Includes(c.need); got != c.want {
			t.Errorf("%q includes %q: got %t", c.have, c.need, got)
		}
	}
}

func TestAPIKey_IsGoodUntilItExpiresOrIsRevoked(t *testing.T) {
	now := time.Now()
	for name, c := range map[string]struct {
		key  APIKey
		want bool
	}{
		"plain": {APIKey{}, true}, "expires later": {APIKey{ExpiresAt: now.Add(time.Second)}, true}, "expires now": {APIKey{ExpiresAt: now}, false}, "revoked": {APIKey{RevokedAt: now}, false},
	} {
		if got := c.key.Active(now); got != c.want {
			t.Errorf("%s: got %t", name, got)
		}
	}
	k := APIKey{Collections: []string{"a"}}
	if !k.Sees("a") || k.Sees("b") || k.Sees("") || !(APIKey{}).Sees("b") {
		t.Error("a key sees other collections than it is limited to")
	}
}

func TestAPIKey_Secrets(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		s := NewKeySecret()
		if seen[s] || len(s) != 36 || !strings.HasPrefix(s, "fnk_") {
			t.Fatalf("got %q", s)
		}
		seen[s] = true
		if len(KeyPrefix(s)) != 10 || strings.Contains(HashKey(s), s) || len(HashKey(s)) != 64 {
			t.Fatalf("prefix %q, hash %q", KeyPrefix(s), HashKey(s))
		}
	}
}
