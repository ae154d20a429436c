package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"footnote/internal/blob/folder"
	blobpostgres "footnote/internal/blob/postgres"
	"footnote/internal/blob/s3"
	"footnote/internal/catalog/postgres"
	"footnote/internal/catalog/sqlite"
	"footnote/internal/config"
	indexlocal "footnote/internal/index/local"
	"footnote/internal/index/qdrant"
	"footnote/internal/ingest"
)

// openCatalog opens the catalog that the configuration names, and what replicas need of each other.
func (a *app) openCatalog(ctx context.Context, o *ingest.Options) error {
	if a.config.Postgres() {
		s, err := postgres.Open(ctx, postgres.Options{URL: a.config.Catalog.Reveal()})
		if err != nil {
			return err
		}
		a.catalog, a.closers = s, append(a.closers, s.Close)
		o.Locks, o.Listen = s, s.Listen
		return nil
	}
	changes := sqlite.KeepChanges
	if a.config.Qdrant() {
		changes = sqlite.ForgetChanges
	}
	s, err := sqlite.Open(ctx, sqlite.Options{Path: filepath.Join(a.config.Data, "footnote.db"), Changes: changes})
	if err != nil {
		return err
	}
	a.catalog, a.closers = s, append(a.closers, s.Close)
	if !a.config.Qdrant() {
		o.Changes = s
	}
	// Only this process has the folder, so whoever was working on a job is dead.
	if err := s.RequeueRunning(ctx); err != nil {
		return fmt.Errorf("put interrupted jobs back in the queue: %w", err)
	}
	return nil
}

// openBlobs opens the store of uploaded originals: every replica must reach it.
func (a *app) openBlobs(ctx context.Context) (ingest.Blobs, error) {
	c := a.config
	switch {
	case c.Blobs == "postgres" || c.Blobs == "" && c.Postgres():
		s, err := blobpostgres.Open(ctx, c.Catalog.Reveal())
		if err != nil {
			return nil, err
		}
		a.closers = append(a.closers, s.Close)
		return s, nil
	case c.Blobs == "" || c.Blobs == "folder":
		return folder.Open(filepath.Join(c.Data, "blobs"))
	}
	return s3.Open(c.Blobs, c.S3AccessKey.Reveal(), c.S3SecretKey.Reveal())
}

// openIndex opens the index that the configuration names; ready tells whether the stores can be read.
func (a *app) openIndex(ctx context.Context, o *ingest.Options) (ready func(context.Context) error, err error) {
	if !a.config.Qdrant() {
		return a.catalog.Check, a.openLocalIndex(o)
	}
	x, err := a.openQdrant(ctx)
	if err != nil {
		return nil, err
	}
	a.index, a.closers = x, append(a.closers, x.Close)
	return func(ctx context.Context) error { return errors.Join(a.catalog.Check(ctx), x.Check(ctx)) }, nil
}

// indexFolder is where the embedded index keeps its files. They follow from the catalog: no backup needs them.
func indexFolder(c config.Config) string { return filepath.Join(c.Data, "index") }

// openLocalIndex opens the embedded index. Where its folder cannot be used it lives in memory: the service starts slower, and works.
func (a *app) openLocalIndex(o *ingest.Options) error {
	x, err := indexlocal.New(indexlocal.Options{Dir: indexFolder(a.config), Margin: a.config.IndexMargin, Logger: a.log})
	if err == nil {
		o.Durable = x
	} else {
		a.log.Warn("the index's folder cannot be used; the index is filled from the catalog and lives in memory", "folder", indexFolder(a.config), "error", err)
		if x, err = indexlocal.New(indexlocal.Options{Margin: a.config.IndexMargin, Logger: a.log}); err != nil {
			return err
		}
	}
	a.index, a.closers = x, append(a.closers, x.Close)
	return nil
}

func (a *app) openQdrant(ctx context.Context) (*qdrant.Index, error) {
	c := a.config
	o, err := qdrant.ParseURL(c.Index.Reveal())
	if err != nil {
		return nil, exitError{exitUsage, err}
	}
	o.Shards, o.Replicas, o.OnDisk, o.Quantization, o.ExactBelow = c.QdrantShards, c.QdrantReplicas, c.QdrantOnDisk, qdrant.Quantization(c.QdrantQuantize), c.QdrantExact
	if a.catalog != nil {
		// Several installations may share a server: what is not named after this one is none of its business, and nothing for reconcile to drop.
		id, err := a.catalog.Installation(ctx)
		if err != nil {
			return nil, err
		}
		o.Prefix = "footnote_" + id + "_"
	}
	return qdrant.New(o)
}
