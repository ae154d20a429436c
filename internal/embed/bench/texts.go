package main

import (
	"bufio"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"footnote/internal/embed/local"
)

func passages(e *local.Embedder, words []string, n, tokens int) workload {
	w := workload{name: fmt.Sprintf("%d passages of %d tokens", n, tokens)}
	overhead := 512 - e.MaxTokens()
	for range n {
		var text string
		text, words = exactly(e, words, tokens-overhead)
		w.add(text, tokens)
	}
	return w
}

func query(e *local.Embedder, words []string, tokens int) workload {
	w := workload{name: fmt.Sprintf("a lone query of %d tokens", tokens), query: true}
	text, _ := exactly(e, words, tokens-(512-e.MaxTokens()))
	w.add(text, tokens)
	return w
}

func ragged(e *local.Embedder, paragraphs []string, n int) workload {
	w := workload{name: fmt.Sprintf("%d real paragraphs of any length", n)}
	for i := range n {
		text := paragraphs[i%len(paragraphs)]
		w.add(text, e.CountTokens(text)+512-e.MaxTokens())
	}
	return w
}

func (w *workload) add(text string, tokens int) {
	w.texts, w.lengths, w.tokens = append(w.texts, text), append(w.lengths, tokens), w.tokens+tokens
}

// readTexts reads the words of all files and the paragraphs that the model takes whole.
func readTexts(folder string) (words, paragraphs []string, err error) {
	err = filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		s := bufio.NewScanner(f)
		s.Buffer(nil, 1<<20)
		for s.Scan() {
			fields := strings.Fields(s.Text())
			words = append(words, fields...)
			if n := len([]rune(s.Text())); n >= 40 && n < 350 {
				paragraphs = append(paragraphs, s.Text())
			}
		}
		return s.Err()
	})
	if err == nil && (len(words) < 1000 || len(paragraphs) < 20) {
		err = fmt.Errorf("%s holds too little text", folder)
	}
	return words, paragraphs, err
}
