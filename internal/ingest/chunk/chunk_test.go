package chunk

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"footnote/internal/rag"
	"footnote/internal/text"
)

// count is a plain stand-in for a model's tokens: a Chinese character or mark is one, a word one for each four letters.
func count(s string) int {
	n, word := 0, 0
	end := func() { n += (word + 3) / 4; word = 0 }
	for _, r := range s {
		switch {
		case unicode.IsSpace(r):
			end()
		case text.IsHan(r) || !unicode.IsLetter(r) && !unicode.IsNumber(r):
			end()
			n++
		default:
			word++
		}
	}
	end()
	return n
}

func texts(chunks []rag.Chunk) (out []string) {
	for _, c := range chunks {
		out = append(out, strings.Join(c.HeadingPath, "/")+"|"+c.Text)
	}
	return out
}

// document builds Parsed from lines of the form "kind level text".
func document(blocks ...rag.Block) func(parts ...string) rag.Parsed {
	return func(parts ...string) rag.Parsed {
		var p rag.Parsed
		at := 0
		for i, part := range parts {
			if i > 0 {
				p.Text += "\n\n"
				at += 2
			}
			b := blocks[i]
			b.Span = rag.Span{Start: at, End: at + utf8.RuneCountInString(part)}
			p.Blocks = append(p.Blocks, b)
			p.Text += part
			at = b.Span.End
		}
		return p
	}
}

var (
	h1   = rag.Block{Kind: rag.BlockHeading, Level: 1}
	h2   = rag.Block{Kind: rag.BlockHeading, Level: 2}
	para = rag.Block{Kind: rag.BlockParagraph}
	code = rag.Block{Kind: rag.BlockCode}
)

func TestSplit_FollowsHeadingsAndKeepsEmptyOnes(t *testing.T) {
	p := document(h1, para, h2, para, h2, h1)("請假", "總則。", "育兒假", "十六週，全薪。", "病假", "附錄")
	got, err := Split(p, Options{TargetTokens: 40, MaxTokens: 100, Count: count})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"請假|總則。", "請假/育兒假|十六週，全薪。", "請假|病假", "|附錄"}
	if diff := cmp.Diff(want, texts(got)); diff != "" {
		t.Fatal(diff)
	}
}

func TestSplit_OverlapsWholeSentences(t *testing.T) {
	for name, sentences := range map[string][]string{
		"en": {"The first sentence stands here alone. ", "The second sentence follows it closely. ", "The third sentence is not the last. ", "The fourth sentence ends all of this."},
		"zh": {"第一句話獨自站在這裏，沒有別的。", "第二句“緊跟着它！”", "第三句不是最後一句，還有下文？", "第四句結束這一切，到此爲止。"},
	} {
		p := document(para)(strings.Join(sentences, "") + " " + strings.Join(sentences, ""))
		got, err := Split(p, Options{TargetTokens: 32, OverlapTokens: 16, MaxTokens: 64, Count: count})
		if err != nil {
			t.Fatal(err)
		}
		if len(got) < 2 {
			t.Fatalf("%s: got %d chunks, want several", name, len(got))
		}
		for i := 1; i < len(got); i++ {
			if !got[i].Span.Overlaps(got[i-1].Span) {
				t.Errorf("%s: chunk %d %q repeats nothing of %q", name, i, got[i].Text, got[i-1].Text)
			}
			starts := false
			for _, s := range sentences {
				starts = starts || strings.HasPrefix(got[i].Text, strings.TrimSpace(s))
			}
			if !starts {
				t.Errorf("%s: chunk %q does not start with a sentence", name, got[i].Text)
			}
		}
	}
}

func TestSplit_CutsWhatHasNoSentencesWithoutBreakingCharacters(t *testing.T) {
	family := "👩‍👩‍👧‍👦"
	for _, s := range []string{strings.Repeat(family, 40), strings.Repeat("é", 500), strings.Repeat("没有标点的长文", 60), strings.Repeat("word ", 300), strings.Repeat("a", 3000)} {
		got, err := Split(document(para)(s), Options{TargetTokens: 32, OverlapTokens: 8, MaxTokens: 64, Count: count})
		if err != nil {
			t.Fatal(err)
		}
		if len(got) < 2 {
			t.Fatalf("got %d chunks of %.20q, want several", len(got), s)
		}
		for _, c := range got {
			if r, _ := utf8.DecodeRuneInString(c.Text); joins(r) {
				t.Errorf("chunk %.40q starts inside a character", c.Text)
			}
		}
	}
}

