package rag

import (
	"math"
	"sort"
	"time"
	"unicode/utf8"
)

// Bounds of a document's fields.
const (
	MaxExternalIDLength = 512      // code points
	MaxTitleLength      = 1000     // code points
	MaxMetadataKeys     = 64       //
	MaxMetadataKey      = 64       // bytes of a key
	MaxMetadataValue    = 2000     // code points of a string
	MaxMetadataList     = 64       // items of a list
	MaxDocumentBytes    = 64 << 20 // bytes of one uploaded document
)

// Document is one source in a collection, as its active version has it. ExternalID is the caller's own name for it, unique in
// the collection.
type Document struct {
	ID         DocumentID
	Collection CollectionID
	ExternalID string
	Archive    string // external id of the archive that it came in; empty: it came by itself
	Version    int    // counts up from 1; 0 while no version is active
	Title      string
	SourceURI  string
	MediaType  string
	SHA256     string // hex, of the uploaded bytes
	Language   string // "en", "zh" or ""
	Metadata   Metadata
	Characters int // code points of the normalised text
	Chunks     int // chunks of the active version
	CreatedAt  time.Time
	UpdatedAt  time.Time
}

// PageSpan is a page of a document's text: from its first character to the first of the next page that has text, or of what is on no page. Pages without text have none.
type PageSpan struct {
	Number int // from 1
	Span   Span
}

// PageAt is the number of the page that has the character at; 0 when there are no pages, or none has it. pages are in text order.
func PageAt(pages []PageSpan, at int) int {
	i := sort.Search(len(pages), func(i int) bool { return pages[i].Span.End > at })
	if i == len(pages) || pages[i].Span.Start > at {
		return 0
	}
	return pages[i].Number
}

// Metadata are a document's filterable fields: string, float64, bool, or a list of strings ([]string).
type Metadata map[string]any

// Validate reports an Invalid error naming the first field that is out of bounds or of another type.
func (m Metadata) Validate() error {
	if len(m) > MaxMetadataKeys {
		return FieldErrorf("/metadata", "metadata has %d keys; at most %d are allowed.", len(m), MaxMetadataKeys)
	}
	for k, v := range m {
		p := "/metadata/" + k
		if k == "" || len(k) > MaxMetadataKey || !utf8.ValidString(k) {
			return FieldErrorf("/metadata", "metadata key %q must be 1 to %d bytes of UTF-8.", Clip(k, 80), MaxMetadataKey)
		}
		switch v := v.(type) {
		case string:
			if !utf8.ValidString(v) || utf8.RuneCountInString(v) > MaxMetadataValue {
				return FieldErrorf(p, "metadata.%s must be UTF-8 of at most %d characters.", k, MaxMetadataValue)
			}
		case bool:
		case float64:
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return FieldErrorf(p, "metadata.%s must be a finite number.", k)
			}
		case []string:
			if len(v) > MaxMetadataList {
				return FieldErrorf(p, "metadata.%s has %d items; at most %d are allowed.", k, len(v), MaxMetadataList)
			}
			for _, s := range v {
				if !utf8.ValidString(s) || utf8.RuneCountInString(s) > MaxMetadataValue {
					return FieldErrorf(p, "metadata.%s has an item that is not UTF-8 of at most %d characters.", k, MaxMetadataValue)
				}
			}
		default:
			return FieldErrorf(p, "metadata.%s must be a string, a number, a boolean or a list of strings.", k)
		}
	}
	return nil
}

// ValidateExternalID reports an Invalid error unless id is 1–512 code points of UTF-8 without control characters.
func ValidateExternalID(id string) error {
	if id == "" || !utf8.ValidString(id) || utf8.RuneCountInString(id) > MaxExternalIDLength {
		return FieldErrorf("/external_id", "external_id must be 1 to %d characters of UTF-8.", MaxExternalIDLength)
	}
	for _, r := range id {
		if r < 0x20 || r == 0x7f {
			return FieldErrorf("/external_id", "external_id must not contain control characters.")
		}
	}
	return nil
}
