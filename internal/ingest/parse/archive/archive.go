// Package archive reads the files in zip and tar archives, each as a section under its name. Nothing is written to a disk.
package archive

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"path"
	"strings"

	"footnote/internal/ingest/parse/document"
	"footnote/internal/rag"
)

// Zip adds the files of a zip archive.
func Zip(ctx context.Context, b *document.Builder, content []byte) error {
	z, err := document.OpenZip(content, b.Limits)
	if err != nil {
		return err
	}
	for _, name := range z.Names() {
		if skipped(name) {
			continue
		}
		file, err := z.Read(name)
		if err != nil {
			if rag.CodeOf(err) == rag.TooLarge {
				return err
			}
			b.Warn("%q was left out: %v", rag.Clip(name, 120), err)
			continue
		}
		if err := b.AppendFile(ctx, name, "", file); err != nil {
			return err
		}
	}
	return nothing(b)
}

// Tar adds the files of a tar archive, compressed by gzip or not.
func Tar(ctx context.Context, b *document.Builder, content []byte) error {
	var r io.Reader = bytes.NewReader(content)
	if bytes.HasPrefix(content, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(r)
		if err != nil {
			return err
		}
		r = z
	}
	budget := b.Limits.ExpandedBytes
	if n := b.Limits.Ratio * int64(len(content)); n > 0 && budget > 0 {
		budget = min(budget, max(n, 1<<20))
	}
	counted := &counter{r: r, left: budget, unlimited: budget == 0}
	t := tar.NewReader(counted)
	for n := 0; ; n++ {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nothing(b)
		}
		if err != nil {
			return tooMuch(err)
		}
		if b.Limits.Entries > 0 && n > b.Limits.Entries {
			return rag.Errorf(rag.TooLarge, "The archive holds more than %d files.", b.Limits.Entries)
		}
		name := strings.TrimPrefix(path.Clean("/"+h.Name), "/")
		if h.Typeflag != tar.TypeReg || skipped(name) {
			continue
		}
		limit := b.Limits.EntryBytes
		if limit == 0 {
			limit = 1 << 40
		}
		file, err := document.ReadAll(t, limit, "A file in the archive")
		if err != nil {
			return tooMuch(err)
		}
		if err := b.AppendFile(ctx, name, "", file); err != nil {
			return err
		}
	}
}

// Gzip adds the one file that gzip compressed, or the files of the tar archive that it is.
func Gzip(ctx context.Context, b *document.Builder, content []byte) error {
	z, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		return err
	}
	limit := int64(1) << 40
	if b.Limits.EntryBytes > 0 {
		limit = b.Limits.EntryBytes
	}
	if n := b.Limits.Ratio * int64(len(content)); n > 0 {
		limit = min(limit, max(n, 1<<20))
	}
	file, err := document.ReadAll(z, limit, "The file")
	if err != nil {
		return err
	}
	if len(file) > 262 && string(file[257:262]) == "ustar" {
		return Tar(ctx, b, content)
	}
	name := z.Name
	if name == "" {
		name = strings.TrimSuffix(b.Name, ".gz")
	}
	if err := b.AppendFile(ctx, path.Base(name), "", file); err != nil {
		return err
	}
	return nothing(b)
}

// skipped tells what systems put into archives for themselves.
func skipped(name string) bool {
	base := path.Base(name)
	return strings.HasPrefix(name, "__MACOSX/") || base == ".DS_Store" || base == "Thumbs.db" || strings.HasPrefix(base, "._")
}

func nothing(b *document.Builder) error {
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

func tooMuch(err error) error {
	if errors.Is(err, errTooMuch) {
		return rag.Errorf(rag.TooLarge, "The archive unpacks to more than a file of its size may.")
	}
	return err
}
