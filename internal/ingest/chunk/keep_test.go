package chunk

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"footnote/internal/rag"
	"footnote/internal/text"
)

// chapter is a section of paragraphs, each with sentences of its own in one language or the other.
func chapter(paragraphs ...int) rag.Parsed {
	blocks, parts := []rag.Block{h1}, []string{"規定 Rules 📚"}
	for _, n := range paragraphs {
		var b strings.Builder
		for sentence := range 4 {
			if n%2 == 0 {
				fmt.Fprintf(&b, "Sentence %d of paragraph %d says what rule number %d is about. ", sentence, n, n*7+sentence)
			} else {
				fmt.Fprintf(&b, "第%d段的第%d句話說明「休假」與出差的規定，編號%d。😀", n, sentence, n*7+sentence)
			}
		}
		blocks, parts = append(blocks, para), append(parts, strings.TrimSpace(b.String()))
	}
	return document(blocks...)(parts...)
}

func upTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func cut(t interface{ Fatal(...any) }, p rag.Parsed, o Options) []rag.Chunk {
	chunks, err := Split(p, o)
	if err != nil {
		t.Fatal(err)
	}
	return chunks
}

// fresh are the texts of chunks that were not there before.
func fresh(before, after []rag.Chunk) (out []string) {
	for _, c := range after {
		if !slices.ContainsFunc(before, func(b rag.Chunk) bool { return b.Text == c.Text && slices.Equal(b.HeadingPath, c.HeadingPath) }) {
			out = append(out, c.Text)
		}
	}
	return out
}

func TestSplit_AnEditChangesTheChunksAroundItAlone(t *testing.T) {
	o := Options{TargetTokens: 100, OverlapTokens: 20, MaxTokens: 500, Count: count}
	paragraphs := upTo(120)
	before := cut(t, chapter(paragraphs...), o)
	anew := o
	o.Before = before
	for name, edited := range map[string][]int{
		"one more":            slices.Insert(slices.Clone(paragraphs), 60, 1001),
		"another one":         append(append(slices.Clone(paragraphs[:61]), 1003), paragraphs[62:]...),
		"one less":            slices.Delete(slices.Clone(paragraphs), 60, 61),
		"one more at the top": append([]int{1000}, paragraphs...),
		"one more at the end": append(slices.Clone(paragraphs), 1000),
	} {
		p := chapter(edited...)
		got := fresh(before, cut(t, p, o))
		if len(got) == 0 && len(edited) >= len(paragraphs) || len(got) > 3 {
			t.Errorf("%s: %d of %d chunks are new: %q", name, len(got), len(before), got)
		}
		if name == "one more" {
			if n := len(fresh(before, cut(t, p, anew))); n < 10 {
				t.Errorf("cut from the start only %d chunks are new: the test shows nothing", n)
			}
		}
	}
	if diff := cmp.Diff(before, cut(t, chapter(paragraphs...), o)); diff != "" {
		t.Errorf("the same text: %s", diff)
	}
	// Under another heading every chunk is another.
	moved := chapter(paragraphs...)
	moved.Text = strings.Replace(moved.Text, "規定", "新規", 1)
	if diff := cmp.Diff(texts(cut(t, moved, anew)), texts(cut(t, moved, o))); diff != "" {
		t.Error(diff)
	}
}

// Whatever is edited, what holds of the chunks of a new text holds of those that keep others, and they do not wear down: after many edits there are at most twice as many
// as there would be.
func TestSplit_ManyEditsLeaveGoodChunks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := Options{TargetTokens: rapid.IntRange(60, 120).Draw(t, "target"), OverlapTokens: rapid.IntRange(0, 30).Draw(t, "overlap"), MaxTokens: 500, Count: count}
		paragraphs, next := upTo(rapid.IntRange(1, 60).Draw(t, "paragraphs")), 1000
		p := chapter(paragraphs...)
		chunks := cut(t, p, o)
		for range rapid.IntRange(1, 8).Draw(t, "edits") {
			at := rapid.IntRange(0, len(paragraphs)-1).Draw(t, "at")
			switch rapid.SampledFrom([]string{"insert", "replace", "delete", "repeat", "swap"}).Draw(t, "edit") {
			case "insert":
				paragraphs = slices.Insert(paragraphs, at, next)
			case "replace":
				paragraphs[at] = next
			case "delete":
				if len(paragraphs) > 1 {
					paragraphs = slices.Delete(paragraphs, at, at+1)
				}
			case "repeat":
				paragraphs = append(paragraphs, paragraphs[at])
			case "swap":
				paragraphs[0], paragraphs[at] = paragraphs[at], paragraphs[0]
			}
			next++
			p = chapter(paragraphs...)
			o.Before = chunks
			chunks = cut(t, p, o)
			holds(t, text.NewIndex(p.Text), p, o, chunks)
		}
		o.Before = nil
		if want := len(cut(t, p, o)); len(chunks) > 2*want+2 {
			t.Fatalf("%d chunks after the edits, and %d of a new document", len(chunks), want)
		}
	})
}
