package httpapi

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"path"
	"strings"
	"time"
	"unicode/utf8"

	"footnote/internal/rag"
)

// multipartMemory is how much of an upload is kept in memory; the rest goes to temporary files.
const multipartMemory = 16 << 20

type newDocument struct {
	ExternalID *string        `json:"external_id"`
	Title      string         `json:"title"`
	Text       *string        `json:"text"`
	MediaType  string         `json:"media_type"`
	SourceURI  string         `json:"source_uri"`
	Metadata   map[string]any `json:"metadata"`
}

// source checks a document of a JSON body. Its kind is what media_type says, else what the ending of its external id says when
// that is one of text, else plain text.
func (d newDocument) source() (rag.Source, error) {
	var out rag.Source
	if d.Text == nil || *d.Text == "" {
		return out, rag.FieldErrorf("/text", "text is needed and must not be empty.")
	}
	if len(*d.Text) > rag.MaxDocumentBytes {
		return out, rag.Errorf(rag.TooLarge, "text is larger than %d bytes.", rag.MaxDocumentBytes)
	}
	if utf8.RuneCountInString(d.SourceURI) > 2000 {
		return out, rag.FieldErrorf("/source_uri", "source_uri must have at most 2000 characters.")
	}
	metadata, err := metadataOf(d.Metadata)
	if err != nil {
		return out, err
	}
	out.Upload = rag.Upload{Title: d.Title, SourceURI: d.SourceURI, MediaType: d.MediaType, Metadata: metadata}
	if d.ExternalID != nil {
		if err := rag.ValidateExternalID(*d.ExternalID); err != nil {
			return out, err
		}
		out.ExternalID = *d.ExternalID
	}
	if d.MediaType == "" {
		switch strings.ToLower(path.Ext(out.ExternalID)) {
		case ".md", ".markdown":
			out.MediaType = "text/markdown"
		case ".html", ".htm", ".xhtml":
			out.MediaType = "text/html"
		default:
			out.MediaType = "text/plain"
		}
	}
	out.Content = strings.NewReader(*d.Text)
	return out, nil
}

// ingestOptions are the parameters that every way of taking documents in has.
type ingestOptions struct {
	wait   time.Duration
	dryRun bool
}

func ingestParams(r *http.Request) (o ingestOptions, err error) {
	v := r.URL.Query()
	if o.wait, err = waitOf(v); err != nil {
		return o, err
	}
	o.dryRun, err = boolOf(v, "dry_run")
	return o, err
}

func (s *server) addDocuments(w http.ResponseWriter, r *http.Request) error {
	o, err := ingestParams(r)
	if err != nil {
		return err
	}
	c, err := s.collection(r)
	if err != nil {
		return err
	}
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")) // what is neither is refused below
	if media == "multipart/form-data" {
		return s.addFiles(w, r, c, o)
	}
	if media != "application/json" {
		return rag.Errorf(rag.Unsupported, "Send documents as application/json with text, or as multipart/form-data with parts named file (got %q).", rag.Clip(r.Header.Get("Content-Type"), 80))
	}
	body, err := readBody(w, r, maxDocument)
	if err != nil {
		return err
	}
	return s.idempotent(w, r, hashOf(body), func(w http.ResponseWriter) error {
		var in newDocument
		if err := decodeBytes(body, &in); err != nil {
			return err
		}
		source, err := in.source()
		if err != nil {
			return err
		}
		return s.ingest(w, r, c, o, []rag.Source{source})
	})
}

func (s *server) putDocument(w http.ResponseWriter, r *http.Request) error {
	o, err := ingestParams(r)
	if err != nil {
		return err
	}
	c, err := s.collection(r)
	if err != nil {
		return err
	}
	id, err := pathValue(r, "external_id")
	if err != nil {
		return err
	}
	var in newDocument
	if err := decode(w, r, maxDocument, &in); err != nil {
		return err
	}
	if in.ExternalID != nil && *in.ExternalID != id {
		return rag.FieldErrorf("/external_id", "external_id is %q in the body and %q in the path; leave it out of the body.", rag.Clip(*in.ExternalID, 80), rag.Clip(id, 80))
	}
	in.ExternalID = &id
	source, err := in.source()
	if err != nil {
		return err
	}
	return s.ingest(w, r, c, o, []rag.Source{source})
}

// readMultipart reads a multipart body; the caller removes its temporary files.
func readMultipart(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxMultipart)
	if err := r.ParseMultipartForm(multipartMemory); err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return bodyError(err)
		}
		return rag.Errorf(rag.Invalid, "The multipart body is broken: %w", err)
	}
	return nil
}

