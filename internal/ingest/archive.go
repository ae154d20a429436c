package ingest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"strings"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"footnote/internal/ingest/parse"
	"footnote/internal/rag"
)

// Each file of an archive is a document, ARCHIVE-ID/path, and all are of the archive's job. An archive is taken apart when it is handed in: what is acknowledged then are its files, which are
// stored and survive a crash as any upload does, and a worker needs to know nothing of archives. Its own bytes are not kept.

// maxFiles is how many documents one job may have, those of archives included.
const maxFiles = 10000

// filesAtOnce is how many files of an archive are stored side by side.
const filesAtOnce = 8

// archiveKey is the field of the metadata by which an archive's files are found and deleted together.
const archiveKey = "archive"

// eachFile calls visit with an upload for each file of an archive, with the action that it calls for, and with its content. u is the archive's own upload.
// Errors: those of parse.Reader.Files; rag.Invalid when none of the files can be taken in; those of visit.
func (s *Service) eachFile(ctx context.Context, u rag.Upload, content []byte, visit func(u rag.Upload, content []byte) error) error {
	if u.ExternalID == "" {
		u.ExternalID = u.Filename
	}
	good := 0
	var first *rag.JobError // why the first of the others is not
	err := s.reader().Files(ctx, content, u.Filename, func(f parse.File) error {
		file := fileOf(u, f)
		if file.Action == rag.ActionTakeIn {
			good++
		} else if first == nil {
			first = file.Reason
		}
		return visit(file, f.Content)
	})
	switch {
	case err != nil:
		return err
	case good == 0 && first == nil:
		return rag.Errorf(rag.Invalid, "The archive %q holds no files.", rag.Clip(u.ExternalID, 80))
	case good == 0:
		return rag.Errorf(rag.Invalid, "None of the files in the archive %q can be read; the first: %s", rag.Clip(u.ExternalID, 80), first.Message)
	}
	return nil
}

// fileOf is the upload of a file of an archive: what is said of the archive goes for each.
func fileOf(archive rag.Upload, f parse.File) rag.Upload {
	u := rag.Upload{ExternalID: parse.Below(archive.ExternalID, f.Name), Archive: archive.ExternalID, SourceURI: archive.SourceURI, Filename: f.Name, MediaType: f.MediaType, Bytes: int64(len(f.Content)),
		Metadata: archive.Metadata}
	if _, own := archive.Metadata[archiveKey]; !own {
		more := maps.Clone(archive.Metadata)
		if more == nil {
			more = rag.Metadata{}
		}
		more[archiveKey] = archive.ExternalID
		if more.Validate() == nil {
			u.Metadata = more
		}
	}
	err := f.Err
	if err == nil {
		err = validate(u)
	}
	switch {
	case err != nil:
	case u.Bytes == 0:
		err = rag.Errorf(rag.Unsupported, "It is empty.")
	case u.Bytes > rag.MaxDocumentBytes:
		err = rag.Errorf(rag.TooLarge, "It is larger than %d bytes.", rag.MaxDocumentBytes)
	}
	if err == nil {
		return u
	}
	u.Action = rag.ActionRefuse
	if rag.CodeOf(err) == rag.Unsupported {
		u.Action = rag.ActionSkip
	}
	u.Reason = jobError(err)
	u.Reason.Message = rag.Clip(u.Reason.Message, maxWarning)
	if rag.ValidateExternalID(u.ExternalID) != nil { // it only names the file in the job's report
		u.ExternalID = rag.Clip(strings.Map(func(r rune) rune {
			if r < 0x20 || r == 0x7f {
				return '\ufffd'
			}
			return r
		}, strings.ToValidUTF8(u.ExternalID, "\ufffd")), rag.MaxExternalIDLength-1)
	}
	return u
}

