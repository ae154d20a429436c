package e2e

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	client "github.com/qdrant/go-client/qdrant"

	"footnote/internal/catalog/postgres"
	"footnote/internal/embed/local"
	"footnote/internal/eval"
	"footnote/internal/evaldata"
	"footnote/internal/index/qdrant"
	"footnote/internal/lexical"
	"footnote/internal/rag"
	"footnote/internal/search"
	pgserver "footnote/internal/servertest/postgres"
	qdrantserver "footnote/internal/servertest/qdrant"
)

// qdrantAddress is the server of TEST_QDRANT_ADDR, or else the test server, which stores and searches by brute force.
func qdrantAddress(b *testing.B) (host string, port int) {
	b.Helper()
	if a := os.Getenv("TEST_QDRANT_ADDR"); a != "" {
		host, p, err := net.SplitHostPort(a)
		if err != nil {
			b.Fatal(err)
		}
		if port, err = strconv.Atoi(p); err != nil {
			b.Fatal(err)
		}
		return host, port
	}
	s := qdrantserver.Start(b, "")
	return s.Host(), s.Port()
}

// fixed is an embedder that costs nothing: what is measured is the search.
type fixed struct{ v rag.Embedding }

func (f fixed) EmbedQueries(context.Context, []string) ([]rag.Embedding, error) {
	return []rag.Embedding{f.v}, nil
}
func (fixed) Model() string       { return "fixed" }
func (fixed) Fingerprint() string { return "fixed" }

func unit(r *rand.Rand, dims int) rag.Embedding {
	v := make(rag.Embedding, dims)
	var sum float64
	for i := range v {
		v[i] = float32(r.NormFloat64())
		sum += float64(v[i]) * float64(v[i])
	}
	for i := range v {
		v[i] /= float32(math.Sqrt(sum))
	}
	return v
}

// BenchmarkSearch_BesideBareClient sets a hybrid search in production mode beside what it cannot do without: the two queries of the bare Qdrant client, side by side, and one read of
// Postgres. The two take turns, so that both meet the same machine.
func BenchmarkSearch_BesideBareClient(b *testing.B) {
	const dims, topK = 384, 10
	chunks := 10_000
	if v := os.Getenv("BENCH_CHUNKS"); v != "" {
		var err error
		if chunks, err = strconv.Atoi(v); err != nil {
			b.Fatal(err)
		}
	}
	url := pgserver.URL(b)
	ctx, r := b.Context(), rand.New(rand.NewPCG(1, 2))
	store, err := postgres.Open(ctx, postgres.Options{URL: url})
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	host, port := qdrantAddress(b)
	prefix := "bench_" + string(rag.NewJobID()) + "_"
	index, err := qdrant.New(qdrant.Options{Host: host, Port: port, Prefix: prefix})
	if err != nil {
		b.Fatal(err)
	}
	defer index.Close()
	c, err := store.CreateCollection(ctx, rag.Collection{Name: "bench", Embedding: rag.EmbeddingSpec{Model: "fixed", Fingerprint: "fixed", Dimensions: dims}, Chunking: rag.DefaultChunking})
	if err != nil {
		b.Fatal(err)
	}
	if err := index.EnsureCollection(ctx, c.ID, dims); err != nil {
		b.Fatal(err)
	}
	defer func() { _ = index.DropCollection(context.WithoutCancel(ctx), c.ID) }()
	words := make([]string, 4000)
	for i := range words {
		words[i] = fmt.Sprintf("word%d", i)
	}
	for at := 0; at < chunks; at += 500 {
		id := rag.NewDocumentID()
		v := rag.Version{Document: rag.Document{ID: id, Collection: c.ID, ExternalID: fmt.Sprint(at), Version: 1}}
		var points []rag.Point
		for i := range 500 {
			text := ""
			for range 120 {
				text += words[int(math.Pow(r.Float64(), 3)*float64(len(words)))] + " "
			}
			k := rag.Chunk{ID: rag.NewChunkID(id, text, i), Document: id, Version: 1, Ordinal: i, Span: rag.Span{Start: 0, End: len(text)}, Text: text}
			e := unit(r, dims)
			v.Chunks, v.Embeddings = append(v.Chunks, k), append(v.Embeddings, e)
			points = append(points, rag.Point{ID: k.ID, Document: id, Embedding: e, Sparse: lexical.DocumentVector(text, lexical.DefaultParams)})
		}
		if err := index.Upsert(ctx, c.ID, points); err != nil {
			b.Fatal(err)
		}
		if err := store.ImportDocument(ctx, v); err != nil {
			b.Fatal(err)
		}
	}
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close(ctx)
	var stored int64
	if err := conn.QueryRow(ctx, `SELECT sum(pg_total_relation_size(c))::bigint FROM unnest('{chunks,texts,documents}'::regclass[]) c`).Scan(&stored); err != nil {
		b.Fatal(err)
	}
	query := fixed{unit(r, dims)}
	s := search.New(search.Options{Catalog: store, Index: index, Embedder: query, Logger: slog.New(slog.DiscardHandler)})
	bare, err := client.NewClient(&client.Config{Host: host, Port: port, SkipCompatibilityCheck: true})
	if err != nil {
		b.Fatal(err)
	}
	defer bare.Close()
	const question = "word3 word40 word170 word900"
	terms := lexical.QueryVector(question)
	alias := prefix + string(c.ID)
	limit := uint64(200 + 16)
	var ids []rag.ChunkID
	reference := func() {
		var both sync.WaitGroup
		both.Go(func() {
			found, err := bare.Query(ctx, &client.QueryPoints{CollectionName: alias, Query: client.NewQueryDense(query.v), Using: client.PtrOf("dense"), Limit: &limit, Params: &client.SearchParams{Exact: client.PtrOf(true)}})
			if err != nil {
				b.Error(err)
			}
			ids = ids[:0]
			for _, p := range found[:2*topK] {
				ids = append(ids, rag.ChunkID(p.GetId().GetUuid()))
			}
		})
		both.Go(func() {
			if _, err := bare.Query(ctx, &client.QueryPoints{CollectionName: alias, Query: client.NewQuerySparse(terms.Indices, terms.Values), Using: client.PtrOf("lexical"), Limit: &limit}); err != nil {
				b.Error(err)
			}
		})
		both.Wait()
		if _, err := store.Hydrate(ctx, c.ID, ids); err != nil {
			b.Error(err)
		}
	}
	ours := func() {
		if found, err := s.Search(ctx, rag.Query{Text: question, Collections: []string{"bench"}, TopK: topK}); err != nil || len(found.Hits) != topK {
			b.Errorf("%d hits, %v", len(found.Hits), err)
		}
	}
	ours()
	reference()
	var a, z time.Duration
	b.ResetTimer()
	for b.Loop() {
		t := time.Now()
		ours()
		a += time.Since(t)
		t = time.Now()
		reference()
		z += time.Since(t)
	}
	b.ReportMetric(float64(a.Microseconds())/float64(b.N), "us/search")
	b.ReportMetric(float64(z.Microseconds())/float64(b.N), "us/bare")
	b.ReportMetric(float64(a)/float64(z), "ratio")
	b.ReportMetric(float64(stored)/float64(chunks), "postgres-bytes/chunk")
}

