package postgres

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"footnote/internal/catalog/stored"
	"footnote/internal/rag"
)

// uploads reads a job's documents, in order, with what was handed in for each.
func uploads(ctx context.Context, q querier, id rag.JobID) (docs []rag.JobDocument, ups []rag.Upload, err error) {
	err = each(ctx, q, func(rows pgx.Rows) error {
		d, u, err := stored.Upload(rows)
		docs, ups = append(docs, d), append(ups, u)
		return err
	}, `SELECT `+stored.UploadColumns+` FROM job_documents WHERE job_id = $1 ORDER BY n`, id)
	return docs, ups, err
}

// Submit stores a job that is to make the uploads active versions, one document each, in one transaction, or to remove, skip or refuse them as their actions say. An upload without an
// external id gets its document's id as one. A removal is a version, too: an upload that comes later outlives it. NotFound when the collection is gone.
func (s *Store) Submit(ctx context.Context, collection rag.CollectionID, ups []rag.Upload) (rag.Job, error) {
	job := rag.NewJobID()
	now := stored.Micros(s.now())
	err := s.tx(ctx, func(tx pgx.Tx) error {
		const insert = `INSERT INTO jobs (id, collection_id, status, stage, done, total, attempts, error_code, error_message, token, worker, lease_expires,
		    created_at, started_at, updated_at, finished_at)
		  SELECT $1, id, 'queued', 'parse', 0, $2, 0, '', '', 0, '', 0, $3, 0, $3, 0 FROM collections WHERE id = $4`
		tag, err := tx.Exec(ctx, insert, job, len(ups), now, collection)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return rag.CollectionGone()
		}
		// In one order for all, so that two jobs with the same documents wait for each other instead of for ever.
		order := make([]int, len(ups))
		for n := range order {
			order[n] = n
		}
		slices.SortStableFunc(order, func(a, b int) int { return strings.Compare(ups[a].ExternalID, ups[b].ExternalID) })
		for _, n := range order {
			if err := submitOne(ctx, tx, collection, job, n, ups[n], now); err != nil {
				return err
			}
		}
		return notify(ctx, tx)
	})
	if err != nil {
		return rag.Job{}, err
	}
	return s.Job(ctx, job)
}

func submitOne(ctx context.Context, tx pgx.Tx, collection rag.CollectionID, job rag.JobID, n int, u rag.Upload, now int64) error {
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
		err = tx.QueryRow(ctx, `UPDATE documents SET last_version = last_version + 1 WHERE collection_id = $1 AND external_id = $2 AND (archive = $3 OR external_id = $3) RETURNING id, last_version`,
			collection, u.ExternalID, u.Archive).Scan(&id, &version)
		if errors.Is(err, pgx.ErrNoRows) {
			err = nil
		}
	}
	if err != nil {
		return err
	}
	e, warnings := stored.Outcome(u)
	const insert = `INSERT INTO job_documents (job_id, n, document_id, external_id, version, published, error_code, error_message, warnings, title, source_uri, filename,
	    media_type, sha256, bytes, metadata, archive, action) VALUES ($1, $2, $3, $4, $5, false, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`
	_, err = tx.Exec(ctx, insert, job, n, id, u.ExternalID, version, e.Code, e.Message, stored.Strings(warnings), u.Title, u.SourceURI, u.Filename, u.MediaType, u.SHA256, u.Bytes, metadata,
		u.Archive, u.Action)
	return err
}

// nextVersion finds or makes the upload's document and counts its versions up.
func nextVersion(ctx context.Context, tx pgx.Tx, collection rag.CollectionID, u *rag.Upload, now int64) (id rag.DocumentID, version int, err error) {
	id = rag.NewDocumentID()
	if u.ExternalID == "" {
		u.ExternalID = string(id)
	}
	const upsert = `INSERT INTO documents AS d (id, collection_id, external_id, last_version, active_version, title, source_uri, media_type, sha256, language, metadata,
	    characters, chunks, created_at, updated_at, archive)
	  VALUES ($1, $2, $3, 1, 0, '', '', '', '', '', '{}', 0, 0, $4, $4, $5)
	  ON CONFLICT (collection_id, external_id) DO UPDATE SET last_version = d.last_version + 1, archive = excluded.archive RETURNING id, last_version`
	err = tx.QueryRow(ctx, upsert, id, collection, u.ExternalID, now, u.Archive).Scan(&id, &version)
	return id, version, err
}

