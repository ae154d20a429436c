package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"footnote/internal/ingest/parse"
)

func (p *program) parseCommand() *cobra.Command {
	var collection, server string
	var blocks, formats bool
	cmd := &cobra.Command{
		Use:   "parse FILE",
		Short: "Show the text, the structure and the chunks that a file would give; nothing is stored",
		Long: `Show what a file would give: its chunks, each with where it stands in the text, its headings and its page; with --blocks the structure
that was read, with --json both and the whole text. Nothing is stored. With --collection the chunks are cut as that collection's are.`,
		Example: `  footnote parse report.pdf
  footnote parse --blocks table.xlsx
  footnote parse --json report.pdf | jq -r .text`,
		Args: func(_ *cobra.Command, args []string) error {
			if !formats && len(args) != 1 {
				return exitError{exitUsage, errors.New("name one file, or - for standard input")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if formats {
				for _, f := range parse.Formats() {
					fmt.Fprintln(p.stdout, f)
				}
				return nil
			}
			files, err := p.collect(args[0], "")
			if err != nil {
				return err
			}
			if len(files) != 1 {
				return exitError{exitUsage, fmt.Errorf("%s is a folder; name one file", args[0])}
			}
			c, stop, err := p.connect(cmd.Context(), server)
			if err != nil {
				return err
			}
			defer stop()
			var raw json.RawMessage
			fields := map[string]string{}
			if collection != "" {
				fields["collection"] = collection
			}
			body, kind, err := multipartOf(files, fields)
			if err != nil {
				return err
			}
			if err := c.do(cmd.Context(), http.MethodPost, "/v1/parse", body, kind, &raw); err != nil {
				return err
			}
			if p.asJSON {
				_, err := fmt.Fprintln(p.stdout, string(raw))
				return err
			}
			var got previewShown
			if err := json.Unmarshal(raw, &got); err != nil {
				return fmt.Errorf("decode the preview: %w", err)
			}
			got.print(p.stdout, blocks)
			return nil
		},
	}
	cmd.Flags().StringVarP(&collection, "collection", "c", "", "cut chunks as this collection's are")
	cmd.Flags().StringVar(&server, "server", "", "address of a running service")
	cmd.Flags().BoolVar(&blocks, "blocks", false, "show the structure instead of the chunks")
	cmd.Flags().BoolVar(&formats, "formats", false, "list the formats that can be read")
	return cmd
}

// previewShown is the part of the API's preview that the command line shows.
type previewShown struct {
	MediaType  string         `json:"media_type"`
	Title      string         `json:"title"`
	Language   string         `json:"language"`
	Metadata   map[string]any `json:"metadata"`
	Characters int            `json:"characters"`
	Text       string         `json:"text"`
	Blocks     []struct {
		Kind  string                   `json:"kind"`
		Level int                      `json:"level"`
		Page  *int                     `json:"page"`
		Span  struct{ Start, End int } `json:"span"`
	} `json:"blocks"`
	Chunks []struct {
		Ordinal     int                      `json:"ordinal"`
		Text        string                   `json:"text"`
		Span        struct{ Start, End int } `json:"span"`
		HeadingPath []string                 `json:"heading_path"`
		Context     string                   `json:"context"`
		Page        *int                     `json:"page"`
		Tokens      int                      `json:"tokens"`
	} `json:"chunks"`
	Warnings []string `json:"warnings"`
	Files    []struct {
		ExternalID string                    `json:"external_id"`
		State      string                    `json:"state"`
		Error      *struct{ Message string } `json:"error"`
		Preview    *previewShown             `json:"preview"`
	} `json:"files"`
}

func (v previewShown) print(w io.Writer, blocks bool) {
	if len(v.Files) > 0 {
		fmt.Fprintf(w, "%s, %d files\n", v.MediaType, len(v.Files))
		for _, f := range v.Files {
			if f.Preview == nil {
				fmt.Fprintf(w, "\n%s: %s: %s\n", f.ExternalID, f.State, f.Error.Message)
				continue
			}
			fmt.Fprintf(w, "\n%s: ", f.ExternalID)
			f.Preview.print(w, blocks)
		}
		return
	}
	fmt.Fprintf(w, "%s, %d characters, %d blocks, %d chunks\n", v.MediaType, v.Characters, len(v.Blocks), len(v.Chunks))
	if v.Title != "" {
		fmt.Fprintf(w, "title: %s\n", v.Title)
	}
	for k, value := range v.Metadata {
		fmt.Fprintf(w, "%s: %v\n", k, value)
	}
	for _, warning := range v.Warnings {
		fmt.Fprintf(w, "warning: %s\n", warning)
	}
	page := func(n *int) string {
		if n == nil {
			return ""
		}
		return fmt.Sprintf(", page %d", *n)
	}
	if blocks {
		text := []rune(v.Text)
		for _, b := range v.Blocks {
			kind := b.Kind
			if b.Level > 0 {
				kind += fmt.Sprint(" ", b.Level)
			}
			fmt.Fprintf(w, "\n[%s%s, characters %d–%d]\n%s\n", kind, page(b.Page), b.Span.Start, b.Span.End, string(text[b.Span.Start:b.Span.End]))
		}
		return
	}
	for _, c := range v.Chunks {
		where := strings.Join(c.HeadingPath, " › ")
		if where != "" {
			where = ", " + where
		}
		if c.Context != "" {
			where += ", with: " + strings.ReplaceAll(c.Context, "\n", " ⏎ ")
		}
		fmt.Fprintf(w, "\n[%d: characters %d–%d%s, %d tokens%s]\n%s\n", c.Ordinal, c.Span.Start, c.Span.End, page(c.Page), c.Tokens, where, c.Text)
	}
}
