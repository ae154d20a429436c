package answer

import (
	"context"
	"crypto/sha256"

	"github.com/maypok86/otter/v2"

	"footnote/internal/answer/compare"
	"footnote/internal/rag"
)

// Bounds of what is kept of sentences. A passage that was found is often found again, and the sentences that an answer is extracted from are those that its claims are checked against.
const (
	keptVectorBytes   = 48 << 20
	keptAnalysisBytes = 32 << 20
	entryOverhead     = 256 // about what an entry takes beside its value
	tokenBytes        = 320 // about what a token of an analysis takes, with its share of the maps
)

// sentenceKey is of a cryptographic hash, so that nobody can make two sentences share a vector.
type sentenceKey struct {
	fingerprint string
	text        [sha256.Size]byte
}

// sentenceCache keeps vectors and analyses of sentences. When it is full, those go that are asked for least often and longest ago (W-TinyLFU). Any number of goroutines may use it.
type sentenceCache struct {
	vectors  *otter.Cache[sentenceKey, rag.Embedding]
	analyses *otter.Cache[sentenceKey, *compare.Text]
}

func newSentenceCache() *sentenceCache {
	inline := func(task func()) { task() } // what makes room is short, and no goroutine is left behind
	return &sentenceCache{
		vectors: otter.Must(&otter.Options[sentenceKey, rag.Embedding]{
			MaximumWeight: keptVectorBytes,
			Weigher:       func(_ sentenceKey, v rag.Embedding) uint32 { return uint32(4*len(v) + entryOverhead) },
			Executor:      inline,
		}),
		analyses: otter.Must(&otter.Options[sentenceKey, *compare.Text]{
			MaximumWeight: keptAnalysisBytes,
			Weigher:       func(_ sentenceKey, t *compare.Text) uint32 { return uint32(tokenBytes*t.Length() + entryOverhead) },
			Executor:      inline,
		}),
	}
}

// fingerprint names the model that vectors are of.
func (s *Service) fingerprint() string {
	if f, ok := s.o.Embedder.(interface{ Fingerprint() string }); ok {
		return f.Fingerprint()
	}
	return s.o.Embedder.Model()
}

// sentenceVectors embeds sentences, each cut to what the model takes, as passages are; those that were embedded lately are not embedded again. The vectors are in the
// sentences' order and shared: they are only to be read.
func (s *Service) sentenceVectors(ctx context.Context, sentences []string) ([]rag.Embedding, error) {
	out := make([]rag.Embedding, len(sentences))
	fingerprint := s.fingerprint()
	keys := make([]sentenceKey, len(sentences))
	var texts []string
	var missing []int
	for i, sentence := range sentences {
		keys[i] = sentenceKey{fingerprint, sha256.Sum256([]byte(sentence))}
		v, ok := s.kept.vectors.GetIfPresent(keys[i])
		if !ok {
			missing = append(missing, i)
			texts = append(texts, s.clip(sentence))
			continue
		}
		out[i] = v
	}
	if len(texts) == 0 {
		return out, nil
	}
	vectors, err := s.o.Embedder.EmbedDocuments(ctx, texts)
	if err != nil {
		return nil, err
	}
	for n, i := range missing {
		out[i] = vectors[n]
		s.kept.vectors.Set(keys[i], vectors[n])
	}
	return out, nil
}

// analysis is the facts that a sentence states.
func (s *Service) analysis(sentence string) *compare.Text {
	key := sentenceKey{text: sha256.Sum256([]byte(sentence))}
	if t, ok := s.kept.analyses.GetIfPresent(key); ok {
		return t
	}
	t := compare.Analyse(sentence)
	s.kept.analyses.Set(key, t)
	return t
}
