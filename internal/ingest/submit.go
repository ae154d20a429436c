package ingest

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"footnote/internal/ingest/chunk"
	"footnote/internal/ingest/parse"
	"footnote/internal/ingest/parse/document"
	"footnote/internal/rag"
)

// MaxSources is how many documents and archives one job may be made of.
const MaxSources = 256

// headBytes is how much of a file is looked at to tell its type.
const headBytes = 4096

// Submit stores the sources, of an archive each file, and queues a job for them; when it returns, the job survives a crash. Sources are read once, in order.
// Errors: rag.Unsupported naming a file that cannot be read; rag.TooLarge; rag.Invalid naming the field; rag.NotFound for an
// unknown collection; rag.ModelMismatch for one that another model embedded.
func (s *Service) Submit(ctx context.Context, collection string, sources []rag.Source) (rag.Job, error) {
	c, _, err := s.open(ctx, collection)
	if err != nil {
		return rag.Job{}, err
	}
	if len(sources) == 0 || len(sources) > MaxSources {
		return rag.Job{}, rag.Errorf(rag.Invalid, "A request must carry 1 to %d documents, got %d.", MaxSources, len(sources))
	}
	var uploads []rag.Upload
	seen := map[string]bool{}
	archives := false
	for _, source := range sources {
		stored, err := s.store(ctx, source)
		if err != nil {
			return rag.Job{}, err
		}
		for _, u := range stored {
			if u.ExternalID != "" && seen[u.ExternalID] {
				return rag.Job{}, rag.FieldErrorf("/external_id", "Two documents of one request have the external_id %q.", rag.Clip(u.ExternalID, 80))
			}
			seen[u.ExternalID] = true
			archives = archives || u.Archive != ""
		}
		if uploads = append(uploads, stored...); len(uploads) > maxFiles {
			return rag.Job{}, rag.Errorf(rag.TooLarge, "The request has more than %d documents with those in its archives; send them in parts.", maxFiles)
		}
	}
	s.o.Failpoint("store")
	if archives {
		unlock, err := s.lockArchives(ctx, c)
		if err != nil {
			return rag.Job{}, err
		}
		defer unlock()
		gone, err := s.vanished(ctx, c, uploads)
		if err != nil {
			return rag.Job{}, err
		}
		uploads = append(uploads, gone...)
	}
	job, err := s.o.Catalog.Submit(ctx, c.ID, uploads)
	if err != nil {
		return job, err
	}
	s.o.Failpoint("submit")
	s.bell.ring()
	return job, nil
}

// open finds a collection that the service can add to, and its embedder.
func (s *Service) open(ctx context.Context, name string) (rag.Collection, Embedder, error) {
	c, err := s.o.Catalog.Collection(ctx, name)
	if err != nil {
		return c, nil, err
	}
	e, err := s.embedder(c)
	return c, e, err
}

func validate(u rag.Upload) error {
	if u.ExternalID != "" {
		if err := rag.ValidateExternalID(u.ExternalID); err != nil {
			return err
		}
	}
	if !utf8.ValidString(u.Title) || utf8.RuneCountInString(u.Title) > rag.MaxTitleLength {
		return rag.FieldErrorf("/title", "title must be UTF-8 of at most %d characters.", rag.MaxTitleLength)
	}
	for field, v := range map[string]string{"title": u.Title, "source_uri": u.SourceURI, "media_type": u.MediaType} {
		if strings.ContainsRune(v, 0) {
			return rag.FieldErrorf("/"+field, "%s must not contain the character U+0000.", field)
		}
	}
	return u.Metadata.Validate()
}

