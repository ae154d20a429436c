package main

import (
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"footnote/internal/catalog/sqlite"
	indexlocal "footnote/internal/index/local"
	"footnote/internal/rag"
)

func TestRestart_DamagedFilesAreFilledAgain(t *testing.T) {
	t.Parallel()
	r := newRestarts(t)
	data := t.TempDir()
	s, _, stop := r.start(data)
	for _, name := range []string{"c", "other"} {
		s.call("POST", "/v1/collections", map[string]any{"name": name}, 201, nil)
	}
	s.fillSome("c", 0, 8)
	s.fillSome("other", 3, 3)
	s.checkpoint()
	older := s.image(data)
	s.fillSome("c", 8, 3)
	s.remove("c", "d4")
	s.checkpoint()
	s.fillSome("c", 11, 2)
	stop()
	c, err := func() (rag.CollectionID, error) {
		st, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(data, "footnote.db")})
		if err != nil {
			return "", err
		}
		defer st.Close()
		c, err := st.Collection(t.Context(), "c")
		return c.ID, err
	}()
	if err != nil {
		t.Fatal(err)
	}
	own := "index/c-" + string(c)
	files := func(folder string) (out []string) {
		t.Helper()
		err := filepath.WalkDir(filepath.Join(folder, own), func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				out = append(out, path)
			}
			return err
		})
		if err != nil || len(out) < 3 {
			t.Fatalf("files %v, %v", out, err)
		}
		return out
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	type damage struct {
		name    string
		lines   int // that say that a collection is filled again; −1: one, or none where it did not matter
		inflict func(folder string)
	}
	var all []damage
	for i := range files(image(t, data)) {
		all = append(all,
			damage{fmt.Sprint("truncated ", i), 1, func(folder string) {
				path := files(folder)[i]
				info, err := os.Stat(path)
				must(err)
				must(os.Truncate(path, info.Size()*int64(i+1)/7))
			}},
			damage{fmt.Sprint("deleted ", i), 1, func(folder string) { must(os.Remove(files(folder)[i])) }},
			damage{fmt.Sprint("emptied ", i), 1, func(folder string) { must(os.Truncate(files(folder)[i], 0)) }})
		for flip := range 8 {
			all = append(all, damage{fmt.Sprint("flipped ", i, ".", flip), -1, func(folder string) {
				path := files(folder)[i]
				b, err := os.ReadFile(path)
				must(err)
				b[rand.IntN(len(b))] ^= 1 << rand.IntN(8)
				must(os.WriteFile(path, b, 0o600))
			}})
		}
	}
	all = append(all,
		damage{"nothing", 0, func(string) {}},
		damage{"swapped", 1, func(folder string) {
			f := files(folder)
			must(os.Rename(f[0], f[0]+".x"))
			must(os.Rename(f[1], f[0]))
			must(os.Rename(f[0]+".x", f[1]))
		}},
		damage{"no folder", 2, func(folder string) { must(os.RemoveAll(filepath.Join(folder, "index"))) }},
		damage{"no folder of the collection", 1, func(folder string) { must(os.RemoveAll(filepath.Join(folder, own))) }},
		damage{"the folder of another collection", 1, func(folder string) {
			entries, err := os.ReadDir(filepath.Join(folder, "index"))
			must(err)
			for _, e := range entries {
				if path := filepath.Join(folder, "index", e.Name()); path != filepath.Join(folder, own) {
					must(os.RemoveAll(filepath.Join(folder, own)))
					must(os.CopyFS(filepath.Join(folder, own), os.DirFS(path)))
				}
			}
		}},
		damage{"older files", 1, func(folder string) {
			must(os.RemoveAll(filepath.Join(folder, own)))
			must(os.CopyFS(filepath.Join(folder, own), os.DirFS(filepath.Join(older, own))))
		}},
		damage{"a point that is gone and no change says so", 1, func(folder string) {
			x, err := indexlocal.New(indexlocal.Options{Dir: filepath.Join(folder, "index"), Logger: slog.New(slog.DiscardHandler)})
			must(err)
			var some rag.ChunkID
			must(x.EachPoint(t.Context(), c, func(p rag.PointRef) error { some = p.Chunk; return nil }))
			must(x.Delete(t.Context(), c, []rag.ChunkID{some}))
			seq, _ := x.Applied(c)
			must(x.Checkpoint(t.Context(), c, seq))
			must(x.Close())
		}},
		damage{"an older catalog", 1, func(folder string) {
			for _, name := range []string{"footnote.db", "footnote.db-wal", "footnote.db-shm"} {
				must(os.RemoveAll(filepath.Join(folder, name)))
				if b, err := os.ReadFile(filepath.Join(older, name)); err == nil {
					must(os.WriteFile(filepath.Join(folder, name), b, 0o600))
				}
			}
		}},
		damage{"files of a collection that is not", 0, func(folder string) {
			must(os.CopyFS(filepath.Join(folder, "index", "c-col_unknown"), os.DirFS(filepath.Join(folder, own))))
		}},
		damage{"a file in place of the folder", 1, func(folder string) {
			must(os.RemoveAll(filepath.Join(folder, "index")))
			must(os.WriteFile(filepath.Join(folder, "index"), nil, 0o600))
		}},
	)
	for _, d := range all {
		folder := s.image(data)
		d.inflict(folder)
		a, log := r.open(folder)
		agrees(t, d.name, a)
		if n := log.count(filledLine); n != d.lines && (d.lines >= 0 || n > 1) {
			t.Errorf("%s: %d lines say that a collection is filled again, want %d:\n%s", d.name, n, d.lines, log)
		}
		a.close()
		// It is mended for good, unless there is no folder.
		if d.name == "a file in place of the folder" {
			continue
		}
		a, log = r.open(folder)
		agrees(t, d.name+", again", a)
		if log.count(filledLine)+log.count(settledLine) != 0 {
			t.Errorf("%s: the second start did it again:\n%s", d.name, log)
		}
		a.close()
	}
	t.Logf("%d kinds of damage", len(all))
}

