package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"footnote/internal/rag"
)

func (p *program) searchCommand() *cobra.Command {
	var collections []string
	var server, mode string
	var topK int
	var explain bool
	cmd := &cobra.Command{
		Use:   "search QUERY",
		Short: "Find the passages that bear on a query",
		Example: `  footnote search --collection handbook "parental leave"
  footnote search --collection handbook --mode lexical --explain ERR_404`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			c, stop, err := p.connect(ctx, server)
			if err != nil {
				return err
			}
			defer stop()
			var raw json.RawMessage
			err = c.do(ctx, http.MethodPost, "/v1/search", map[string]any{
				"query": strings.Join(args, " "), "collections": collections, "mode": mode, "top_k": topK, "explain": explain,
			}, "", &raw)
			if err != nil {
				return err
			}
			if p.asJSON {
				_, err := fmt.Fprintln(p.stdout, string(raw))
				return err
			}
			var got struct {
				Hits []struct {
					Rank     int     `json:"rank"`
					Score    float64 `json:"score"`
					Document struct {
						ExternalID string `json:"external_id"`
					} `json:"document"`
					Chunk struct {
						Text string                   `json:"text"`
						Span struct{ Start, End int } `json:"span"`
					} `json:"chunk"`
					Explain json.RawMessage `json:"explain"`
				} `json:"hits"`
			}
			if err := json.Unmarshal(raw, &got); err != nil {
				return fmt.Errorf("decode the answer: %w", err)
			}
			for _, h := range got.Hits {
				fmt.Fprintf(p.stdout, "%2d  %.3f  %s, characters %d–%d\n    %s\n", h.Rank, h.Score, h.Document.ExternalID, h.Chunk.Span.Start, h.Chunk.Span.End,
					rag.Clip(strings.Join(strings.Fields(h.Chunk.Text), " "), 160))
				if explain {
					fmt.Fprintf(p.stdout, "    %s\n", h.Explain)
				}
			}
			if len(got.Hits) == 0 {
				return exitError{code: exitAbstained, err: fmt.Errorf("nothing found")}
			}
			return nil
		},
	}
	cmd.Flags().StringSliceVarP(&collections, "collection", "c", []string{"default"}, "collections to search, comma-separated")
	cmd.Flags().StringVar(&server, "server", "", "address of a running service")
	cmd.Flags().StringVar(&mode, "mode", "hybrid", "hybrid, dense or lexical")
	cmd.Flags().IntVar(&topK, "top-k", 10, "hits to show")
	cmd.Flags().BoolVar(&explain, "explain", false, "show each stage's rank and score")
	return cmd
}
