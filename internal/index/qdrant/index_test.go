package qdrant

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	client "github.com/qdrant/go-client/qdrant"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"pgregory.net/rapid"

	"footnote/internal/index/indextest"
	"footnote/internal/rag"
	server "footnote/internal/servertest/qdrant"
)

// open makes an index with collections of its own on a server.
func open(t *testing.T, host string, port int, key string, change ...func(*Options)) *Index {
	t.Helper()
	o := Options{Host: host, Port: port, APIKey: key, Prefix: fmt.Sprintf("test_%d_%s_", os.Getpid(), rag.NewJobID())}
	for _, f := range change {
		f(&o)
	}
	x, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second) // the test's own has ended
		defer cancel()
		ids, _ := x.Collections(ctx) // the server may have been stopped
		for _, id := range ids {
			_ = x.DropCollection(ctx, id)
		}
		x.Close()
	})
	return x
}

// each runs a test on the test server and, when TEST_QDRANT_ADDR (host:6334) names one, on a real server: what passes on the one is to pass on the other.
func each(t *testing.T, test func(t *testing.T, open func(t *testing.T, change ...func(*Options)) *Index)) {
	t.Run("test server", func(t *testing.T) {
		t.Parallel()
		test(t, func(t *testing.T, change ...func(*Options)) *Index {
			s := server.Start(t, "a key")
			return open(t, s.Host(), s.Port(), "a key", change...)
		})
	})
	t.Run("real server", func(t *testing.T) {
		t.Parallel()
		address := os.Getenv("TEST_QDRANT_ADDR")
		if address == "" {
			t.Skip("skipped: set TEST_QDRANT_ADDR to the gRPC address (host:6334) of a Qdrant server that may be written to")
		}
		host, p, err := net.SplitHostPort(address)
		if err != nil {
			t.Fatal(err)
		}
		port, err := strconv.Atoi(p)
		if err != nil {
			t.Fatal(err)
		}
		test(t, func(t *testing.T, change ...func(*Options)) *Index {
			return open(t, host, port, os.Getenv("TEST_QDRANT_KEY"), change...)
		})
	})
}

func TestIndex_PassesTheConformanceSuite(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, open func(t *testing.T, change ...func(*Options)) *Index) {
		indextest.Run(t, func(t *testing.T) indextest.Index { return open(t) })
	})
}

func TestIndex_QuantisedCollectionsScoreExactly(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, open func(t *testing.T, change ...func(*Options)) *Index) {
		x := open(t, func(o *Options) { o.Quantization, o.OnDisk, o.ExactBelow = ScalarQuantization, true, -1 })
		if err := x.EnsureCollection(t.Context(), "c", 4); err != nil {
			t.Fatal(err)
		}
		var points []rag.Point
		for i := range 50 {
			points = append(points, rag.Point{ID: rag.NewChunkID("d", fmt.Sprint(i), 0), Document: "d", Embedding: rag.Embedding{1, float32(i), 0, 0}})
		}
		if err := x.Upsert(t.Context(), "c", points); err != nil {
			t.Fatal(err)
		}
		got, err := x.SearchDense(t.Context(), "c", rag.Embedding{1, 0, 0, 0}, nil, 3)
		if err != nil || len(got) != 3 || got[0].ID != points[0].ID || got[0].Score < 0.99999 || got[0].Score > 1.00001 {
			t.Errorf("got %v, %v", got, err)
		}
	})
}

// The answers of a server that fails become the domain's errors, and what may pass is tried again.
func TestIndex_TranslatesFailures(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault server.Fault
		want  rag.Code
		calls int
	}{
		"unavailable":      {server.Fault{Err: status.Error(codes.Unavailable, "x")}, rag.Unavailable, 3},
		"deadline":         {server.Fault{Delay: time.Minute}, rag.Timeout, 1},
		"internal":         {server.Fault{Err: status.Error(codes.Internal, "x")}, rag.BadUpstream, 1},
		"disk full":        {server.Fault{Err: status.Error(codes.Internal, "No space left on device")}, rag.StorageFull, 1},
		"denied":           {server.Fault{Err: status.Error(codes.PermissionDenied, "x")}, rag.BadUpstream, 1},
		"too large":        {server.Fault{Err: status.Error(codes.ResourceExhausted, "x")}, rag.RateLimited, 1},
		"limited":          {server.Fault{Limited: 7}, rag.RateLimited, 1},
		"refused":          {server.Fault{Err: status.Error(codes.InvalidArgument, "x")}, rag.Internal, 1},
		"gone":             {server.Fault{Err: status.Error(codes.NotFound, "x")}, rag.NotFound, 1},
		"lost reply":       {server.Fault{LostErr: status.Error(codes.Unavailable, "x")}, rag.Unavailable, 3},
		"lost by deadline": {server.Fault{LostErr: status.Error(codes.DeadlineExceeded, "x")}, rag.Timeout, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := server.Start(t, "")
			x := open(t, s.Host(), s.Port(), "", func(o *Options) { o.Timeout = 500 * time.Millisecond })
			if err := x.EnsureCollection(t.Context(), "c", 2); err != nil {
				t.Fatal(err)
			}
			s.Fail(func(method string) server.Fault {
				if method == "Upsert" {
					return c.fault
				}
				return server.Fault{}
			})
			p := []rag.Point{{ID: rag.NewChunkID("d", "x", 0), Document: "d", Embedding: rag.Embedding{1, 0}}}
			err := x.Upsert(t.Context(), "c", p)
			if rag.CodeOf(err) != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
			var known *rag.Error
			if errors.As(err, &known) && known.RetryAfter != time.Duration(c.fault.Limited)*time.Second {
				t.Errorf("it is to be tried again after %s, want %d s", known.RetryAfter, c.fault.Limited)
			}
			if got := s.Calls("Upsert"); got != c.calls {
				t.Errorf("got %d calls, want %d", got, c.calls)
			}
			s.Fail(nil)
			if err := x.Upsert(t.Context(), "c", p); err != nil {
				t.Errorf("afterwards: %v", err)
			}
			if n, err := x.Count(t.Context(), "c"); err != nil || n != 1 {
				t.Errorf("got %d points, %v", n, err)
			}
		})
	}
}

