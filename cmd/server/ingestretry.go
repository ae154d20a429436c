package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
)

// retry has the service try those documents of jobs again that it has not published, and reports what became of them. No jobs: every failed one of the collection.
func (p *program) retry(ctx context.Context, c *client, collection string, jobs []string) error {
	var batches []batch
	var err error
	if len(jobs) == 0 {
		batches, err = failedJobs(ctx, c, collection)
	} else {
		batches, collection, err = namedJobs(ctx, c, jobs)
	}
	if err != nil {
		return err
	}
	if len(batches) == 0 && !p.asJSON {
		_, err := fmt.Fprintf(p.stdout, "collection %s has no failed job with a document that can be tried again\n", collection)
		return err
	}
	total := 0
	for _, b := range batches {
		if err := c.do(ctx, http.MethodPost, "/v1/jobs/"+url.PathEscape(b.job)+"/retry", nil, "", nil); err != nil {
			return fmt.Errorf("retry job %s: %w", b.job, err)
		}
		total += b.files
	}
	r, bar := newReport(), p.progress(total)
	for _, b := range batches {
		if err := p.awaitJob(ctx, c, b, r, bar); err != nil {
			return err
		}
	}
	bar.close()
	return p.report(collection, r)
}

// unpublished is a job's batch of documents that a retry takes up.
func (j jobAnswer) unpublished() (batch, error) {
	b := batch{job: j.ID, only: map[string]bool{}}
	var documents []documentAnswer
	if err := json.Unmarshal(j.RawDocuments, &documents); err != nil {
		return b, fmt.Errorf("decode the job: %w", err)
	}
	for _, d := range documents {
		if d.ID != "" && (d.State == "failed" || d.State == "queued") {
			b.only[d.ExternalID] = true
		}
	}
	b.files = len(b.only)
	return b, nil
}

// namedJobs are the jobs of those ids, which are of one collection.
func namedJobs(ctx context.Context, c *client, ids []string) (out []batch, collection string, err error) {
	for _, id := range ids {
		var j jobAnswer
		if err := c.do(ctx, http.MethodGet, "/v1/jobs/"+url.PathEscape(id), nil, "", &j); err != nil {
			return nil, "", fmt.Errorf("job %s: %w", id, err)
		}
		if collection != "" && j.Collection != collection {
			return nil, "", exitError{exitUsage, errors.New("the jobs are of several collections; retry those of one at a time")}
		}
		collection = j.Collection
		b, err := j.unpublished()
		if err != nil {
			return nil, "", err
		}
		if b.files == 0 {
			return nil, "", fmt.Errorf("job %s has nothing that can be tried again: every document of it is done, or cannot be read whatever is tried", id)
		}
		out = append(out, b)
	}
	return out, collection, nil
}

// failedJobs are the collection's failed jobs that have something to try again, the oldest first, so that of two versions of a document the later one stays.
func failedJobs(ctx context.Context, c *client, collection string) (out []batch, err error) {
	for after := ""; ; {
		var page struct {
			Data    []jobAnswer `json:"data"`
			HasMore bool        `json:"has_more"`
			Next    string      `json:"next_cursor"`
		}
		if err := c.do(ctx, http.MethodGet, "/v1/jobs?status=failed&limit=100&collection="+url.QueryEscape(collection)+after, nil, "", &page); err != nil {
			return nil, err
		}
		for _, j := range page.Data {
			b, err := j.unpublished()
			if err != nil {
				return nil, err
			}
			if b.files > 0 {
				out = append([]batch{b}, out...)
			}
		}
		if !page.HasMore {
			return out, nil
		}
		after = "&after=" + url.QueryEscape(page.Next)
	}
}
