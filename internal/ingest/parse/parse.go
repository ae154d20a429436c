// Package parse turns the bytes of a file into normalised text and its structure: headings, lists, tables, code, paragraphs.
//
// It owns the list of formats; each has a package of its own below this one. A file of a kind that is not in the list is refused by name, never
// guessed. Every block's span indexes the text that is returned beside it, in code points.
package parse

import (
	"bytes"
	"context"
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
	if f := bySignature(found); f != nil {
		return f.mediaType, nil
	}
	ext := strings.ToLower(path.Ext(filename))
	f := byExtension[ext]
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
		return f.mediaType, nil // the first bytes do not show which of the formats that are zip files it is
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
	if limits.Time > 0 {
		var cancel func()
		ctx, cancel = context.WithTimeoutCause(ctx, limits.Time, rag.Errorf(rag.Timeout, "%s took longer than %s to read, which is the limit.", name(filename), limits.Time))
		defer cancel()
	}
	if err := ctx.Err(); err != nil {
		return rag.Parsed{}, context.Cause(ctx)
	}
	f := byMediaType[mediaType]
	if f == nil {
		return rag.Parsed{}, rag.Errorf(rag.Unsupported, "%s is of type %s, which cannot be read; %s.", name(filename), rag.Clip(mediaType, 80), readable())
	}
	b := &document.Builder{Limits: limits}
	if err := f.parse(ctx, b, content); err != nil {
		if ctx.Err() != nil {
			return rag.Parsed{}, context.Cause(ctx)
		}
		if rag.CodeOf(err) != rag.Internal {
			return rag.Parsed{}, err
		}
		return rag.Parsed{}, rag.Errorf(rag.Invalid, "%s cannot be read as %s: %w", name(filename), f.name, err)
	}
	return b.Parsed(mediaType), nil
}
