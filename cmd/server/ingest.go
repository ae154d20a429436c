package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"footnote/internal/ingest"
)

// The first request is small, so that the service soon has work; each may have twice the files of the one before, up to batchFiles.
const (
	firstBatchFiles = 32
	batchFiles      = ingest.MaxSources
	batchBytes      = 16 << 20 // bytes in one request
)

func (p *program) ingestCommand() *cobra.Command {
	var collection, server, id string
	var retry bool
	cmd := &cobra.Command{
		Use:   "ingest PATH|DIR|- | ingest --retry [JOB]...",
		Short: "Take documents in: a file, a folder or standard input",
		Long: `Take documents in: files, folders (every file in them of a kind that can be read; hidden ones are passed over) or standard input (-).
A document's external id is its path below the named folder; taking in the same path again replaces the document. Each file of an archive is a document below
the archive's path; those that a newer archive has no more are removed. A command that was interrupted, or that
left files out, is simply run again: files that are stored already are known by the hash of their bytes, and are neither read nor embedded again.
With --retry nothing is sent: what the service has, and could not take in, is tried again, such as after an outage of a model. Name the jobs, or none for all
failed ones of the collection.`,
		Example: `  footnote ingest ./docs --collection handbook
  curl -s https://example.com/notes.md | footnote ingest - --id notes.md --collection handbook
  footnote ingest --retry --collection handbook`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 && !retry {
				return exitError{exitUsage, errors.New("name what to take in: files, folders, or - for standard input")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			c, stop, err := p.connect(cmd.Context(), server)
			if err != nil {
				return err
			}
			defer stop()
			if retry {
				return p.retry(cmd.Context(), c, collection, args)
			}
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
	cmd.Flags().BoolVar(&retry, "retry", false, "try the failed documents of jobs again; the arguments are jobs (default: all failed ones of the collection)")
	return cmd
}

// ingest sends files in batches. While the service works on one batch the next is sent, and no more than one, so that progress is real and memory bounded.
func (p *program) ingest(ctx context.Context, c *client, collection string, files []inputFile) error {
	if err := c.ensureCollection(ctx, collection); err != nil {
		return err
	}
	r := newReport()
	bar := p.progress(len(files))
	var working []batch // what the service works on
	finish := func() error {
		for _, b := range working {
			if err := p.awaitJob(ctx, c, b, r, bar); err != nil {
				return err
			}
		}
		working = nil
		return nil
	}
	for most := firstBatchFiles; len(files) > 0; most = min(2*most, batchFiles) {
		n := batchOf(files, most)
		next, err := p.send(ctx, c, collection, files[:n], r, bar)
		if err := errors.Join(finish(), err); err != nil {
			return err
		}
		working, files = next, files[n:]
	}
	if err := finish(); err != nil {
		return err
	}
	bar.close()
	return p.report(collection, r)
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

// batch is a job that was made of one request's files.
type batch struct {
	job   string
	files int
	only  map[string]bool // external ids of the documents that are reported; nil: all
}

// send posts files as one request. Where the service refuses it, or a file cannot be read, the files are halved until the request is good, or is one file, which has failed.
func (p *program) send(ctx context.Context, c *client, collection string, files []inputFile, r *ingestReport, bar progress) ([]batch, error) {
	job, err := sendFiles(ctx, c, collection, files)
	if err == nil {
		return []batch{{job: job, files: len(files)}}, nil
	}
	if !ofFiles(err) {
		return nil, err
	}
	if len(files) == 1 {
		r.failures = append(r.failures, fileFailure{ExternalID: files[0].id, Message: err.Error()})
		bar.add(1)
		return nil, nil
	}
	var out []batch
	half := len(files) / 2
	for _, part := range [][]inputFile{files[:half], files[half:]} {
		sent, err := p.send(ctx, c, collection, part, r, bar)
		out = append(out, sent...)
		if err != nil {
			return out, err
		}
	}
	return out, nil
}

// ofFiles tells an error that is about what was sent: another request may be good.
func ofFiles(err error) bool {
	var unreadable fileError
	if refused, ok := errors.AsType[problem](err); ok {
		switch refused.Status {
		case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType:
			return true
		}
	}
	return errors.As(err, &unreadable)
}

// awaitJob follows a job until it is final and notes what became of its documents.
func (p *program) awaitJob(ctx context.Context, c *client, b batch, r *ingestReport, bar progress) error {
	var raw json.RawMessage
	var job jobAnswer
	shown := 0
	for {
		job = jobAnswer{}
		if err := c.do(ctx, http.MethodGet, "/v1/jobs/"+url.PathEscape(b.job)+"?wait="+p.look(), nil, "", &raw); err != nil {
			return err
		}
		if err := json.Unmarshal(raw, &job); err != nil {
			return fmt.Errorf("decode the job: %w", err)
		}
		if final(job.Status) {
			break
		}
		if done := min(job.done(), b.files); done > shown && p.onTerminal() {
			bar.add(done - shown)
			shown = done
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
	var documents []documentAnswer
	if err := json.Unmarshal(job.RawDocuments, &documents); err != nil {
		return fmt.Errorf("decode the job: %w", err)
	}
	explained := slices.ContainsFunc(documents, func(d documentAnswer) bool { return d.Error != nil })
	if b.only != nil {
		documents = slices.DeleteFunc(documents, func(d documentAnswer) bool { return !b.only[d.ExternalID] })
	}
	r.add(b.job, documents)
	if job.Status != "succeeded" && !explained {
		reason := job.Status
		if job.Error != nil {
			reason = job.Error.Message
		}
		return fmt.Errorf("job %s failed: %s; run the command again to go on", b.job, reason)
	}
	answer, err := json.Marshal(map[string]json.RawMessage{"job": raw, "documents": job.RawDocuments})
	r.jobs = append(r.jobs, answer)
	bar.add(b.files - shown)
	return err
}

// look is how long one request waits for a job: briefly where somebody watches a bar.
func (p *program) look() string {
	if p.onTerminal() {
		return "1s"
	}
	return "30s"
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
