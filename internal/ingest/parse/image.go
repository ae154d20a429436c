package parse

import (
	"context"
	"strings"

	"github.com/gabriel-vasile/mimetype"

	"footnote/internal/ingest/parse/document"
	"footnote/internal/ingest/parse/plain"
	"footnote/internal/rag"
)

// maxImageBytes bounds an image that is sent to be read; endpoints take no more.
const maxImageBytes = 20 << 20

// imageType is the media type of an image that can be transcribed; empty for anything else.
func imageType(head []byte) string {
	switch t := mimetype.Detect(head).String(); t {
	case "image/png", "image/jpeg", "image/webp":
		return t
	}
	return ""
}

// format is the format of a media type, nil where there is none. Images are one where they can be transcribed.
func (r Reader) format(mediaType string) *format {
	if r.Transcribe == nil || !strings.HasPrefix(mediaType, "image/") {
		return byMediaType[mediaType]
	}
	return &format{name: "an image", mediaType: mediaType, parse: func(ctx context.Context, b *document.Builder, content []byte) error {
		if len(content) > maxImageBytes {
			return rag.Errorf(rag.TooLarge, "The image has more than %d bytes; send a smaller one.", maxImageBytes)
		}
		s, err := b.Transcribe(ctx, mediaType, content)
		if err != nil {
			return err
		}
		if plain.Parse(b, s); b.Empty() {
			return rag.Errorf(rag.Invalid, "No text was found in the image.")
		}
		return nil
	}}
}
