package document

import (
	"archive/zip"
	"bytes"
	"io"
	"path"
	"strings"
	"unicode/utf8"

	"footnote/internal/rag"
)

// Zip is an opened zip file that is read within limits, whatever it says of itself. Nothing is ever written to a disk, so names are only names.
type Zip struct {
	limits   Limits
	entries  map[string]*zip.File
	names    []string // in the file's order
	packed   int64
	expanded int64
}

// OpenZip reads the list of entries. Names are cleaned, so that "../x" and "/x" are "x"; of two entries with one name the first counts. A name is UTF-8 where it is valid as that; programs write
// others in the character set of the system that they run on and do not say which, so all names together tell it.
// Errors: rag.Invalid for what is no zip file; rag.TooLarge for too many entries.
func OpenZip(content []byte, limits Limits) (*Zip, error) {
	r, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return nil, rag.Errorf(rag.Invalid, "The file is damaged: it cannot be unpacked: %w", err)
	}
	if limits.Entries > 0 && len(r.File) > limits.Entries {
		return nil, rag.Errorf(rag.TooLarge, "The file packs %d files; at most %d are read.", len(r.File), limits.Entries)
	}
	z := &Zip{limits: limits, entries: map[string]*zip.File{}, packed: int64(len(content))}
	var foreign []byte
	for _, f := range r.File {
		if !utf8.ValidString(f.Name) {
			foreign = append(append(foreign, f.Name...), '\n')
		}
	}
	set := guess(foreign)
	for _, f := range r.File {
		raw := f.Name
		if !utf8.ValidString(raw) {
			raw = as(set, []byte(raw)) // before slashes are looked for: half of a character may look like a backslash
		}
		name := strings.TrimPrefix(path.Clean("/"+strings.ReplaceAll(raw, "\\", "/")), "/")
		if name == "" || f.FileInfo().IsDir() || z.entries[name] != nil {
			continue
		}
		z.entries[name] = f
		z.names = append(z.names, name)
	}
	return z, nil
}

// Names lists the entries in the file's order.
func (z *Zip) Names() []string { return z.names }

// Has tells whether there is such an entry.
func (z *Zip) Has(name string) bool { return z.entries[name] != nil }

// Read unpacks an entry. Errors: rag.NotFound; rag.Invalid for a damaged or encrypted one; rag.TooLarge over the limits of one entry, of all that was read so far, or of the ratio.
func (z *Zip) Read(name string) ([]byte, error) {
	f := z.entries[name]
	if f == nil {
		return nil, rag.Errorf(rag.NotFound, "The file lacks its part %q.", rag.Clip(name, 120))
	}
	if f.Flags&1 != 0 {
		return nil, rag.Errorf(rag.Invalid, "The file is encrypted and asks for a password; send it without one.")
	}
	most := int64(1) << 40
	if z.limits.EntryBytes > 0 {
		most = z.limits.EntryBytes
	}
	if z.limits.ExpandedBytes > 0 {
		most = min(most, z.limits.ExpandedBytes-z.expanded)
	}
	if z.limits.Ratio > 0 {
		most = min(most, max(z.limits.Ratio*z.packed, 1<<20)-z.expanded)
	}
	r, err := f.Open()
	if err != nil {
		return nil, rag.Errorf(rag.Invalid, "The file's part %q cannot be unpacked: %w", rag.Clip(name, 120), err)
	}
	defer r.Close()
	content, err := io.ReadAll(io.LimitReader(r, max(most, 0)+1))
	if int64(len(content)) > most {
		return nil, rag.Errorf(rag.TooLarge, "The file unpacks to more than a file of its size may (%d bytes with its part %q).", z.expanded+most, rag.Clip(name, 120))
	}
	if err != nil {
		return nil, rag.Errorf(rag.Invalid, "The file's part %q is damaged: %w", rag.Clip(name, 120), err)
	}
	z.expanded += int64(len(content))
	return content, nil
}
