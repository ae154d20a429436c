package httpapi

import (
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"footnote/internal/rag"
)

const maxDescription = 2000 // code points

func (s *server) createCollection(w http.ResponseWriter, r *http.Request) error {
	body, err := readBody(w, r, maxJSON)
	if err != nil {
		return err
	}
	return s.idempotent(w, r, hashOf(body), func(w http.ResponseWriter) error {
		var in struct {
			Name        string    `json:"name"`
			Description string    `json:"description"`
			Chunking    *chunking `json:"chunking"`
		}
		if err := decode(w, withBody(r, body), maxJSON, &in); err != nil {
			return err
		}
		if err := checkDescription(in.Description); err != nil {
			return err
		}
		if !principal(r).Sees(in.Name) {
			// Whether it exists or not.
			return rag.Errorf(rag.Forbidden, "Your key is limited to other collections; one with that name is not for it to make.")
		}
		c := rag.Collection{Name: in.Name, Description: in.Description}
		if in.Chunking != nil {
			c.Chunking = rag.Chunking(*in.Chunking)
		}
		c, err := s.o.Ingest.CreateCollection(r.Context(), c)
		if err != nil {
			return err
		}
		w.Header().Set("Location", "/v1/collections/"+c.Name)
		return reply(w, http.StatusCreated, wireCollection(c))
	})
}

func checkDescription(s string) error {
	if utf8.RuneCountInString(s) > maxDescription {
		return rag.FieldErrorf("/description", "description must have at most %d characters.", maxDescription)
	}
	if strings.ContainsRune(s, 0) {
		return rag.FieldErrorf("/description", "description must not contain the character U+0000.")
	}
	return nil
}

func (s *server) listCollections(w http.ResponseWriter, r *http.Request) error {
	v := r.URL.Query()
	p, err := pageOf(v)
	if err != nil {
		return err
	}
	cs, err := s.visible(r, p)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, listOf(cs, p.limit, wireCollection, func(c rag.Collection) string { return c.Name }))
}

// visible lists the collections that the request's key reaches, one more than the page has.
func (s *server) visible(r *http.Request, p page) ([]rag.Collection, error) {
	k := principal(r)
	if len(k.Collections) == 0 {
		return s.o.Catalog.Collections(r.Context(), p.after, p.limit+1)
	}
	var out []rag.Collection
	for _, name := range slices.Compact(slices.Sorted(slices.Values(k.Collections))) {
		if name <= p.after || len(out) > p.limit {
			continue
		}
		c, err := s.o.Catalog.DescribeCollection(r.Context(), name)
		if rag.CodeOf(err) == rag.NotFound {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// collection finds the collection that the path names.
func (s *server) collection(r *http.Request) (rag.Collection, error) {
	name, err := s.collectionPath(r)
	if err != nil {
		return rag.Collection{}, err
	}
	return s.o.Catalog.Collection(r.Context(), name)
}

// collectionPath is the name of the collection in the path, which the request's key must reach.
func (s *server) collectionPath(r *http.Request) (string, error) {
	name, err := pathValue(r, "collection")
	if err == nil {
		err = sees(r, name)
	}
	return name, err
}

func (s *server) getCollection(w http.ResponseWriter, r *http.Request) error {
	name, err := s.collectionPath(r)
	if err != nil {
		return err
	}
	c, err := s.o.Catalog.DescribeCollection(r.Context(), name)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, wireCollection(c))
}

func (s *server) updateCollection(w http.ResponseWriter, r *http.Request) error {
	name, err := s.collectionPath(r)
	if err != nil {
		return err
	}
	var in struct {
		Description *string     `json:"description"`
		Prompt      promptPatch `json:"prompt"`
	}
	if err := decode(w, r, maxJSON, &in); err != nil {
		return err
	}
	patch := rag.CollectionPatch{Description: in.Description}
	if in.Description == nil && !in.Prompt.given {
		return rag.FieldErrorf("/description", "Give description or prompt, or both: they are what can be changed.")
	}
	if in.Description != nil {
		if err := checkDescription(*in.Description); err != nil {
			return err
		}
	}
	if in.Prompt.given {
		template, err := in.Prompt.template()
		if err == nil {
			err = s.o.Prompts.CheckPrompt(template)
		}
		if err != nil {
			return err
		}
		patch.Prompt = &template
	}
	c, err := s.o.Catalog.UpdateCollection(r.Context(), name, patch)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, wireCollection(c))
}

func (s *server) deleteCollection(w http.ResponseWriter, r *http.Request) error {
	name, err := s.collectionPath(r)
	if err != nil {
		return err
	}
	if err := s.o.Ingest.DeleteCollection(r.Context(), name); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
