package httpapi

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"footnote/internal/rag"
)

// Bounds of a request for embeddings; those of texts and tokens are OpenAI's.
const (
	maxEmbeddedTexts  = 2048
	maxEmbeddedTokens = 300_000
	maxEmbeddingsBody = 4 << 20 // bytes: that many tokens of Chinese, with every character escaped, is 3 MB
	// bytesPerToken is more than a token has in any vocabulary. What is longer than that for each token it may have is refused before it is counted.
	bytesPerToken = 64
)

type embeddingRequest struct {
	Model          string          `json:"model"`
	Input          json.RawMessage `json:"input"`
	EncodingFormat *string         `json:"encoding_format"`
	Dimensions     *int            `json:"dimensions"`
	User           *string         `json:"user"`
	InputType      *string         `json:"input_type"`
}

type modelInfo struct {
	ID             string `json:"id"`
	Object         string `json:"object"`
	Created        int64  `json:"created"`
	OwnedBy        string `json:"owned_by"`
	Dimensions     int    `json:"dimensions"`
	MaxInputTokens int    `json:"max_input_tokens"`
	Fingerprint    string `json:"fingerprint"`
}

func wireModel(e Embedder) modelInfo {
	return modelInfo{ID: e.Model(), Object: "model", OwnedBy: "footnote", Dimensions: e.Dimensions(), MaxInputTokens: e.MaxTokens(), Fingerprint: e.Fingerprint()}
}

func (s *server) listModels(w http.ResponseWriter, _ *http.Request) error {
	models := []modelInfo{}
	for _, e := range s.o.Embedders {
		if !slices.ContainsFunc(models, func(m modelInfo) bool { return m.ID == e.Model() }) {
			models = append(models, wireModel(e))
		}
	}
	return reply(w, http.StatusOK, map[string]any{"object": "list", "data": models})
}

func (s *server) getModel(w http.ResponseWriter, r *http.Request) error {
	name, err := pathValue(r, "model")
	if err != nil {
		return err
	}
	e, err := s.embedder(name)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, wireModel(e))
}

// embedder is the model with a name; modelNotFound, with the names that there are, when there is none.
func (s *server) embedder(name string) (Embedder, error) {
	var names []string
	for _, e := range s.o.Embedders {
		if e.Model() == name {
			return e, nil
		}
		names = append(names, strconv.Quote(e.Model()))
	}
	err := rag.Errorf(modelNotFound, "There is no model %q here; there is %s.", rag.Clip(name, 80), strings.Join(names, " and "))
	err.Field = "/model"
	return nil, err
}

func (s *server) createEmbedding(w http.ResponseWriter, r *http.Request) error {
	var in embeddingRequest
	if err := decode(w, r, maxEmbeddingsBody, &in); err != nil {
		return err
	}
	if in.Model == "" {
		return rag.FieldErrorf("/model", "model is needed; GET /v1/models lists what there is.")
	}
	e, err := s.embedder(in.Model)
	if err != nil {
		return err
	}
	encode, err := encodingOf(in.EncodingFormat)
	if err != nil {
		return err
	}
	embed, stage := e.EmbedDocuments, "embed_documents"
	if in.InputType != nil {
		switch *in.InputType {
		case "document", "passage":
		case "query":
			embed, stage = e.EmbedQueries, "embed"
		default:
			return rag.FieldErrorf("/input_type", "input_type must be query or document, got %q.", rag.Clip(*in.InputType, 40))
		}
	}
	if in.Dimensions != nil && *in.Dimensions != e.Dimensions() {
		return rag.FieldErrorf("/dimensions", "dimensions must be %d, which the vectors of %s have, or absent, got %d: vectors are not cut, because that is only good for models that were trained for it.",
			e.Dimensions(), e.Model(), *in.Dimensions)
	}
	texts, err := textsOf(in.Input)
	if err != nil {
		return err
	}
	tokens, err := countTokens(e, texts)
	if err != nil {
		return err
	}
	started := time.Now()
	vectors, err := embed(r.Context(), texts)
	if err != nil {
		return err
	}
	s.o.Observe(stage, time.Since(started))
	for _, v := range vectors {
		if err := v.Validate(e.Dimensions()); err != nil { // JSON has no NaN
			return err
		}
	}
	writeEmbeddings(w, e.Model(), vectors, encode, tokens)
	return nil
}

