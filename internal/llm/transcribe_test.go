package llm

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"footnote/internal/rag"
)

func TestClient_Transcribe(t *testing.T) {
	t.Parallel()
	answer := `{"choices":[{"message":{"role":"assistant","content":"收據\n\nTotal | 12"},"finish_reason":"stop"}]}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct {
			Model    string
			Messages []struct {
				Content []struct {
					Type     string
					Text     string
					ImageURL struct{ URL string } `json:"image_url"`
				}
			}
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil || len(body.Messages) != 1 || len(body.Messages[0].Content) != 2 {
			t.Errorf("got %v, %v", body, err)
			return
		}
		if c := body.Messages[0].Content; body.Model != "sees" || c[0].Type != "text" || c[0].Text == "" || c[1].Type != "image_url" || c[1].ImageURL.URL != "data:image/png;base64,AQID" {
			t.Errorf("got %+v", body)
		}
		if got := r.Header.Get("Authorization"); got != "Bearer key" {
			t.Errorf("got the key %q", got)
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, answer)
	}))
	defer server.Close()
	c := New(Options{BaseURL: server.URL, Model: "sees", APIKey: "key"})
	if got, err := c.Transcribe(t.Context(), "image/png", []byte{1, 2, 3}); err != nil || got != "收據\n\nTotal | 12" {
		t.Errorf("got %q, %v", got, err)
	}
	for _, bad := range []string{`{"choices":[]}`, strings.Replace(answer, `"stop"`, `"length"`, 1), `nonsense`} {
		answer = bad
		if got, err := c.Transcribe(t.Context(), "image/png", []byte{1, 2, 3}); rag.CodeOf(err) != rag.BadUpstream {
			t.Errorf("%s: got %q, %v", bad, got, err)
		}
	}
}
