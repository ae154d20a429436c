package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// readable lists the endings of files that a folder's ingest takes; others are reported as skipped.
var readable = []string{".txt", ".text", ".log", ".md", ".markdown", ".html", ".htm", ".xhtml"}

const (
	batchFiles = 32       // files in one request
	batchBytes = 16 << 20 // bytes in one request
)

func (p *program) ingestCommand() *cobra.Command {
	var collection, server, id string
	cmd := &cobra.Command{
		Use:   "ingest PATH|DIR|-",
		Short: "Take documents in: a file, a folder or standard input",
		Long: `Take documents in: files, folders (text, Markdown and HTML files in them; hidden ones are passed over) or standard input (-).
A document's external id is its path below the named folder; taking in the same path again replaces the document.`,
		Example: `  footnote ingest ./docs --collection handbook
  curl -s https://example.com/notes.md | footnote ingest - --id notes.md --collection handbook`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, stop, err := p.connect(cmd.Context(), server)
			if err != nil {
				return err
			}
			defer stop()
			var files []inputFile
			for _, arg := range args {
				found, err := p.collect(arg, id)
				if err != nil {
					return err
				}
				files = append(files, found...)
			}
			return p.ingest(cmd.Context(), c, collection, files)
		},
	}
	cmd.Flags().StringVarP(&collection, "collection", "c", "default", "collection, made when it does not exist")
	cmd.Flags().StringVar(&server, "server", "", "address of a running service (default: the one that has the data folder, else none is needed)")
	cmd.Flags().StringVar(&id, "id", "", "external id of a single document; its ending tells the kind (default for -: stdin.txt)")
	return cmd
}

// inputFile is a document to take in. open is called once.
type inputFile struct {
	id   string
	size int64
	open func() (io.ReadCloser, error)
}

// collect lists the documents that arg stands for. Unreadable kinds in a folder are named on stderr and left out.
func (p *program) collect(arg, id string) ([]inputFile, error) {
	if arg == "-" {
		if id == "" {
			id = "stdin.txt"
		}
		b, err := io.ReadAll(p.stdin)
		if err != nil {
			return nil, fmt.Errorf("read standard input: %w", err)
		}
		return []inputFile{{id, int64(len(b)), func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }}}, nil
	}
	info, err := os.Stat(arg)
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", arg, errors.Unwrap(err))
	}
	file := func(name, id string, size int64) inputFile {
		return inputFile{id, size, func() (io.ReadCloser, error) { return os.Open(name) }}
	}
	if !info.IsDir() {
		if id == "" {
			id = filepath.Base(arg)
		}
		return []inputFile{file(arg, id, info.Size())}, nil
	}
	var files []inputFile
	skipped := 0
	err = filepath.WalkDir(arg, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name != arg && strings.HasPrefix(d.Name(), ".") {
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() {
			return nil
		}
		if !slices.Contains(readable, strings.ToLower(path.Ext(d.Name()))) {
			skipped++
			fmt.Fprintf(p.stderr, "skipped %s: not a kind that can be read yet\n", name)
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(arg, name)
		if err != nil {
			return err
		}
		files = append(files, file(name, filepath.ToSlash(rel), info.Size()))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("walk %s: %w", arg, err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("nothing to take in under %s (%d files skipped); text, Markdown and HTML files can be read", arg, skipped)
	}
	return files, nil
}

// jobAnswer is the part of the API's job answer that the command line shows.
type jobAnswer struct {
	Job struct {
		ID        string `json:"id"`
		Status    string `json:"status"`
		Documents []struct {
			ExternalID string `json:"external_id"`
			Error      *struct {
				Message string `json:"message"`
			} `json:"error"`
		} `json:"documents"`
		Error *struct {
			Message string `json:"message"`
		} `json:"error"`
	} `json:"job"`
}

// ingest sends files in batches and waits for each, so that progress is real and memory bounded.
func (p *program) ingest(ctx context.Context, c *client, collection string, files []inputFile) error {
	if err := c.ensureCollection(ctx, collection); err != nil {
		return err
	}
	started := time.Now()
	progress := p.progress(len(files))
	failed := 0
	var jobs []json.RawMessage
	for len(files) > 0 {
		n, size := 0, int64(0)
		for n < len(files) && n < batchFiles && (n == 0 || size+files[n].size <= batchBytes) {
			size += files[n].size
			n++
		}
		raw, err := sendFiles(ctx, c, collection, files[:n])
		if err != nil {
			return err
		}
		var got jobAnswer
		if err := json.Unmarshal(raw, &got); err != nil {
			return fmt.Errorf("decode the job: %w", err)
		}
		for !final(got.Job.Status) {
			if err := c.do(ctx, http.MethodGet, "/v1/jobs/"+url.PathEscape(got.Job.ID)+"?wait=30s", nil, "", &got.Job); err != nil {
				return err
			}
			if !final(got.Job.Status) {
				select {
				case <-ctx.Done():
					return ctx.Err()
				case <-time.After(200 * time.Millisecond):
				}
			}
		}
		for _, d := range got.Job.Documents {
			if d.Error != nil {
				failed++
				fmt.Fprintf(p.stderr, "failed %s: %s\n", d.ExternalID, d.Error.Message)
			}
		}
		if got.Job.Status == "failed" && got.Job.Error != nil && failed == 0 {
			return fmt.Errorf("job %s failed: %s", got.Job.ID, got.Job.Error.Message)
		}
		jobs = append(jobs, raw)
		progress(n)
		files = files[n:]
	}
	if p.asJSON {
		if err := json.NewEncoder(p.stdout).Encode(map[string]any{"collection": collection, "failed": failed, "jobs": jobs}); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(p.stdout, "collection %s is up to date after %s\n", collection, time.Since(started).Round(time.Millisecond))
	}
	if failed > 0 {
		return fmt.Errorf("%d documents could not be taken in; they are named above", failed)
	}
	return nil
}

func final(status string) bool {
	return status == "succeeded" || status == "failed" || status == "cancelled"
}

// sendFiles posts one batch as multipart and waits for its job for a while.
func sendFiles(ctx context.Context, c *client, collection string, files []inputFile) (json.RawMessage, error) {
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for _, f := range files {
		part, err := w.CreateFormFile("file", f.id)
		if err != nil {
			return nil, fmt.Errorf("make the request: %w", err)
		}
		r, err := f.open()
		if err != nil {
			return nil, fmt.Errorf("open %s: %w", f.id, err)
		}
		_, err = io.Copy(part, r)
		r.Close()
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", f.id, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	var raw json.RawMessage
	err := c.do(ctx, http.MethodPost, collectionPath(collection)+"/documents?wait=30s", &body, w.FormDataContentType(), &raw)
	return raw, err
}

// progress returns a function that counts documents done: a bar on a terminal, plain lines elsewhere, nothing with --json.
func (p *program) progress(total int) func(n int) {
	if p.asJSON {
		return func(int) {}
	}
	if f, ok := p.stderr.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		bar := progressbar.NewOptions(total, progressbar.OptionSetWriter(f), progressbar.OptionSetDescription("documents"),
			progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish())
		return func(n int) { _ = bar.Add(n) }
	}
	done := 0
	return func(n int) {
		done += n
		fmt.Fprintf(p.stderr, "%d of %d documents\n", done, total)
	}
}
