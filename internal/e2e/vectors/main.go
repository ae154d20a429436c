// Command vectors embeds the labelled sets with the built-in model, once, into a file that the index's tests and benchmark read: they
// may not know the model themselves. `make bench-index` calls it.
package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"footnote/internal/embed/local"
	"footnote/internal/eval"
	"footnote/internal/rag"
)

func main() {
	data := flag.String("data", os.Getenv("EVAL_DATA"), "folder with retrieval/NAME/{corpus,queries}.jsonl")
	sets := flag.String("sets", "scifact,cranfield,rgb-zh,dureader-robust-dev-half,xquad-en,xquad-zh,clapnq-dev-half,cmrc2018,drcd-dev", "the sets, comma separated")
	out := flag.String("out", "", "file to write; one that is there is kept")
	passages := flag.Int("passages", 10000, "most passages to embed")
	queries := flag.Int("queries", 1000, "most queries to embed")
	clip := flag.Int("bytes", 480, "bytes of a passage's text that are embedded: as many tokens in English as in Chinese, about")
	flag.Parse()
	if err := run(*data, strings.Split(*sets, ","), *out, *passages, *queries, *clip); err != nil {
		fmt.Fprintln(os.Stderr, "vectors:", err)
		os.Exit(1)
	}
}

func run(data string, sets []string, out string, passages, queries, clip int) error {
	if _, err := os.Stat(out); err == nil {
		return nil
	}
	var documents, questions []string
	for _, name := range sets {
		set, err := eval.Read(filepath.Join(data, "retrieval", name))
		if err != nil {
			return err
		}
		for _, d := range set.Documents {
			if text := strings.TrimSpace(d.Title + "\n" + clipped(d.Text, clip)); text != "" {
				documents = append(documents, text)
			}
		}
		for _, q := range set.Queries {
			questions = append(questions, q.Text)
		}
	}
	documents, questions = sample(documents, passages), sample(questions, queries)
	e, err := local.New(local.Options{})
	if err != nil {
		return err
	}
	embedQueries := func(ctx context.Context, texts []string) ([]rag.Embedding, error) {
		vectors, err := e.EmbedQueries(ctx, texts)
		for i, v := range vectors {
			vectors[i] = e.AcrossLanguages(v) // the passages are in two languages
		}
		return vectors, err
	}
	return write(out, e.Dimensions(), documents, questions, e.EmbedDocuments, embedQueries)
}

func clipped(s string, bytes int) string {
	if len(s) <= bytes {
		return s
	}
	return strings.ToValidUTF8(s[:bytes], "")
}

// sample takes n of the texts at random, always the same, so that a shorter list is the beginning of a longer one.
func sample(all []string, n int) []string {
	r := rand.New(rand.NewPCG(1, 2))
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:min(n, len(all))]
}

type embed func(context.Context, []string) ([]rag.Embedding, error)

// write makes the file: a line of JSON with the three counts, then the passages' vectors and the queries', float32, little end first.
func write(out string, dims int, documents, questions []string, embedDocuments, embedQueries embed) error {
	f, err := os.CreateTemp(filepath.Dir(out), filepath.Base(out)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone when it was renamed
	w := bufio.NewWriterSize(f, 1<<20)
	if err := json.NewEncoder(w).Encode(map[string]int{"dims": dims, "passages": len(documents), "queries": len(questions)}); err != nil {
		return err
	}
	if err := each(w, documents, embedDocuments); err != nil {
		return err
	}
	if err := each(w, questions, embedQueries); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), out)
}

func each(w io.Writer, texts []string, embed embed) error {
	const batch = 256
	for at := 0; at < len(texts); at += batch {
		vectors, err := embed(context.Background(), texts[at:min(at+batch, len(texts))])
		if err != nil {
			return err
		}
		for _, v := range vectors {
			if err := binary.Write(w, binary.LittleEndian, []float32(v)); err != nil {
				return err
			}
		}
		fmt.Fprintf(os.Stderr, "\rembedded %d of %d", min(at+batch, len(texts)), len(texts))
	}
	fmt.Fprintln(os.Stderr)
	return nil
}