// store checks a source and puts its bytes, or those of an archive's files, into the blob store.
func (s *Service) store(ctx context.Context, source rag.Source) ([]rag.Upload, error) {
	u := source.Upload
	if err := validate(u); err != nil {
		return nil, err
	}
	r := bufio.NewReaderSize(source.Content, headBytes)
	head, err := r.Peek(headBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if u.MediaType, err = s.reader().MediaType(u.Filename, u.MediaType, head); err != nil {
		return nil, err
	}
	if parse.IsArchive(u.MediaType) {
		return s.unpack(ctx, u, r)
	}
	if u.SHA256, u.Bytes, err = s.o.Blobs.Put(ctx, r, rag.MaxDocumentBytes); err != nil {
		return nil, err
	}
	if u.Bytes == 0 {
		return nil, rag.Errorf(rag.Invalid, "The document %q is empty.", rag.Clip(u.ExternalID, 80))
	}
	return []rag.Upload{u}, nil
}

// read checks a source that is not to be stored, tells its type, and reads it whole.
func (s *Service) read(source rag.Source) (u rag.Upload, content []byte, err error) {
	u = source.Upload
	if err := validate(u); err != nil {
		return u, nil, err
	}
	if content, err = io.ReadAll(io.LimitReader(source.Content, rag.MaxDocumentBytes+1)); err != nil {
		return u, nil, err
	}
	if len(content) > rag.MaxDocumentBytes {
		return u, nil, rag.Errorf(rag.TooLarge, "The document is larger than %d bytes.", rag.MaxDocumentBytes)
	}
	u.MediaType, err = s.reader().MediaType(u.Filename, u.MediaType, content[:min(len(content), headBytes)])
	return u, content, err
}

// DryRun tells what Submit of the source would change, of an archive file by file; nothing is stored or embedded. Errors: those of Submit, and those of reading the file, which Submit leaves to the job.
func (s *Service) DryRun(ctx context.Context, collection string, source rag.Source) ([]rag.DryRun, error) {
	c, e, err := s.open(ctx, collection)
	if err != nil {
		return nil, err
	}
	u, content, err := s.read(source)
	if err != nil {
		return nil, err
	}
	if parse.IsArchive(u.MediaType) {
		return s.dryRunFiles(ctx, c, e, u, content)
	}
	d, err := s.dryRun(ctx, c, e, u, content)
	return []rag.DryRun{d}, err
}

func (s *Service) dryRun(ctx context.Context, c rag.Collection, e Embedder, u rag.Upload, content []byte) (rag.DryRun, error) {
	out := rag.DryRun{State: rag.DocumentPublished}
	before := map[rag.ChunkID]rag.Chunk{}
	d, err := s.o.Catalog.Document(ctx, c.ID, u.ExternalID)
	switch {
	case err == nil:
		out.Exists = true
		stored, err := s.chunks(ctx, d.ID)
		if err != nil {
			return out, err
		}
		for _, k := range stored {
			before[k.ID] = k
		}
	case rag.CodeOf(err) != rag.NotFound:
		return out, err
	}
	sum := sha256.Sum256(content)
	next := rag.JobDocument{Document: d.ID, ExternalID: u.ExternalID, Version: d.Version + 1}
	keep, err := s.before(ctx, c, next, hex.EncodeToString(sum[:]), s.recipe(c, e, u))
	if err != nil {
		return out, err
	}
	v, parsed, err := s.prepare(ctx, c, e, u, next, content, keep, nil)
	if err != nil {
		return out, err
	}
	out.ExternalID, out.Title, out.MediaType, out.Chunks, out.Warnings = u.ExternalID, v.Document.Title, u.MediaType, v.Chunks, parsed.Warnings
	for _, k := range v.Chunks {
		if _, ok := before[k.ID]; ok {
			out.Kept++
			delete(before, k.ID)
		} else {
			out.New = append(out.New, k)
		}
	}
	out.Old = slices.SortedFunc(maps.Values(before), func(a, b rag.Chunk) int { return a.Ordinal - b.Ordinal })
	out.Added, out.Removed = len(out.New), len(out.Old)
	out.Unchanged = out.Exists && out.Added == 0 && out.Removed == 0 && d.Title == v.Document.Title && fmt.Sprint(d.Metadata) == fmt.Sprint(v.Document.Metadata)
	return out, nil
}

// prepare makes a version of content: parsed, cut and with chunk ids, but not embedded. Chunks of the version before, keep, stay where the text is the same. took, unless nil, hears how long the steps took.
func (s *Service) prepare(ctx context.Context, c rag.Collection, e Embedder, u rag.Upload, d rag.JobDocument, content []byte, keep []rag.Chunk, took func(rag.JobStage, time.Duration)) (v rag.Version, p rag.Parsed, err error) {
	started := time.Now()
	measure := func(stage rag.JobStage) {
		if now := time.Now(); took != nil {
			took(stage, now.Sub(started))
			started = now
		}
	}
	err = s.timed("parse", func() error {
		p, err = parseSafely(ctx, s.reader(), content, u.Filename, u.MediaType)
		return err
	})
	if err != nil {
		return v, p, err
	}
	measure(rag.StageParse)
	title := u.Title
	if title == "" {
		title = p.Title
	}
	metadata := u.Metadata
	if len(p.Metadata) > 0 {
		merged := maps.Clone(p.Metadata)
		maps.Copy(merged, u.Metadata)
		if merged.Validate() == nil {
			metadata = merged
		}
	}
	err = s.timed("chunk", func() error {
		v.Chunks, err = chunk.Split(p, chunk.Options{
			TargetTokens: c.Chunking.TargetTokens, OverlapTokens: c.Chunking.OverlapTokens, MaxTokens: e.MaxTokens(), Title: title, Count: e.CountTokens, Before: keep,
		})
		return err
	})
	if err != nil {
		return v, p, err
	}
	measure(rag.StageChunk)
	if len(v.Chunks) == 0 {
		return v, p, rag.Errorf(rag.Invalid, "The document %q has no text.", rag.Clip(d.ExternalID, 80))
	}
	occurrences := map[string]int{}
	for i := range v.Chunks {
		k := &v.Chunks[i]
		k.Document, k.Version = d.Document, d.Version
		embedded := k.Embedded(title)
		k.ID = rag.NewChunkID(d.Document, embedded, occurrences[embedded])
		occurrences[embedded]++
	}
	v.Text, v.Pages, v.Warnings = p.Text, p.Pages(), bounded(p.Warnings)
	v.Document = rag.Document{
		ID: d.Document, Collection: c.ID, ExternalID: d.ExternalID, Archive: u.Archive, Version: d.Version, Title: title, SourceURI: u.SourceURI, MediaType: u.MediaType,
		SHA256: u.SHA256, Language: p.Language, Metadata: metadata, Characters: utf8.RuneCountInString(p.Text), Chunks: len(v.Chunks),
	}
	return v, p, nil
}

// parseSafely keeps one document that breaks a parser from taking the service down.
func parseSafely(ctx context.Context, r parse.Reader, content []byte, filename, mediaType string) (p rag.Parsed, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = rag.Errorf(rag.Internal, "The document could not be parsed: %w", fmt.Errorf("panic: %v", r))
		}
	}()
	return r.Parse(ctx, content, filename, mediaType)
}

// reader reads files as the service is set up to.
func (s *Service) reader() parse.Reader {
	return parse.Reader{Limits: document.DefaultLimits, Transcribe: s.o.Transcribe}
}
