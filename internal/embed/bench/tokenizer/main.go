// Command tokenizer measures the built-in tokenizer beside Hugging Face's, with the same pieces on the same texts, one thread each, in
// turns in one run. `make bench-tokenizer` calls it.
package main

import (
	"bufio"
	_ "embed" // the peer's script
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"footnote/internal/embed/local"
)

//go:embed huggingface.py
var script string

func main() {
	python := flag.String("python", "python3", "a Python that has tokenizers")
	weights := flag.String("weights", "internal/embed/local/model/e5-small-q4.bin", "the weights file, which has the pieces")
	folder := flag.String("texts", "examples/xquad", "folder with a folder of text files a language; each paragraph is a text")
	rounds := flag.Int("rounds", 9, "turns; each figure is the median")
	flag.Parse()
	if err := run(*python, *weights, *folder, *rounds); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// contender is one way to split the texts; run returns how many tokens it made of them in how many seconds.
type contender struct {
	name            string
	run             func(texts []string) (tokens int, seconds float64, err error)
	tokens          int
	seconds, faster []float64
}

func run(python, weights, folder string, rounds int) error {
	e, err := local.New(local.Options{})
	if err != nil {
		return err
	}
	p, err := openPeer(python, weights)
	if err != nil {
		return err
	}
	defer p.close()
	languages, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	fmt.Printf("tokenizers %s, one thread, %d rounds; medians\n", p.version, rounds)
	for _, language := range languages {
		if !language.IsDir() {
			continue
		}
		texts, err := paragraphs(filepath.Join(folder, language.Name()))
		if err != nil {
			return err
		}
		all := []*contender{
			{name: "footnote", run: func(texts []string) (tokens int, seconds float64, err error) {
				started := time.Now()
				for _, text := range texts {
					tokens += e.CountTokens(text)
				}
				return tokens, time.Since(started).Seconds(), nil
			}},
			{name: "tokenizers", run: p.splits(true)},
			{name: "tokenizers, not normalising", run: p.splits(false)},
		}
		if err := compare(all, texts, rounds); err != nil {
			return err
		}
		fmt.Printf("\n%s, %d paragraphs\n| tokenizer | tokens | tokens/s | footnote is faster by |\n| --- | --- | --- | --- |\n", language.Name(), len(texts))
		for _, c := range all {
			fmt.Printf("| %s | %d | %.0f | %.1f |\n", c.name, c.tokens, float64(c.tokens)/median(c.seconds), median(c.faster))
		}
	}
	return nil
}

func compare(all []*contender, texts []string, rounds int) error {
	for round := range rounds + 1 { // the first warms up
		for _, c := range all {
			tokens, seconds, err := c.run(texts)
			if err != nil {
				return err
			}
			if c.tokens = tokens; round > 0 {
				c.seconds = append(c.seconds, seconds)
				c.faster = append(c.faster, seconds/all[0].seconds[len(all[0].seconds)-1])
			}
		}
	}
	return nil
}

func paragraphs(folder string) (texts []string, err error) {
	files, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		return nil, err
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		for p := range strings.SplitSeq(string(b), "\n\n") {
			if p = strings.TrimSpace(p); p != "" {
				texts = append(texts, p)
			}
		}
	}
	if len(texts) == 0 {
		return nil, fmt.Errorf("%s holds no text", folder)
	}
	return texts, nil
}

// peer is Hugging Face's tokenizers in a Python process, idle while we run.
type peer struct {
	version string
	command *exec.Cmd
	in      io.WriteCloser
	out     *json.Decoder
}

func openPeer(python, weights string) (*peer, error) {
	p := &peer{command: exec.Command(python, "-c", script, weights)}
	p.command.Stderr = os.Stderr
	in, err := p.command.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := p.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.in, p.out = in, json.NewDecoder(bufio.NewReader(out))
	if err := p.command.Start(); err != nil {
		return nil, err
	}
	var hello struct{ Version string }
	if err := p.out.Decode(&hello); err != nil {
		return nil, errors.Join(errors.New("tokenizers do not start: pip install tokenizers, and name that Python with -python"), err, p.close())
	}
	p.version = hello.Version
	return p, nil
}

func (p *peer) splits(normalise bool) func([]string) (int, float64, error) {
	return func(texts []string) (int, float64, error) {
		if err := json.NewEncoder(p.in).Encode(map[string]any{"texts": texts, "normalise": normalise}); err != nil {
			return 0, 0, err
		}
		var answer struct {
			Tokens  int
			Seconds float64
		}
		if err := p.out.Decode(&answer); err != nil {
			return 0, 0, fmt.Errorf("the peer stopped: %w", err)
		}
		return answer.Tokens, answer.Seconds, nil
	}
}

func (p *peer) close() error { return errors.Join(p.in.Close(), p.command.Wait()) }

func median(v []float64) float64 { return slices.Sorted(slices.Values(v))[len(v)/2] }
