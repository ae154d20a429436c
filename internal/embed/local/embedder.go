package local

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"footnote/internal/rag"
)

// arithmetic names everything beside the weights that a vector depends on; a change of any of it changes the fingerprint.
const arithmetic = "f32/mean/prefixed"

const (
	queryPrefix    = "query: "
	documentPrefix = "passage: "
	// batchTokens bounds the rows that go through the model together: enough to amortise reading the weights, few enough to stay in the cache
	// and to let a query in between.
	batchTokens = 256
)

// Options configures an Embedder; the zero value is the model as shipped.
type Options struct {
	// DisableCentring leaves the model's own vectors, which share a large mean, as they are.
	DisableCentring bool
}

// Embedder embeds with the built-in model. Any number of goroutines may use it.
type Embedder struct {
	tokenizer   *tokenizer
	encoder     *encoder
	centre      *centre // nil: off
	fingerprint string
	// documents has a slot for each core; queries take none, so that they need not wait behind documents' batches.
	documents chan struct{}
}

// New opens the built-in model. It takes some 0.2 s: the weights are expanded from 4 bits.
func New(o Options) (*Embedder, error) {
	w, err := openWeights(modelBytes())
	if err != nil {
		return nil, rag.Errorf(rag.Internal, "The built-in model cannot be read; build the program anew: %w", err)
	}
	e := &Embedder{documents: make(chan struct{}, runtime.GOMAXPROCS(0))} // one slot a core
	var g errgroup.Group
	g.Go(func() (err error) {
		e.tokenizer, err = newTokenizer(w)
		return err
	})
	g.Go(func() (err error) {
		e.encoder, err = newEncoder(w)
		return err
	})
	version := arithmetic
	if !o.DisableCentring {
		if e.centre, err = openCentre(w.hidden); err != nil {
			return nil, err
		}
		version += "/centred:" + e.centre.id()
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

// Model is the model's published name.
func (e *Embedder) Model() string { return "multilingual-e5-small" }

// Fingerprint changes whenever the same text would get another vector.
func (e *Embedder) Fingerprint() string { return e.fingerprint }

// Dimensions is the length of a vector, 384.
func (e *Embedder) Dimensions() int { return e.encoder.w.hidden }

// MaxTokens is how many tokens, as CountTokens counts them, one text may have beside the model's prefix and marks.
func (e *Embedder) MaxTokens() int {
	return e.encoder.w.positions - 2 - e.tokenizer.count(documentPrefix+"x")
}

// CountTokens is the number of the model's tokens in text, without prefix and marks.
func (e *Embedder) CountTokens(text string) int { return e.tokenizer.count(text) }

// EmbedQueries returns one vector per query, in input order: [len(texts)][384], L2 norm 1.
// Errors: rag.Invalid for an empty text or one over MaxTokens; ctx's own. No partial result is returned.
func (e *Embedder) EmbedQueries(ctx context.Context, texts []string) ([]rag.Embedding, error) {
	return e.embed(ctx, texts, queryPrefix, nil)
}

// EmbedDocuments returns one vector per passage, in input order: [len(texts)][384], L2 norm 1.
// Errors: rag.Invalid for an empty text or one over MaxTokens; ctx's own. No partial result is returned.
func (e *Embedder) EmbedDocuments(ctx context.Context, texts []string) ([]rag.Embedding, error) {
	return e.embed(ctx, texts, documentPrefix, e.documents)
}

func (e *Embedder) embed(ctx context.Context, texts []string, prefix string, slots chan struct{}) ([]rag.Embedding, error) {
	if len(texts) == 0 {
		return nil, nil
	}
	ids := make([][]int32, len(texts))
	order := make([]int, len(texts))
	for i, text := range texts {
		if strings.TrimSpace(text) == "" {
			return nil, rag.Errorf(rag.Invalid, "Text %d to embed is empty.", i)
		}
		order[i] = i
		if ids[i] = e.tokenizer.encode(prefix + text); len(ids[i]) > e.encoder.w.positions {
			return nil, rag.Errorf(rag.Invalid, "Text %d has %d tokens; the model takes %d. Split it.", i, e.tokenizer.count(text), e.MaxTokens())
		}
	}
	// Longest first: the cores end together, and a batch holds sequences of like length.
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(len(ids[b]), len(ids[a])) })
	h := e.encoder.w.hidden
	out := make([]rag.Embedding, len(texts))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for len(order) > 0 {
		n, tokens := 0, 0
		for n < len(order) && (n == 0 || tokens+len(ids[order[n]]) <= batchTokens) {
			tokens += len(ids[order[n]])
			n++
		}
		batch := order[:n]
		order = order[n:]
		g.Go(func() error {
			if slots != nil {
				select {
				case slots <- struct{}{}:
					defer func() { <-slots }()
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			sequences, vectors := make([][]int32, n), make([][]float32, n)
			for i, at := range batch {
				sequences[i], vectors[i] = ids[at], make([]float32, h)
			}
			if err := e.encoder.encode(ctx, sequences, vectors); err != nil {
				return err
			}
			for i, at := range batch {
				if e.centre != nil {
					e.centre.apply(vectors[i], prefix == queryPrefix)
				}
				out[at] = vectors[i]
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return out, nil
}
