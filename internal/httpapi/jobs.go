package httpapi

import (
	"net/http"
	"slices"

	"footnote/internal/rag"
)

func (s *server) listJobs(w http.ResponseWriter, r *http.Request) error {
	v := r.URL.Query()
	p, err := pageOf(v)
	if err != nil {
		return err
	}
	q := rag.JobQuery{Status: rag.JobStatus(v.Get("status")), After: rag.JobID(p.after), Limit: p.limit + 1}
	known := []rag.JobStatus{rag.JobQueued, rag.JobRunning, rag.JobSucceeded, rag.JobFailed, rag.JobCancelled}
	if v.Has("status") && !slices.Contains(known, q.Status) {
		return rag.FieldErrorf("/status", "status must be queued, running, succeeded, failed or cancelled, got %q.", rag.Clip(string(q.Status), 40))
	}
	if k := principal(r); len(k.Collections) > 0 {
		mine, err := s.visible(r, page{limit: rag.MaxCollections})
		if err != nil {
			return err
		}
		for _, c := range mine {
			q.Collections = append(q.Collections, c.ID)
		}
		if len(mine) == 0 {
			q.Limit = 0
		}
	}
	if v.Has("collection") {
		if err := sees(r, v.Get("collection")); err != nil {
			return err
		}
		c, err := s.o.Catalog.Collection(r.Context(), v.Get("collection"))
		if err != nil {
			return err
		}
		q.Collections = []rag.CollectionID{c.ID}
	}
	jobs, err := s.o.Catalog.Jobs(r.Context(), q)
	if err != nil {
		return err
	}
	names := map[rag.CollectionID]string{}
	for _, j := range jobs {
		if _, ok := names[j.Collection]; !ok {
			names[j.Collection] = s.collectionName(r, j)
		}
	}
	return reply(w, http.StatusOK, listOf(jobs, p.limit, func(j rag.Job) job { return wireJob(j, names[j.Collection]) }, func(j rag.Job) string { return string(j.ID) }))
}

// job finds the job that the path names, and the name of its collection, which the request's key must reach.
func (s *server) job(r *http.Request) (rag.Job, string, error) {
	id, err := pathValue(r, "job")
	if err != nil {
		return rag.Job{}, "", err
	}
	j, err := s.o.Catalog.Job(r.Context(), rag.JobID(id))
	if rag.CodeOf(err) == rag.NotFound {
		return j, "", rag.JobMissing()
	}
	if err != nil {
		return j, "", err
	}
	name := s.collectionName(r, j)
	if !principal(r).Sees(name) {
		return rag.Job{}, "", rag.JobMissing()
	}
	return j, name, nil
}

// collectionName is the name of a job's collection; empty when it was deleted just now.
func (s *server) collectionName(r *http.Request, j rag.Job) string {
	c, err := s.o.Catalog.CollectionByID(r.Context(), j.Collection)
	if err != nil {
		return ""
	}
	return c.Name
}

func (s *server) getJob(w http.ResponseWriter, r *http.Request) error {
	v := r.URL.Query()
	d, err := waitOf(v)
	if err != nil {
		return err
	}
	j, name, err := s.job(r)
	if err == nil && d > 0 && !j.Status.Final() {
		j, err = s.wait(r.Context(), j, d)
	}
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, wireJob(j, name))
}

func (s *server) cancelJob(w http.ResponseWriter, r *http.Request) error {
	return s.changeJob(w, r, func(id rag.JobID) (rag.Job, error) { return s.o.Ingest.Cancel(r.Context(), id) })
}

func (s *server) retryJob(w http.ResponseWriter, r *http.Request) error {
	return s.changeJob(w, r, func(id rag.JobID) (rag.Job, error) { return s.o.Ingest.Retry(r.Context(), id) })
}

func (s *server) changeJob(w http.ResponseWriter, r *http.Request, change func(rag.JobID) (rag.Job, error)) error {
	j, name, err := s.job(r)
	if err != nil {
		return err
	}
	if j, err = change(j.ID); err != nil {
		return err
	}
	return reply(w, http.StatusOK, wireJob(j, name))
}
