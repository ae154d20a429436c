package httpapi

import (
	"net/http"
	"time"

	"footnote/internal/rag"
)

const maxGateQueries = 1000

type reembedRequest struct {
	Model    string        `json:"model"`
	Swap     *bool         `json:"swap"`
	MinRatio *float64      `json:"min_ratio"`
	Queries  []judgedQuery `json:"queries"`
}

type judgedQuery struct {
	Query     string   `json:"query"`
	Documents []string `json:"documents"`
}

type gate struct {
	Queries  int     `json:"queries"`
	Before   float64 `json:"before"`
	After    float64 `json:"after"`
	MinRatio float64 `json:"min_ratio"`
	Passed   bool    `json:"passed"`
}

type reembedding struct {
	State     rag.ReembeddingState `json:"state"`
	Other     embedding            `json:"other"`
	Progress  progress             `json:"progress"`
	Gate      *gate                `json:"gate"`
	Error     *string              `json:"error"`
	StartedAt time.Time            `json:"started_at"`
	UpdatedAt time.Time            `json:"updated_at"`
}

func wireReembedding(r rag.Reembedding) reembedding {
	out := reembedding{State: r.State, Other: embedding(r.Other), Progress: progress{r.Done, r.Total}, StartedAt: r.StartedAt.UTC(), UpdatedAt: r.UpdatedAt.UTC()}
	if r.Gate != nil {
		g := gate(*r.Gate)
		out.Gate = &g
	}
	if r.Error != "" {
		out.Error = &r.Error
	}
	return out
}

func (s *server) reembed(w http.ResponseWriter, r *http.Request) error {
	name, err := s.collectionPath(r)
	if err != nil {
		return err
	}
	var in reembedRequest
	if err := decode(w, r, maxJSON, &in); err != nil {
		return err
	}
	plan := rag.ReembeddingPlan{Swap: true, MinRatio: 0.95}
	if in.Swap != nil {
		plan.Swap = *in.Swap
	}
	if in.MinRatio != nil {
		plan.MinRatio = *in.MinRatio
	}
	if len(in.Queries) > maxGateQueries {
		return rag.FieldErrorf("/queries", "queries has %d questions; at most %d are allowed.", len(in.Queries), maxGateQueries)
	}
	for _, q := range in.Queries {
		if err := (rag.Query{Text: q.Query, Collections: []string{name}}).WithDefaults().Validate(); err != nil {
			return err
		}
		if len(q.Documents) == 0 {
			return rag.FieldErrorf("/queries", "Each of the queries needs documents: the external ids of those that answer it.")
		}
		plan.Queries = append(plan.Queries, rag.JudgedQuery(q))
	}
	started, err := s.o.Ingest.Reembed(r.Context(), name, in.Model, plan)
	if err != nil {
		return err
	}
	w.Header().Set("Location", "/v1/collections/"+name+"/reembedding")
	return reply(w, http.StatusAccepted, wireReembedding(started))
}

func (s *server) getReembedding(w http.ResponseWriter, r *http.Request) error {
	name, err := s.collectionPath(r)
	if err != nil {
		return err
	}
	found, err := s.o.Ingest.Reembedding(r.Context(), name)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, wireReembedding(found))
}

func (s *server) swapReembedding(w http.ResponseWriter, r *http.Request) error {
	name, err := s.collectionPath(r)
	if err != nil {
		return err
	}
	swapped, err := s.o.Ingest.SwapReembedding(r.Context(), name)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, wireReembedding(swapped))
}

func (s *server) endReembedding(w http.ResponseWriter, r *http.Request) error {
	name, err := s.collectionPath(r)
	if err != nil {
		return err
	}
	if err := s.o.Ingest.EndReembedding(r.Context(), name); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