func TestIndex_WrongKeyAndAbsentServer(t *testing.T) {
	t.Parallel()
	s := server.Start(t, "right")
	if err := open(t, s.Host(), s.Port(), "wrong").Check(t.Context()); rag.CodeOf(err) != rag.BadUpstream {
		t.Errorf("a wrong key: %v", err)
	}
	x := open(t, s.Host(), s.Port(), "right")
	if err := x.Check(t.Context()); err != nil {
		t.Error(err)
	}
	s.Stop()
	if err := x.Check(t.Context()); rag.CodeOf(err) != rag.Unavailable {
		t.Errorf("an absent server: %v", err)
	}
	if err := s.Restart(); err != nil {
		t.Fatal(err)
	}
	for start := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		err := x.Check(t.Context())
		if err == nil {
			break
		}
		if time.Since(start) > 10*time.Second {
			t.Fatalf("ten seconds after its restart the server is not reached: %v", err)
		}
	}
}

func TestIndex_TLSIsVerified(t *testing.T) {
	t.Parallel()
	// The certificate of net/http's own test server: good for 127.0.0.1, signed by nobody whom the system knows.
	web := httptest.NewTLSServer(nil)
	defer web.Close()
	s := server.StartTLS(t, "a key", web.TLS.Certificates[0])
	o, err := ParseURL(fmt.Sprintf("qdrants://a%%20key@127.0.0.1:%d", s.Port()))
	if err != nil {
		t.Fatal(err)
	}
	if err := open(t, o.Host, o.Port, o.APIKey, func(p *Options) { p.TLS = o.TLS }).Check(t.Context()); rag.CodeOf(err) != rag.Unavailable {
		t.Errorf("an unknown authority: %v", err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(web.Certificate())
	o.TLS.RootCAs = roots
	x := open(t, o.Host, o.Port, o.APIKey, func(p *Options) { p.TLS = o.TLS })
	if err := x.Check(t.Context()); err != nil {
		t.Errorf("a known authority: %v", err)
	}
	if err := x.EnsureCollection(t.Context(), "c", 2); err != nil {
		t.Error(err)
	}
}

// A collection whose payload indexes are incomplete is completed, and one that another program made is not taken for ours.
func TestEnsureCollection_CompletesAndRefuses(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, open func(t *testing.T, change ...func(*Options)) *Index) {
		x := open(t)
		ctx := t.Context()
		if err := x.EnsureCollection(ctx, "c", 2); err != nil {
			t.Fatal(err)
		}
		if _, err := x.client.DeleteFieldIndex(ctx, &client.DeleteFieldIndexCollection{CollectionName: x.alias("c"), FieldName: fieldHas, Wait: client.PtrOf(true)}); err == nil {
			if err := x.EnsureCollection(ctx, "c", 2); err != nil {
				t.Fatal(err)
			}
		}
		info, err := x.client.GetCollectionInfo(ctx, x.alias("c"))
		if err != nil {
			t.Fatal(err)
		}
		for field := range payloadIndexes {
			if info.GetPayloadSchema()[field] == nil {
				t.Errorf("there is no index of %s", field)
			}
		}
		if err := x.EnsureCollection(ctx, "c", 3); rag.CodeOf(err) != rag.ModelMismatch {
			t.Errorf("other dimensions: %v", err)
		}
	})
}

