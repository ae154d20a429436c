// Package folder keeps uploaded originals in a folder, each under the SHA-256 of its content: what is stored twice is kept once.
package folder

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"footnote/internal/rag"
)

// Store is a folder of blobs. Any number of goroutines and processes may use it.
type Store struct{ root *os.Root }

// Open opens the folder and makes it when it is absent. The error is the file system's own.
func Open(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the blob folder: %w", err)
	}
	root, err := os.OpenRoot(dir) // no name can lead out of it
	if err != nil {
		return nil, fmt.Errorf("open the blob folder: %w", err)
	}
	return &Store{root}, nil
}

// Put stores what r gives, at most maxBytes, and returns its SHA-256 in hex and its length. When it returns, the blob survives a
// crash: the file was synced under a temporary name, renamed, and the folder synced. TooLarge when r gives more.
func (s *Store) Put(ctx context.Context, r io.Reader, maxBytes int64) (sha string, n int64, err error) {
	temp := "tmp-" + string(rag.NewJobID())
	f, err := s.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", 0, translate(err)
	}
	defer func() {
		f.Close()
		if err != nil {
			_ = s.root.Remove(temp) // best effort: the error at hand is the news
		}
	}()
	h := sha256.New()
	n, err = io.Copy(io.MultiWriter(f, h), io.LimitReader(contextReader{ctx, r}, maxBytes+1))
	if err != nil {
		return "", 0, translate(err)
	}
	if n > maxBytes {
		return "", 0, rag.Errorf(rag.TooLarge, "The document has more than %d bytes, the most that is taken; split it.", maxBytes)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return "", 0, translate(err)
	}
	sha = hex.EncodeToString(h.Sum(nil))
	folder := sha[:2]
	if err := s.root.Mkdir(folder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", 0, translate(err)
	}
	if err := s.root.Rename(temp, filepath.Join(folder, sha)); err != nil {
		return "", 0, translate(err)
	}
	return sha, n, errors.Join(s.sync(folder), s.sync("."))
}

// Get opens a blob; NotFound when there is none.
func (s *Store) Get(_ context.Context, sha string) (io.ReadCloser, error) {
	if len(sha) != 2*sha256.Size {
		return nil, rag.Errorf(rag.NotFound, "There is no such blob.")
	}
	f, err := s.root.Open(filepath.Join(sha[:2], sha))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, rag.Errorf(rag.NotFound, "The uploaded original is gone; upload it again.")
	}
	if err != nil {
		return nil, translate(err)
	}
	return f, nil
}

// Delete removes a blob; removing one that is not there is no error.
func (s *Store) Delete(_ context.Context, sha string) error {
	if len(sha) != 2*sha256.Size {
		return nil
	}
	if err := s.root.Remove(filepath.Join(sha[:2], sha)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return translate(err)
	}
	return nil
}

func (s *Store) sync(name string) error {
	d, err := s.root.Open(name)
	if err != nil {
		return translate(err)
	}
	return errors.Join(d.Sync(), d.Close())
}

func translate(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return rag.Errorf(rag.StorageFull, "The disk or the folder's quota is full; free space and try again. %w", err)
	}
	return err
}

// contextReader ends a copy when its context does.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
