package rag

import (
	"regexp"
	"strconv"
	"time"
)

// Collection is a named set of documents embedded by one model.
type Collection struct {
	ID          CollectionID
	Name        string
	Description string
	Embedding   EmbeddingSpec
	IndexID     CollectionID // by which the index knows its vectors; another after a re-embedding
	Chunking    Chunking
	Prompt      PromptTemplate
	Documents   int // documents with an active version; filled where a collection is described or listed
	Chunks      int // chunks of active versions; likewise
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// EmbeddingSpec names the model that embeds a collection. Vectors of another fingerprint cannot be compared with its own.
type EmbeddingSpec struct {
	Model       string
	Fingerprint string
	Dimensions  int
}

// Chunking sets the size of chunks in tokens of the collection's embedding model.
type Chunking struct {
	TargetTokens  int
	OverlapTokens int
}

// DefaultChunking is what a collection gets that names nothing: about 1,200 characters of English, 400 of Chinese.
var DefaultChunking = Chunking{TargetTokens: 300, OverlapTokens: 40}

// Validate reports an Invalid error unless 16 ≤ target ≤ 480 and 0 ≤ overlap ≤ target/2.
func (c Chunking) Validate() error {
	if c.TargetTokens < 16 || c.TargetTokens > 480 {
		return FieldErrorf("/chunking/target_tokens", "chunking.target_tokens must be between 16 and 480, got %d.", c.TargetTokens)
	}
	if c.OverlapTokens < 0 || c.OverlapTokens > c.TargetTokens/2 {
		return FieldErrorf("/chunking/overlap_tokens", "chunking.overlap_tokens must be between 0 and half of target_tokens (%d), got %d.", c.TargetTokens/2, c.OverlapTokens)
	}
	return nil
}

var collectionName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)

// ValidateCollectionName reports an Invalid error unless name is 1–63 of a–z, 0–9, - and _, starting with a letter or digit:
// a form that is safe in a URL, a file name and a vector store.
func ValidateCollectionName(name string) error {
	if !collectionName.MatchString(name) {
		return FieldErrorf("/name", "Collection name %q must be 1 to 63 characters of a-z, 0-9, '-' and '_', starting with a letter or digit.", Clip(name, 80))
	}
	return nil
}

// validateCollectionNames checks the names of a request's collections; an error points at the one that is wrong.
func validateCollectionNames(names []string) error {
	for i, name := range names {
		if err := ValidateCollectionName(name); err != nil {
			return FieldErrorf("/collections/"+strconv.Itoa(i), "%s", err.Error())
		}
	}
	return nil
}

// Clip shortens s to at most n code points for a message, with an ellipsis when it cut.
func Clip(s string, n int) string {
	count := 0
	for i := range s {
		if count == n {
			return s[:i] + "…"
		}
		count++
	}
	return s
}
