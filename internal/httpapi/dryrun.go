package httpapi

import "footnote/internal/rag"

type dryRun struct {
	ExternalID string            `json:"external_id"`
	Title      string            `json:"title"`
	MediaType  string            `json:"media_type"`
	State      rag.DocumentState `json:"state"`
	Error      *jobError         `json:"error"`
	Exists     bool              `json:"exists"`
	Unchanged  bool              `json:"unchanged"`
	Chunks     chunkCounts       `json:"chunks"`
	Diff       chunkDiff         `json:"diff"`
	Warnings   []string          `json:"warnings"`
}

type chunkCounts struct {
	Added   int `json:"added"`
	Kept    int `json:"kept"`
	Removed int `json:"removed"`
}

// Bounds of a diff: chunks on either side, and code points of a chunk's text.
const (
	maxDiffChunks = 50
	maxDiffText   = 500
)

type chunkDiff struct {
	Added     []diffChunk `json:"added"`
	Removed   []diffChunk `json:"removed"`
	Truncated bool        `json:"truncated"`
}

type diffChunk struct {
	Ordinal     int      `json:"ordinal"`
	Span        span     `json:"span"`
	Text        string   `json:"text"`
	HeadingPath []string `json:"heading_path"`
	Page        *int     `json:"page"`
}

func wireDiff(added, removed []rag.Chunk) chunkDiff {
	side := func(chunks []rag.Chunk) []diffChunk {
		out := []diffChunk{}
		for _, c := range chunks[:min(len(chunks), maxDiffChunks)] {
			out = append(out, diffChunk{c.Ordinal, wireSpan(c.Span), rag.Clip(c.Text, maxDiffText), wireStrings(c.HeadingPath), wirePage(c.Page)})
		}
		return out
	}
	return chunkDiff{side(added), side(removed), max(len(added), len(removed)) > maxDiffChunks}
}
