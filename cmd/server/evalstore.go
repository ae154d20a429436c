package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"footnote/internal/eval"
	"footnote/internal/rag"
)

// evalStore is where eval takes sets in: each into a collection of its own, in a temporary folder or in one that is kept.
type evalStore struct {
	*app
	vectors string // file of the questions' vectors, when the folder is kept
	program string // hash of the program: another one may cut or analyse otherwise
}

// openEvalStore opens the store in the kept folder, or, when none is named, in a temporary one; the returned function ends it.
func (p *program) openEvalStore(ctx context.Context, kept string) (_ *evalStore, end func(), err error) {
	folder := kept
	if kept == "" {
		if folder, err = os.MkdirTemp("", "footnote-eval-"); err != nil {
			return nil, nil, fmt.Errorf("make a temporary folder: %w", err)
		}
	}
	remove := func() {
		if kept == "" {
			os.RemoveAll(folder)
		}
	}
	p.flags["DATA"] = folder
	c, err := p.config()
	if err != nil {
		remove()
		return nil, nil, err
	}
	c.LogLevel, c.RerankTimeout = "warn", time.Minute // what is measured is the order, not the machine
	c.EmbedCache = max(c.EmbedCache, 100_000)         // every question is asked in several ways
	a, err := openApp(ctx, c, p.logger(c, p.stderr))
	if err != nil {
		remove()
		return nil, nil, err
	}
	s := &evalStore{app: a}
	stop := a.start(ctx)
	end = func() { stop(); remove() }
	s.program, err = programHash()
	if err == nil && kept != "" {
		s.vectors = filepath.Join(folder, questionsName+s.program[:8]) // another program may compare a question with the same passages otherwise
		err = s.loadQuestions()
	}
	if err != nil {
		end()
		return nil, nil, err
	}
	return s, end, nil
}

// programHash is the hash of the running program's file.
var programHash = sync.OnceValues(func() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find the program's file: %w", err)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("read the program's file: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("read the program's file: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
})

// questionsName begins the name of the file of the questions' vectors.
const questionsName = "questions-"

// loadQuestions fills the cache of query vectors with those of earlier runs of this program.
func (s *evalStore) loadQuestions() error {
	f, err := os.Open(s.vectors)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if err := s.queries.Load(f); err != nil {
		s.log.Warn("the kept vectors of questions cannot be read, they are made anew", "file", s.vectors, "error", err)
	}
	return nil
}

// settle keeps what the next run can use of a set that was measured, and no more; without a folder to keep, nothing.
func (s *evalStore) settle(ctx context.Context, e *evaluated) error {
	if s.vectors == "" {
		return s.ingest.DeleteCollection(ctx, e.collection)
	}
	return errors.Join(s.saveQuestions(), s.dropOthers(ctx, e))
}

// saveQuestions keeps the vectors of the questions that were asked.
func (s *evalStore) saveQuestions() error {
	f, err := os.CreateTemp(filepath.Dir(s.vectors), "new-"+questionsName)
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if err := errors.Join(s.queries.Save(f), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), s.vectors); err != nil {
		return err
	}
	others, err := filepath.Glob(filepath.Join(filepath.Dir(s.vectors), questionsName+"*"))
	for _, other := range others {
		if other != s.vectors {
			err = errors.Join(err, os.Remove(other))
		}
	}
	return err
}

// open finds the set's collection, or makes it. It is named after the set and a hash of all that it follows from, so what is found is
// what taking the documents in again would make.
func (s *evalStore) open(ctx context.Context, d eval.Dataset) (*evaluated, error) {
	h := sha256.New()
	fmt.Fprintln(h, s.program, s.embedder.Fingerprint(), rag.DefaultChunking)
	wanted, err := hashDocuments(h, d.Documents)
	if err != nil {
		return nil, err
	}
	prefix := collectionPrefix(d.Name)
	e := &evaluated{app: s.app, collection: prefix + hex.EncodeToString(h.Sum(nil)[:8])}
	c, err := s.catalog.DescribeCollection(ctx, e.collection)
	if rag.CodeOf(err) == rag.NotFound {
		_, err = s.ingest.CreateCollection(ctx, rag.Collection{Name: e.collection})
	}
	e.complete = err == nil && c.Documents == wanted
	return e, err
}

// dropOthers deletes the set's collections of other programs and models. It comes after the set was taken in, which found their vectors.
func (s *evalStore) dropOthers(ctx context.Context, e *evaluated) error {
	prefix := e.collection[:strings.LastIndexByte(e.collection, '-')+1]
	for after := prefix; ; {
		page, err := s.catalog.Collections(ctx, after, 100)
		if err != nil {
			return err
		}
		for _, c := range page {
			after = c.Name
			if !strings.HasPrefix(c.Name, prefix) {
				return nil
			}
			if c.Name != e.collection && len(c.Name) == len(e.collection) {
				if err := s.ingest.DeleteCollection(ctx, c.Name); err != nil {
					return err
				}
			}
		}
		if len(page) == 0 {
			return nil
		}
	}
}

// hashDocuments adds the documents to h and counts those that have text.
func hashDocuments(h hash.Hash, documents []eval.Document) (n int, err error) {
	e := json.NewEncoder(h)
	for _, d := range documents {
		if err := e.Encode(d); err != nil {
			return n, err
		}
		if evalText(d) != "" {
			n++
		}
	}
	return n, nil
}

// collectionPrefix makes of a set's name the beginning of its collection's.
func collectionPrefix(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		if b.Len() == 40 {
			break
		}
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			b.WriteRune(r)
		} else {
			b.WriteByte('-')
		}
	}
	return "eval-" + b.String() + "-"
}

// evalText is what is taken in of a document: a few have no text, and one of Cranfield's no title either.
func evalText(d eval.Document) string {
	for _, text := range []string{d.Text, d.Title} {
		if strings.TrimSpace(text) != "" {
			return text
		}
	}
	return ""
}
