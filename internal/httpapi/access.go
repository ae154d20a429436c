package httpapi

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-chi/httprate"

	"footnote/internal/rag"
)

// keyAge is for how long a key is taken for good without asking the catalog: so long may a key live on that another replica revoked.
const keyAge = 2 * time.Second

// lastUsedStep is how exactly the last use of a key is recorded.
const lastUsedStep = time.Minute

// access decides who a request is from and what it may do.
type access struct {
	known  sync.Map    // hash of a secret → seenKey; good keys only, so that guessing fills nothing
	closed atomic.Bool // a key is known to exist
	open   struct {
		sync.Mutex
		until time.Time // no key existed when this was looked up last
	}
	limits *httprate.RateLimiter
}

type seenKey struct {
	rag.APIKey
	at time.Time
}

func newAccess() *access {
	return &access{limits: httprate.NewRateLimiter(1, time.Minute, httprate.WithResponseHeaders(httprate.ResponseHeaders{Remaining: remainingHeader, RetryAfter: "Retry-After"}))}
}

const remainingHeader = "RateLimit-Remaining"

type principalKey struct{}

// root is who may do everything: the holder of the configured key, whoever reaches a service that has no key, and the process itself.
var root = rag.APIKey{Scope: rag.ScopeAdmin}

func principal(r *http.Request) rag.APIKey {
	k, _ := r.Context().Value(principalKey{}).(rag.APIKey)
	return k
}

// Trusted is a context for requests that this process makes of itself: they need no key. Nothing that comes over the network has it.
func Trusted(ctx context.Context) context.Context {
	return context.WithValue(ctx, principalKey{}, root)
}

// allow lets requests through that may do what needs scope, before anything of their body is read. A key without the scope is told so, whether or not
// the thing exists.
func (s *server) allow(scope rag.Scope, h handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		key, trusted := r.Context().Value(principalKey{}).(rag.APIKey)
		if !trusted {
			var err error
			if key, err = s.authenticate(r); err != nil {
				if rag.CodeOf(err) == rag.Unauthorized {
					w.Header().Set("WWW-Authenticate", `Bearer realm="footnote"`)
				}
				return err
			}
			r = r.WithContext(context.WithValue(r.Context(), principalKey{}, key))
		}
		if err := s.limit(w, r, key); err != nil {
			return err
		}
		if !key.Scope.Includes(scope) {
			return rag.Errorf(rag.Forbidden, "This needs a key with scope %s; yours has %s.", scope, key.Scope)
		}
		return h(w, r)
	}
}

// authenticate finds out who a request is from. Unauthorized without a good key, where one is asked for.
func (s *server) authenticate(r *http.Request) (rag.APIKey, error) {
	scheme, secret, sent := strings.Cut(r.Header.Get("Authorization"), " ")
	if sent && strings.EqualFold(scheme, "Bearer") {
		secret = strings.TrimSpace(secret)
		got, want := sha256.Sum256([]byte(secret)), sha256.Sum256([]byte(s.o.APIKey))
		if s.o.APIKey != "" && subtle.ConstantTimeCompare(got[:], want[:]) == 1 {
			return root, nil
		}
		key, err := s.key(r.Context(), rag.HashKey(secret))
		if err == nil || rag.CodeOf(err) != rag.NotFound {
			return key, err
		}
	}
	asked, err := s.keyAsked(r.Context())
	if err != nil {
		return rag.APIKey{}, err
	}
	if asked {
		return rag.APIKey{}, rag.Errorf(rag.Unauthorized, "Send a good API key as Authorization: Bearer KEY.")
	}
	return root, nil
}

// key finds a key that is good now; NotFound otherwise.
func (s *server) key(ctx context.Context, hash string) (rag.APIKey, error) {
	now := time.Now()
	if v, ok := s.access.known.Load(hash); ok {
		if k := v.(seenKey); now.Sub(k.at) < keyAge && k.Active(now) {
			return k.APIKey, nil
		}
		s.access.known.Delete(hash)
	}
	k, err := s.o.Catalog.KeyByHash(ctx, hash)
	if err != nil {
		return k, err
	}
	if !k.Active(now) {
		return rag.APIKey{}, rag.Errorf(rag.NotFound, "The key is expired or revoked.")
	}
	if now.Sub(k.LastUsedAt) >= lastUsedStep {
		k.LastUsedAt = now.Truncate(lastUsedStep)
		if err := s.o.Catalog.TouchKey(ctx, k.ID, k.LastUsedAt); err != nil {
			s.o.Logger.Warn("record the use of a key", "key", k.ID, "error", err)
		}
	}
	s.access.known.Store(hash, seenKey{k, now})
	return k, nil
}

// keyAsked tells whether a key is asked for: when one is configured, or any was ever made. Once so, it stays so.
func (s *server) keyAsked(ctx context.Context) (bool, error) {
	if s.o.APIKey != "" {
		return true, nil
	}
	if s.access.closed.Load() {
		return true, nil
	}
	o := &s.access.open
	o.Lock()
	defer o.Unlock()
	if time.Now().Before(o.until) {
		return false, nil
	}
	closed, err := s.o.Catalog.HasKeys(ctx)
	if err != nil {
		return true, err
	}
	if closed {
		s.access.closed.Store(true)
	} else {
		o.until = time.Now().Add(keyAge)
	}
	return closed, nil
}

// limit counts the request against the key's limit, a sliding minute on this replica. RateLimited beyond it.
func (s *server) limit(w http.ResponseWriter, r *http.Request, key rag.APIKey) error {
	if key.PerMinute == 0 {
		return nil
	}
	over := s.access.limits.OnLimit(w, r.WithContext(httprate.WithRequestLimit(r.Context(), key.PerMinute)), string(key.ID))
	remaining := w.Header().Get(remainingHeader)
	w.Header().Del(remainingHeader)
	// draft-ietf-httpapi-ratelimit-headers-10
	w.Header().Set("RateLimit-Policy", `"key";q=`+strconv.Itoa(key.PerMinute)+`;w=60`)
	w.Header().Set("RateLimit", fmt.Sprintf(`"key";r=%s;t=60`, remaining))
	if over {
		return rag.Errorf(rag.RateLimited, "This key may make %d requests a minute; wait as long as Retry-After says.", key.PerMinute)
	}
	return nil
}

// sees reports that a collection is not there unless the request's key reaches it. What is hidden looks like what is absent.
func sees(r *http.Request, name string) error {
	if !principal(r).Sees(name) {
		return rag.CollectionMissing(name)
	}
	return nil
}

func seesAll(r *http.Request, names []string) error {
	for _, name := range names {
		if err := sees(r, name); err != nil {
			return err
		}
	}
	return nil
}
