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
	s, err := sqlite.Open(ctx, sqlite.Options{Path: filepath.Join(a.config.Data, "footnote.db")})
	if err != nil {
		return err
	}
	a.catalog, a.closers = s, append(a.closers, s.Close)
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
func (a *app) openIndex(ctx context.Context) (ready func(context.Context) error, err error) {
	c := a.config
	if !c.Qdrant() {
		x, err := indexlocal.New(indexlocal.Options{Logger: a.log})
		if err != nil {
			return nil, err
		}
		a.index, a.closers = x, append(a.closers, x.Close)
		return a.catalog.Check, nil
	}
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
	x, err := qdrant.New(o)
	if err != nil {
		return nil, err
	}
	a.index, a.closers = x, append(a.closers, x.Close)
	return func(ctx context.Context) error { return errors.Join(a.catalog.Check(ctx), x.Check(ctx)) }, nil
}
