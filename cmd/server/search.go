package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"footnote/internal/rag"
)

func (p *program) searchCommand() *cobra.Command {
	var collections []string
	var server, mode, fusion, effort, rerank, explainDocument string
	var topK, rerankDepth, maxPerDocument int
	var explain, collapse bool
	cmd := &cobra.Command{
		Use:   "search QUERY",
		Short: "Find the passages that bear on a query",
		Example: `  footnote search --collection handbook "parental leave"
  footnote search --collection handbook --mode lexical --explain ERR_404
  footnote search --collection handbook --rerank late '"parental leave" in Hong Kong'
  footnote search --collection handbook --explain-document leave.md "maternity pay"`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			c, stop, err := p.connect(ctx, server)
			if err != nil {
				return err
			}
			defer stop()
			var raw json.RawMessage
			in := map[string]any{"query": strings.Join(args, " "), "collections": collections, "mode": mode, "top_k": topK, "explain": explain, "collapse": collapse}
			// What is not said is the service's to choose.
			for name, value := range map[string]any{
				"fusion": fusion, "effort": effort, "rerank": rerank, "rerank_depth": rerankDepth, "max_per_document": maxPerDocument, "explain_document": explainDocument,
			} {
				if cmd.Flags().Changed(strings.ReplaceAll(name, "_", "-")) {
					in[name] = value
				}
			}
			err = c.do(ctx, http.MethodPost, "/v1/search", in, "", &raw)
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
					Duplicates []struct {
						Document struct {
							ExternalID string `json:"external_id"`
						} `json:"document"`
					} `json:"duplicates"`
					Explain json.RawMessage `json:"explain"`
				} `json:"hits"`
				Degraded []string `json:"degraded"`
				Explain  struct {
					Document *struct{ Asked, Outcome, Detail string } `json:"document"`
				} `json:"explain"`
			}
			if err := json.Unmarshal(raw, &got); err != nil {
				return fmt.Errorf("decode the answer: %w", err)
			}
			for _, h := range got.Hits {
				fmt.Fprintf(p.stdout, "%2d  %.3f  %s, characters %d–%d\n    %s\n", h.Rank, h.Score, h.Document.ExternalID, h.Chunk.Span.Start, h.Chunk.Span.End,
					rag.Clip(strings.Join(strings.Fields(h.Chunk.Text), " "), 160))
				for _, d := range h.Duplicates {
					fmt.Fprintf(p.stdout, "    nearly the same: %s\n", d.Document.ExternalID)
				}
				if explain {
					fmt.Fprintf(p.stdout, "    %s\n", h.Explain)
				}
			}
			if d := got.Explain.Document; d != nil {
				fmt.Fprintf(p.stdout, "%s: %s. %s\n", d.Asked, strings.ReplaceAll(d.Outcome, "_", " "), d.Detail)
			}
			if len(got.Degraded) > 0 {
				fmt.Fprintf(p.stderr, "footnote: left out, because it failed: %s\n", strings.Join(got.Degraded, ", "))
			}
			if len(got.Hits) == 0 {
				return exitError{code: exitAbstained, err: errors.New("nothing found")}
			}
			return nil
		},
	}
	cmd.Flags().StringSliceVarP(&collections, "collection", "c", []string{"default"}, "collections to search, comma-separated")
	cmd.Flags().StringVar(&server, "server", "", "address of a running service")
	cmd.Flags().StringVar(&mode, "mode", "hybrid", "hybrid, dense or lexical")
	cmd.Flags().IntVar(&topK, "top-k", 10, "hits to show")
	cmd.Flags().StringVar(&fusion, "fusion", "", "zscore, rrf or convex (default: zscore)")
	cmd.Flags().StringVar(&effort, "effort", "", "normal, or high: search again near the best (default: normal)")
	cmd.Flags().StringVar(&rerank, "rerank", "", "none, late or endpoint (default: the service's, FOOTNOTE_RERANK)")
	cmd.Flags().IntVar(&rerankDepth, "rerank-depth", 20, "candidates to rerank")
	cmd.Flags().IntVar(&maxPerDocument, "max-per-document", 0, "most hits of one document (default: any number)")
	cmd.Flags().BoolVar(&collapse, "collapse", false, "show near-duplicates as one hit")
	cmd.Flags().StringVar(&explainDocument, "explain-document", "", "tell why the document with this id or external id is, or is not, found")
	cmd.Flags().BoolVar(&explain, "explain", false, "show each stage's rank and score")
	return cmd
}
