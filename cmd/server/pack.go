package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"footnote/internal/rag"
)

func (p *program) exportCommand() *cobra.Command {
	var server, output string
	var without bool
	cmd := &cobra.Command{
		Use:   "export COLLECTION",
		Short: "Write a collection as a ragpack: documents, their files, chunks, vectors, metadata and settings in one checksummed stream",
		Example: `  footnote export handbook > handbook.ragpack
  footnote export handbook -o handbook.ragpack --server https://footnote.example.com`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			c, end, err := p.connect(cmd.Context(), server)
			if err != nil {
				return err
			}
			defer end()
			path := collectionPath(args[0]) + "/export"
			if without {
				path += "?originals=false"
			}
			body, err := c.stream(cmd.Context(), http.MethodGet, path, nil, "")
			if err != nil {
				return err
			}
			defer body.Close()
			if output == "" {
				_, err = io.Copy(p.stdout, body)
				return err
			}
			return writeWhole(output, body)
		},
	}
	cmd.Flags().BoolVar(&without, "without-originals", false, "leave the uploaded files out, of which the pack has the text: it is smaller")
	cmd.Flags().StringVarP(&output, "output", "o", "", "file to write (default: standard output)")
	cmd.Flags().StringVar(&server, "server", "", "URL of a running service (default: the one that has the data folder, else this process)")
	return cmd
}

// writeWhole writes a file that appears under its name only when it is complete.
func writeWhole(path string, r io.Reader) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".footnote-export-")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			_ = os.Remove(f.Name()) // best effort: the error at hand is the news
		}
	}()
	if _, err = io.Copy(f, r); err != nil {
		return fmt.Errorf("the export broke off: %w", err)
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

func (p *program) importCommand() *cobra.Command {
	var server string
	var reEmbed bool
	cmd := &cobra.Command{
		Use:   "import COLLECTION [FILE]",
		Short: "Make a collection of a ragpack, from a file or standard input",
		Long: `The collection appears when all of the pack is stored, or not at all. A pack that was embedded by another model than the service's needs
--re-embed: its chunks are kept, their vectors made anew.`,
		Example: `  footnote import handbook handbook.ragpack
  footnote export handbook | footnote import handbook --server http://10.0.0.5:8080`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			in := p.stdin
			if len(args) == 2 && args[1] != "-" {
				f, err := os.Open(args[1])
				if err != nil {
					return rag.Errorf(rag.Invalid, "The pack cannot be opened: %w", err)
				}
				defer f.Close()
				in = f
			}
			c, end, err := p.connect(cmd.Context(), server)
			if err != nil {
				return err
			}
			defer end()
			path := collectionPath(args[0]) + "/import"
			if reEmbed {
				path += "?re_embed=true"
			}
			var raw json.RawMessage
			if err := c.do(cmd.Context(), http.MethodPost, path, io.NopCloser(in), "application/vnd.footnote.ragpack+gzip", &raw); err != nil {
				return err
			}
			if p.asJSON {
				_, err := fmt.Fprintln(p.stdout, string(raw))
				return err
			}
			var got struct {
				Name      string
				Documents int
				Chunks    int
			}
			if err := json.Unmarshal(raw, &got); err != nil {
				return err
			}
			fmt.Fprintf(p.stdout, "%s: %d documents, %d chunks\n", got.Name, got.Documents, got.Chunks)
			return nil
		},
	}
	cmd.Flags().BoolVar(&reEmbed, "re-embed", false, "embed the chunks with the service's model instead of taking the pack's vectors")
	cmd.Flags().StringVar(&server, "server", "", "URL of a running service (default: the one that has the data folder, else this process)")
	return cmd
}
