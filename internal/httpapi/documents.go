package httpapi

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/go-chi/chi/v5"

	"footnote/internal/rag"
)

func (s *server) listDocuments(w http.ResponseWriter, r *http.Request) error {
	v := r.URL.Query()
	p, err := pageOf(v)
	if err != nil {
		return err
	}
	f, err := filterParam(v.Get("filter"))
	if err != nil {
		return err
	}
	c, err := s.collection(r)
	if err != nil {
		return err
	}
	docs, err := s.o.Catalog.Documents(r.Context(), c.ID, f, p.after, p.limit+1)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, listOf(docs, p.limit, wireDocument, func(d rag.Document) string { return d.ExternalID }))
}

func filterParam(raw string) (*rag.Filter, error) {
	if raw == "" {
		return nil, nil
	}
	var f filter
	if len(raw) > 8192 {
		return nil, rag.FieldErrorf("/filter", "filter must have at most 8192 bytes.")
	}
	if err := decodeBytes([]byte(raw), &f); err != nil {
		return nil, rag.FieldErrorf("/filter", "filter: %s", message(err))
	}
	out := f.domain()
	return out, out.Validate()
}

func message(err error) string {
	if e, ok := errors.AsType[*rag.Error](err); ok {
		return e.Message
	}
	return err.Error()
}

func (s *server) deleteDocuments(w http.ResponseWriter, r *http.Request) error {
	v := r.URL.Query()
	f, err := filterParam(v.Get("filter"))
	if err != nil {
		return err
	}
	if f == nil {
		return rag.FieldErrorf("/filter", "filter is needed, so that nothing is deleted by mistake; delete the collection to delete everything.")
	}
	name, err := s.collectionPath(r)
	if err != nil {
		return err
	}
	n, err := s.o.Ingest.DeleteMatching(r.Context(), name, *f)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, map[string]int{"deleted": n})
}

// document finds the document that the path names: by its id, or by its collection and external id. One that the request's key does not reach looks absent.
func (s *server) document(r *http.Request) (rag.Document, error) {
	if chi.URLParam(r, "document") != "" {
		return s.documentByID(r)
	}
	c, err := s.collection(r)
	if err != nil {
		return rag.Document{}, err
	}
	id, err := pathValue(r, "external_id")
	if err != nil {
		return rag.Document{}, err
	}
	return s.o.Catalog.Document(r.Context(), c.ID, id)
}

func (s *server) documentByID(r *http.Request) (rag.Document, error) {
	id, err := pathValue(r, "document")
	if err != nil {
		return rag.Document{}, err
	}
	d, err := s.o.Catalog.DocumentByID(r.Context(), rag.DocumentID(id))
	if err != nil {
		return d, err
	}
	c, err := s.o.Catalog.CollectionByID(r.Context(), d.Collection)
	if err == nil && !principal(r).Sees(c.Name) {
		err = rag.DocumentGone()
	}
	return d, err
}

func (s *server) getDocument(w http.ResponseWriter, r *http.Request) error {
	d, err := s.document(r)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, wireDocument(d))
}

func (s *server) deleteDocument(w http.ResponseWriter, r *http.Request) error {
	name, err := s.collectionPath(r)
	if err != nil {
		return err
	}
	id, err := pathValue(r, "external_id")
	if err != nil {
		return err
	}
	if err := s.o.Ingest.DeleteDocument(r.Context(), name, id); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *server) listChunks(w http.ResponseWriter, r *http.Request) error {
	v := r.URL.Query()
	p, err := pageOf(v)
	if err != nil {
		return err
	}
	after := -1
	if p.after != "" {
		if _, err := fmt.Sscan(p.after, &after); err != nil || after < 0 {
			return rag.FieldErrorf("/after", "after must be the next_cursor of an earlier page.")
		}
	}
	d, err := s.document(r)
	if err != nil {
		return err
	}
	chunks, err := s.o.Catalog.Chunks(r.Context(), d.ID, after, p.limit+1)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, listOf(chunks, p.limit, wireChunk, func(c rag.Chunk) string { return fmt.Sprint(c.Ordinal) }))
}
