package answer

import (
	"context"
	"strings"
	"unicode/utf8"

	"footnote/internal/rag"
	"footnote/internal/text"
)

// Citation finds a stored citation and tells how it stands against its source now. NotFound for one that is not there.
func (s *Service) Citation(ctx context.Context, id rag.CitationID) (rag.Permalink, error) {
	c, err := s.o.Catalog.Citation(ctx, id)
	if err != nil {
		return rag.Permalink{}, err
	}
	d, err := s.o.Catalog.DocumentByID(ctx, c.Document.ID)
	if rag.CodeOf(err) == rag.NotFound {
		return rag.Permalink{Citation: c, State: rag.CitationSourceDeleted}, nil
	}
	if err != nil {
		return rag.Permalink{}, err
	}
	out := rag.Permalink{Citation: c, State: rag.CitationCurrent, Span: c.SourceSpan, Version: d.Version}
	if d.Version == c.Document.Version {
		return out, nil
	}
	stored, err := s.o.Catalog.Text(ctx, c.Document.ID)
	if err != nil {
		return rag.Permalink{}, err
	}
	if text.Slice(stored, c.SourceSpan.Start, c.SourceSpan.End) == c.Quote {
		return out, nil
	}
	if at, ok := nearestTo(stored, c.Quote, c.SourceSpan.Start); ok {
		out.State, out.Span = rag.CitationMoved, rag.Span{Start: at, End: at + utf8.RuneCountInString(c.Quote)}
		return out, nil
	}
	return rag.Permalink{Citation: c, State: rag.CitationSourceChanged, Version: d.Version}, nil
}

// nearestTo is where quote stands in stored nearest to the code point at, the earlier of two that are as near; both are code points.
func nearestTo(stored, quote string, at int) (found int, ok bool) {
	position, rest := 0, stored
	for quote != "" {
		i := strings.Index(rest, quote)
		if i < 0 {
			break
		}
		position += utf8.RuneCountInString(rest[:i])
		if ok && apart(position, at) >= apart(found, at) {
			break // positions rise, so what follows is farther off still
		}
		found, ok = position, true
		_, size := utf8.DecodeRuneInString(rest[i:])
		rest = rest[i+size:]
		position++
	}
	return found, ok
}

func apart(a, b int) int { return max(a-b, b-a) }
