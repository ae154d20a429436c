package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

func (p *program) groundCommand() *cobra.Command {
	var collections, passages []string
	var server, verify string
	var topK int
	var failBelow float64
	cmd := &cobra.Command{
		Use:   "ground FILE",
		Short: "Check a text, whoever wrote it: each claim with the words that bear it out",
		Long: `Check a text against collections or passages. FILE may be - for standard input. Each claim is shown with its verdict, its support from 0 to 1 and the quote
that bears it out best, or with what the source says otherwise.

With --passages nothing is kept. Exit code 1 says that the share of supported claims is below --fail-below.`,
		Example: `  footnote ground answer.md --collection handbook
  footnote ground answer.md --passages leave.md,travel.md
  some-model "How long is leave?" | footnote ground - -c handbook --fail-below 0.8`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if failBelow < 0 || failBelow > 1 {
				return exitError{exitUsage, fmt.Errorf("--fail-below must be between 0 and 1, got %g", failBelow)}
			}
			checked, err := p.readText(args[0])
			if err != nil {
				return err
			}
			in := map[string]any{"text": checked, "verify": verify}
			if len(passages) > 0 {
				given, err := p.readPassages(passages)
				if err != nil {
					return err
				}
				in["passages"] = given
				if server == "" {
					folder, err := os.MkdirTemp("", "footnote-ground-")
					if err != nil {
						return fmt.Errorf("make a temporary folder: %w", err)
					}
					defer os.RemoveAll(folder)
					p.flags["DATA"] = folder
				}
			} else {
				in["collections"], in["top_k"] = collections, topK
			}
			ctx := cmd.Context()
			c, stop, err := p.connect(ctx, server)
			if err != nil {
				return err
			}
			defer stop()
			var raw json.RawMessage
			if err := c.do(ctx, http.MethodPost, "/v1/ground", in, "", &raw); err != nil {
				return err
			}
			var got groundingShown
			if err := json.Unmarshal(raw, &got); err != nil {
				return fmt.Errorf("decode the answer: %w", err)
			}
			if p.asJSON {
				if _, err := fmt.Fprintln(p.stdout, string(raw)); err != nil {
					return err
				}
			} else if err := got.print(p.stdout); err != nil {
				return err
			}
			if share := got.share(); share < failBelow {
				return exitError{exitFailed, fmt.Errorf("%.2f of the claims are supported, less than %g", share, failBelow)}
			}
			return nil
		},
	}
	cmd.Flags().StringSliceVarP(&collections, "collection", "c", []string{"default"}, "collections to check against, comma-separated")
	cmd.Flags().StringSliceVar(&passages, "passages", nil, "files to check against instead, each one passage of at most 20,000 characters")
	cmd.Flags().StringVar(&server, "server", "", "address of a running service")
	cmd.Flags().StringVar(&verify, "verify", "fast", "fast, or judge to ask the judge as well")
	cmd.Flags().IntVar(&topK, "top-k", 5, "passages searched for each claim")
	cmd.Flags().Float64Var(&failBelow, "fail-below", 0, "fail when a smaller share of the claims is supported, from 0 to 1")
	cmd.MarkFlagsMutuallyExclusive("passages", "collection")
	cmd.MarkFlagsMutuallyExclusive("passages", "top-k")
	return cmd
}

// readText reads a file, or standard input.
func (p *program) readText(path string) (string, error) {
	if path == "-" {
		b, err := io.ReadAll(p.stdin)
		if err != nil {
			return "", fmt.Errorf("read standard input: %w", err)
		}
		return string(b), nil
	}
	b, err := os.ReadFile(filepath.Clean(path))
	if err != nil {
		return "", fmt.Errorf("read the text: %w", err)
	}
	return string(b), nil
}

