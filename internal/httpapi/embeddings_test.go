package httpapi

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"footnote/internal/rag"
)

func vectors(n, dims int) []rag.Embedding {
	r := rand.New(rand.NewPCG(1, 2))
	out := make([]rag.Embedding, n)
	for i := range out {
		out[i] = make(rag.Embedding, dims)
		for j := range out[i] {
			out[i][j] = float32(r.NormFloat64() / math.Sqrt(float64(dims)))
		}
	}
	return out
}

type embeddingsJSON struct {
	Object string
	Data   []struct {
		Object    string
		Index     int
		Embedding json.RawMessage
	}
	Model string
	Usage struct {
		PromptTokens int `json:"prompt_tokens"`
		TotalTokens  int `json:"total_tokens"`
	}
}

// Either encoding gives every vector back to the last bit, awkward numbers and all, over several pieces.
func TestWriteEmbeddings_RoundTripsToTheBit(t *testing.T) {
	t.Parallel()
	want := vectors(300, 384)
	want[7] = rag.Embedding{0, float32(math.Copysign(0, -1)), math.SmallestNonzeroFloat32, -math.MaxFloat32, 1e-5, 1e21, 1, 0.1}
	for name, encode := range map[string]encoding{"float": appendFloats, "base64": appendBase64} {
		rec := httptest.NewRecorder()
		writeEmbeddings(rec, `a "quoted" model`, want, encode, 12)
		var got embeddingsJSON
		if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got.Object != "list" || got.Model != `a "quoted" model` || got.Usage.PromptTokens != 12 || got.Usage.TotalTokens != 12 || len(got.Data) != len(want) {
			t.Fatalf("%s: got %s, %s, %+v, %d vectors", name, got.Object, got.Model, got.Usage, len(got.Data))
		}
		for i, d := range got.Data {
			var v []float32
			if name == "float" {
				if err := json.Unmarshal(d.Embedding, &v); err != nil {
					t.Fatal(err)
				}
			} else {
				var s string
				if err := json.Unmarshal(d.Embedding, &s); err != nil {
					t.Fatal(err)
				}
				raw, err := base64.StdEncoding.DecodeString(s)
				if err != nil {
					t.Fatal(err)
				}
				for at := 0; at < len(raw); at += 4 {
					v = append(v, math.Float32frombits(binary.LittleEndian.Uint32(raw[at:])))
				}
			}
			same := slices.EqualFunc(v, want[i], func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) })
			if d.Object != "embedding" || d.Index != i || !same {
				t.Fatalf("%s: vector %d is not what it was", name, i)
			}
		}
	}
}

func TestOpenAIParam_SpellsPointers(t *testing.T) {
	t.Parallel()
	for pointer, want := range map[string]string{"/input": "input", "/input/3": "input[3]", "/a~1b": "a/b", "/messages/0/content": "messages[0].content", "/7": "7"} {
		if got := openAIParam(pointer); got != want {
			t.Errorf("%s: got %s, want %s", pointer, got, want)
		}
	}
}

// discard is a ResponseWriter that keeps nothing.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) WriteHeader(int)             {}
func (d discard) Write(b []byte) (int, error) { return len(b), nil }

// The largest answer that there is: 2048 vectors of 384.
func BenchmarkWriteEmbeddings(b *testing.B) {
	all := vectors(maxEmbeddedTexts, 384)
	for name, encode := range map[string]encoding{"float": appendFloats, "base64": appendBase64} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				writeEmbeddings(discard{http.Header{}}, "m", all, encode, 1)
			}
		})
	}
	b.Run("encoding/json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = reply(discard{http.Header{}}, 200, map[string]any{"data": all})
		}
	})
}
