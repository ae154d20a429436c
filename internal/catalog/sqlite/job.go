package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"footnote/internal/catalog/stored"
	"footnote/internal/rag"
)

// uploads reads a job's documents, in order, with what was handed in for each.
func uploads(ctx context.Context, q querier, id rag.JobID) (docs []rag.JobDocument, ups []rag.Upload, err error) {
	err = each(ctx, q, func(rows *sql.Rows) error {
		d, u, err := stored.Upload(rows)
		docs, ups = append(docs, d), append(ups, u)
		return err
	}, `SELECT `+stored.UploadColumns+` FROM job_documents WHERE job_id = ? ORDER BY n`, id)
	return docs, ups, err
}

// Submit stores a job that is to make the uploads active versions, one document each, in one transaction, or to remove, skip or refuse them as their actions say. An upload without an
// external id gets its document's id as one. A removal is a version, too: an upload that comes later outlives it. NotFound when the collection is gone.
func (s *Store) Submit(ctx context.Context, collection rag.CollectionID, ups []rag.Upload) (rag.Job, error) {
	job := rag.NewJobID()
	now := stored.Micros(s.now())
	err := s.tx(ctx, func(tx *sql.Tx) error {
		const insert = `INSERT INTO jobs (id, collection_id, status, stage, done, total, attempts, error_code, error_message, token, worker, lease_expires,
		    created_at, started_at, updated_at, finished_at)
		  SELECT ?, id, 'queued', 'parse', 0, ?, 0, '', '', 0, '', 0, ?, 0, ?, 0 FROM collections WHERE id = ?`
		r, err := tx.ExecContext(ctx, insert, job, len(ups), now, now, collection)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, rag.CollectionGone())
		}
		for n, u := range ups {
			if err := submitOne(ctx, tx, collection, job, n, u, now); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return rag.Job{}, err
	}
	return s.Job(ctx, job)
}

