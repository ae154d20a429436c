package parse

import (
	"context"
	"strings"

	"footnote/internal/ingest/parse/archive"
	"footnote/internal/rag"
)

// IsArchive tells whether files of a media type are archives, of which each file is a document.
func IsArchive(mediaType string) bool {
	switch mediaType {
	case Zip, Tar, Gzip, Bzip2:
		return true
	}
	return false
}

// File is a file of an archive. Err says why it is none that can be read, Unsupported where its kind is not; then the type is empty.
type File struct {
	Name      string // its path in the archive; of a file in an archive in the archive, below that one's path
	MediaType string
	Content   []byte // the visitor's until it returns
	Err       error
}

// Files calls visit with each file of an archive, and of the archives in it, down to maxNesting. One that is broken is named with its Err and keeps no other from being read.
// Errors: rag.Invalid for an archive that is damaged; rag.TooLarge for one over a limit, and rag.Timeout, perhaps after some files; those of visit.
func (r Reader) Files(ctx context.Context, content []byte, filename string, visit func(File) error) error {
	if r.Limits.Time > 0 {
		var cancel func()
		ctx, cancel = context.WithTimeoutCause(ctx, r.Limits.Time, rag.Errorf(rag.Timeout, "%s took longer than %s to unpack, which is the limit.", name(filename), r.Limits.Time))
		defer cancel()
	}
	w := walker{Reader: r, ctx: ctx, visit: visit}
	return w.walk("", filename, content, 1)
}

// walker goes through an archive and those in it, which count against one set of limits.
type walker struct {
	Reader
	ctx   context.Context // of this one call
	visit func(File) error
	files int
	bytes int64
	own   error // of visit, which ends all
}

func (w *walker) walk(folder, filename string, content []byte, depth int) error {
	limits := w.Limits
	if limits.ExpandedBytes > 0 {
		limits.ExpandedBytes = max(limits.ExpandedBytes-w.bytes, 1)
	}
	return archive.Walk(w.ctx, filename, content, limits, func(f archive.File) error {
		w.bytes += int64(len(f.Content))
		if w.files++; limits.Entries > 0 && w.files > limits.Entries {
			return rag.Errorf(rag.TooLarge, "The archive holds more than %d files.", limits.Entries)
		}
		if limits.ExpandedBytes > 0 && w.bytes > w.Limits.ExpandedBytes {
			return rag.Errorf(rag.TooLarge, "The archive unpacks to more than %d bytes, which is the limit.", w.Limits.ExpandedBytes)
		}
		out := File{Name: folder + f.Name, Content: f.Content, Err: f.Err}
		if out.Err == nil {
			out.MediaType, out.Err = w.MediaType(f.Name, "", f.Content[:min(len(f.Content), 4096)])
		}
		if out.Err == nil && IsArchive(out.MediaType) {
			return w.inner(out, depth+1)
		}
		return w.show(out)
	})
}

// inner goes through an archive in an archive. Limits end everything; damage is the inner one's own, and what was read of it before stays.
func (w *walker) inner(f File, depth int) error {
	f.MediaType = ""
	if depth > maxNesting {
		f.Err = rag.Errorf(rag.Invalid, "It lies deeper in other archives than %d.", maxNesting)
		return w.show(f)
	}
	err := w.walk(f.Name+"/", f.Name, f.Content, depth)
	if err == nil || w.own != nil || w.ctx.Err() != nil || rag.CodeOf(err) != rag.Invalid {
		return err
	}
	f.Err = err
	return w.show(f)
}

func (w *walker) show(f File) error {
	if f.Err != nil {
		f.MediaType = ""
	}
	w.own = w.visit(f)
	return w.own
}

// Below is the external id of a file of an archive.
func Below(archive, name string) string { return strings.TrimSuffix(archive, "/") + "/" + name }