// unpack stores the files of an archive.
func (s *Service) unpack(ctx context.Context, archive rag.Upload, r io.Reader) ([]rag.Upload, error) {
	content, err := io.ReadAll(io.LimitReader(r, rag.MaxDocumentBytes+1))
	if err != nil {
		return nil, err
	}
	if len(content) > rag.MaxDocumentBytes {
		return nil, rag.Errorf(rag.TooLarge, "The archive is larger than %d bytes; send its files in parts.", rag.MaxDocumentBytes)
	}
	var files []*rag.Upload
	at := map[string]int{} // of a name that comes twice the last counts, as when a tar archive is unpacked
	// Each file waits for its disk, so several are stored at once; those in hand have at most the bytes of one document.
	g, storing := errgroup.WithContext(ctx)
	g.SetLimit(filesAtOnce)
	room := semaphore.NewWeighted(rag.MaxDocumentBytes)
	err = s.eachFile(storing, archive, content, func(u rag.Upload, content []byte) error {
		if i, twice := at[u.ExternalID]; twice {
			files[i] = &u
		} else {
			at[u.ExternalID] = len(files)
			files = append(files, &u)
		}
		if u.Action != rag.ActionTakeIn {
			return nil
		}
		if err := room.Acquire(storing, u.Bytes); err != nil {
			return context.Cause(storing)
		}
		g.Go(func() (err error) {
			defer room.Release(int64(len(content)))
			u.SHA256, u.Bytes, err = s.o.Blobs.Put(storing, bytes.NewReader(content), rag.MaxDocumentBytes)
			return err
		})
		return nil
	})
	if storeErr := g.Wait(); storeErr != nil {
		err = storeErr // the walk was stopped for it
	}
	if err != nil {
		return nil, err
	}
	out := make([]rag.Upload, len(files))
	for i, u := range files {
		out[i] = *u
	}
	return out, nil
}

// vanished are the removals of those documents that came in the archives which are among the uploads, when they were handed in before, and that they have no more. An archive that a former
// release made one document of has that removed. The caller has the lock of the collection's archives until the job is stored.
func (s *Service) vanished(ctx context.Context, c rag.Collection, uploads []rag.Upload) (out []rag.Upload, err error) {
	there := map[string]bool{}
	for _, u := range uploads {
		there[u.ExternalID] = true
	}
	looked := map[string]bool{"": true}
	for _, u := range uploads {
		if looked[u.Archive] {
			continue
		}
		looked[u.Archive] = true
		files, err := s.o.Catalog.ArchiveFiles(ctx, c.ID, u.Archive)
		if err != nil {
			return nil, err
		}
		d, err := s.o.Catalog.Document(ctx, c.ID, u.Archive)
		switch {
		case err == nil && d.Archive == "" && parse.IsArchive(d.MediaType):
			files = append(files, d.ExternalID)
		case err != nil && rag.CodeOf(err) != rag.NotFound:
			return nil, err
		}
		for _, id := range files {
			if !there[id] {
				out = append(out, rag.Upload{ExternalID: id, Archive: u.Archive, Action: rag.ActionRemove})
			}
		}
	}
	return out, nil
}

// lockArchives keeps two uploads of one archive from each missing what the other adds.
func (s *Service) lockArchives(ctx context.Context, c rag.Collection) (unlock func(), err error) {
	return s.o.Locks.Lock(ctx, "archives of "+string(c.ID))
}

// removeVanished deletes the documents that the job is to remove: last, so that a file that was renamed finds the vectors of its old name.
func (s *work) removeVanished(ctx context.Context) error {
	for n, d := range s.lease.Job.Documents {
		if d.Action != rag.ActionRemove || d.Published {
			continue
		}
		if err := s.removeDocument(ctx, n); err != nil {
			return err
		}
		s.count(func(c *rag.StageCounts) { c.Parsed++; c.Published++ })
	}
	return nil
}

