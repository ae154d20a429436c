package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// readPicture reads a picture that doctor drew, letter by letter.
func readPicture(content []byte) string {
	img, err := png.Decode(bytes.NewReader(content))
	if err != nil {
		return err.Error()
	}
	var said strings.Builder
	for top := border; top+line <= img.Bounds().Dy()-border+1; top += line {
		for left := border; left+letter <= img.Bounds().Dx()-border; left += letter {
			var seen [7]string
			for y := range seen {
				for x := range 5 {
					if r, _, _, _ := img.At(left+x*dot+dot/2, top+y*dot+dot/2).RGBA(); r == 0 {
						seen[y] += "#"
					} else {
						seen[y] += "."
					}
				}
			}
			for r, g := range glyphs {
				if g == seen {
					said.WriteRune(r)
				}
			}
		}
		said.WriteByte('\n')
	}
	return said.String()
}

func TestDoctor_HasTheOCREndpointReadAPicture(t *testing.T) {
	t.Parallel()
	answer := func(read bool, said string, status int) string { // the address of a model that sees, or that says always the same
		eyes := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			_, encoded, _ := strings.Cut(string(body), "data:image/png;base64,")
			encoded, _, _ = strings.Cut(encoded, `"`)
			picture, err := base64.StdEncoding.DecodeString(encoded)
			if read {
				if said = readPicture(picture); err != nil {
					said = err.Error()
				}
			}
			text, _ := json.Marshal(said)
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			fmt.Fprintf(w, `{"choices":[{"message":{"role":"assistant","content":%s},"finish_reason":"stop"}]}`, text)
		}))
		t.Cleanup(eyes.Close)
		return eyes.URL + "/v1"
	}
	model := newCounting(t)
	for name, c := range map[string]struct {
		url    string
		code   int
		wanted []string
	}{
		"sees":      {answer(true, "", 200), exitOK, []string{"ok     OCR            eyes at ", `reads: "FOOTNOTE\nREADS4827"`}},
		"is blind":  {answer(false, "I cannot see images.", 200), exitFailed, []string{"WRONG  OCR", `answered "I cannot see images." to a picture that says "FOOTNOTE READS 4827"`, "FOOTNOTE_OCR_MODEL"}},
		"is broken": {answer(false, "", 401), exitFailed, []string{"WRONG  OCR", "FOOTNOTE_OCR_BASE_URL, _MODEL and _API_KEY"}},
	} {
		var stdout, stderr strings.Builder
		code := run(t.Context(), []string{"doctor", "--data", t.TempDir()}, []string{"FOOTNOTE_LISTEN=127.0.0.1:0", "FOOTNOTE_EMBED_BASE_URL=" + model.URL + "/v1", "FOOTNOTE_EMBED_MODEL=counting", "FOOTNOTE_OCR_BASE_URL=" + c.url, "FOOTNOTE_OCR_MODEL=eyes"},
			strings.NewReader(""), &stdout, &stderr)
		for _, want := range c.wanted {
			if code != c.code || !strings.Contains(stdout.String(), want) {
				t.Errorf("one that %s: got code %d, want %q in %s", name, code, want, stdout.String())
			}
		}
	}
}
