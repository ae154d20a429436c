package local

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"footnote/internal/rag"
)

// manifest says what a collection is made of. It is replaced whole. What it lists is the collection as it was at a checkpoint, whose number is Sequence, and nothing
// of what came later: a deletion without the point that replaces it would lose a point for which the catalog notes no change.
type manifest struct {
	Version    int
	Collection rag.CollectionID
	Dimensions int
	Sequence   int64
	Mean       []byte // float32s; empty: not fixed yet
	Segments   []manifestSegment
}

type manifestSegment struct {
	File   string
	Bytes  int
	Sum    uint32 // of the segment's table, which has the sums of its sections
	Points int
	Dead   []byte // bitset; empty: none
}

const manifestVersion = 1

// save writes the manifest. The caller has the lock.
func (c *collection) save(sequence int64) error {
	s := c.current.Load()
	m := manifest{Version: manifestVersion, Collection: c.id, Dimensions: c.layout.dims, Sequence: sequence, Mean: bytesOf(c.mean)}
	for _, v := range s.segments {
		m.Segments = append(m.Segments, manifestSegment{v.file, len(v.data), v.sum, v.n, bytesOf(v.dead.set())})
	}
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if err := c.files.write(manifestName, func(w io.Writer) error {
		_, err := w.Write(sealText(text))
		return err
	}); err != nil {
		return err
	}
	c.sequence, c.applied, c.changed = sequence, true, false
	return c.discard()
}

// sealText puts a checksum before a text; openText takes it away again.
func sealText(text []byte) []byte {
	var sum [4]byte
	n := crc32.Checksum(text, castagnoli)
	for i := range sum {
		sum[i] = byte(n >> (24 - 8*i))
	}
	return append([]byte(hex.EncodeToString(sum[:])+"\n"), text...)
}

func openText(b []byte) ([]byte, error) {
	if len(b) < 9 || !bytes.Equal(sealText(b[9:])[:9], b[:9]) {
		return nil, damaged("the manifest's checksum is wrong")
	}
	return b[9:], nil
}

// Checkpoint makes everything durable that was upserted and deleted before the call, and records that it is complete up to seq of the catalog's changes.
// Errors: rag.NotFound for an unknown collection; a file could not be written: what was durable before still is.
func (x *Index) Checkpoint(_ context.Context, id rag.CollectionID, seq int64) error {
	c, err := x.collection(id)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dropped {
		return rag.Errorf(rag.NotFound, "The index has no such collection.")
	}
	if c.files == nil && x.o.Dir != "" { // the folder could not be made
		if c.files, err = newFolder(x.o.Dir, id, x.o.Logger); err != nil {
			return err
		}
	}
	if c.files == nil {
		c.sequence, c.applied = seq, true
		return nil
	}
	d := c.draft()
	if d.length > 0 {
		c.seal(d)
	}
	for i := range d.segments {
		if v := &d.segments[i]; v.file == "" { // the disk was full, perhaps
			data := v.data
			seg, err := c.files.make(c.layout, func(w io.Writer) error {
				_, err := w.Write(data)
				return err
			})
			if err != nil {
				c.current.Store(&d.snapshot) // the head stays sealed, or every attempt would leave another file
				return err
			}
			v.segment = seg
		}
	}
	c.current.Store(&d.snapshot)
	if err := c.save(seq); err != nil {
		return err
	}
	x.compactSoon(c)
	return nil
}

// Applied is the catalog's change sequence up to which the collection is complete and durable; ok is false when it was never checkpointed, or is not
// there, or was damaged: then all of it has to come from the catalog.
func (x *Index) Applied(id rag.CollectionID) (seq int64, ok bool) {
	c, err := x.collection(id)
	if err != nil {
		return 0, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sequence, c.applied
}

// Damaged lists the collections that New found damaged and dropped.
func (x *Index) Damaged() []rag.CollectionID { return slices.Clone(x.damaged) }

// merged notes that files were merged into another, and drops them once the manifest no longer lists them. The caller has the lock.
func (c *collection) merged(from []*segmentPart) {
	for _, p := range from {
		if p.file != "" {
			c.garbage = append(c.garbage, p.file)
		}
	}
	if c.applied && c.changed || slices.ContainsFunc(c.current.Load().segments, func(v segmentView) bool { return v.file == "" }) {
		return // the next checkpoint does it
	}
	var err error
	if c.applied {
		err = c.save(c.sequence)
	} else {
		err = c.discard() // there is no manifest yet
	}
	if err != nil {
		c.files.log.Error("the index's files cannot be brought up to date", "collection", c.id, "error", err)
	}
}

// discard removes the files that nothing lists any more. It knows them by name: what a compaction is writing meanwhile is in no list either.
func (c *collection) discard() error {
	for len(c.garbage) > 0 {
		if err := os.Remove(filepath.Join(c.files.path, c.garbage[0])); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		c.garbage = c.garbage[1:]
	}
	return nil
}

// openFolder opens every collection of the index's folder.
func (x *Index) openFolder() error {
	if err := os.MkdirAll(x.o.Dir, 0o700); err != nil {
		return err
	}
	entries, err := os.ReadDir(x.o.Dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !e.IsDir() || !strings.HasPrefix(e.Name(), folderPrefix) {
			continue
		}
		f := &folder{filepath.Join(x.o.Dir, e.Name()), x.o.Logger}
		c, id, err := f.collection()
		if c != nil {
			x.shape(c.layout)
		}
		if errors.Is(err, fs.ErrNotExist) && c == nil && id == "" {
			err = nil // it never came to a checkpoint
		} else if err == nil {
			x.collections[id] = c
			continue
		}
		if err != nil {
			if id == "" {
				id = folderID(e.Name())
			}
			x.damaged = append(x.damaged, id)
			x.o.Logger.Error("a collection of the index is damaged; it is dropped, to be filled again from the catalog", "collection", id, "error", err)
		}
		if err := f.remove(); err != nil {
			return err
		}
	}
	return nil
}
