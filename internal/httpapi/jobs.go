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
	if v.Has("collection") {
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
	id, err := pathValue(r, "job")
	if err != nil {
		return err
	}
	j, err := s.o.Catalog.Job(r.Context(), rag.JobID(id))
	if err == nil && d > 0 && !j.Status.Final() {
		j, err = s.wait(r.Context(), j, d)
	}
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, wireJob(j, s.collectionName(r, j)))
}

func (s *server) watchJob(w http.ResponseWriter, r *http.Request) error {
	id, err := pathValue(r, "job")
	if err != nil {
		return err
	}
	j, err := s.o.Catalog.Job(r.Context(), rag.JobID(id))
	if err != nil {
		return err
	}
	name := s.collectionName(r, j)
	events, end := startEvents(w)
	defer end()
	if err := s.o.Ingest.Watch(r.Context(), j.ID, func(j rag.Job) error { return events.send("job", wireJob(j, name)) }); err != nil && r.Context().Err() == nil {
		return events.send("error", describe(err, requestID(r)))
	}
	return nil
}

func (s *server) cancelJob(w http.ResponseWriter, r *http.Request) error {
	return s.changeJob(w, r, func(id rag.JobID) (rag.Job, error) { return s.o.Ingest.Cancel(r.Context(), id) })
}

func (s *server) retryJob(w http.ResponseWriter, r *http.Request) error {
	return s.changeJob(w, r, func(id rag.JobID) (rag.Job, error) { return s.o.Ingest.Retry(r.Context(), id) })
}

func (s *server) changeJob(w http.ResponseWriter, r *http.Request, change func(rag.JobID) (rag.Job, error)) error {
	id, err := pathValue(r, "job")
	if err != nil {
		return err
	}
	j, err := change(rag.JobID(id))
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, wireJob(j, s.collectionName(r, j)))
}