// BenchmarkReplicas_ThousandDocuments takes 1,000 real paragraphs in, submitted at once through two replicas, and sets the rate beside that of one process that only embeds the same
// texts. It needs EVAL_DATA.
func BenchmarkReplicas_ThousandDocuments(b *testing.B) {
	set, err := eval.Read(evaldata.Path(b, "retrieval", "dureader-robust-dev-half"))
	if err != nil {
		b.Fatal(err)
	}
	documents := set.Documents[:1000]
	texts := make([]string, len(documents))
	for i, d := range documents {
		documents[i].Title = ""
		documents[i].Text = rag.Clip(d.Text, 250)
		texts[i] = documents[i].Text
	}
	alone := func() time.Duration {
		e, err := local.New(local.Options{})
		if err != nil {
			b.Fatal(err)
		}
		started := time.Now()
		for at := 0; at < len(texts); at += 64 {
			if _, err := e.EmbedDocuments(b.Context(), texts[at:min(at+64, len(texts))]); err != nil {
				b.Fatal(err)
			}
		}
		return time.Since(started)
	}
	r := startReplicas(b, production(b)...)
	for b.Loop() {
		name := "c" + strconv.FormatInt(time.Now().UnixNano(), 36)
		if got := r.do("POST", "/v1/collections", map[string]any{"name": name}, nil); got != 201 {
			b.Fatalf("make the collection: %d", got)
		}
		before := alone()
		started := time.Now()
		var submitting sync.WaitGroup
		for w := range 8 {
			submitting.Go(func() {
				for i := w; i < len(documents); i += 8 {
					if got := r.do("POST", "/v1/collections/"+name+"/documents", map[string]any{"external_id": documents[i].ID, "text": documents[i].Text}, nil); got != 202 {
						b.Errorf("submit: %d", got)
					}
				}
			})
		}
		submitting.Wait()
		submitted := time.Since(started)
		drainWithin(b, r.at[0].Load(), 10*time.Minute)
		ingested := time.Since(started)
		after := alone()
		var c struct{ Documents int }
		if got := r.do("GET", "/v1/collections/"+name, nil, &c); got != 200 || c.Documents != len(documents) {
			b.Errorf("got %d, %d documents", got, c.Documents)
		}
		mean := (before + after) / 2
		b.ReportMetric(submitted.Seconds(), "s/submitting")
		b.ReportMetric(ingested.Seconds(), "s/ingesting")
		b.ReportMetric(mean.Seconds(), "s/embedding-alone")
		b.ReportMetric(float64(mean)/float64(ingested), "rate-ratio")
	}
}
