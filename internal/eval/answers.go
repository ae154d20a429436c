package eval

import (
	"context"

	"footnote/internal/rag"
)

// Answerer is what is measured by its answers.
type Answerer interface {
	Add(ctx context.Context, documents []Document) error
	// Answer answers with its defaults. Errors: rag.Unavailable, rag.RateLimited, rag.Timeout and rag.BadUpstream count as a failed answer, others end the run.
	Answer(ctx context.Context, question string) (Given, error)
	// Stored is the text of a document to which the spans of citations refer, by its id in the set.
	Stored(ctx context.Context, document string) (string, error)
}

// Given is an answer with what is measured beside it.
type Given struct {
	Answer   rag.Answer
	Evidence float64     // how sure the system is that its documents answer the question; it answers from 0 on
	Anyway   *rag.Answer // what it says when the evidence is held to be enough; nil: it was, so Answer is that
}

// maxFailures is how many answers may fail before the run ends: an endpoint that is down is no system to measure.
const maxFailures = 20

// RunAnswers adds the set's documents to an empty system and asks it every question, and those of the foreign sets, which it cannot answer. progress is called as the work goes on.
func RunAnswers(ctx context.Context, s Answerer, d AnswerSet, foreign []Dataset, progress func(what string, done, total int)) (AnswerReport, error) {
	r := AnswerReport{Dataset: d.Name, Documents: len(d.Documents)}
	const batch = 256
	for at := 0; at < len(d.Documents); at += batch {
		progress("documents", at, len(d.Documents))
		if err := s.Add(ctx, d.Documents[at:min(at+batch, len(d.Documents))]); err != nil {
			return r, err
		}
	}
	gold, err := PlaceGold(ctx, d, s.Stored)
	if err != nil {
		return r, err
	}
	j := judge{set: d, answerer: s, Placed: gold}
	r.SpansLost = gold.lost
	own, err := j.ask(ctx, d.Queries, "", progress)
	if err != nil {
		return r, err
	}
	others := make([][]judged, len(foreign))
	for i, f := range foreign {
		if others[i], err = j.ask(ctx, f.Queries, f.Name, progress); err != nil {
			return r, err
		}
	}
	r.fill(own, foreign, others)
	return r, nil
}