// Where files cannot be written the service goes on in memory and says so once; when they can again, it writes them.
func TestRestart_AFolderThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	r := newRestarts(t)
	data := t.TempDir()
	s, log, stop := r.start(data)
	s.call("POST", "/v1/collections", map[string]any{"name": "c"}, 201, nil)
	s.fillSome("c", 0, 2)
	s.checkpoint()
	index := filepath.Join(data, "index")
	if err := os.Rename(index, index+".away"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(index, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s.fillSome("c", 2, 2)
	s.call("POST", "/v1/collections", map[string]any{"name": "later"}, 201, nil)
	s.fillSome("later", 0, 2)
	if err := s.app.ingest.Checkpoint(t.Context()); err == nil {
		t.Error("a checkpoint without a folder")
	}
	agrees(t, "without a folder", s.app)
	if log.count("kept in memory") != 1 {
		t.Errorf("the log says\n%s", log)
	}
	crashed := s.image(data)
	if err := os.Remove(index); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(index+".away", index); err != nil {
		t.Fatal(err)
	}
	s.checkpoint()
	stop()
	if got := replayed(t, image(t, data)); got.upserts+got.deletes+got.walks != 0 {
		t.Errorf("when there was a folder again, not all was written: the start wrote %d points", got.upserts)
	}
	if err := os.Remove(filepath.Join(crashed, "index")); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(crashed, "index.away"), filepath.Join(crashed, "index")); err != nil {
		t.Fatal(err)
	}
	a, _ := r.open(crashed)
	defer a.close()
	agrees(t, "crashed without a folder", a)
}

func TestDoctor_TellsOfDamagedFilesAndRepairsThem(t *testing.T) {
	t.Parallel()
	r := newRestarts(t)
	data := t.TempDir()
	s, _, stop := r.start(data)
	s.call("POST", "/v1/collections", map[string]any{"name": "c"}, 201, nil)
	s.fillSome("c", 0, 3)
	doctor := func(args ...string) (int, string) {
		var out, errOut strings.Builder
		code := run(t.Context(), append([]string{"doctor"}, args...), []string{"FOOTNOTE_DATA=" + data, "FOOTNOTE_EMBED_BASE_URL=" + r.urls[0], "FOOTNOTE_EMBED_MODEL=letters"}, strings.NewReader(""), &out, &errOut)
		return code, out.String() + errOut.String()
	}
	if code, out := doctor(); code != exitOK || !strings.Contains(out, "a running service has it") {
		t.Errorf("doctor beside a service: %d\n%s", code, out)
	}
	if code, out := doctor("--repair"); code == exitOK || !strings.Contains(out, "in use by another footnote process") {
		t.Errorf("repairing beside a service: %d\n%s", code, out)
	}
	crashed := s.image(data)
	stop()
	if code, out := doctor(); code != exitOK || !strings.Contains(out, "1 collections in files, 3 points; up to date") {
		t.Errorf("doctor: %d\n%s", code, out)
	}
	segments, err := filepath.Glob(filepath.Join(data, "index", "*", "*.segment"))
	if err != nil || len(segments) == 0 {
		t.Fatalf("segments %v, %v", segments, err)
	}
	if err := os.Truncate(segments[0], 100); err != nil {
		t.Fatal(err)
	}
	for range 2 { // looking changes nothing
		if code, out := doctor(); code != exitFailed || !strings.Contains(out, "1 of 1 collections have damaged files") || !strings.Contains(out, "doctor --repair") {
			t.Errorf("doctor of damaged files: %d\n%s", code, out)
		}
	}
	if code, out := doctor("--repair"); code != exitOK || !strings.Contains(out, "1 collections had damaged files") || !strings.Contains(out, "3 points; up to date") {
		t.Errorf("repair: %d\n%s", code, out)
	}
	a, log := r.open(data)
	agrees(t, "repaired", a)
	a.close()
	if log.count(filledLine) != 0 {
		t.Errorf("the log says\n%s", log)
	}
	data = crashed
	if code, out := doctor(); code != exitOK || !strings.Contains(out, "the next start") {
		t.Errorf("doctor after a crash: %d\n%s", code, out)
	}
}