// textsOf reads input: a text, or a list of them.
func textsOf(raw json.RawMessage) ([]string, error) {
	d := json.NewDecoder(strings.NewReader(string(raw)))
	switch t, _ := d.Token(); t { // no input at all is no token
	case nil:
		return nil, rag.FieldErrorf("/input", "input is needed: a text, or a list of texts.")
	case json.Delim('['):
	default:
		text, ok := t.(string)
		if !ok {
			return nil, rag.FieldErrorf("/input", "input must be a text or a list of texts.")
		}
		return []string{text}, nil
	}
	texts := []string{}
	for d.More() {
		at := "/input/" + strconv.Itoa(len(texts))
		if len(texts) == maxEmbeddedTexts {
			return nil, rag.FieldErrorf("/input", "input has more than %d texts; send the rest in another request.", maxEmbeddedTexts)
		}
		t, err := d.Token()
		if err != nil {
			return nil, rag.FieldErrorf(at, "input[%d] cannot be read: %w", len(texts), err)
		}
		switch t := t.(type) {
		case string:
			texts = append(texts, t)
		case float64, json.Delim:
			if t != json.Delim('{') {
				return nil, rag.FieldErrorf(at, "input holds token ids, which mean something else to every model; send the texts themselves.")
			}
			return nil, rag.FieldErrorf(at, "input[%d] must be a text, got an object.", len(texts))
		default:
			return nil, rag.FieldErrorf(at, "input[%d] must be a text.", len(texts))
		}
	}
	if len(texts) == 0 {
		return nil, rag.FieldErrorf("/input", "input is an empty list; it needs a text at least.")
	}
	return texts, nil
}

// countTokens is the sum of the texts' tokens. Invalid for a text that is empty or longer than the model takes, and for more tokens than one request may have.
func countTokens(e Embedder, texts []string) (int, error) {
	total, most := 0, e.MaxTokens()
	for i, text := range texts {
		at := "/input/" + strconv.Itoa(i)
		if strings.TrimSpace(text) == "" {
			return 0, rag.FieldErrorf(at, "input[%d] is empty; leave it out.", i)
		}
		if len(text) > most*bytesPerToken {
			return 0, rag.FieldErrorf(at, "input[%d] has %d bytes, far more than the %d tokens that %s takes; split it.", i, len(text), most, e.Model())
		}
		n := e.CountTokens(text)
		if n > most {
			return 0, rag.FieldErrorf(at, "input[%d] has %d tokens; %s takes %d. Split it.", i, n, e.Model(), most)
		}
		if total += n; total > maxEmbeddedTokens {
			return 0, rag.FieldErrorf("/input", "input has more than %d tokens, up to input[%d] already; send the rest in another request.", maxEmbeddedTokens, i)
		}
	}
	return total, nil
}

// encoding appends a vector as a JSON value.
type encoding func(b []byte, v rag.Embedding) []byte

func encodingOf(format *string) (encoding, error) {
	switch {
	case format == nil || *format == "float":
		return appendFloats, nil
	case *format == "base64":
		return appendBase64, nil
	}
	return nil, rag.FieldErrorf("/encoding_format", "encoding_format must be float or base64, got %q.", rag.Clip(*format, 40))
}

func appendFloats(b []byte, v rag.Embedding) []byte {
	b = append(b, '[')
	for i, x := range v {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendFloat(b, float64(x), 'g', -1, 32)
	}
	return append(b, ']')
}

func appendBase64(b []byte, v rag.Embedding) []byte {
	raw := make([]byte, 0, 4*len(v))
	for _, x := range v {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
	}
	b = append(b, '"')
	b = base64.StdEncoding.AppendEncode(b, raw)
	return append(b, '"')
}

// writeEmbeddings answers with vectors, written by hand and piece by piece: the largest answer has 786,432 numbers and 9 MB.
func writeEmbeddings(w http.ResponseWriter, model string, vectors []rag.Embedding, encode encoding, tokens int) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	const piece = 64 << 10
	b := append(make([]byte, 0, piece+piece/4), `{"object":"list","data":[`...)
	for i, v := range vectors {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"object":"embedding","index":`...)
		b = strconv.AppendInt(b, int64(i), 10)
		b = append(b, `,"embedding":`...)
		b = append(encode(b, v), '}')
		if len(b) >= piece {
			if _, err := w.Write(b); err != nil {
				return // the client is gone
			}
			b = b[:0]
		}
	}
	name, _ := json.Marshal(model) // a string always can be
	b = append(append(b, `],"model":`...), name...)
	b = append(b, `,"usage":{"prompt_tokens":`...)
	b = strconv.AppendInt(b, int64(tokens), 10)
	b = append(b, `,"total_tokens":`...)
	b = strconv.AppendInt(b, int64(tokens), 10)
	_, _ = w.Write(append(b, "}}\n"...)) // the client is gone when this fails
}
