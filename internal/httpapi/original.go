package httpapi

import (
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strings"

	"footnote/internal/rag"
)

// getOriginal gives the file as it was uploaded. It may be anything, so a browser is told to save it, to guess nothing and to run nothing.
func (s *server) getOriginal(w http.ResponseWriter, r *http.Request) error {
	d, err := s.document(r)
	if err != nil {
		return err
	}
	etag := `"` + d.SHA256 + `"`
	file, err := s.o.Originals.Get(r.Context(), d.SHA256)
	if rag.CodeOf(err) == rag.NotFound {
		return rag.Errorf(rag.NotFound, "The original of %q is not kept here: it came in a pack, or was removed from the store. Its text is at …/content; take the file in again to keep it.", rag.Clip(d.ExternalID, 80))
	}
	if err != nil {
		return err
	}
	defer file.Close()
	h := w.Header()
	h.Set("ETag", etag)
	h.Set("Cache-Control", "private, no-cache")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'; frame-ancestors 'none'")
	if matches(r.Header.Get("If-None-Match"), etag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h.Set("Content-Type", originalType(d.MediaType))
	h.Set("Content-Disposition", attachment(d.ExternalID))
	w.WriteHeader(http.StatusOK)
	if _, err := io.Copy(w, file); err != nil {
		return fmt.Errorf("send the original: %w", err) // the answer is cut short, which its reader notices
	}
	return nil
}

// matches tells whether an If-None-Match header names the tag; weak tags name what is equal, too (RFC 9110, section 13.1.2).
func matches(header, etag string) bool {
	for tag := range strings.SplitSeq(header, ",") {
		if tag = strings.TrimSpace(tag); tag == "*" || strings.TrimPrefix(tag, "W/") == etag {
			return true
		}
	}
	return false
}

// originalType is a media type as it may stand in a header.
func originalType(declared string) string {
	media, _, err := mime.ParseMediaType(declared)
	if err != nil || !strings.Contains(media, "/") {
		return "application/octet-stream"
	}
	return media
}

// attachment is a Content-Disposition with the last part of an external id as the file's name: in ASCII for old readers, and as it is (RFC 6266, RFC 8187).
func attachment(externalID string) string {
	name := path.Base(strings.ReplaceAll(externalID, `\`, "/"))
	if name == "." || name == ".." || name == "/" {
		name = "document"
	}
	ascii := strings.Map(func(r rune) rune {
		if r < 0x20 || r > 0x7e || r == '"' || r == '%' || r == '\\' {
			return '_'
		}
		return r
	}, name)
	return fmt.Sprintf(`attachment; filename="%s"; filename*=UTF-8''%s`, ascii, strings.ReplaceAll(url.QueryEscape(name), "+", "%20"))
}
