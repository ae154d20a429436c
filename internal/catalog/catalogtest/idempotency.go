package catalogtest

import (
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"footnote/internal/rag"
)

func idempotency(t *testing.T, c Catalog, clock *Clock) {
	claim := func(key, hash string) *rag.KeptResponse {
		t.Helper()
		return must[*rag.KeptResponse](t)(c.ClaimIdempotencyKey(t.Context(), key, hash))
	}
	if got := claim("k", "hash"); got != nil {
		t.Fatalf("a new key gave %+v", got)
	}
	if got := claim("k", "other"); got == nil || got.Status != 0 || got.BodyHash != "hash" {
		t.Fatalf("a claimed key gave %+v", got)
	}
	want := rag.KeptResponse{BodyHash: "hash", Status: 202, Header: map[string]string{"Location": "/x"}, Body: []byte("{}")}
	if err := c.SaveIdempotentResponse(t.Context(), "k", want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&want, claim("k", "hash")); diff != "" {
		t.Error(diff)
	}
	claim("given up", "h")
	if err := c.ReleaseIdempotencyKey(t.Context(), "given up"); err != nil {
		t.Fatal(err)
	}
	if err := c.ReleaseIdempotencyKey(t.Context(), "k"); err != nil {
		t.Fatal(err)
	}
	if claim("k", "hash") == nil || claim("given up", "h2") != nil {
		t.Error("giving up a claim keeps it, or drops an answer")
	}
	clock.Advance(2 * rag.IdempotencyClaim)
	if got := claim("given up", "h3"); got != nil {
		t.Errorf("a void claim gave %+v", got)
	}
	clock.Advance(2 * rag.IdempotencyAge)
	if got := claim("k", "new"); got != nil {
		t.Errorf("an old answer was replayed: %+v", got)
	}
	// Of many at once, one gets the claim.
	var mu sync.Mutex
	var many sync.WaitGroup
	won := 0
	for range 20 {
		many.Go(func() {
			got, err := c.ClaimIdempotencyKey(t.Context(), "race", "h")
			if err != nil {
				t.Error(err)
			}
			if got == nil {
				mu.Lock()
				won++
				mu.Unlock()
			}
		})
	}
	many.Wait()
	if won != 1 {
		t.Errorf("%d requests claimed one key", won)
	}
}
