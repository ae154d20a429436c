package cache

import (
	"encoding/gob"
	"errors"
	"fmt"
	"io"

	"footnote/internal/rag"
)

// saved is an entry as Save writes it.
type saved struct {
	Fingerprint string
	Text        []byte
	Vector      rag.Embedding
}

// Save writes what the cache holds, for Load in another process.
func (c *Cache) Save(w io.Writer) error {
	e := gob.NewEncoder(w)
	for k, v := range c.vectors.All() {
		if err := e.Encode(saved{k.fingerprint, k.text[:], v}); err != nil {
			return fmt.Errorf("save query vectors: %w", err)
		}
	}
	return nil
}

// Load adds what Save wrote, as far as there is room. Vectors are found by their model's fingerprint, so those of another model do no harm.
// On an error, what was read until then is there.
func (c *Cache) Load(r io.Reader) error {
	d := gob.NewDecoder(r)
	for {
		var s saved
		if err := d.Decode(&s); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("load query vectors: %w", err)
		}
		k := key{fingerprint: s.Fingerprint}
		if copy(k.text[:], s.Text) == len(k.text) {
			c.vectors.Set(k, s.Vector)
		}
	}
}
