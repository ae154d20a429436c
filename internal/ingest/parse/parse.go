// Package parse turns the bytes of a file into normalised text and its structure: headings, lists, tables, code, paragraphs.
//
// It owns the list of formats; each has a package of its own below this one. A file of a kind that is not in the list is refused by name, never
// guessed. Every block's span indexes the text that is returned beside it, in code points.
package parse

import (
	"bytes"
	"context"
	"fmt"
	"mime"
	"path"
	"strings"

	"github.com/gabriel-vasile/mimetype"

	"footnote/internal/ingest/parse/document"
	"footnote/internal/rag"
)

// MediaType tells the type of a file from its first bytes (512 or more, or all), its name and what its sender declared. A format that its bytes give away is that
// format whatever its name says; else the name's ending counts before the declaration, which browsers and tools often leave generic. Unsupported for a kind that
// cannot be read, or content that is not text where text is promised.
func MediaType(filename, declared string, head []byte) (string, error) {
	found := mimetype.Detect(head)
	ext := strings.ToLower(path.Ext(filename))
	f := byExtension[ext]
	if given := bySignature(found); given != nil && !(found.Is("application/zip") && f != nil && f.zipped) { // the first bytes do not show which of the formats that are zip files it is
		return given.mediaType, nil
	}
	if what := advice[ext]; f == nil && what != "" {
		return "", rag.Errorf(rag.Unsupported, "%s %s.", name(filename), what)
	}
	if t, _, err := mime.ParseMediaType(declared); err == nil && f == nil {
		f = byDeclared[strings.ToLower(t)]
		if f == nil && t != "application/octet-stream" && t != "" {
			return "", rag.Errorf(rag.Unsupported, "%s is of type %s, which cannot be read; %s.", name(filename), rag.Clip(t, 80), readable())
		}
	}
	if f == nil && ext != "" {
		return "", rag.Errorf(rag.Unsupported, "%s has the ending %s, which cannot be read; %s.", name(filename), rag.Clip(ext, 20), readable())
	}
	if f != nil && f.zipped && found.Is("application/zip") {
		return f.mediaType, nil
	}
	if f != nil && f.zipped && found.Is("application/x-ole-storage") {
		return "", rag.Errorf(rag.Unsupported, "%s is encrypted with a password, or in the format of before 2007; save it as %s without a password.", name(filename), ext)
	}
	if f != nil && len(f.signatures) > 0 && len(head) > 0 {
		return "", rag.Errorf(rag.Unsupported, "%s is called %s but holds %s; rename it, or send it with its media type.", name(filename), f.name, found.String())
	}
	if binary(found, head) {
		return "", rag.Errorf(rag.Unsupported, "%s holds %s, not text; %s.", name(filename), found.String(), readable())
	}
	if f == nil {
		return "", rag.Errorf(rag.Unsupported, "%s has no ending or media type that tells what it is; %s.", name(filename), readable())
	}
	return f.mediaType, nil
}

func name(filename string) string {
	if filename == "" {
		return "The document"
	}
	return `"` + rag.Clip(filename, 120) + `"`
}

// binary tells whether content is no text: a known binary format, or NUL bytes without a UTF-16 mark, or many control bytes.
func binary(found *mimetype.MIME, head []byte) bool {
	if document.HasUTF16Mark(head) {
		return false
	}
	if bytes.IndexByte(head, 0) >= 0 {
		return true
	}
	isText := len(head) == 0
	for m := found; m != nil; m = m.Parent() {
		isText = isText || m.Is("text/plain")
	}
	if !isText && !found.Is("application/octet-stream") {
		return true
	}
	control := 0
	for _, b := range head {
		if b < 0x20 && b != '\n' && b != '\r' && b != '\t' && b != '\f' && b != 0x1b {
			control++
		}
	}
	return control*20 > len(head)
}

// Parse reads a file of a type that MediaType gave, within the limits. It stops when ctx ends, or after limits.Time, with rag.Timeout.
// Errors: rag.Unsupported for another type; rag.Invalid for a file that cannot be read as what it is; rag.TooLarge for one over a limit.
func Parse(ctx context.Context, content []byte, filename, mediaType string, limits document.Limits) (rag.Parsed, error) {
	return Reader{Limits: limits}.Parse(ctx, content, filename, mediaType)
}

