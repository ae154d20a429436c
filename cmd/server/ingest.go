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
	"path/filepath"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"footnote/internal/ingest"
	"footnote/internal/ingest/parse"
)

// The first request is small, so that the service soon has work; each may have twice the files of the one before, up to batchFiles.
const (
	firstBatchFiles = 32
	batchFiles      = ingest.MaxSources
	batchBytes      = 16 << 20 // bytes in one request
)

func (p *program) ingestCommand() *cobra.Command {
	var collection, server, id string
	cmd := &cobra.Command{
		Use:   "ingest PATH|DIR|-",
		Short: "Take documents in: a file, a folder or standard input",
		Long: `Take documents in: files, folders (every file in them of a kind that can be read; hidden ones are passed over) or standard input (-).
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
		if !parse.Readable(d.Name()) {
			skipped++
			fmt.Fprintf(p.stderr, "skipped %s: not a kind that can be read\n", name)
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
		return nil, fmt.Errorf("nothing to take in under %s (%d files skipped); footnote parse --formats lists the kinds that can be read", arg, skipped)
	}
	return files, nil
}

// jobAnswer is the part of the API's job that the command line shows.
type jobAnswer struct {
	ID           string          `json:"id"`
	Status       string          `json:"status"`
	RawDocuments json.RawMessage `json:"documents"`
	Error        *struct {
		Message string `json:"message"`
	} `json:"error"`
}

type documentAnswer struct {
	ExternalID string `json:"external_id"`
	Error      *struct {
		Message string `json:"message"`
	} `json:"error"`
}

// ingest sends files in batches. While the service works on one batch the next is sent, and no more than one, so that progress is real and memory bounded.
func (p *program) ingest(ctx context.Context, c *client, collection string, files []inputFile) error {
	if err := c.ensureCollection(ctx, collection); err != nil {
		return err
	}
	started := time.Now()
	progress := p.progress(len(files))
	failed := 0
	jobs := []json.RawMessage{}
	finish := func(id string, n int) error {
		if id == "" {
			return nil // before the first batch
		}
		raw, errs, err := p.awaitJob(ctx, c, id)
		if err != nil {
			return err
		}
		failed += errs
		jobs = append(jobs, raw)
		progress(n)
		return nil
	}
	working, size := "", 0 // the job that the service works on, and its files
	for most := firstBatchFiles; len(files) > 0; most = min(2*most, batchFiles) {
		n := batchOf(files, most)
		next, err := sendFiles(ctx, c, collection, files[:n])
		if err := errors.Join(finish(working, size), err); err != nil {
			return err
		}
		working, size, files = next, n, files[n:]
	}
	if err := finish(working, size); err != nil {
		return err
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

// batchOf is how many of the files go into the next request: at least one, at most most. Of two with one id the second, which replaces the first, waits for the next.
func batchOf(files []inputFile, most int) int {
	n, size := 0, int64(0)
	seen := map[string]bool{}
	for n < len(files) && n < most && (n == 0 || size+files[n].size <= batchBytes) && !seen[files[n].id] {
		seen[files[n].id] = true
		size += files[n].size
		n++
	}
	return n
}

// awaitJob waits until a job is final and names the documents that failed on stderr. It returns the job as ingest's answer has it, and how many those are.
func (p *program) awaitJob(ctx context.Context, c *client, id string) (answer json.RawMessage, failed int, err error) {
	var raw json.RawMessage
	var job jobAnswer
	for {
		if err := c.do(ctx, http.MethodGet, "/v1/jobs/"+url.PathEscape(id)+"?wait=30s", nil, "", &raw); err != nil {
			return nil, 0, err
		}
		if err := json.Unmarshal(raw, &job); err != nil {
			return nil, 0, fmt.Errorf("decode the job: %w", err)
		}
		if final(job.Status) {
			break
		}
		select {
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
	var documents []documentAnswer
	if err := json.Unmarshal(job.RawDocuments, &documents); err != nil {
		return nil, 0, fmt.Errorf("decode the job: %w", err)
	}
	for _, d := range documents {
		if d.Error != nil {
			failed++
			fmt.Fprintf(p.stderr, "failed %s: %s\n", d.ExternalID, d.Error.Message)
		}
	}
	if job.Status != "succeeded" && failed == 0 {
		reason := job.Status
		if job.Error != nil {
			reason = job.Error.Message
		}
		return nil, 0, fmt.Errorf("job %s failed: %s", id, reason)
	}
	answer, err = json.Marshal(map[string]json.RawMessage{"job": raw, "documents": job.RawDocuments})
	return answer, failed, err
}

func final(status string) bool {
	return status == "succeeded" || status == "failed" || status == "cancelled"
}

// sendFiles posts one batch as multipart and returns the id of its job.
func sendFiles(ctx context.Context, c *client, collection string, files []inputFile) (string, error) {
	body, kind, err := multipartOf(files, nil)
	if err != nil {
		return "", err
	}
	var got struct{ Job jobAnswer }
	err = c.do(ctx, http.MethodPost, collectionPath(collection)+"/documents", body, kind, &got)
	return got.Job.ID, err
}

// multipartOf packs files into parts named file, and fields beside them; kind is the body's content type.
func multipartOf(files []inputFile, fields map[string]string) (body *bytes.Buffer, kind string, err error) {
	body = &bytes.Buffer{}
	w := multipart.NewWriter(body)
	for name, value := range fields {
		if err := w.WriteField(name, value); err != nil {
			return nil, "", fmt.Errorf("make the request: %w", err)
		}
	}
	for _, f := range files {
		part, err := w.CreateFormFile("file", f.id)
		if err != nil {
			return nil, "", fmt.Errorf("make the request: %w", err)
		}
		r, err := f.open()
		if err != nil {
			return nil, "", fmt.Errorf("open %s: %w", f.id, err)
		}
		_, err = io.Copy(part, r)
		r.Close()
		if err != nil {
			return nil, "", fmt.Errorf("read %s: %w", f.id, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, "", fmt.Errorf("make the request: %w", err)
	}
	return body, w.FormDataContentType(), nil
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
