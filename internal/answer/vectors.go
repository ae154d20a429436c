package answer

import (
	"context"

	"footnote/internal/rag"
)

// sentenceVectors embeds sentences, each cut to what the model takes, as passages are. The vectors are in the sentences' order.
func (s *Service) sentenceVectors(ctx context.Context, sentences []string) ([]rag.Embedding, error) {
	texts := make([]string, len(sentences))
	for i, sentence := range sentences {
		texts[i] = s.clip(sentence)
	}
	return s.o.Embedder.EmbedDocuments(ctx, texts)
}
