// Package archive reads the files in zip and tar archives and what gzip and bzip2 compressed. Nothing is written to a disk.
//
// An archive that is handed in is taken apart with Walk: each file is a document. One that lies inside a document, such as one attached to a mail, becomes part of it, each file a section under its name.
package archive

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"footnote/internal/ingest/parse/document"
	"footnote/internal/rag"
)

// File is a file of an archive, under its cleaned name: "../x" and "/x" are "x". Err says why its content is not there.
type File struct {
	Name    string
	Content []byte
	Err     error
}

// Walk calls visit with each file of an archive, in its order, but those that systems put there for themselves, within the limits. name is the archive's own.
// Errors: rag.Invalid for an archive that is damaged, and rag.TooLarge for one over a limit, perhaps after some files; those of visit; ctx's.
func Walk(ctx context.Context, name string, content []byte, limits document.Limits, visit func(File) error) error {
	each := func(f File) error {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		if base := path.Base(f.Name); strings.HasPrefix(f.Name, "__MACOSX/") || base == ".DS_Store" || base == "Thumbs.db" || strings.HasPrefix(base, "._") {
			return nil
		}
		return visit(f)
	}
	if bytes.HasPrefix(content, []byte("PK")) {
		return walkZip(content, limits, each)
	}
	budget := limits.ExpandedBytes
	if n := limits.Ratio * int64(len(content)); n > 0 && budget > 0 {
		budget = min(budget, max(n, 1<<20))
	}
	var r io.Reader = bytes.NewReader(content)
	var inner string // the name of what was compressed
	var err error
	switch {
	case bytes.HasPrefix(content, []byte{0x1f, 0x8b}):
		var z *gzip.Reader
		if z, err = gzip.NewReader(r); err != nil {
			return damaged(err)
		}
		r, inner = z, z.Name
	case bytes.HasPrefix(content, []byte("BZh")):
		r = bzip2.NewReader(r)
	default:
		return walkTar(&counter{r: r, left: budget, unlimited: budget == 0}, limits, each)
	}
	unpacked := bufio.NewReaderSize(&counter{r: r, left: budget, unlimited: budget == 0}, 512)
	head, err := unpacked.Peek(512)
	if err != nil && !errors.Is(err, io.EOF) {
		return damaged(err)
	}
	if len(head) > 262 && string(head[257:262]) == "ustar" || isTar(name) {
		return walkTar(unpacked, limits, each)
	}
	if clean(inner) == "" {
		inner = name
		for _, ending := range []string{".gz", ".bz2"} {
			inner = strings.TrimSuffix(inner, ending)
		}
	}
	file, err := document.ReadAll(unpacked, most(limits), "The file")
	if err != nil {
		return damaged(err)
	}
	return each(File{Name: path.Base(clean(inner)), Content: file})
}

func isTar(name string) bool {
	name = strings.ToLower(name)
	for _, ending := range []string{".tgz", ".tar.gz", ".tbz2", ".tar.bz2"} {
		if strings.HasSuffix(name, ending) {
			return true
		}
	}
	return false
}

// clean makes a name one that only names: below the archive's root, with slashes.
func clean(name string) string {
	return strings.TrimPrefix(path.Clean("/"+strings.ReplaceAll(name, "\\", "/")), "/")
}

func most(limits document.Limits) int64 {
	if limits.EntryBytes > 0 {
		return limits.EntryBytes
	}
	return 1 << 40
}

func walkZip(content []byte, limits document.Limits, each func(File) error) error {
	z, err := document.OpenZip(content, limits)
	if err != nil {
		return err
	}
	for _, name := range z.Names() {
		file, err := z.Read(name)
		if rag.CodeOf(err) == rag.TooLarge {
			return err
		}
		if err := each(File{name, file, err}); err != nil {
			return err
		}
	}
	return nil
}

func walkTar(r io.Reader, limits document.Limits, each func(File) error) error {
	t := tar.NewReader(r)
	for n := 0; ; n++ {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return damaged(err)
		}
		if limits.Entries > 0 && n > limits.Entries {
			return rag.Errorf(rag.TooLarge, "The archive holds more than %d files.", limits.Entries)
		}
		name := clean(document.Decode([]byte(h.Name)))
		if h.Typeflag != tar.TypeReg || name == "" {
			continue
		}
		file, err := document.ReadAll(t, most(limits), "A file in the archive")
		if err != nil {
			return damaged(err)
		}
		if err := each(File{Name: name, Content: file}); err != nil {
			return err
		}
	}
}

// Parse adds the files of an archive that is part of a document.
func Parse(ctx context.Context, b *document.Builder, content []byte) error {
	err := Walk(ctx, b.Name, content, b.Limits, func(f File) error {
		if f.Err != nil {
			b.Warn("%q was left out: %v", rag.Clip(f.Name, 120), f.Err)
			return nil
		}
		return b.AppendFile(ctx, f.Name, "", f.Content)
	})
	if err != nil {
		return err
	}
	if b.Empty() {
		if len(b.Warnings) > 0 {
			return rag.Errorf(rag.Invalid, "None of the files in the archive could be read; the first: %s", b.Warnings[0])
		}
		return rag.Errorf(rag.Invalid, "The archive holds no files.")
	}
	return nil
}

// counter ends with errTooMuch when more than what is left was read.
type counter struct {
	r         io.Reader
	left      int64
	unlimited bool
}

var errTooMuch = errors.New("too much")

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if c.left -= int64(n); c.left < 0 && !c.unlimited {
		return n, errTooMuch
	}
	return n, err
}

// damaged says what is wrong with an archive that cannot be read on.
func damaged(err error) error {
	if errors.Is(err, errTooMuch) {
		return rag.Errorf(rag.TooLarge, "The archive unpacks to more than a file of its size may.")
	}
	if rag.CodeOf(err) != rag.Internal {
		return err
	}
	return rag.Errorf(rag.Invalid, "The archive is damaged: %w", fmt.Errorf("unpack: %w", err))
}
