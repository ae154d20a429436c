package local

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"footnote/internal/rag"
)

// arithmetic names everything beside the weights that a vector depends on; a change of any of it changes the fingerprint.
const (
	arithmetic      = "u8s8/mean/prefixed"
	exactArithmetic = "f32/mean/prefixed"
)

const (
	queryPrefix    = "query: "
	documentPrefix = "passage: "
	// tileTokens bounds the rows that go through the model together: enough to amortise reading the weights, few enough to stay in the cache
	// and to let a query in between.
	tileTokens = 256
	// minTileTokens is what is not cut smaller to keep a core busy: one tile shared by the cores does better.
	minTileTokens = 64
)

// Options configures an Embedder; the zero value is the model as shipped.
type Options struct {
	// DisableCentring leaves the model's own vectors, which share a large mean and tell languages apart, as they are.
	DisableCentring bool
	// Precision of the linear layers; Float32 is the slow reference.
	Precision Precision
	// Threads is how many cores to use; 0 is GOMAXPROCS.
	Threads int
}

// Embedder embeds with the built-in model or with one from a folder. Any number of goroutines may use it.
type Embedder struct {
	model       string
	tokenizer   vocabulary
	encoder     *encoder
	centre      *centre      // nil: off
	language    []float32    // the direction that AcrossLanguages leaves out; nil: none
	states      *stateCentre // of token states; nil: off
	query       string       // what goes before a query,
	document    string       // and before a passage
	tokens      int          // the greatest length of a sequence with its marks
	fingerprint string
	check       func(vectors [][]float32) error // of what the encoder gave; nil: its weights are in the binary
	threads     int
	gate        gate
	queries     atomic.Int32 // batches of queries,
	batches     atomic.Int32 // and of documents, under way
	documents   chan int     // the cores that no tile of documents is on; queries take none, so that they need not wait behind those
}

// New opens the built-in model. Most of its time, some 25 ms, goes into expanding the weights from 4 bits. Internal when the weights in the binary cannot be read.
func New(o Options) (*Embedder, error) {
	w, err := openWeights(modelBytes())
	if err != nil {
		return nil, rag.Errorf(rag.Internal, "The built-in model cannot be read; build the program anew: %w", err)
	}
	e := newEmbedder(o)
	e.model, e.query, e.document, e.tokens = "multilingual-e5-small", queryPrefix, documentPrefix, w.shape().tokens()
	var g errgroup.Group
	g.Go(func() (err error) {
		e.tokenizer, err = newTokenizer(w)
		return err
	})
	g.Go(func() (err error) {
		e.encoder, err = newEncoder(w.shape(), w, o.Precision)
		return err
	})
	version := arithmetic
	if o.Precision == Float32 {
		version = exactArithmetic
	}
	if !o.DisableCentring {
		if e.centre, err = openCentre(w.hidden); err != nil {
			return nil, err
		}
		version += "/centred:" + e.centre.id()
		if e.language, err = openLanguage(w.hidden); err != nil {
			return nil, err
		}
		if e.states, err = openStateCentre(w.hidden); err != nil {
			return nil, err
		}
	}
	if err := g.Wait(); err != nil {
		return nil, rag.Errorf(rag.Internal, "The built-in model cannot be read; build the program anew: %w", err)
	}
	sum := sha256.New()
	// The two ends of the file tell its releases apart; hashing all 72 MB would make every page of it resident.
	sum.Write(modelBytes()[:1<<16])
	sum.Write(modelBytes()[len(model)-1<<16:])
	sum.Write([]byte(version))
	e.fingerprint = "e5s-" + hex.EncodeToString(sum.Sum(nil))[:24]
	return e, nil
}

func newEmbedder(o Options) *Embedder {
	threads := o.Threads
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	e := &Embedder{threads: threads, documents: make(chan int, threads)} // it holds all cores when nothing is embedded
	for core := range threads {
		e.documents <- core
	}
	return e
}

// Model is the model's published name, or that of its folder.
func (e *Embedder) Model() string { return e.model }

// Fingerprint changes whenever the same text would get another vector as a passage. Queries may come to be compared otherwise with the vectors that there are.
func (e *Embedder) Fingerprint() string { return e.fingerprint }

// Dimensions is the length of a vector: 384 for the built-in model.
func (e *Embedder) Dimensions() int { return e.encoder.hidden }

// Prefixes are what goes before queries and before passages.
func (e *Embedder) Prefixes() (query, document string) { return e.query, e.document }