// Reader reads files within limits. Transcribe reads the text of images and of scanned pages; nil: images are refused, and pages that are images are named in the warnings. It has
// to be safe for several goroutines.
type Reader struct {
	Limits     document.Limits
	Transcribe func(ctx context.Context, mediaType string, image []byte) (string, error)
}

// MediaType is as the function, and knows images where they can be read. Unsupported as there.
func (r Reader) MediaType(filename, declared string, head []byte) (string, error) {
	if t := imageType(head); t != "" && r.Transcribe != nil {
		return t, nil
	}
	return MediaType(filename, declared, head)
}

// Parse is as the function. Errors of Transcribe for an image that is the file itself are passed on.
func (r Reader) Parse(ctx context.Context, content []byte, filename, mediaType string) (rag.Parsed, error) {
	limits := r.Limits
	if limits.Time > 0 {
		var cancel func()
		ctx, cancel = context.WithTimeoutCause(ctx, limits.Time, rag.Errorf(rag.Timeout, "%s took longer than %s to read, which is the limit.", name(filename), limits.Time))
		defer cancel()
	}
	if err := ctx.Err(); err != nil {
		return rag.Parsed{}, context.Cause(ctx)
	}
	f := r.format(mediaType)
	if f == nil {
		return rag.Parsed{}, rag.Errorf(rag.Unsupported, "%s is of type %s, which cannot be read; %s.", name(filename), rag.Clip(mediaType, 80), readable())
	}
	b := &document.Builder{Limits: limits, Name: filename, Transcribe: r.Transcribe}
	b.Nested = r.nested(1)
	if err := withinTime(ctx, func() error { return f.parse(ctx, b, content) }); err != nil {
		if ctx.Err() != nil {
			return rag.Parsed{}, context.Cause(ctx)
		}
		if code := rag.CodeOf(err); code != rag.Internal && code != rag.NotFound { // a part that a file lacks is the file's fault
			return rag.Parsed{}, err
		}
		return rag.Parsed{}, rag.Errorf(rag.Invalid, "%s cannot be read as %s: %w", name(filename), f.name, err)
	}
	return b.Parsed(mediaType), nil
}

// withinTime runs a parser until ctx ends. Most parsers look at ctx; one that is caught in a library which does not is left to itself, so that whoever waits does not wait with it. A panic is an
// error: a file that breaks a parser breaks nothing else.
func withinTime(ctx context.Context, parse func() error) error {
	done := make(chan error, 1) // so that a parser which was left can end
	go func() {
		defer func() {
			if r := recover(); r != nil {
				done <- rag.Errorf(rag.Invalid, "The file broke its parser: %w", fmt.Errorf("%v", r))
			}
		}()
		done <- parse()
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// maxNesting is how deep files may be in files: a document attached to a mail in an archive is three.
const maxNesting = 4

// nested reads the files inside a file, within its limits. A container counts against them with what it unpacks, and again when that is unpacked.
func (r Reader) nested(depth int) func(ctx context.Context, name, declared string, content []byte) (*document.Builder, error) {
	files, limits := 0, r.Limits
	return func(ctx context.Context, name, declared string, content []byte) (*document.Builder, error) {
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
		if files++; limits.Entries > 0 && files > limits.Entries {
			return nil, rag.Errorf(rag.TooLarge, "The file holds more than %d files.", limits.Entries)
		}
		if depth > maxNesting {
			return nil, rag.Errorf(rag.Invalid, "it lies deeper in other files than %d", maxNesting)
		}
		kind, err := r.MediaType(name, declared, content[:min(len(content), 4096)])
		if err != nil {
			return nil, err
		}
		b := &document.Builder{Limits: limits, Name: name, Transcribe: r.Transcribe}
		b.Nested = r.nested(depth + 1)
		return b, r.format(kind).parse(ctx, b, content)
	}
}
