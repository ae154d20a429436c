package postgres

import (
	"io/fs"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"footnote/internal/catalog/catalogtest"
	"footnote/internal/rag"
	pgserver "footnote/internal/servertest/postgres"
)

func TestMain(m *testing.M) { os.Exit(pgserver.Main(m)) }

func openStore(t *testing.T, o Options) *Store {
	t.Helper()
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestStore_PassesTheConformanceSuite(t *testing.T) {
	t.Parallel()
	pgserver.URL(t) // once, so that a missing server is one skip
	catalogtest.Run(t, func(t *testing.T, clock *catalogtest.Clock) catalogtest.Catalog {
		return openStore(t, Options{URL: pgserver.URL(t), Now: clock.Now})
	})
}

// Vectors from before there were hashes are found by their text once their document is taken in again, unless they came with an import.
func TestOpen_VectorsFromBeforeHashes(t *testing.T) {
	t.Parallel()
	url := pgserver.URL(t)
	before := openStore(t, Options{URL: url})
	catalogtest.BeforeHashes(t, before)
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		t.Fatal(err)
	}
	db := stdlib.OpenDBFromPool(before.pool)
	defer db.Close()
	p, err := goose.NewProvider(goose.DialectPostgres, db, files)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.DownTo(t.Context(), 4); err != nil {
		t.Fatal(err)
	}
	catalogtest.AfterHashes(t, openStore(t, Options{URL: url}))
}

func TestOpen_ReplicasMayStartTogether(t *testing.T) {
	t.Parallel()
	url := pgserver.URL(t)
	var replicas sync.WaitGroup
	for range 6 {
		replicas.Go(func() {
			s, err := Open(t.Context(), Options{URL: url})
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := s.Collections(t.Context(), "", 1); err != nil {
				t.Error(err)
			}
			s.Close()
		})
	}
	replicas.Wait()
}

func TestOpen_RefusesWithoutShowingThePassword(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"postgres://u:s3cret@127.0.0.1:bad/x", "postgres://u:s3cret@127.0.0.1:1/x?connect_timeout=1"} {
		_, err := Open(t.Context(), Options{URL: url, Patience: time.Millisecond})
		if err == nil {
			t.Fatalf("%s was opened", url)
		}
		if got := err.Error(); strings.Contains(got, "s3cret") {
			t.Errorf("the password is in %q", got)
		}
	}
}

func TestLock_OneHolderAmongReplicas(t *testing.T) {
	t.Parallel()
	url := pgserver.URL(t)
	a, b := openStore(t, Options{URL: url}), openStore(t, Options{URL: url})
	unlock, err := a.Lock(t.Context(), "doc_1")
	if err != nil {
		t.Fatal(err)
	}
	if second, err := b.TryLock(t.Context(), "doc_1"); err != nil || second != nil {
		t.Fatalf("two replicas have one lock (%v)", err)
	}
	if other, err := b.TryLock(t.Context(), "doc_2"); err != nil || other == nil {
		t.Fatalf("another lock is taken too (%v)", err)
	} else {
		other()
	}
	got := make(chan func())
	go func() {
		unlock, err := b.Lock(t.Context(), "doc_1")
		if err != nil {
			t.Error(err)
		}
		got <- unlock
	}()
	unlock()
	(<-got)()
	if unlock, err := a.TryLock(t.Context(), "doc_1"); err != nil || unlock == nil {
		t.Fatalf("the lock was not given back (%v)", err)
	} else {
		unlock()
	}
	// More waiters than connections for locks: all get their turn.
	var waiters sync.WaitGroup
	for range 3 * maxLocks {
		waiters.Go(func() {
			unlock, err := a.Lock(t.Context(), "doc_1")
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := a.Collections(t.Context(), "", 1); err != nil {
				t.Error(err)
			}
			unlock()
		})
	}
	waiters.Wait()
}

// A replica that stalls with a lock in hand loses it, and what it does then hurts nobody.
func TestLock_IsTakenFromWhoStalls(t *testing.T) {
	t.Parallel()
	url := pgserver.URL(t)
	stalled, next := openStore(t, Options{URL: url}), openStore(t, Options{URL: url, LockPatience: 300 * time.Millisecond})
	unlockStalled, err := stalled.Lock(t.Context(), "doc_1")
	if err != nil {
		t.Fatal(err)
	}
	other, err := stalled.Lock(t.Context(), "doc_2")
	if err != nil {
		t.Fatal(err)
	}
	unlock, err := next.Lock(t.Context(), "doc_1")
	if err != nil {
		t.Fatal(err)
	}
	unlockStalled() // it wakes up: the lock is another's by now and stays so
	if again, err := stalled.TryLock(t.Context(), "doc_1"); err != nil || again != nil {
		t.Errorf("the lock was given back by who had lost it (%v)", err)
	}
	if again, err := next.TryLock(t.Context(), "doc_2"); err != nil || again != nil {
		t.Errorf("another lock of the stalled one was lost (%v)", err)
	}
	unlock()
	other()
	if again, err := stalled.Lock(t.Context(), "doc_1"); err != nil {
		t.Error(err)
	} else {
		again()
	}
}

func TestListen_WakesOtherReplicas(t *testing.T) {
	t.Parallel()
	url := pgserver.URL(t)
	a, b := openStore(t, Options{URL: url}), openStore(t, Options{URL: url})
	rings := make(chan struct{}, 100) // rung without waiting
	go func() { _ = b.Listen(t.Context(), func() { rings <- struct{}{} }) }()
	<-rings // it listens
	c, err := a.CreateCollection(t.Context(), rag.Collection{Name: "c"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Submit(t.Context(), c.ID, []rag.Upload{{ExternalID: "d"}}); err != nil {
		t.Fatal(err)
	}
	<-rings
}

// A store whose server restarts goes on by itself: reads wait for it, and nothing that was acknowledged is lost.
func TestStore_SurvivesARestartOfItsServer(t *testing.T) {
	t.Parallel()
	server, err := pgserver.Start()
	if err != nil {
		pgserver.Unavailable(t, err)
	}
	t.Cleanup(server.Close)
	s := openStore(t, Options{URL: server.Database(t)})
	c, err := s.CreateCollection(t.Context(), rag.Collection{Name: "c"})
	if err != nil {
		t.Fatal(err)
	}
	for round, end := range []func(){server.Stop, server.Kill} {
		job, err := s.Submit(t.Context(), c.ID, []rag.Upload{{ExternalID: "d"}})
		if err != nil {
			t.Fatal(err)
		}
		end()
		read := make(chan error)
		go func() {
			_, err := s.Job(t.Context(), job.ID)
			read <- err
		}()
		if err := server.Restart(); err != nil {
			t.Fatal(err)
		}
		if err := <-read; err != nil {
			t.Errorf("round %d: a read across the restart: %v", round, err)
		}
		for range 20 { // every connection of the pool is dead
			if _, err := s.Collection(t.Context(), "c"); err != nil {
				t.Errorf("round %d: a read after the restart: %v", round, err)
			}
		}
		again := "it writes again"
		if _, err := s.UpdateCollection(t.Context(), "c", rag.CollectionPatch{Description: &again}); err != nil {
			t.Errorf("round %d: a write after the restart: %v", round, err)
		}
	}
	server.Stop()
	s.patience = time.Millisecond
	if _, err := s.Collection(t.Context(), "c"); rag.CodeOf(err) != rag.Unavailable {
		t.Errorf("without a server: %v, want unavailable", err)
	}
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
}
