package rag

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// Ids follow from the embedded text: a chunk without a context keeps the text, and so the id, that it had before there were contexts.
func TestChunk_Embedded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		title string
		chunk Chunk
		want  string
	}{
		{"", Chunk{Text: "文"}, "文"},
		{"題", Chunk{HeadingPath: []string{"題", "節"}, Text: "文 text"}, "題 › 節\n文 text"},
		{"題", Chunk{HeadingPath: []string{"節"}, Context: "姓名 | Age", Text: "李 | 4"}, "題 › 節\n姓名 | Age\n李 | 4"},
		{"", Chunk{Context: "Bring these:", Text: "- a 🌴"}, "Bring these:\n- a 🌴"},
	} {
		if got := c.chunk.Embedded(c.title); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
	long := Chunk{Context: strings.Repeat("欄", 10*MaxContext), Text: "文"}.Embedded("")
	if n := utf8.RuneCountInString(long); n > MaxContext+3 {
		t.Errorf("a long context gives %d characters, want at most %d", n, MaxContext+3)
	}
}
