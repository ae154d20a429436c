package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime/multipart"
	"os"
	"path/filepath"
	"strings"

	"footnote/internal/ingest/parse"
)

// inputFile is a document to take in. open may be called again, when a request that had it among others was refused.
type inputFile struct {
	id   string
	size int64
	open func() (io.ReadCloser, error)
}

// collect lists the documents that arg stands for. Unreadable kinds in a folder are named on stderr and left out.
func (p *program) collect(arg, id string) ([]inputFile, error) {
	if arg == "-" {
		if id == "" {
			id = "stdin.txt"
		}
		b, err := io.ReadAll(p.stdin)
		if err != nil {
			return nil, fmt.Errorf("read standard input: %w", err)
		}
		return []inputFile{{id, int64(len(b)), func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }}}, nil
	}
	info, err := os.Stat(arg)
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", arg, errors.Unwrap(err))
	}
	file := func(name, id string, size int64) inputFile {
		return inputFile{id, size, func() (io.ReadCloser, error) { return os.Open(name) }}
	}
	if !info.IsDir() {
		if id == "" {
			id = filepath.Base(arg)
		}
		return []inputFile{file(arg, id, info.Size())}, nil
	}
	var files []inputFile
	skipped := 0
	err = filepath.WalkDir(arg, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name != arg && strings.HasPrefix(d.Name(), ".") {
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() {
			return nil
		}
		if !parse.Readable(d.Name()) {
			skipped++
			fmt.Fprintf(p.stderr, "skipped %s: not a kind that can be read\n", name)
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(arg, name)
		if err != nil {
			return err
		}
		files = append(files, file(name, filepath.ToSlash(rel), info.Size()))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("walk %s: %w", arg, err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("nothing to take in under %s (%d files skipped); footnote parse --formats lists the kinds that can be read", arg, skipped)
	}
	return files, nil
}

// fileError is of a file that cannot be read here.
type fileError struct{ error }

func (e fileError) Unwrap() error { return e.error }

// multipartOf packs files into parts named file, and fields beside them; kind is the body's content type.
func multipartOf(files []inputFile, fields map[string]string) (body *bytes.Buffer, kind string, err error) {
	body = &bytes.Buffer{}
	w := multipart.NewWriter(body)
	for name, value := range fields {
		if err := w.WriteField(name, value); err != nil {
			return nil, "", fmt.Errorf("make the request: %w", err)
		}
	}
	for _, f := range files {
		part, err := w.CreateFormFile("file", f.id)
		if err != nil {
			return nil, "", fmt.Errorf("make the request: %w", err)
		}
		r, err := f.open()
		if err != nil {
			return nil, "", fileError{fmt.Errorf("open %s: %w", f.id, err)}
		}
		_, err = io.Copy(part, r)
		r.Close()
		if err != nil {
			return nil, "", fileError{fmt.Errorf("read %s: %w", f.id, err)}
		}
	}
	if err := w.Close(); err != nil {
		return nil, "", fmt.Errorf("make the request: %w", err)
	}
	return body, w.FormDataContentType(), nil
}