func TestParseURL(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]Options{
		"qdrant://h":           {Host: "h"},
		"qdrant://h:7000":      {Host: "h", Port: 7000},
		"qdrant://k%2F@h:1":    {Host: "h", Port: 1, APIKey: "k/"},
		"qdrants://[::1]:6334": {Host: "::1", Port: 6334},
	} {
		got, err := ParseURL(in)
		if err != nil || got.Host != want.Host || got.Port != want.Port || got.APIKey != want.APIKey || (got.TLS != nil) != (in[:7] == "qdrants") {
			t.Errorf("%s: got %+v, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "http://h", "qdrant://", "qdrant://h:x", "qdrant://h/collection", "qdrant://h:99999", "qdrant://h?x=1"} {
		if _, err := ParseURL(in); rag.CodeOf(err) != rag.Invalid {
			t.Errorf("%s: got %v", in, err)
		}
	}
}

// The translation of a filter lets pass all that satisfies the filter, and nothing else unless long strings are compared.
func TestFilter_AgreesWithTheReference(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, open func(t *testing.T, change ...func(*Options)) *Index) { filters(t, open(t)) })
}

func filters(t *testing.T, x *Index) {
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		id := rag.CollectionID(fmt.Sprint("c", n))
		ctx := t.Context()
		if err := x.EnsureCollection(ctx, id, 2); err != nil {
			t.Fatal(err)
		}
		strings := rapid.SampledFrom([]string{"", "a", "a\x00", "ab", "人事", "人事部", "2026-01-02", "2026-01-02T03:04:05Z", "😀",
			"twenty-four bytes are in", "twenty-four bytes are in this", "twenty-four bytes are in that"})
		value := rapid.OneOf(strings.AsAny(), rapid.Float64Range(-3, 3).AsAny(), rapid.SampledFrom([]float64{0, 1, -1, 1e300, 0.1}).AsAny(), rapid.Bool().AsAny())
		key := rapid.SampledFrom([]string{"k", "鍵.a[]\"", "other"})
		all := map[rag.ChunkID]rag.Metadata{}
		var points []rag.Point
		for i := range rapid.IntRange(1, 12).Draw(t, "points") {
			m := rag.Metadata{}
			for range rapid.IntRange(0, 3).Draw(t, "fields") {
				if rapid.IntRange(0, 3).Draw(t, "list") == 0 {
					m[key.Draw(t, "key")] = rapid.SliceOfN(strings, 0, 3).Draw(t, "values")
				} else {
					m[key.Draw(t, "key")] = value.Draw(t, "value")
				}
			}
			p := rag.Point{ID: rag.NewChunkID("d", fmt.Sprint(i), 0), Document: "d", Embedding: rag.Embedding{1, float32(i)}, Metadata: m}
			points, all[p.ID] = append(points, p), m
		}
		if err := x.Upsert(ctx, id, points); err != nil {
			t.Fatal(err)
		}
		var draw func(depth int) rag.Filter
		draw = func(depth int) rag.Filter {
			ops := []rag.FilterOp{rag.OpEq, rag.OpNe, rag.OpGt, rag.OpGte, rag.OpLt, rag.OpLte, rag.OpIn, rag.OpNin, rag.OpExists}
			if depth < 4 {
				ops = append(ops, rag.OpAnd, rag.OpOr, rag.OpNot)
			}
			f := rag.Filter{Op: rapid.SampledFrom(ops).Draw(t, "op"), Key: key.Draw(t, "key")}
			switch f.Op {
			case rag.OpAnd, rag.OpOr:
				f.Filters = []rag.Filter{draw(depth + 1), draw(depth + 1)}
			case rag.OpNot:
				f.Filters = []rag.Filter{draw(depth + 1)}
			case rag.OpIn, rag.OpNin:
				f.Values = []any{value.Draw(t, "value"), value.Draw(t, "value")}
			case rag.OpEq, rag.OpNe:
				f.Value = value.Draw(t, "value")
			default:
				f.Value = value.Filter(func(v any) bool { _, is := v.(bool); return !is }).Draw(t, "value")
			}
			return f
		}
		for range 5 {
			f := draw(1)
			got, err := x.SearchDense(ctx, id, rag.Embedding{1, 1}, &f, 100)
			if err != nil {
				t.Fatal(err)
			}
			found := map[rag.ChunkID]bool{}
			for _, c := range got {
				found[c.ID] = true
			}
			for chunk, m := range all {
				want := f.Matches(m)
				if want && !found[chunk] {
					t.Fatalf("%+v does not let %v pass", f, m)
				}
				if !want && found[chunk] && !ambiguous(m) {
					t.Fatalf("%+v lets %v pass", f, m)
				}
			}
		}
		if err := x.DropCollection(ctx, id); err != nil {
			t.Fatal(err)
		}
	})
}

// ambiguous tells that metadata has a string whose end the index does not see, or a zero byte, which looks like one.
func ambiguous(m rag.Metadata) bool {
	long := func(s string) bool { return len(s) >= 24 || s == "" || s == "a" || s == "a\x00" }
	for _, v := range m {
		switch v := v.(type) {
		case string:
			if long(v) {
				return true
			}
		case []string:
			if slices.ContainsFunc(v, long) {
				return true
			}
		}
	}
	return false
}