// addFiles takes a multipart body: parts named file, and at most one named metadata for all of them.
func (s *server) addFiles(w http.ResponseWriter, r *http.Request, c rag.Collection, o ingestOptions) error {
	if err := readMultipart(w, r); err != nil {
		return err
	}
	defer func() { _ = r.MultipartForm.RemoveAll() }() // temporary files; the system clears those that stay
	for name := range r.MultipartForm.Value {
		if name == "file" {
			return rag.FieldErrorf("/file", "A part named file has no file name.")
		}
		if name != "metadata" {
			return rag.FieldErrorf("/"+pointerToken(name), "Unknown part %q; parts are named file or metadata.", rag.Clip(name, 80))
		}
	}
	for name := range r.MultipartForm.File {
		if name != "file" {
			return rag.FieldErrorf("/"+pointerToken(name), "Unknown part %q; files go into parts named file.", rag.Clip(name, 80))
		}
	}
	files := r.MultipartForm.File["file"]
	if len(files) == 0 {
		return rag.FieldErrorf("/file", "No part is named file; send at least one, such as curl -F file=@leave.md.")
	}
	metadata, err := metadataPart(r.MultipartForm.Value["metadata"])
	if err != nil {
		return err
	}
	hash := sha256.New()
	fmt.Fprintf(hash, "%q", r.MultipartForm.Value["metadata"])
	var sources []rag.Source
	for _, f := range files {
		content, err := f.Open()
		if err != nil {
			return fmt.Errorf("open an upload: %w", err)
		}
		defer content.Close()
		name := fileName(f)
		if err := rag.ValidateExternalID(name); err != nil {
			return rag.FieldErrorf("/file", "A file's name must be 1 to %d characters of UTF-8 without control characters.", rag.MaxExternalIDLength)
		}
		if r.Header.Get("Idempotency-Key") != "" {
			fmt.Fprintf(hash, "%q %d ", name, f.Size)
			if _, err := io.Copy(hash, content); err != nil {
				return fmt.Errorf("read an upload: %w", err)
			}
			if _, err := content.Seek(0, io.SeekStart); err != nil {
				return fmt.Errorf("read an upload: %w", err)
			}
		}
		sources = append(sources, rag.Source{
			Upload:  rag.Upload{ExternalID: name, Filename: name, MediaType: f.Header.Get("Content-Type"), Metadata: metadata},
			Content: content,
		})
	}
	return s.idempotent(w, r, hex.EncodeToString(hash.Sum(nil)), func(w http.ResponseWriter) error { return s.ingest(w, r, c, o, sources) })
}

// fileName is the name as it was sent, folders included: it becomes the external id, never a path on this machine.
func fileName(f *multipart.FileHeader) string {
	if _, p, err := mime.ParseMediaType(f.Header.Get("Content-Disposition")); err == nil && p["filename"] != "" {
		return p["filename"]
	}
	return f.Filename
}

func metadataPart(values []string) (rag.Metadata, error) {
	if len(values) == 0 {
		return nil, nil
	}
	if len(values) > 1 {
		return nil, rag.FieldErrorf("/metadata", "There are %d parts named metadata; at most one is allowed.", len(values))
	}
	var m map[string]any
	if !utf8.ValidString(values[0]) || json.Unmarshal([]byte(values[0]), &m) != nil || m == nil {
		return nil, rag.FieldErrorf("/metadata", "The part metadata must be a JSON object.")
	}
	return metadataOf(m)
}

type ingestAnswer struct {
	Job       job           `json:"job"`
	Documents []jobDocument `json:"documents"`
}

// ingest submits sources, or tells what they would change, and waits when asked to.
func (s *server) ingest(w http.ResponseWriter, r *http.Request, c rag.Collection, o ingestOptions, sources []rag.Source) error {
	if o.dryRun {
		out := []dryRun{}
		for _, source := range sources {
			runs, err := s.o.Ingest.DryRun(r.Context(), c.Name, source)
			if err != nil {
				return err
			}
			for _, d := range runs {
				out = append(out, dryRun{d.ExternalID, d.Title, d.MediaType, d.State, wireJobError(d.Error), d.Exists, d.Unchanged, chunkCounts{d.Added, d.Kept, d.Removed}, wireDiff(d.New, d.Old), wireStrings(d.Warnings)})
			}
		}
		return reply(w, http.StatusOK, map[string]any{"dry_run": out})
	}
	j, err := s.o.Ingest.Submit(r.Context(), c.Name, sources)
	if err != nil {
		return err
	}
	if o.wait > 0 {
		if j, err = s.wait(r.Context(), j, o.wait); err != nil {
			return err
		}
	}
	status := http.StatusAccepted
	if j.Status.Final() {
		status = http.StatusOK
	}
	w.Header().Set("Location", "/v1/jobs/"+string(j.ID))
	wire := wireJob(j, c.Name)
	return reply(w, status, ingestAnswer{wire, wire.Documents})
}

// wait gives a job some time to end; it returns the job as it is then.
func (s *server) wait(ctx context.Context, j rag.Job, d time.Duration) (rag.Job, error) {
	waiting, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	last, err := s.o.Ingest.Wait(waiting, j.ID)
	if err != nil && waiting.Err() != nil && ctx.Err() == nil {
		if last.ID == "" {
			last = j
		}
		return last, nil
	}
	return last, err
}
