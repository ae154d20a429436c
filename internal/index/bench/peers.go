package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/analysis/analyzer/custom"
	"github.com/blevesearch/bleve/v2/analysis/tokenizer/whitespace"
	"github.com/philippgille/chromem-go"

	"footnote/internal/lexical"
)

// chromem fills a collection of chromem-go with the same vectors.
func (b *bench) chromem(ctx context.Context) (search func([]float32) error, err error) {
	c, err := chromem.NewDB().CreateCollection("bench", nil, func(context.Context, string) ([]float32, error) { return nil, fmt.Errorf("vectors are given") })
	if err != nil {
		return nil, err
	}
	documents := make([]chromem.Document, b.n)
	for i := range documents {
		documents[i] = chromem.Document{ID: string(chunkID(i)), Embedding: b.vector(i), Content: "x"}
	}
	if err := c.AddDocuments(ctx, documents, runtime.NumCPU()); err != nil {
		return nil, err
	}
	return func(q []float32) error {
		_, err := c.QueryEmbedding(ctx, q, 10, nil, nil)
		return err
	}, nil
}

// terms gives bleve the very terms that the index has, apart by spaces.
func terms(text string) string {
	var out []string
	for _, t := range lexical.Terms(text) {
		out = append(out, t.Text)
	}
	return strings.Join(out, " ")
}

// bleve fills an index of bleve, on disk as it is by default, with the same terms.
func (b *bench) bleve() (search func(string) error, done func(), err error) {
	mapping := bleve.NewIndexMapping()
	if err := mapping.AddCustomAnalyzer("terms", map[string]any{"type": custom.Name, "tokenizer": whitespace.Name}); err != nil {
		return nil, nil, err
	}
	mapping.DefaultAnalyzer = "terms"
	mapping.StoreDynamic, mapping.DocValuesDynamic = false, false
	dir, err := os.MkdirTemp("", "bleve")
	if err != nil {
		return nil, nil, err
	}
	x, err := bleve.New(dir+"/index", mapping)
	if err != nil {
		return nil, nil, err
	}
	for at := 0; at < b.n; at += 1000 {
		batch := x.NewBatch()
		for i := at; i < min(at+1000, b.n); i++ {
			if err := batch.Index(string(chunkID(i)), map[string]string{"text": terms(b.texts.Passage(i))}); err != nil {
				return nil, nil, err
			}
		}
		if err := x.Batch(batch); err != nil {
			return nil, nil, err
		}
	}
	return func(text string) error {
			q := bleve.NewMatchQuery(terms(text))
			q.SetField("text")
			_, err := x.Search(bleve.NewSearchRequestOptions(q, 10, 0, false))
			return err
		}, func() {
			_ = x.Close()
			_ = os.RemoveAll(dir)
		}, nil
}
