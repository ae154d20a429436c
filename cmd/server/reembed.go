package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"

	"footnote/internal/rag"
)

type reembeddingJSON struct {
	State    rag.ReembeddingState `json:"state"`
	Other    struct{ Model string }
	Progress struct{ Done, Total int }
	Gate     *struct {
		Queries       int
		Before, After float64
		MinRatio      float64 `json:"min_ratio"`
	}
	Error *string
}

func (p *program) reembedCommand() *cobra.Command {
	var server, model, queries string
	var minRatio float64
	var noSwap, swap, end bool
	cmd := &cobra.Command{
		Use:   "reembed COLLECTION",
		Short: "Give a collection another embedding model, beside the one in use, and swap when it does as well",
		Long: `The other model is the one of FOOTNOTE_OTHER_EMBED_BASE_URL and _MODEL (or a folder, or "built-in"), which every replica must have. Its vectors are made beside
those in use; when all are there, both models answer the same questions, and the other one is put in use when its mean reciprocal rank is at least --min-ratio
of the present one's. Questions come from --queries, a JSON Lines file of {"query": …, "documents": [external ids]}, or are sentences of the
documents themselves. Searches go on all the while. --swap puts the former model in use again; --end forgets the one that is not in use.`,
		Example: `  FOOTNOTE_OTHER_EMBED_BASE_URL=http://127.0.0.1:8000/v1 FOOTNOTE_OTHER_EMBED_MODEL=bge-m3 footnote reembed handbook
  footnote reembed handbook --swap     # and back again
  footnote reembed handbook --end      # keep what is in use, drop the rest`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, stop, err := p.connect(cmd.Context(), server)
			if err != nil {
				return err
			}
			defer stop()
			path := collectionPath(args[0]) + "/reembedding"
			switch {
			case swap && end:
				return rag.Errorf(rag.Invalid, "--swap and --end are two steps; take one at a time.")
			case end:
				if err := c.do(cmd.Context(), http.MethodDelete, path, nil, "", nil); err != nil {
					return err
				}
				fmt.Fprintln(p.stdout, "The model that was not in use is forgotten.")
				return nil
			case swap:
				return p.showReembedding(cmd.Context(), c, http.MethodPost, path+"/swap", nil)
			}
			body := map[string]any{"swap": !noSwap, "min_ratio": minRatio}
			if model != "" {
				body["model"] = model
			}
			if queries != "" {
				judged, err := readJudged(queries)
				if err != nil {
					return err
				}
				body["queries"] = judged
			}
			if err := c.do(cmd.Context(), http.MethodPost, path, body, "", nil); err != nil {
				return err
			}
			for {
				var r reembeddingJSON
				if err := c.do(cmd.Context(), http.MethodGet, path, nil, "", &r); err != nil {
					return err
				}
				if r.State == rag.ReembedHeld || r.State == rag.ReembedSwapped || r.State == rag.ReembedReady && noSwap {
					return p.showReembedding(cmd.Context(), c, http.MethodGet, path, nil)
				}
				fmt.Fprintf(p.stderr, "\r%d of %d chunks ", r.Progress.Done, r.Progress.Total)
				select {
				case <-cmd.Context().Done():
					return cmd.Context().Err()
				case <-time.After(300 * time.Millisecond):
				}
			}
		},
	}
	cmd.Flags().StringVar(&server, "server", "", "URL of a running service (default: the one that has the data folder, else this process)")
	cmd.Flags().StringVar(&model, "model", "", "the other model's name, when the service has several")
	cmd.Flags().StringVar(&queries, "queries", "", "JSON Lines file of questions with the external ids of the documents that answer them")
	cmd.Flags().Float64Var(&minRatio, "min-ratio", 0.95, "least ratio of the other model's mean reciprocal rank to the present one's")
	cmd.Flags().BoolVar(&noSwap, "no-swap", false, "make the vectors and compare, but do not swap")
	cmd.Flags().BoolVar(&swap, "swap", false, "put the model in use that is not")
	cmd.Flags().BoolVar(&end, "end", false, "forget the model that is not in use")
	return cmd
}

func (p *program) showReembedding(ctx context.Context, c *client, method, path string, body any) error {
	var raw json.RawMessage
	if err := c.do(ctx, method, path, body, "", &raw); err != nil {
		return err
	}
	if p.asJSON {
		_, err := fmt.Fprintln(p.stdout, string(raw))
		return err
	}
	var r reembeddingJSON
	if err := json.Unmarshal(raw, &r); err != nil {
		return err
	}
	if r.Gate != nil && r.Gate.Queries > 0 {
		fmt.Fprintf(p.stdout, "%d questions: mean reciprocal rank %.3f before, %.3f after (at least %.2f of it was asked for)\n", r.Gate.Queries, r.Gate.Before, r.Gate.After, r.Gate.MinRatio)
	}
	switch r.State {
	case rag.ReembedSwapped:
		fmt.Fprintf(p.stdout, "The collection uses the new model; %s is kept until --end, and --swap goes back to it.\n", r.Other.Model)
	case rag.ReembedReady:
		fmt.Fprintf(p.stdout, "The vectors of %s are ready; --swap puts them in use.\n", r.Other.Model)
	case rag.ReembedHeld:
		why := "the gate did not let it pass"
		if r.Error != nil {
			why = *r.Error
		}
		return exitError{exitFailed, fmt.Errorf("not swapped: %s; --swap does it all the same, --end gives it up", why)}
	}
	return nil
}

func readJudged(path string) ([]json.RawMessage, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, rag.Errorf(rag.Invalid, "The questions cannot be opened: %w", err)
	}
	defer f.Close()
	var out []json.RawMessage
	for d := json.NewDecoder(f); d.More(); {
		var q json.RawMessage
		if err := d.Decode(&q); err != nil {
			return nil, rag.Errorf(rag.Invalid, "Question %d of %s cannot be read: %w", len(out)+1, path, err)
		}
		out = append(out, q)
	}
	return out, nil
}