func (s *work) removeDocument(ctx context.Context, n int) error {
	s.gate.RLock()
	defer s.gate.RUnlock()
	removed, err := s.o.Catalog.Remove(ctx, s.lease.Job.ID, s.lease.Token, n)
	if err != nil {
		return s.owned(err)
	}
	s.changed(s.collection.ID, 1)
	c, err := s.o.Catalog.CollectionByID(ctx, s.collection.ID) // as it is now: a re-embedding may have given it another index while the job worked
	if err != nil {
		return s.owned(err)
	}
	// As of any document that is deleted: its id will not come back, so neither will its chunks'.
	if err := s.remove(ctx, c, removed); err != nil && ctx.Err() == nil {
		s.o.Logger.Warn("take a deleted document's chunks out of the index", "collection", s.collection.ID, "error", err)
	}
	return nil
}

// previewFiles previews the files of an archive.
func (s *Service) previewFiles(ctx context.Context, c rag.Collection, e Embedder, archive rag.Upload, content []byte) (out rag.Preview, err error) {
	out.Parsed.MediaType = archive.MediaType
	err = s.eachFile(ctx, archive, content, func(u rag.Upload, content []byte) error {
		f := rag.FilePreview{ExternalID: u.ExternalID, State: rag.DocumentPublished}
		f.State, f.Error = standing(u)
		if f.Error == nil {
			p, err := s.preview(ctx, c, e, u, content)
			if err != nil {
				if f.State, f.Error = failing(ctx, err); f.Error == nil {
					return err
				}
			} else {
				f.Preview = &p
			}
		}
		out.Files = append(out.Files, f)
		return nil
	})
	return out, err
}

// dryRunFiles is DryRun of an archive: an entry a file, and one for each document that would go.
func (s *Service) dryRunFiles(ctx context.Context, c rag.Collection, e Embedder, archive rag.Upload, content []byte) ([]rag.DryRun, error) {
	var out []rag.DryRun
	var uploads []rag.Upload
	err := s.eachFile(ctx, archive, content, func(u rag.Upload, content []byte) error {
		uploads = append(uploads, u)
		d := rag.DryRun{ExternalID: u.ExternalID, MediaType: u.MediaType}
		d.State, d.Error = standing(u)
		if d.Error == nil {
			made, err := s.dryRun(ctx, c, e, u, content)
			if err == nil {
				d = made
			} else if d.State, d.Error = failing(ctx, err); d.Error == nil {
				return err
			}
		}
		out = append(out, d)
		return nil
	})
	if err != nil {
		return nil, err
	}
	gone, err := s.vanished(ctx, c, uploads)
	if err != nil {
		return nil, err
	}
	for _, u := range gone {
		d, err := s.o.Catalog.Document(ctx, c.ID, u.ExternalID)
		if rag.CodeOf(err) == rag.NotFound {
			continue // not published yet
		}
		if err != nil {
			return nil, err
		}
		old, err := s.chunks(ctx, d.ID)
		if err != nil {
			return nil, err
		}
		out = append(out, rag.DryRun{ExternalID: d.ExternalID, Title: d.Title, MediaType: d.MediaType, State: rag.DocumentRemoved, Exists: true, Old: old, Removed: len(old)})
	}
	return out, nil
}

// standing is the state that a job would give an upload, and why, where nothing is tried.
func standing(u rag.Upload) (rag.DocumentState, *rag.JobError) {
	switch u.Action {
	case rag.ActionSkip:
		return rag.DocumentSkipped, u.Reason
	case rag.ActionRefuse:
		return rag.DocumentFailed, u.Reason
	}
	return rag.DocumentPublished, nil
}

// failing is the state of a file that cannot be read; no error where the cause is the service's or the request's.
func failing(ctx context.Context, err error) (rag.DocumentState, *rag.JobError) {
	if ctx.Err() != nil || transient(err) || errors.Is(err, context.Canceled) {
		return "", nil
	}
	return rag.DocumentFailed, jobError(err)
}
