package stored

import (
	"encoding/json"
	"fmt"
	"time"

	"footnote/internal/rag"
)

// stages is the part of a job's progress that is stored as JSON.
type stages struct {
	rag.StageCounts
	Slowest *slowest `json:",omitempty"`
}

type slowest struct {
	ExternalID   string
	Stage        rag.JobStage
	Microseconds int64
}

// Stages are a progress's counts of each stage, and its slowest file.
func Stages(p rag.Progress) string {
	out := stages{StageCounts: p.Stages}
	if s := p.Slowest; s.ExternalID != "" {
		out.Slowest = &slowest{s.ExternalID, s.Stage, s.Took.Microseconds()}
	}
	b, _ := json.Marshal(out) // numbers and strings always encode
	return string(b)
}

// readStages reads Stages into p.
func readStages(s string, p *rag.Progress) error {
	var in stages
	if err := json.Unmarshal([]byte(s), &in); err != nil {
		return fmt.Errorf("a job's stored stages: %w", err)
	}
	p.Stages = in.StageCounts
	if in.Slowest != nil {
		p.Slowest = rag.SlowFile{ExternalID: in.Slowest.ExternalID, Stage: in.Slowest.Stage, Took: time.Duration(in.Slowest.Microseconds) * time.Microsecond}
	}
	return nil
}

// Pages are the pages of a text: number, start and end of each.
func Pages(pages []rag.PageSpan) string {
	out := make([][3]int, len(pages))
	for i, p := range pages {
		out[i] = [3]int{p.Number, p.Span.Start, p.Span.End}
	}
	b, _ := json.Marshal(out) // numbers always encode
	return string(b)
}

// ReadPages reads Pages from a row; none is nil.
func ReadPages(row Row) ([]rag.PageSpan, error) {
	var s string
	if err := row.Scan(&s); err != nil {
		return nil, err
	}
	var in [][3]int
	if err := json.Unmarshal([]byte(s), &in); err != nil {
		return nil, fmt.Errorf("stored pages: %w", err)
	}
	var out []rag.PageSpan
	for _, p := range in {
		out = append(out, rag.PageSpan{Number: p[0], Span: rag.Span{Start: p[1], End: p[2]}})
	}
	return out, nil
}
