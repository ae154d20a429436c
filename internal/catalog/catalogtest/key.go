package catalogtest

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"footnote/internal/rag"
)

func keys(t *testing.T, c Catalog, clock *Clock) {
	if must[bool](t)(c.HasKeys(t.Context())) {
		t.Error("an empty catalog has keys")
	}
	var made []rag.APIKey
	for i, k := range []rag.APIKey{
		{Name: "網站 🔑", Scope: rag.ScopeRead, Collections: []string{"a", "b"}, PerMinute: 60, ExpiresAt: clock.Now().Add(time.Hour)},
		{Name: "admin", Scope: rag.ScopeAdmin},
		{Name: "writer", Scope: rag.ScopeWrite},
	} {
		k.ID, k.Hash, k.Prefix = rag.NewKeyID(), rag.HashKey(fmt.Sprint(i)), "fnk_"
		made = append(made, must[rag.APIKey](t)(c.CreateKey(t.Context(), k)))
	}
	if diff := cmp.Diff(made[0], must[rag.APIKey](t)(c.KeyByHash(t.Context(), rag.HashKey("0")))); diff != "" {
		t.Error(diff)
	}
	_, err := c.KeyByHash(t.Context(), "none")
	wantCode(t, "a key that is not", err, rag.NotFound)
	page := must[[]rag.APIKey](t)(c.Keys(t.Context(), "", 2))
	rest := must[[]rag.APIKey](t)(c.Keys(t.Context(), page[1].ID, 2))
	if page[0].Name != "writer" || len(rest) != 1 || rest[0].ID != made[0].ID || !must[bool](t)(c.HasKeys(t.Context())) {
		t.Errorf("got pages %v, %v", page, rest)
	}
	if err := c.TouchKey(t.Context(), made[0].ID, clock.Now()); err != nil {
		t.Fatal(err)
	}
	clock.Advance(time.Minute)
	for range 2 {
		k := must[rag.APIKey](t)(c.RevokeKey(t.Context(), made[0].ID))
		if k.Active(clock.Now()) || !k.RevokedAt.Equal(made[0].CreatedAt.Add(time.Minute)) || !k.LastUsedAt.Equal(made[0].CreatedAt) {
			t.Errorf("got %+v", k)
		}
		clock.Advance(time.Minute)
	}
	_, err = c.RevokeKey(t.Context(), "key_none")
	wantCode(t, "revoking a key that is not", err, rag.NotFound)
}
