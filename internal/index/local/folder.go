package local

import (
	"bufio"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"footnote/internal/rag"
)

// folder has the files of one collection: segments and the manifest that lists them. A file is written whole under another name, synced and renamed, and
// the folder synced: it is there as it should be, or not at all.
type folder struct {
	path string
	log  *slog.Logger
}

const (
	segmentSuffix   = ".segment"
	temporarySuffix = ".tmp"
	manifestName    = "manifest"
	folderPrefix    = "c-" // no collection's folder is called "." or ".."
)

func folderPath(dir string, id rag.CollectionID) string {
	return filepath.Join(dir, folderPrefix+url.PathEscape(string(id)))
}

// newFolder makes an empty folder for a collection; what an abandoned one left is removed.
func newFolder(dir string, id rag.CollectionID, log *slog.Logger) (*folder, error) {
	f := &folder{folderPath(dir, id), log}
	if err := os.RemoveAll(f.path); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(f.path, 0o700); err != nil {
		return nil, err
	}
	return f, syncFolder(dir)
}

func (f *folder) remove() error { return os.RemoveAll(f.path) }

// make writes a segment by fill and maps it.
func (f *folder) make(l *layout, fill func(io.Writer) error) (*segment, error) {
	var random [8]byte
	rand.Read(random[:])
	name := hex.EncodeToString(random[:]) + segmentSuffix
	if err := f.write(name, fill); err != nil {
		return nil, err
	}
	return f.open(name, l)
}

// open maps a segment and checks it. It is unmapped when nobody has it any more.
func (f *folder) open(name string, l *layout) (*segment, error) {
	data, unmap, err := mapFile(filepath.Join(f.path, name))
	if err != nil {
		return nil, err
	}
	seg, err := openSegment(data, l)
	if err != nil {
		unmap(data)
		return nil, err
	}
	seg.file = name
	runtime.AddCleanup(seg, unmap, data)
	return seg, nil
}

func (f *folder) write(name string, fill func(io.Writer) error) (err error) {
	path := filepath.Join(f.path, name)
	file, err := os.OpenFile(path+temporarySuffix, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(file.Name()))
		}
	}()
	w := bufio.NewWriterSize(file, 1<<20)
	err = fill(w)
	if err == nil {
		err = w.Flush()
	}
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	if err = os.Rename(file.Name(), path); err != nil {
		return err
	}
	return syncFolder(f.path)
}

// sweep removes what the manifest does not list.
func (f *folder) sweep(keep map[string]bool) error {
	entries, err := os.ReadDir(f.path)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := e.Name()
		if name == manifestName || keep[name] || !strings.HasSuffix(name, segmentSuffix) && !strings.HasSuffix(name, temporarySuffix) {
			continue
		}
		if err := os.Remove(filepath.Join(f.path, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil // folders cannot be synced there
	}
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// folderID is the collection that a folder belongs to.
func folderID(name string) rag.CollectionID {
	id, err := url.PathUnescape(strings.TrimPrefix(name, folderPrefix))
	if err != nil {
		return rag.CollectionID(name)
	}
	return rag.CollectionID(id)
}

// collection opens what the manifest lists. Errors: fs.ErrNotExist without an id when there is no manifest; anything else is damage.
func (f *folder) collection() (*collection, rag.CollectionID, error) {
	b, err := os.ReadFile(filepath.Join(f.path, manifestName))
	if err != nil {
		return nil, "", err
	}
	id := folderID(filepath.Base(f.path))
	text, err := openText(b)
	if err != nil {
		return nil, id, err
	}
	var m manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, id, damaged("the manifest: %v", err)
	}
	if m.Version != manifestVersion || m.Collection != id || m.Dimensions < 1 || m.Dimensions > maxDims || len(m.Mean) != 0 && len(m.Mean) != 4*m.Dimensions {
		return nil, id, damaged("the manifest is of version %d, collection %q, %d dimensions", m.Version, m.Collection, m.Dimensions)
	}
	c := newCollection(id, m.Dimensions)
	c.files, c.sequence, c.applied = f, m.Sequence, true
	if len(m.Mean) > 0 {
		c.mean = make([]float32, m.Dimensions)
		copy(bytesOf(c.mean), m.Mean)
	}
	s := c.current.Load()
	keep := map[string]bool{}
	for _, entry := range m.Segments {
		v, err := f.view(entry, c)
		if err != nil {
			return nil, id, fmt.Errorf("segment %s: %w", entry.File, err)
		}
		s.segments = append(s.segments, v)
		s.live += v.n - v.dead.number()
		keep[entry.File] = true
	}
	return c, id, f.sweep(keep)
}

// view opens a segment that the manifest lists.
func (f *folder) view(entry manifestSegment, c *collection) (segmentView, error) {
	if filepath.Base(entry.File) != entry.File {
		return segmentView{}, damaged("it lies elsewhere")
	}
	seg, err := f.open(entry.File, c.layout)
	if err != nil {
		return segmentView{}, err
	}
	v := segmentView{segment: seg}
	if len(seg.data) != entry.Bytes || seg.sum != entry.Sum || seg.n != entry.Points {
		return v, damaged("it is not the one that the manifest lists")
	}
	if seg.mean != nil && !slices.Equal(seg.mean, c.mean) {
		return v, damaged("its codes are centred otherwise")
	}
	if len(entry.Dead) > 0 {
		bits := newBitset(seg.n)
		if len(entry.Dead) != 8*len(bits) {
			return v, damaged("its deletions are of another length")
		}
		copy(bytesOf(bits), entry.Dead)
		for i := seg.n; i < 64*len(bits); i++ {
			if bits.has(i) {
				return v, damaged("its deletions are out of bounds")
			}
		}
		v.dead = &graves{bits: bits, count: bitset(bits).count()}
	}
	return v, nil
}