func (p *program) readPassages(paths []string) ([]map[string]string, error) {
	var out []map[string]string
	for _, path := range paths {
		b, err := os.ReadFile(filepath.Clean(path))
		if err != nil {
			return nil, fmt.Errorf("read a passage: %w", err)
		}
		if len(strings.TrimSpace(string(b))) == 0 {
			return nil, errors.New("the passage " + path + " is empty")
		}
		out = append(out, map[string]string{"id": path, "text": string(b)})
	}
	return out, nil
}

// groundingShown is the part of the API's answer that the command line shows.
type groundingShown struct {
	Status   string   `json:"status"`
	Text     string   `json:"text"`
	Degraded []string `json:"degraded"`
	Claims   []struct {
		Span       struct{ Start, End int } `json:"span"`
		Support    float64                  `json:"support"`
		Verdict    string                   `json:"verdict"`
		Citations  []int                    `json:"citations"`
		Mismatches []struct {
			Kind   string `json:"kind"`
			Claim  string `json:"claim"`
			Source string `json:"source"`
		} `json:"mismatches"`
	} `json:"claims"`
	Citations []struct {
		Marker    int     `json:"marker"`
		PassageID *string `json:"passage_id"`
		Passage   int     `json:"passage"`
		Document  *struct {
			ExternalID string `json:"external_id"`
		} `json:"document"`
		SourceSpan  struct{ Start, End int } `json:"source_span"`
		Quote       string                   `json:"quote"`
		HeadingPath []string                 `json:"heading_path"`
		Page        *int                     `json:"page"`
	} `json:"citations"`
}

// share is the share of the claims that are supported; 1 when the text has none: nothing in it is wrong.
func (g groundingShown) share() float64 {
	if len(g.Claims) == 0 {
		return 1
	}
	n := 0
	for _, c := range g.Claims {
		if c.Verdict == "supported" {
			n++
		}
	}
	return float64(n) / float64(len(g.Claims))
}

// print writes each claim with its verdict and sources.
func (g groundingShown) print(w io.Writer) error {
	var b strings.Builder
	text := []rune(g.Text)
	for _, c := range g.Claims {
		fmt.Fprintf(&b, "%-12s %.2f  %s\n", c.Verdict, c.Support, strings.Join(strings.Fields(string(text[c.Span.Start:c.Span.End])), " "))
		for _, m := range c.Mismatches {
			fmt.Fprintf(&b, "    %s: %s\n", m.Kind, differs(m.Claim, m.Source))
		}
		for _, marker := range c.Citations {
			for _, s := range g.Citations {
				if s.Marker != marker {
					continue
				}
				where := fmt.Sprintf("passage %d", s.Passage)
				switch {
				case s.Document != nil:
					where = s.Document.ExternalID
				case s.PassageID != nil:
					where = *s.PassageID
				}
				if len(s.HeadingPath) > 0 {
					where += " › " + strings.Join(s.HeadingPath, " › ")
				}
				if s.Page != nil && *s.Page > 0 {
					where += fmt.Sprintf(", page %d", *s.Page)
				}
				fmt.Fprintf(&b, "    “%s”\n      %s, characters %d–%d\n", strings.Join(strings.Fields(s.Quote), " "), where, s.SourceSpan.Start, s.SourceSpan.End)
			}
		}
	}
	supported := int(g.share()*float64(len(g.Claims)) + 0.5)
	fmt.Fprintf(&b, "\n%d of %d claims supported\n", supported, len(g.Claims))
	if len(g.Degraded) > 0 {
		fmt.Fprintf(&b, "(without: %s)\n", strings.Join(g.Degraded, ", "))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// differs says what a claim and its source say, where they differ.
func differs(claim, source string) string {
	switch {
	case claim == "":
		return fmt.Sprintf("the source says “%s”, and the claim does not", source)
	case source == "":
		return fmt.Sprintf("the claim says “%s”, and the source does not", claim)
	}
	return fmt.Sprintf("the claim says “%s”, the source “%s”", claim, source)
}