// Job finds a job; NotFound when there is none.
func (s *Store) Job(ctx context.Context, id rag.JobID) (j rag.Job, err error) {
	err = s.read(ctx, func() error {
		j, err = stored.Job(s.pool.QueryRow(ctx, `SELECT `+stored.JobColumns+` FROM jobs WHERE id = $1`, id))
		if errors.Is(err, pgx.ErrNoRows) {
			return rag.JobMissing()
		}
		if err == nil {
			j.Documents, _, err = uploads(ctx, s.pool, id)
		}
		return err
	})
	return j, err
}

// Jobs lists jobs, newest first. Invalid when the cursor names a job that is gone.
func (s *Store) Jobs(ctx context.Context, q rag.JobQuery) ([]rag.Job, error) {
	before := int64(1) << 62
	if q.After != "" {
		var err error
		before, err = one(ctx, s, func(row stored.Row) (n int64, err error) { err = row.Scan(&n); return n, err },
			rag.FieldErrorf("/after", "The cursor names a job that is gone; start from the newest."), `SELECT seq FROM jobs WHERE id = $1`, q.After)
		if err != nil {
			return nil, err
		}
	}
	out, err := list(ctx, s, func(row stored.Row) (rag.Job, error) { return stored.Job(row) },
		`SELECT `+stored.JobColumns+` FROM jobs WHERE seq < $1 AND ($2 = '' OR status = $2) AND (cardinality($3::text[]) = 0 OR collection_id = ANY($3)) ORDER BY seq DESC LIMIT $4`,
		before, string(q.Status), collectionList(q.Collections), q.Limit)
	for i := range out {
		if err == nil {
			err = s.read(ctx, func() error {
				out[i].Documents, _, err = uploads(ctx, s.pool, out[i].ID)
				return err
			})
		}
	}
	return out, err
}

func collectionList(ids []rag.CollectionID) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = string(id)
	}
	return out
}

// LeaseJob gives worker the oldest job that is queued, or that is running under a lease that has run out; nil when there is none. A job
// that another replica is taking at this moment is passed over, not waited for.
func (s *Store) LeaseJob(ctx context.Context, worker string, d time.Duration) (*rag.Lease, error) {
	var lease *rag.Lease
	err := s.tx(ctx, func(tx pgx.Tx) error {
		lease = nil
		now := s.now()
		var l rag.Lease
		const take = `UPDATE jobs SET status = 'running', attempts = attempts + 1, token = token + 1, worker = $1, lease_expires = $2, updated_at = $3,
		    started_at = CASE started_at WHEN 0 THEN $3 ELSE started_at END
		  WHERE seq = (SELECT seq FROM jobs WHERE status IN ('queued', 'running') AND (status = 'queued' OR lease_expires < $3) ORDER BY seq LIMIT 1 FOR UPDATE SKIP LOCKED)
		  RETURNING ` + stored.JobColumns + `, token`
		l.Expires = now.Add(d)
		var err error
		l.Job, err = stored.Job(tx.QueryRow(ctx, take, worker, stored.Micros(l.Expires), stored.Micros(now)), &l.Token)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		l.Job.Documents, l.Uploads, err = uploads(ctx, tx, l.Job.ID)
		lease = &l
		return err
	})
	if err != nil {
		return nil, err
	}
	return lease, nil
}

// held locks the job's row and checks that token is the latest and that the job is still running: Conflict when another worker has it, Cancelled
// when it was cancelled, NotFound when it is gone.
func held(ctx context.Context, q querier, id rag.JobID, token int64) error {
	var latest int64
	var status rag.JobStatus
	err := q.QueryRow(ctx, `SELECT token, status FROM jobs WHERE id = $1 FOR UPDATE`, id).Scan(&latest, &status)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return rag.JobMissing()
	case err != nil:
		return err
	}
	return rag.JobHeld(token, latest, status)
}

// update runs one statement on a job that the token holds. What others must know of (wake) is durable, and they are told.
func (s *Store) update(ctx context.Context, id rag.JobID, token int64, wake bool, query string, args ...any) error {
	return s.transaction(ctx, !wake, func(tx pgx.Tx) error {
		if !wake {
			// Progress and a lease's new end may be lost in a crash of the server: so they need not wait for its disk.
			if _, err := tx.Exec(ctx, `SET LOCAL synchronous_commit = off`); err != nil {
				return err
			}
		}
		if err := held(ctx, tx, id, token); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, query, args...); err != nil || !wake {
			return err
		}
		return notify(ctx, tx)
	})
}

