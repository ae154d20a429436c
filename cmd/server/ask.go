package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

func (p *program) askCommand() *cobra.Command {
	var q question
	var server, docs string
	cmd := &cobra.Command{
		Use:   "ask QUESTION",
		Short: "Answer a question with footnotes, from a collection or straight from a folder",
		Long: `Answer a question with footnotes. Exit code 3 says that the documents have no answer.

On a terminal the text comes as it is made, then the footnotes; elsewhere all of it at once.

With --docs the folder is read into a temporary store that is removed afterwards: nothing is left behind.`,
		Example: `  footnote ask --collection handbook "How long is parental leave?"
  footnote ask --docs ./docs "育儿假有多长？"
  footnote ask --collection handbook --json "…" | jq .citations`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			if docs != "" {
				folder, err := os.MkdirTemp("", "footnote-ask-")
				if err != nil {
					return fmt.Errorf("make a temporary folder: %w", err)
				}
				defer os.RemoveAll(folder)
				p.flags["DATA"] = folder
				q.Collections = []string{"docs"}
			}
			c, stop, err := p.connect(ctx, server)
			if err != nil {
				return err
			}
			defer stop()
			if docs != "" {
				files, err := p.collect(docs, "")
				if err != nil {
					return err
				}
				quiet := *p
				quiet.stdout = io.Discard
				err = quiet.ingest(ctx, c, q.Collections[0], files)
				var lacks *lacksFiles
				if errors.As(err, &lacks) && lacks.taken > 0 {
					fmt.Fprintln(p.stderr, "the answer is from the other files")
				} else if err != nil {
					return err
				}
			}
			q.Query = strings.Join(args, " ")
			var got answerShown
			if !p.asJSON && interactive(p.stdout) {
				if got, err = askStreamed(ctx, c, q, p.stdout); err != nil {
					return err
				}
				got.printNotes(p.stdout)
			} else {
				var raw json.RawMessage
				if got, err = ask(ctx, c, q, &raw); err != nil {
					return err
				}
				if p.asJSON {
					if _, err := fmt.Fprintln(p.stdout, string(raw)); err != nil {
						return err
					}
				} else {
					got.print(p.stdout)
				}
			}
			if got.Status == "abstained" {
				return exitError{code: exitAbstained}
			}
			return nil
		},
	}
	cmd.Flags().StringSliceVarP(&q.Collections, "collection", "c", []string{"default"}, "collections to ask, comma-separated")
	cmd.Flags().StringVar(&docs, "docs", "", "answer from this folder or file instead, leaving nothing behind")
	cmd.Flags().StringVar(&server, "server", "", "address of a running service")
	cmd.Flags().IntVar(&q.TopK, "top-k", 8, "passages to answer from")
	cmd.Flags().IntVar(&q.Neighbours, "neighbours", 0, "chunks before and after the best passages to answer from, too; at most 2")
	cmd.Flags().StringVar(&q.Language, "language", "", "language of the answer, such as en, zh-Hans or zh-Hant (default: the question's)")
	cmd.Flags().StringVar(&q.Verify, "verify", "", "how claims are checked: off, fast, or judge to ask the judge as well (default fast)")
	cmd.Flags().StringVar(&q.Policy, "policy", "", "what becomes of claims that nothing bears out: mark, drop, or strict to withhold the answer (default mark)")
	cmd.MarkFlagsMutuallyExclusive("docs", "collection")
	cmd.MarkFlagsMutuallyExclusive("docs", "server")
	return cmd
}

// answerShown is the part of the API's answer that the command line shows.
type answerShown struct {
	Status  string   `json:"status"`
	Reason  string   `json:"reason"`
	Text    string   `json:"text"`
	Missing []string `json:"missing"`
	Nearest []struct {
		Document struct {
			ExternalID string `json:"external_id"`
		} `json:"document"`
	} `json:"nearest"`
	Citations []struct {
		Marker   int `json:"marker"`
		Document struct {
			ExternalID string `json:"external_id"`
			Title      string `json:"title"`
		} `json:"document"`
		SourceSpan  struct{ Start, End int } `json:"source_span"`
		Quote       string                   `json:"quote"`
		HeadingPath []string                 `json:"heading_path"`
		Page        *int                     `json:"page"`
		URL         string                   `json:"url"`
		Verified    bool                     `json:"verified"`
		Verdict     string                   `json:"verdict"`
	} `json:"citations"`
}

// question is the request for an answer.
type question struct {
	Query       string   `json:"query"`
	Collections []string `json:"collections"`
	TopK        int      `json:"top_k"`
	Neighbours  int      `json:"neighbours"`
	Language    string   `json:"language,omitempty"`
	Verify      string   `json:"verify,omitempty"`
	Policy      string   `json:"policy,omitempty"`
	Stream      bool     `json:"stream,omitempty"`
}

func ask(ctx context.Context, c *client, q question, raw *json.RawMessage) (answerShown, error) {
	var got answerShown
	if err := c.do(ctx, http.MethodPost, "/v1/query", q, "", raw); err != nil {
		return got, err
	}
	if err := json.Unmarshal(*raw, &got); err != nil {
		return got, fmt.Errorf("decode the answer: %w", err)
	}
	return got, nil
}

// print writes the answer and its numbered sources.
func (a answerShown) print(w io.Writer) {
	if a.Status == "abstained" {
		fmt.Fprintln(w, a.Text)
		if a.Reason != "" {
			fmt.Fprintln(w, "  "+a.Reason)
		}
		var nearest []string
		for _, n := range a.Nearest {
			nearest = append(nearest, n.Document.ExternalID)
		}
		if len(nearest) > 0 {
			fmt.Fprintln(w, "  Nearest: "+strings.Join(nearest, ", "))
		}
		return
	}
	fmt.Fprintln(w, a.Text)
	a.printNotes(w)
}

// printNotes writes what stands below an answer's text.
func (a answerShown) printNotes(w io.Writer) {
	if a.Reason != "" {
		fmt.Fprintln(w, "  ("+a.Reason+")")
	}
	for _, c := range a.Citations {
		where := c.Document.ExternalID
		if len(c.HeadingPath) > 0 {
			where += " › " + strings.Join(c.HeadingPath, " › ")
		}
		if c.Page != nil && *c.Page > 0 {
			where += fmt.Sprintf(", page %d", *c.Page)
		}
		state := "verified"
		if !c.Verified {
			state = "NOT verified"
		}
		switch c.Verdict {
		case "weak":
			state += ", bears the claim out weakly"
		case "unsupported":
			state += ", does NOT bear the claim out"
		case "contradicted":
			state += ", CONTRADICTS the claim"
		}
		fmt.Fprintf(w, "\n[%d] %s, characters %d–%d, %s\n    “%s”\n", c.Marker, where, c.SourceSpan.Start, c.SourceSpan.End, state, strings.ReplaceAll(c.Quote, "\n", "\n     "))
	}
}
