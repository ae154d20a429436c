package httpapi

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-chi/chi/v5"

	"footnote/internal/rag"
)

// Bounds of bodies, in bytes.
const (
	maxJSON      = 1 << 20
	maxDocument  = rag.MaxDocumentBytes + rag.MaxDocumentBytes/8 // JSON escapes
	maxMultipart = 1 << 30
)

// decode reads a JSON body strictly: UTF-8, one value, no unknown field.
func decode(w http.ResponseWriter, r *http.Request, maxBytes int64, into any) error {
	body, err := readJSON(w, r, maxBytes)
	if err != nil {
		return err
	}
	return decodeBytes(body, into)
}

// readJSON reads a body that is said to be JSON.
func readJSON(w http.ResponseWriter, r *http.Request, maxBytes int64) ([]byte, error) {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || (media != "application/json" && !strings.HasSuffix(media, "+json")) {
		return nil, rag.Errorf(rag.Unsupported, "The body must be JSON; send it with Content-Type: application/json (got %q).", rag.Clip(r.Header.Get("Content-Type"), 80))
	}
	return readBody(w, r, maxBytes)
}

func readBody(w http.ResponseWriter, r *http.Request, maxBytes int64) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBytes))
	if err != nil {
		return nil, bodyError(err)
	}
	return body, nil
}

func bodyError(err error) error {
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return rag.Errorf(rag.TooLarge, "The body is larger than %d bytes.", tooLarge.Limit)
	}
	return rag.Errorf(rag.Invalid, "The body could not be read whole: %w", err)
}

func decodeBytes(body []byte, into any) error {
	if !utf8.Valid(body) {
		return rag.Errorf(rag.Invalid, "The body is not valid UTF-8.")
	}
	if len(strings.TrimSpace(string(body))) == 0 {
		return rag.Errorf(rag.Invalid, "The body is empty; a JSON object is needed.")
	}
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil {
		if _, err := d.Token(); !errors.Is(err, io.EOF) {
			return rag.Errorf(rag.Invalid, "The body has something after its JSON value.")
		}
		return nil
	}
	var wrongType *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &wrongType):
		if wrongType.Field == "" {
			return rag.Errorf(rag.Invalid, "The body must be a JSON object, got %s.", article(wrongType.Value))
		}
		return rag.FieldErrorf("/"+strings.ReplaceAll(wrongType.Field, ".", "/"), "%s must be %s, got %s.", wrongType.Field, kindName(wrongType.Type.Kind().String()), article(wrongType.Value))
	case errors.As(err, &syntax):
		return rag.Errorf(rag.Invalid, "The body is not JSON: %s at byte %d.", syntax.Error(), syntax.Offset)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return rag.Errorf(rag.Invalid, "The body is not JSON: it ends too early.")
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		if name, err = strconv.Unquote(name); err == nil {
			return rag.FieldErrorf("/"+pointerToken(name), "Unknown field %q.", rag.Clip(name, 80))
		}
	}
	return rag.Errorf(rag.Invalid, "The body cannot be read: %s.", strings.TrimPrefix(err.Error(), "json: "))
}

func pointerToken(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(rag.Clip(s, 80), "~", "~0"), "/", "~1")
}

func kindName(kind string) string {
	switch kind {
	case "string":
		return "a string"
	case "bool":
		return "a boolean"
	case "slice", "array":
		return "a list"
	case "struct", "map":
		return "an object"
	case "int", "int64", "int32", "uint32":
		return "a whole number"
	}
	return "a number"
}

func article(value string) string {
	kind, _, _ := strings.Cut(value, " ")
	switch kind {
	case "object", "array":
		return "an " + kind
	case "bool":
		return "a boolean"
	}
	return "a " + kind
}

// checkParams holds a query string to the allowed parameters, each once and in UTF-8.
func checkParams(r *http.Request, allowed []string) error {
	v, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return rag.Errorf(rag.Invalid, "The query string is malformed: %w", err)
	}
	for name, values := range v {
		switch {
		case !slices.Contains(allowed, name):
			return rag.FieldErrorf("/"+pointerToken(name), "Unknown parameter %q; %s.", rag.Clip(name, 80), allowedList(allowed))
		case len(values) > 1:
			return rag.FieldErrorf("/"+name, "The parameter %q is given %d times.", name, len(values))
		case !utf8.ValidString(values[0]):
			return rag.FieldErrorf("/"+name, "The parameter %q is not valid UTF-8.", name)
		}
	}
	return nil
}

func allowedList(allowed []string) string {
	if len(allowed) == 0 {
		return "there are none here"
	}
	return "known here: " + strings.Join(allowed, ", ")
}

// page is where a list starts and how long it is.
type page struct {
	after string
	limit int
}

func pageOf(v url.Values) (p page, err error) {
	p.limit = 50
	if raw := v.Get("limit"); v.Has("limit") {
		if p.limit, err = strconv.Atoi(raw); err != nil || p.limit < 1 || p.limit > 200 {
			return p, rag.FieldErrorf("/limit", "limit must be a whole number between 1 and 200, got %q.", rag.Clip(raw, 40))
		}
	}
	if raw := v.Get("after"); raw != "" {
		b, err := base64.RawURLEncoding.DecodeString(raw)
		if err != nil || !utf8.Valid(b) {
			return p, rag.FieldErrorf("/after", "after must be the next_cursor of an earlier page.")
		}
		p.after = string(b)
	}
	return p, nil
}

// list is a page of a list on the wire.
type list[T any] struct {
	Data       []T     `json:"data"`
	HasMore    bool    `json:"has_more"`
	NextCursor *string `json:"next_cursor"`
}

// listOf makes a page of items, of which one more than limit was asked for.
func listOf[S, T any](items []S, limit int, wire func(S) T, key func(S) string) list[T] {
	l := list[T]{Data: []T{}}
	if l.HasMore = len(items) > limit; l.HasMore {
		items = items[:limit]
		next := base64.RawURLEncoding.EncodeToString([]byte(key(items[limit-1])))
		l.NextCursor = &next
	}
	for _, item := range items {
		l.Data = append(l.Data, wire(item))
	}
	return l
}

// pathValue is a path parameter, percent-decoded.
func pathValue(r *http.Request, name string) (string, error) {
	raw := chi.URLParam(r, name)
	if r.URL.RawPath == "" {
		return raw, nil
	}
	v, err := url.PathUnescape(raw)
	if err != nil || !utf8.ValidString(v) {
		return "", rag.FieldErrorf("/"+name, "The %s in the path is malformed.", name)
	}
	return v, nil
}

// maxWait bounds how long a request waits for a job.
const maxWait = 60 * time.Second

func waitOf(v url.Values) (time.Duration, error) {
	if !v.Has("wait") {
		return 0, nil
	}
	d, err := time.ParseDuration(v.Get("wait"))
	if err != nil || d < 0 || d > maxWait {
		return 0, rag.FieldErrorf("/wait", "wait must be a duration of at most %s, such as 30s, got %q.", maxWait, rag.Clip(v.Get("wait"), 40))
	}
	return d, nil
}

func boolOf(v url.Values, name string) (bool, error) {
	switch v.Get(name) {
	case "true":
		return true, nil
	case "", "false":
		return false, nil
	}
	return false, rag.FieldErrorf("/"+name, "%s must be true or false, got %q.", name, rag.Clip(v.Get(name), 40))
}