// MaxTokens is how many tokens, as CountTokens counts them, one text may have beside the model's prefix and marks.
func (e *Embedder) MaxTokens() int {
	before := 0
	for _, prefix := range []string{e.query, e.document} {
		if prefix != "" {
			before = max(before, e.tokenizer.count(prefix+"x")) // where prefix and text meet, one more piece may arise
		}
	}
	marks := len(e.tokenizer.encode("x")) - e.tokenizer.count("x")
	return e.tokens - marks - before
}

// CountTokens is the number of the model's tokens in text, without prefix and marks.
func (e *Embedder) CountTokens(text string) int { return e.tokenizer.count(text) }

// EmbedQueries returns one vector per query, in input order: [len(texts)][Dimensions()], L2 norm 1.
// Errors: rag.Invalid for an empty text or one over MaxTokens; ctx's own. No partial result is returned.
func (e *Embedder) EmbedQueries(ctx context.Context, texts []string) ([]rag.Embedding, error) {
	e.gate.raise()
	defer e.gate.lower()
	return e.embed(ctx, texts, true)
}

// EmbedDocuments returns one vector per passage, in input order: [len(texts)][Dimensions()], L2 norm 1.
// Errors: rag.Invalid for an empty text or one over MaxTokens; ctx's own. No partial result is returned.
func (e *Embedder) EmbedDocuments(ctx context.Context, texts []string) ([]rag.Embedding, error) {
	return e.embed(ctx, texts, false)
}

func (e *Embedder) embed(ctx context.Context, texts []string, query bool) ([]rag.Embedding, error) {
	if len(texts) == 0 {
		return nil, nil
	}
	prefix := e.document
	if query {
		prefix = e.query
	}
	ids := make([][]int32, len(texts))
	order := make([]int, len(texts))
	for i, text := range texts {
		if strings.TrimSpace(text) == "" {
			return nil, rag.Errorf(rag.Invalid, "Text %d to embed is empty.", i)
		}
		order[i] = i
		if ids[i] = e.tokenizer.encode(prefix + text); len(ids[i]) > e.tokens {
			return nil, rag.Errorf(rag.Invalid, "Text %d has %d tokens; the model takes %d. Split it.", i, e.tokenizer.count(text), e.MaxTokens())
		}
	}
	// Longest first: the cores end together, and a tile holds sequences of like length.
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(len(ids[b]), len(ids[a])) })
	tiles := tile(order, ids, e.threads)
	rivals := &e.batches
	if query {
		rivals = &e.queries // documents stand aside, and take no core from it
	}
	defer rivals.Add(-1)
	members := 1
	if rivals.Add(1) == 1 && len(tiles) == 1 {
		members = e.threads // a lone tile is split across the cores
	}
	out := make([]rag.Embedding, len(texts))
	run := func(tile []int) error {
		var between func(context.Context) error
		if !query {
			select {
			case core := <-e.documents:
				defer func() { e.documents <- core }()
				between = func(ctx context.Context) error { return e.gate.pass(ctx, core, e.threads) }
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		sequences, vectors := make([][]int32, len(tile)), make([][]float32, len(tile))
		for i, at := range tile {
			sequences[i], vectors[i] = ids[at], make([]float32, e.encoder.hidden)
			out[at] = vectors[i]
		}
		if err := e.encoder.encode(ctx, sequences, vectors, members, between); err != nil {
			return err
		}
		if e.check != nil {
			if err := e.check(vectors); err != nil {
				return err
			}
		}
		for _, v := range vectors {
			if e.centre != nil {
				e.centre.apply(v, query)
			}
		}
		return nil
	}
	if len(tiles) == 1 {
		if err := run(tiles[0]); err != nil {
			return nil, err
		}
		return out, nil
	}
	g, groupCtx := errgroup.WithContext(ctx)
	g.SetLimit(e.threads)
	ctx = groupCtx
	for _, t := range tiles {
		g.Go(func() error { return run(t) })
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return out, nil
}

// tile cuts order, longest first, into runs of at most tileTokens tokens (or one text) that keep all cores busy to the end: no larger
// than the threads' even share.
func tile(order []int, ids [][]int32, threads int) [][]int {
	total := 0
	for _, at := range order {
		total += len(ids[at])
	}
	limit := tileTokens
	if total > minTileTokens {
		rounds := (total + threads*tileTokens - 1) / (threads * tileTokens)
		limit = max(minTileTokens, min(limit, (total+rounds*threads-1)/(rounds*threads)))
	}
	var tiles [][]int
	for len(order) > 0 {
		n, tokens := 0, 0
		for n < len(order) && (n == 0 || tokens+len(ids[order[n]]) <= limit) {
			tokens += len(ids[order[n]])
			n++
		}
		tiles = append(tiles, order[:n])
		order = order[n:]
	}
	return tiles
}