func TestSplit_KeepsLinesOfCodeWhole(t *testing.T) {
	lines := []string{"func main() {", "\tfmt.Println(\"hello, 世界\")", "\treturn", "}", "// another line of text", "// and another line of text"}
	got, err := Split(document(code)(strings.Join(lines, "\n")), Options{TargetTokens: 16, MaxTokens: 64, Count: count})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range got {
		for line := range strings.SplitSeq(c.Text, "\n") {
			whole := false
			for _, l := range lines {
				whole = whole || strings.TrimSpace(l) == strings.TrimSpace(line)
			}
			if !whole {
				t.Errorf("line %q was cut", line)
			}
		}
	}
}

func TestSplit_RefusesATitleThatLeavesNoRoom(t *testing.T) {
	_, err := Split(document(para)("text"), Options{TargetTokens: 300, MaxTokens: 200, Title: strings.Repeat("題", 200), Count: count})
	if rag.CodeOf(err) != rag.Invalid {
		t.Fatalf("got %v, want invalid", err)
	}
}

// What must hold of any text: chunks are where they say, are within the limits, go forward, and together with headings they hold
// every character that is not white space.
func TestSplit_Properties(t *testing.T) {
	alphabet := []rune("ab Cd.!? \n。！？；”」，、中文國际é\u0301👩\u200d👧🏽🇨🇳\t１Ａ\u3000<|#")
	rapid.Check(t, func(t *rapid.T) {
		p := rag.Parsed{Text: rapid.StringOfN(rapid.OneOf(rapid.SampledFrom(alphabet), rapid.Rune()), 0, 600, -1).Draw(t, "text")}
		p.Text = strings.ToValidUTF8(p.Text, "?")
		x := text.NewIndex(p.Text)
		kinds := []rag.BlockKind{rag.BlockHeading, rag.BlockParagraph, rag.BlockList, rag.BlockTable, rag.BlockCode, rag.BlockQuote}
		for at := 0; at < x.Len(); {
			at += rapid.IntRange(0, 3).Draw(t, "gap")
			end := at + rapid.IntRange(0, 200).Draw(t, "length")
			p.Blocks = append(p.Blocks, rag.Block{Kind: rapid.SampledFrom(kinds).Draw(t, "kind"), Span: rag.Span{Start: at, End: min(end, x.Len())}, Level: rapid.IntRange(1, 3).Draw(t, "level")})
			if n := len(p.Blocks); rapid.Bool().Draw(t, "header") {
				b := &p.Blocks[n-1]
				switch {
				case b.Kind == rag.BlockTable:
					b.Header = rag.Span{Start: b.Span.Start, End: min(b.Span.Start+rapid.IntRange(1, 300).Draw(t, "head"), b.Span.End)}
				case b.Kind == rag.BlockList && n > 1 && p.Blocks[n-2].Kind == rag.BlockParagraph:
					b.Header = p.Blocks[n-2].Span
				}
			}
			at = end
		}
		o := Options{TargetTokens: rapid.IntRange(16, 80).Draw(t, "target"), Title: "標題 Title", Count: count}
		o.OverlapTokens = rapid.IntRange(0, o.TargetTokens/2).Draw(t, "overlap")
		o.MaxTokens = rapid.IntRange(290, 500).Draw(t, "max")
		chunks, err := Split(p, o)
		if err != nil {
			t.Fatal(err)
		}
		holds(t, x, p, o, chunks)
	})
}

// holds checks what must hold of the chunks of any text.
func holds(t *rapid.T, x *text.Index, p rag.Parsed, o Options, chunks []rag.Chunk) {
	covered := make([]bool, x.Len())
	for i, c := range chunks {
		if c.Ordinal != i || c.Text != x.Slice(c.Span) || c.Text == "" || c.Text != strings.TrimSpace(c.Text) {
			t.Fatalf("chunk %d at %v: ordinal %d, text %q", i, c.Span, c.Ordinal, c.Text)
		}
		if i > 0 && (c.Span.Start <= chunks[i-1].Span.Start || c.Span.End <= chunks[i-1].Span.End) {
			t.Fatalf("chunk %d at %v does not go past %v", i, c.Span, chunks[i-1].Span)
		}
		if n := count(c.Embedded(o.Title)); n > o.MaxTokens {
			t.Fatalf("chunk %d has %d tokens, want at most %d", i, n, o.MaxTokens)
		}
		if n := text.Len(c.Context); n > rag.MaxContext+1 || c.Context != strings.TrimSpace(c.Context) {
			t.Fatalf("chunk %d has a context of %d characters: %q", i, n, c.Context)
		}
		for j := c.Span.Start; j < c.Span.End; j++ {
			covered[j] = true
		}
	}
	for _, b := range p.Blocks {
		if b.Kind == rag.BlockHeading {
			for j := b.Span.Start; j < b.Span.End; j++ {
				covered[j] = true
			}
		}
	}
	i := 0
	for _, r := range p.Text {
		if !covered[i] && !unicode.IsSpace(r) {
			t.Fatalf("character %d %q is in no chunk", i, r)
		}
		i++
	}
}
