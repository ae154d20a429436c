package rag

// What is said of a thing that is not there. A thing that a caller may not see must be spoken of in the same words, so they stand here once.

// CollectionMissing is NotFound for a collection.
func CollectionMissing(name string) *Error {
	return Errorf(NotFound, "There is no collection %q; create it with POST /v1/collections.", Clip(name, 80))
}

// CollectionGone is NotFound for a collection that was there.
func CollectionGone() *Error { return Errorf(NotFound, "The collection is gone.") }

// DocumentMissing is NotFound for a document.
func DocumentMissing(externalID string) *Error {
	return Errorf(NotFound, "There is no document %q in the collection.", Clip(externalID, 80))
}

// DocumentGone is NotFound for a document that was there.
func DocumentGone() *Error { return Errorf(NotFound, "The document is gone.") }

// JobMissing is NotFound for a job.
func JobMissing() *Error {
	return Errorf(NotFound, "There is no such job; GET /v1/jobs lists those there are.")
}

// CitationMissing is NotFound for a citation.
func CitationMissing() *Error { return Errorf(NotFound, "There is no such citation.") }

// KeyMissing is NotFound for an API key.
func KeyMissing() *Error { return Errorf(NotFound, "There is no such key.") }

// ReembeddingMissing is NotFound for a collection's re-embedding.
func ReembeddingMissing() *Error {
	return Errorf(NotFound, "The collection is not being re-embedded; start it with POST …/reembedding.")
}
