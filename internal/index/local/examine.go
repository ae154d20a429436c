package local

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"footnote/internal/rag"
)

// State is a collection as its files have it.
type State struct {
	ID       rag.CollectionID
	Points   int
	Sequence int64 // of its last checkpoint
	Err      error // what is damaged; nil: nothing
}

// Examine reads every file in dir as New would and drops nothing. No process may have the folder open.
// Errors: the folder cannot be read; one that is not there has no collections.
func Examine(dir string) ([]State, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []State
	for _, e := range entries {
		if !e.IsDir() || !strings.HasPrefix(e.Name(), folderPrefix) {
			continue
		}
		f := &folder{path: filepath.Join(dir, e.Name())}
		c, id, err := f.collection()
		if c == nil && id == "" && errors.Is(err, fs.ErrNotExist) {
			continue // it never came to a checkpoint
		}
		s := State{ID: folderID(e.Name()), Err: err}
		if c != nil {
			s.Points, s.Sequence = c.current.Load().live, c.sequence
		}
		out = append(out, s)
	}
	return out, nil
}
