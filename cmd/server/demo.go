package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"
)

// demoQuestions are one in English, one in Chinese, and one that the sample documents cannot answer.
var demoQuestions = []string{
	"Who discovered oxygen independently in Uppsala?",
	"成吉思汗娶了哪个部落的孛儿帖？",
	"What is the boiling point of tungsten hexafluoride in the Toyota factory?",
}

func (p *program) demoCommand() *cobra.Command {
	var docs string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Start the service with a sample collection, ask it three questions and keep serving",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return p.demo(cmd.Context(), docs) },
	}
	cmd.Flags().StringVar(&docs, "docs", "examples/xquad", "folder of the sample documents")
	return cmd
}

func (p *program) demo(ctx context.Context, docs string) error {
	if p.flags["DATA"] == "" {
		p.flags["DATA"] = "./footnote-data/demo"
	}
	p.flags["LOG_LEVEL"] = "warn"
	c, err := p.config()
	if err != nil {
		return err
	}
	files, err := p.collect(docs, "")
	if err != nil {
		return err
	}
	a, err := openApp(ctx, c, p.logger(c, p.stderr))
	if err != nil {
		return err
	}
	defer a.close()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	address := make(chan string, 1) // one send, which must not wait for the reader
	failed := make(chan error, 1)   // likewise
	shown := make(chan struct{})
	go func() {
		defer close(shown)
		select {
		case <-ctx.Done():
		case addr := <-address:
			if err := p.show(ctx, newClient("http://"+addr, c.APIKey.Reveal()), "http://"+addr, files); err != nil {
				failed <- err
				stop()
			}
		}
	}()
	err = a.listenAndServe(ctx, func(addr string) { address <- addr })
	stop()
	<-shown
	select {
	case shownErr := <-failed:
		return shownErr
	default:
		return err
	}
}

// show takes the samples in, asks and prints what to type next.
func (p *program) show(ctx context.Context, c *client, base string, files []inputFile) error {
	fmt.Fprintf(p.stdout, "Footnote listens on %s\nTaking in %d sample documents, English and Chinese:\n", base, len(files))
	if err := p.ingest(ctx, c, "samples", files); err != nil {
		return err
	}
	for _, q := range demoQuestions {
		var raw json.RawMessage
		got, err := ask(ctx, c, question{Query: q, Collections: []string{"samples"}, TopK: 8}, &raw)
		if err != nil {
			return err
		}
		fmt.Fprintf(p.stdout, "\n─── %s\n", q)
		got.print(p.stdout)
	}
	fmt.Fprintf(p.stdout, `
Go on with:
  curl -s %[1]s/v1/query -H 'Content-Type: application/json' -d '{"query": "What is a prime mover of the steam engine?", "collections": ["samples"]}'
  curl -s %[1]s/v1/search -H 'Content-Type: application/json' -d '{"query": "黑死病", "collections": ["samples"], "top_k": 3}'
  curl -s %[1]s/v1/collections -H 'Content-Type: application/json' -d '{"name": "mine"}'
  curl -s '%[1]s/v1/collections/mine/documents?wait=30s' -F file=@README.md
The API is described at %[1]s/docs. Ctrl-C ends the service.
`, base)
	return nil
}