func submitOne(ctx context.Context, tx *sql.Tx, collection rag.CollectionID, job rag.JobID, n int, u rag.Upload, now int64) error {
	metadata, err := stored.Metadata(u.Metadata)
	if err != nil {
		return err
	}
	var id rag.DocumentID
	var version int
	switch u.Action {
	case rag.ActionTakeIn:
		id, version, err = nextVersion(ctx, tx, collection, &u, now)
	case rag.ActionRemove:
		// Not of one that was handed in by itself meanwhile. An archive of a release that made one document of it has that one's id.
		err = tx.QueryRowContext(ctx, `UPDATE documents SET last_version = last_version + 1 WHERE collection_id = ? AND external_id = ? AND (archive = ? OR external_id = ?) RETURNING id, last_version`,
			collection, u.ExternalID, u.Archive, u.Archive).Scan(&id, &version)
		if errors.Is(err, sql.ErrNoRows) {
			err = nil
		}
	}
	if err != nil {
		return err
	}
	e, warnings := stored.Outcome(u)
	const insert = `INSERT INTO job_documents (job_id, n, document_id, external_id, version, published, error_code, error_message, warnings, title, source_uri, filename,
	    media_type, sha256, bytes, metadata, archive, action) VALUES (?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	_, err = tx.ExecContext(ctx, insert, job, n, id, u.ExternalID, version, e.Code, e.Message, stored.Strings(warnings), u.Title, u.SourceURI, u.Filename, u.MediaType, u.SHA256, u.Bytes, metadata,
		u.Archive, u.Action)
	return err
}

// nextVersion finds or makes the upload's document and counts its versions up.
func nextVersion(ctx context.Context, tx *sql.Tx, collection rag.CollectionID, u *rag.Upload, now int64) (id rag.DocumentID, version int, err error) {
	id = rag.NewDocumentID()
	if u.ExternalID == "" {
		u.ExternalID = string(id)
	}
	const upsert = `INSERT INTO documents (id, collection_id, external_id, last_version, active_version, title, source_uri, media_type, sha256, language, metadata,
	    characters, chunks, created_at, updated_at, archive)
	  VALUES (?, ?, ?, 1, 0, '', '', '', '', '', '{}', 0, 0, ?, ?, ?)
	  ON CONFLICT (collection_id, external_id) DO UPDATE SET last_version = last_version + 1, archive = excluded.archive RETURNING id, last_version`
	err = tx.QueryRowContext(ctx, upsert, id, collection, u.ExternalID, now, now, u.Archive).Scan(&id, &version)
	return id, version, err
}

// Job finds a job; NotFound when there is none.
func (s *Store) Job(ctx context.Context, id rag.JobID) (rag.Job, error) {
	j, err := stored.Job(s.read.QueryRowContext(ctx, `SELECT `+stored.JobColumns+` FROM jobs WHERE id = ?`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return j, rag.JobMissing()
	}
	if err == nil {
		j.Documents, _, err = uploads(ctx, s.read, id)
	}
	return j, translate(err)
}

// Jobs lists jobs, newest first. Invalid when the cursor names a job that is gone.
func (s *Store) Jobs(ctx context.Context, q rag.JobQuery) ([]rag.Job, error) {
	before := int64(1) << 62
	if q.After != "" {
		err := s.read.QueryRowContext(ctx, `SELECT seq FROM jobs WHERE id = ?`, q.After).Scan(&before)
		if errors.Is(err, sql.ErrNoRows) {
			return nil, rag.FieldErrorf("/after", "The cursor names a job that is gone; start from the newest.")
		}
		if err != nil {
			return nil, translate(err)
		}
	}
	var out []rag.Job
	collections, err := json.Marshal(q.Collections)
	if err != nil {
		return nil, err
	}
	err = each(ctx, s.read, func(rows *sql.Rows) error {
		j, err := stored.Job(rows)
		out = append(out, j)
		return err
	}, `SELECT `+stored.JobColumns+` FROM jobs WHERE seq < ? AND (? = '' OR status = ?) AND (? OR collection_id IN (SELECT value FROM json_each(?))) ORDER BY seq DESC LIMIT ?`,
		before, q.Status, q.Status, len(q.Collections) == 0, string(collections), q.Limit)
	for i := range out {
		if err == nil {
			out[i].Documents, _, err = uploads(ctx, s.read, out[i].ID)
		}
	}
	return out, err
}

// LeaseJob gives worker the oldest job that is queued, or that is running under a lease that has run out; nil when there is none.
func (s *Store) LeaseJob(ctx context.Context, worker string, d time.Duration) (*rag.Lease, error) {
	var lease *rag.Lease
	err := s.tx(ctx, func(tx *sql.Tx) error {
		now := s.now()
		var l rag.Lease
		const take = `UPDATE jobs SET status = 'running', attempts = attempts + 1, token = token + 1, worker = ?, lease_expires = ?, updated_at = ?,
		    started_at = CASE started_at WHEN 0 THEN ? ELSE started_at END
		  WHERE seq = (SELECT seq FROM jobs WHERE status = 'queued' OR (status = 'running' AND lease_expires < ?) ORDER BY seq LIMIT 1)
		  RETURNING ` + stored.JobColumns + `, token`
		l.Expires = now.Add(d)
		var err error
		l.Job, err = stored.Job(tx.QueryRowContext(ctx, take, worker, stored.Micros(l.Expires), stored.Micros(now), stored.Micros(now), stored.Micros(now)), &l.Token)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		l.Job.Documents, l.Uploads, err = uploads(ctx, tx, l.Job.ID)
		lease = &l
		return err
	})
	return lease, err
}

// held checks that token is the job's latest and that it is still running: Conflict when another worker has it, Cancelled
// when it was cancelled, NotFound when it is gone.
func held(ctx context.Context, q querier, id rag.JobID, token int64) error {
	var latest int64
	var status rag.JobStatus
	err := q.QueryRowContext(ctx, `SELECT token, status FROM jobs WHERE id = ?`, id).Scan(&latest, &status)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return rag.JobMissing()
	case err != nil:
		return err
	}
	return rag.JobHeld(token, latest, status)
}

// update runs one statement on a job that the token holds.
func (s *Store) update(ctx context.Context, id rag.JobID, token int64, query string, args ...any) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		if err := held(ctx, tx, id, token); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, query, args...)
		return err
	})
}

// ExtendLease moves the end of a lease to d from now. Errors: those of rag.JobHeld; rag.NotFound for a job that is gone.
func (s *Store) ExtendLease(ctx context.Context, id rag.JobID, token int64, d time.Duration) error {
	return s.update(ctx, id, token, `UPDATE jobs SET lease_expires = ? WHERE id = ?`, stored.Micros(s.now().Add(d)), id)
}

// SetProgress records where a job is. Errors: those of rag.JobHeld; rag.NotFound for a job that is gone.
func (s *Store) SetProgress(ctx context.Context, id rag.JobID, token int64, stage rag.JobStage, p rag.Progress) error {
	return s.update(ctx, id, token, `UPDATE jobs SET stage = ?, done = ?, total = ?, stages = ?, updated_at = ? WHERE id = ?`, stage, p.Done, p.Total, stored.Stages(p), stored.Micros(s.now()), id)
}

// FailDocument records why the job's nth document could not be taken in. Errors: those of rag.JobHeld; rag.NotFound for a job that is gone.
func (s *Store) FailDocument(ctx context.Context, id rag.JobID, token int64, n int, e rag.JobError) error {
	return s.update(ctx, id, token, `UPDATE job_documents SET error_code = ?, error_message = ? WHERE job_id = ? AND n = ?`, e.Code, e.Message, id, n)
}

// FinishJob ends a job as succeeded or failed, with the progress that it made. Errors: those of rag.JobHeld; rag.NotFound for a job that is gone.
func (s *Store) FinishJob(ctx context.Context, id rag.JobID, token int64, status rag.JobStatus, stage rag.JobStage, p rag.Progress, e *rag.JobError) error {
	if e == nil {
		e = &rag.JobError{}
	}
	now := stored.Micros(s.now())
	return s.update(ctx, id, token, `UPDATE jobs SET status = ?, stage = ?, done = ?, total = ?, stages = ?, error_code = ?, error_message = ?, updated_at = ?, finished_at = ? WHERE id = ?`,
		status, stage, p.Done, p.Total, stored.Stages(p), e.Code, e.Message, now, now, id)
}

// ReleaseJob puts a running job back in the queue. Errors: those of rag.JobHeld; rag.NotFound for a job that is gone.
func (s *Store) ReleaseJob(ctx context.Context, id rag.JobID, token int64) error {
	return s.update(ctx, id, token, `UPDATE jobs SET status = 'queued', lease_expires = 0, updated_at = ? WHERE id = ?`, stored.Micros(s.now()), id)
}

// CancelJob ends a queued or running job; its worker finds out at its next write. Documents already published stay. Conflict when it
// is final.
func (s *Store) CancelJob(ctx context.Context, id rag.JobID) (rag.Job, error) {
	now := stored.Micros(s.now())
	return s.move(ctx, id, `UPDATE jobs SET status = 'cancelled', updated_at = ?, finished_at = ? WHERE id = ? AND status IN ('queued', 'running')`,
		"The job has ended already, so it cannot be cancelled.", now, now, id)
}

// RetryJob queues a failed or cancelled job again, for the documents that were not published. Conflict otherwise.
func (s *Store) RetryJob(ctx context.Context, id rag.JobID) (rag.Job, error) {
	return s.move(ctx, id, `UPDATE jobs SET status = 'queued', stage = 'parse', attempts = 0, error_code = '', error_message = '', updated_at = ?, finished_at = 0
	  WHERE id = ? AND status IN ('failed', 'cancelled')`, "Only failed and cancelled jobs can be retried.", stored.Micros(s.now()), id)
}

func (s *Store) move(ctx context.Context, id rag.JobID, query, refusal string, args ...any) (rag.Job, error) {
	err := s.tx(ctx, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, query, args...)
		if err != nil {
			return err
		}
		n, err := r.RowsAffected()
		if err != nil {
			return err
		}
		if n == 0 {
			var there int
			if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM jobs WHERE id = ?`, id).Scan(&there); err != nil {
				return err
			}
			if there == 0 {
				return rag.JobMissing()
			}
			return rag.Errorf(rag.Conflict, "%s", refusal)
		}
		_, err = tx.ExecContext(ctx, `UPDATE job_documents SET error_code = '', error_message = '' WHERE job_id = ? AND published = 0 AND action <> 'refuse'
		  AND (SELECT status FROM jobs WHERE id = job_id) = 'queued'`, id)
		return err
	})
	if err != nil {
		return rag.Job{}, err
	}
	return s.Job(ctx, id)
}

// RequeueRunning puts every running job back in the queue. Only one process has the file, so when it opens it, whoever was working on a job is
// dead; without this the job would wait for its lease to run out.
func (s *Store) RequeueRunning(ctx context.Context) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE jobs SET status = 'queued', lease_expires = 0, updated_at = ? WHERE status = 'running'`, stored.Micros(s.now()))
		return err
	})
}
