// Package s3 keeps uploaded originals in a bucket of any S3-compatible store, each under the SHA-256 of its content.
package s3

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"footnote/internal/rag"
)

// Store is a bucket. Any number of goroutines and processes may use it.
type Store struct {
	client         *minio.Client
	bucket, prefix string
}

// Open makes a Store of s3://bucket/prefix?endpoint=https://host:port&region=name; without an endpoint it is Amazon's. Without keys the
// machine's own role is used. Nothing is sent yet. Invalid for an address of another form.
func Open(address, accessKey, secretKey string) (*Store, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "s3" || u.Host == "" {
		return nil, rag.Errorf(rag.Invalid, "The blob store must have the form s3://bucket/prefix?endpoint=https://host&region=name.")
	}
	endpoint, err := url.Parse(u.Query().Get("endpoint"))
	if err != nil || endpoint.Path != "" {
		return nil, rag.Errorf(rag.Invalid, "The endpoint of the blob store must be a URL without a path, such as https://s3.example.com.")
	}
	if endpoint.Host == "" {
		endpoint = &url.URL{Scheme: "https", Host: "s3.amazonaws.com"}
	}
	o := &minio.Options{Creds: credentials.NewIAM(""), Secure: endpoint.Scheme == "https", Region: u.Query().Get("region")}
	if accessKey != "" {
		o.Creds = credentials.NewStaticV4(accessKey, secretKey, "")
	}
	client, err := minio.New(endpoint.Host, o)
	if err != nil {
		return nil, rag.Errorf(rag.Invalid, "The blob store cannot be reached that way: %w", err)
	}
	prefix := strings.Trim(u.Path, "/")
	if prefix != "" {
		prefix += "/"
	}
	return &Store{client, u.Host, prefix}, nil
}

func (s *Store) name(sha string) string { return s.prefix + sha[:2] + "/" + sha }

// Put stores what r gives, at most maxBytes, and returns its SHA-256 in hex and its length. The name is known only at the end, so it goes through a
// temporary file. TooLarge when r gives more.
func (s *Store) Put(ctx context.Context, r io.Reader, maxBytes int64) (sha string, n int64, err error) {
	f, err := os.CreateTemp("", "footnote-upload-")
	if err != nil {
		return "", 0, fmt.Errorf("make a temporary file for an upload: %w", err)
	}
	defer func() {
		f.Close()
		_ = os.Remove(f.Name()) // a temporary file
	}()
	h := sha256.New()
	if n, err = io.Copy(io.MultiWriter(f, h), io.LimitReader(r, maxBytes+1)); err != nil {
		return "", 0, err
	}
	if n > maxBytes {
		return "", 0, rag.Errorf(rag.TooLarge, "The document has more than %d bytes, the most that is taken; split it.", maxBytes)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return "", 0, err
	}
	sha = hex.EncodeToString(h.Sum(nil))
	if info, err := s.client.StatObject(ctx, s.bucket, s.name(sha), minio.StatObjectOptions{}); err == nil && info.Size == n {
		return sha, n, nil // it is there already
	}
	_, err = s.client.PutObject(ctx, s.bucket, s.name(sha), f, n, minio.PutObjectOptions{ContentType: "application/octet-stream"})
	return sha, n, translate(err)
}

// Get opens a blob; NotFound when there is none.
func (s *Store) Get(ctx context.Context, sha string) (io.ReadCloser, error) {
	missing := rag.Errorf(rag.NotFound, "The uploaded original is gone; upload it again.")
	if len(sha) != 2*sha256.Size {
		return nil, missing
	}
	o, err := s.client.GetObject(ctx, s.bucket, s.name(sha), minio.GetObjectOptions{})
	if err == nil {
		_, err = o.Stat() // opening is lazy
	}
	if minio.ToErrorResponse(err).Code == minio.NoSuchKey {
		return nil, missing
	}
	if err != nil {
		return nil, translate(err)
	}
	return o, nil
}

// Delete removes a blob; removing one that is not there is no error.
func (s *Store) Delete(ctx context.Context, sha string) error {
	if len(sha) != 2*sha256.Size {
		return nil
	}
	return translate(s.client.RemoveObject(ctx, s.bucket, s.name(sha), minio.RemoveObjectOptions{}))
}

func translate(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if r := minio.ToErrorResponse(err); r.StatusCode == http.StatusForbidden || r.Code == minio.NoSuchBucket {
		return rag.Errorf(rag.BadUpstream, "The bucket of FOOTNOTE_BLOBS is not there, or its keys are refused. %w", err)
	}
	return rag.Errorf(rag.Unavailable, "The blob store cannot be reached now; try again. %w", err)
}
