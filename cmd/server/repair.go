package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"footnote/internal/catalog/sqlite"
	"footnote/internal/config"
	indexlocal "footnote/internal/index/local"
	"footnote/internal/rag"
)

// examineIndex reads the embedded index's files and tells what the next start has to do.
func examineIndex(ctx context.Context, c config.Config) finding {
	f := finding{Check: "index"}
	path := filepath.Join(c.Data, "footnote.db")
	if _, err := os.Stat(path); err != nil {
		f.OK, f.Found = true, "none yet"
		return f
	}
	a := &app{config: c}
	err := a.takeLock()
	if _, ok := errors.AsType[errInUse](err); ok {
		f.OK, f.Found = true, "a running service has it, and brought it up to date when it started"
		return f
	}
	if err != nil {
		f.Found, f.Remedy = message(err), "Make the folder writable for this user, or name another with --data."
		return f
	}
	defer a.close()
	states, err := indexlocal.Examine(indexFolder(c))
	if err != nil {
		f.Found, f.Remedy = message(err), "Make "+indexFolder(c)+" readable for this user, or remove it: it is filled from the catalog."
		return f
	}
	points := 0
	var damaged []string
	files := map[rag.CollectionID]indexlocal.State{}
	for _, s := range states {
		points += s.Points
		if s.Err != nil {
			damaged = append(damaged, fmt.Sprintf("%s: %v", s.ID, s.Err))
			continue
		}
		files[s.ID] = s
	}
	if len(damaged) > 0 {
		f.Found = fmt.Sprintf("%d of %d collections have damaged files: %s", len(damaged), len(states), strings.Join(damaged, "; "))
		f.Remedy = "footnote doctor --repair fills them from the catalog; so does the next start of the service."
		return f
	}
	changes, absent, err := toReplay(ctx, path, files)
	if err != nil {
		f.Found, f.Remedy = message(err), "See the check of the store."
		return f
	}
	f.OK, f.Found = true, fmt.Sprintf("%d collections in files, %d points", len(states), points)
	switch {
	case absent > 0:
		f.Found += fmt.Sprintf("; the next start fills %d more from the catalog", absent)
	case changes > 0:
		f.Found += fmt.Sprintf("; the next start makes up for %d changed documents", changes)
	default:
		f.Found += "; up to date"
	}
	return f
}

// toReplay counts the documents that changed since the files were written, and the collections that have none.
func toReplay(ctx context.Context, path string, files map[rag.CollectionID]indexlocal.State) (changes, absent int, err error) {
	s, err := sqlite.Open(ctx, sqlite.Options{Path: path})
	if err != nil {
		return 0, 0, err
	}
	defer s.Close()
	collections, err := s.Collections(ctx, "", 1000)
	if err != nil {
		return 0, 0, err
	}
	for _, c := range collections {
		state, ok := files[c.IndexID]
		if ok {
			if ok, err = s.ChangedDocuments(ctx, c.ID, state.Sequence, func(rag.DocumentID) error { changes++; return nil }); err != nil {
				return 0, 0, err
			}
		}
		if !ok && c.Chunks > 0 {
			absent++
		}
	}
	return changes, absent, nil
}

// repair brings the embedded index into agreement with the catalog: files that are damaged or missing are made anew, and then every point is looked at.
func (p *program) repair(ctx context.Context, c config.Config) (f finding, err error) {
	f = finding{Check: "repair"}
	if c.Qdrant() {
		return f, exitError{exitUsage, errors.New("--repair is for the embedded index; footnote reconcile --fix mends Qdrant's")}
	}
	a, err := openApp(ctx, c, p.logger(c, p.stderr))
	if err != nil {
		return f, err // another process has the folder, for one: it says so
	}
	defer a.close()
	filled := 0
	if x, ok := a.index.(*indexlocal.Index); ok {
		filled = len(x.Damaged())
	}
	mended := 0
	err = a.ingest.Reconcile(ctx, true, false, func(r rag.Reconciliation) error {
		if !r.Clean() {
			mended++
		}
		return nil
	})
	f.OK, f.Found = true, fmt.Sprintf("the index agrees with the catalog; %d collections had damaged files, %d more had points too many or too few", filled, mended)
	return f, err
}
