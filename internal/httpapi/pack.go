package httpapi

import (
	"io"
	"mime"
	"net/http"

	"footnote/internal/rag"
)

const packType = "application/vnd.footnote.ragpack+gzip"

// exportCollection streams a collection. An error after the first byte cuts the connection: a pack without its end is refused by every import.
func (s *server) exportCollection(w http.ResponseWriter, r *http.Request) error {
	c, err := s.collection(r)
	if err != nil {
		return err
	}
	v := r.URL.Query()
	originals, err := boolOf(v, "originals")
	if err != nil {
		return err
	}
	originals = originals || v.Get("originals") == "" // carried unless it is said otherwise
	w.Header().Set("Content-Type", packType)
	w.Header().Set("Content-Disposition", `attachment; filename="`+c.Name+`.ragpack"`)
	out := &counted{w: w}
	if err := s.o.Ingest.Export(r.Context(), c.Name, out, originals); err != nil {
		if out.n == 0 {
			w.Header().Del("Content-Disposition")
			return err
		}
		s.o.Logger.Error("export broken off", "collection", c.ID, "request_id", requestID(r), "error", err)
		panic(http.ErrAbortHandler)
	}
	return nil
}

type counted struct {
	w io.Writer
	n int64
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

func (s *server) importCollection(w http.ResponseWriter, r *http.Request) error {
	name, err := s.collectionPath(r)
	if err != nil {
		return err
	}
	if media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); media != packType && media != "application/gzip" && media != "application/octet-stream" {
		return rag.Errorf(rag.Unsupported, "The body must be a ragpack; send it with Content-Type: %s (got %q).", packType, rag.Clip(r.Header.Get("Content-Type"), 80))
	}
	reEmbed, err := boolOf(r.URL.Query(), "re_embed")
	if err != nil {
		return err
	}
	c, err := s.o.Ingest.Import(r.Context(), name, r.Body, reEmbed)
	if err != nil {
		return err
	}
	w.Header().Set("Location", "/v1/collections/"+c.Name)
	return reply(w, http.StatusCreated, wireCollection(c))
}
