package httpapi

import (
	"fmt"
	"mime"
	"net/http"
	"path"
	"strings"
	"unicode/utf8"

	"footnote/internal/rag"
)

type previewBlock struct {
	Kind   rag.BlockKind `json:"kind"`
	Level  int           `json:"level"`
	Span   span          `json:"span"`
	Page   *int          `json:"page"`
	Header *span         `json:"header"`
}

type previewChunk struct {
	Ordinal     int      `json:"ordinal"`
	Text        string   `json:"text"`
	Span        span     `json:"span"`
	HeadingPath []string `json:"heading_path"`
	Context     string   `json:"context,omitempty"`
	Page        *int     `json:"page"`
	Tokens      int      `json:"tokens"`
}

type preview struct {
	MediaType  string         `json:"media_type"`
	Title      string         `json:"title"`
	Language   string         `json:"language"`
	Metadata   rag.Metadata   `json:"metadata"`
	Characters int            `json:"characters"`
	Text       string         `json:"text"`
	Blocks     []previewBlock `json:"blocks"`
	Chunks     []previewChunk `json:"chunks"`
	Warnings   []string       `json:"warnings"`
	Files      []filePreview  `json:"files,omitempty"`
}

// filePreview is a file of an archive.
type filePreview struct {
	ExternalID string            `json:"external_id"`
	State      rag.DocumentState `json:"state"`
	Error      *jobError         `json:"error"`
	Preview    *preview          `json:"preview"`
}

// parse shows what a file would give.
func (s *server) parse(w http.ResponseWriter, r *http.Request) error {
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")) // what is neither is refused below
	var source rag.Source
	var collection string
	switch media {
	case "multipart/form-data":
		if err := readMultipart(w, r); err != nil {
			return err
		}
		defer func() { _ = r.MultipartForm.RemoveAll() }() // temporary files; the system clears those that stay
		files := r.MultipartForm.File["file"]
		if len(files) != 1 || len(r.MultipartForm.File) > 1 {
			return rag.FieldErrorf("/file", "Send one part named file with a file name, such as curl -F file=@leave.pdf.")
		}
		for name, values := range r.MultipartForm.Value {
			if name != "collection" || len(values) > 1 {
				return rag.FieldErrorf("/"+pointerToken(name), "Unknown or repeated part %q; parts are named file or collection.", rag.Clip(name, 80))
			}
			collection = values[0]
		}
		content, err := files[0].Open()
		if err != nil {
			return fmt.Errorf("open an upload: %w", err)
		}
		defer content.Close()
		name := fileName(files[0])
		source = rag.Source{Upload: rag.Upload{ExternalID: name, Filename: name, MediaType: files[0].Header.Get("Content-Type")}, Content: content}
	case "application/json":
		var in struct {
			Text       *string `json:"text"`
			Title      string  `json:"title"`
			MediaType  string  `json:"media_type"`
			Filename   string  `json:"filename"`
			Collection string  `json:"collection"`
		}
		if err := decode(w, r, maxDocument, &in); err != nil {
			return err
		}
		if in.Text == nil || *in.Text == "" {
			return rag.FieldErrorf("/text", "text is needed and must not be empty.")
		}
		if in.MediaType == "" && path.Ext(in.Filename) == "" {
			in.MediaType = "text/plain"
		}
		collection = in.Collection
		source = rag.Source{Upload: rag.Upload{ExternalID: in.Filename, Filename: in.Filename, Title: in.Title, MediaType: in.MediaType}, Content: strings.NewReader(*in.Text)}
	default:
		return rag.Errorf(rag.Unsupported, "Send a file as multipart/form-data in a part named file, or its text as application/json (got %q).", rag.Clip(r.Header.Get("Content-Type"), 80))
	}
	if collection != "" {
		if err := rag.ValidateCollectionName(collection); err != nil {
			return rag.FieldErrorf("/collection", "%s", err.Error())
		}
		if err := seesAll(r, []string{collection}); err != nil {
			return err
		}
	}
	p, err := s.o.Ingest.Preview(r.Context(), collection, source)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, wirePreview(p))
}

func wirePreview(p rag.Preview) preview {
	out := preview{
		MediaType: p.Parsed.MediaType, Title: p.Parsed.Title, Language: p.Parsed.Language, Metadata: p.Parsed.Metadata, Characters: utf8.RuneCountInString(p.Parsed.Text), Text: p.Parsed.Text,
		Blocks: []previewBlock{}, Chunks: []previewChunk{}, Warnings: wireStrings(p.Parsed.Warnings),
	}
	if out.Metadata == nil {
		out.Metadata = rag.Metadata{}
	}
	for _, b := range p.Parsed.Blocks {
		w := previewBlock{Kind: b.Kind, Level: b.Level, Span: wireSpan(b.Span), Page: wirePage(b.Page)}
		if !b.Header.Empty() {
			h := wireSpan(b.Header)
			w.Header = &h
		}
		out.Blocks = append(out.Blocks, w)
	}
	for i, c := range p.Chunks {
		out.Chunks = append(out.Chunks, previewChunk{c.Ordinal, c.Text, wireSpan(c.Span), wireStrings(c.HeadingPath), c.Context, wirePage(c.Page), p.Tokens[i]})
	}
	for _, f := range p.Files {
		w := filePreview{ExternalID: f.ExternalID, State: f.State, Error: wireJobError(f.Error)}
		if f.Preview != nil {
			inner := wirePreview(*f.Preview)
			w.Preview = &inner
		}
		out.Files = append(out.Files, w)
	}
	return out
}