// ExtendLease moves the end of a lease to d from now. Errors: those of rag.JobHeld; rag.NotFound for a job that is gone.
func (s *Store) ExtendLease(ctx context.Context, id rag.JobID, token int64, d time.Duration) error {
	return s.update(ctx, id, token, false, `UPDATE jobs SET lease_expires = $1 WHERE id = $2`, stored.Micros(s.now().Add(d)), id)
}

// SetProgress records where a job is. Other replicas see it when they next look: a wake-up for each step would cost more than it tells. Errors: those of rag.JobHeld; rag.NotFound for a job that is gone.
func (s *Store) SetProgress(ctx context.Context, id rag.JobID, token int64, stage rag.JobStage, p rag.Progress) error {
	return s.update(ctx, id, token, false, `UPDATE jobs SET stage = $1, done = $2, total = $3, stages = $4, updated_at = $5 WHERE id = $6`, stage, p.Done, p.Total, stored.Stages(p), stored.Micros(s.now()), id)
}

// FailDocument records why the job's nth document could not be taken in. Errors: those of rag.JobHeld; rag.NotFound for a job that is gone.
func (s *Store) FailDocument(ctx context.Context, id rag.JobID, token int64, n int, e rag.JobError) error {
	return s.update(ctx, id, token, true, `UPDATE job_documents SET error_code = $1, error_message = $2 WHERE job_id = $3 AND n = $4`, e.Code, e.Message, id, n)
}

// FinishJob ends a job as succeeded or failed, with the progress that it made. Errors: those of rag.JobHeld; rag.NotFound for a job that is gone.
func (s *Store) FinishJob(ctx context.Context, id rag.JobID, token int64, status rag.JobStatus, stage rag.JobStage, p rag.Progress, e *rag.JobError) error {
	if e == nil {
		e = &rag.JobError{}
	}
	return s.update(ctx, id, token, true, `UPDATE jobs SET status = $1, stage = $2, done = $3, total = $4, stages = $5, error_code = $6, error_message = $7, updated_at = $8, finished_at = $8 WHERE id = $9`,
		status, stage, p.Done, p.Total, stored.Stages(p), e.Code, e.Message, stored.Micros(s.now()), id)
}

// ReleaseJob puts a running job back in the queue. Errors: those of rag.JobHeld; rag.NotFound for a job that is gone.
func (s *Store) ReleaseJob(ctx context.Context, id rag.JobID, token int64) error {
	return s.update(ctx, id, token, true, `UPDATE jobs SET status = 'queued', lease_expires = 0, updated_at = $1 WHERE id = $2`, stored.Micros(s.now()), id)
}

// CancelJob ends a queued or running job; its worker finds out at its next write. Documents already published stay. Conflict when it
// is final.
func (s *Store) CancelJob(ctx context.Context, id rag.JobID) (rag.Job, error) {
	return s.move(ctx, id, `UPDATE jobs SET status = 'cancelled', updated_at = $1, finished_at = $1 WHERE id = $2 AND status IN ('queued', 'running')`,
		"The job has ended already, so it cannot be cancelled.")
}

// RetryJob queues a failed or cancelled job again, for the documents that were not published. Conflict otherwise.
func (s *Store) RetryJob(ctx context.Context, id rag.JobID) (rag.Job, error) {
	return s.move(ctx, id, `UPDATE jobs SET status = 'queued', stage = 'parse', attempts = 0, error_code = '', error_message = '', updated_at = $1, finished_at = 0
	  WHERE id = $2 AND status IN ('failed', 'cancelled')`, "Only failed and cancelled jobs can be retried.")
}

func (s *Store) move(ctx context.Context, id rag.JobID, query, refusal string) (rag.Job, error) {
	err := s.tx(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, query, stored.Micros(s.now()), id)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			var there bool
			if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM jobs WHERE id = $1)`, id).Scan(&there); err != nil {
				return err
			}
			if !there {
				return rag.JobMissing()
			}
			return rag.Errorf(rag.Conflict, "%s", refusal)
		}
		if _, err = tx.Exec(ctx, `UPDATE job_documents SET error_code = '', error_message = '' WHERE job_id = $1 AND NOT published AND action <> 'refuse'
		  AND (SELECT status FROM jobs WHERE id = job_id) = 'queued'`, id); err != nil {
			return err
		}
		return notify(ctx, tx)
	})
	if err != nil {
		return rag.Job{}, err
	}
	return s.Job(ctx, id)
}
