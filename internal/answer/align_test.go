package answer

import (
	"context"
	"log/slog"
	"math"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"footnote/internal/lexical"
	"footnote/internal/rag"
	"footnote/internal/text"
)

// termEmbedder embeds a text as the bag of its terms, hashed: near texts share terms. It counts what it is asked.
type termEmbedder struct{ asked []string }

func (e *termEmbedder) EmbedQueries(ctx context.Context, texts []string) ([]rag.Embedding, error) {
	return e.EmbedDocuments(ctx, texts)
}

func (e *termEmbedder) EmbedDocuments(_ context.Context, texts []string) ([]rag.Embedding, error) {
	e.asked = append(e.asked, texts...)
	out := make([]rag.Embedding, len(texts))
	for i, s := range texts {
		v := make(rag.Embedding, 64)
		v[0] = 0.1
		for _, t := range lexical.Terms(s) {
			v[lexical.Hash(t.Text)%64]++
		}
		var n float64
		for _, x := range v {
			n += float64(x) * float64(x)
		}
		for j := range v {
			v[j] /= float32(math.Sqrt(n))
		}
		out[i] = v
	}
	return out, nil
}

func (e *termEmbedder) Model() string            { return "terms" }
func (e *termEmbedder) MaxTokens() int           { return 512 }
func (e *termEmbedder) CountTokens(s string) int { return len(s) / 4 }

func testService() (*Service, *termEmbedder) {
	e := &termEmbedder{}
	return New(Options{Embedder: e, Logger: slog.New(slog.DiscardHandler)}), e
}

func checkOne(t *testing.T, claim, passage string) Checked {
	t.Helper()
	s, _ := testService()
	got, err := s.Check(t.Context(), []Check{{Claim: claim, Passage: passage}})
	if err != nil {
		t.Fatal(err)
	}
	return got[0]
}

func TestAlign_FindsTheSentenceAndNamesWhatDiffers(t *testing.T) {
	t.Parallel()
	english := "The library opened in 1932. It holds 40,000 books. On Mondays it is closed to visitors."
	chinese := "圖書館於1932年開放。館內有四萬冊藏書。星期一不對外開放。"
	for _, c := range []struct {
		claim, passage, quote string
		verdict               rag.Verdict
		kind                  rag.MismatchKind
	}{
		{"It holds 40,000 books.", english, "It holds 40,000 books.", rag.VerdictSupported, ""},
		{"It holds 90,000 books.", english, "It holds 40,000 books.", rag.VerdictContradicted, rag.MismatchNumber},
		{"The library opened in 1952.", english, "The library opened in 1932.", rag.VerdictContradicted, rag.MismatchDate},
		{"On Mondays it is not closed to visitors.", english, "On Mondays it is closed to visitors.", rag.VerdictContradicted, rag.MismatchNegation},
		{"館內有四萬冊藏書。", chinese, "館內有四萬冊藏書。", rag.VerdictSupported, ""},
		{"館內有五萬冊藏書。", chinese, "館內有四萬冊藏書。", rag.VerdictContradicted, rag.MismatchNumber},
		{"星期一對外開放。", chinese, "星期一不對外開放。", rag.VerdictContradicted, rag.MismatchNegation},
	} {
		got := checkOne(t, c.claim, c.passage)
		if quote := text.Slice(c.passage, got.Source.Start, got.Source.End); quote != c.quote || got.Verdict != c.verdict {
			t.Errorf("%q: got %q, %s (%.2f), want %q, %s", c.claim, quote, got.Verdict, got.Support, c.quote, c.verdict)
		}
		if (len(got.Mismatches) > 0) != (c.kind != "") || c.kind != "" && got.Mismatches[0].Kind != c.kind {
			t.Errorf("%q: got %+v, want %q", c.claim, got.Mismatches, c.kind)
		}
		for _, m := range got.Mismatches {
			if !m.SourceSpan.Empty() && text.Slice(c.passage, m.SourceSpan.Start, m.SourceSpan.End) != m.Source {
				t.Errorf("%q: the source's words %q do not stand at %v", c.claim, m.Source, m.SourceSpan)
			}
			if !m.ClaimSpan.Empty() && text.Slice(c.claim, m.ClaimSpan.Start, m.ClaimSpan.End) != m.Claim {
				t.Errorf("%q: the claim's words %q do not stand at %v", c.claim, m.Claim, m.ClaimSpan)
			}
		}
		if len(got.Mismatches) > 0 && got.Support >= weakFrom {
			t.Errorf("%q: contradicted, but support is %.2f", c.claim, got.Support)
		}
	}
}

func TestAlign_TakesInTheNeighbourThatTheClaimNeeds(t *testing.T) {
	t.Parallel()
	passage := "Nothing is said here. The museum was designed by Anna Berg. Its roof of copper weighs ninety tonnes. Visitors pay at the door."
	got := checkOne(t, "The museum, designed by Anna Berg, has a roof of copper that weighs ninety tonnes.", passage)
	if quote := text.Slice(passage, got.Source.Start, got.Source.End); quote != "The museum was designed by Anna Berg. Its roof of copper weighs ninety tonnes." {
		t.Errorf("got %q", quote)
	}
}

func TestAlign_CutsALongSentenceToItsClauses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ claim, passage, want string }{
		{"The harbour was dredged to a depth of nine metres.", "Although the town had been poor for many years and few of its merchants owned ships, the harbour was dredged to a depth of nine metres, and soon afterwards the first steamers called there on their way to the colonies of the south.", "the harbour was dredged to a depth of nine metres"},
		{"港口疏浚至九米深。", "虽然这座小镇多年来一直贫困，镇上的商人很少拥有自己的船只，居民大多以种田为生，港口疏浚至九米深，不久之后，第一批开往南方各殖民地的蒸汽船便在此停靠。", "港口疏浚至九米深"},
	} {
		got := checkOne(t, c.claim, c.passage)
		if quote := text.Slice(c.passage, got.Source.Start, got.Source.End); quote != c.want {
			t.Errorf("%q: got %q, want %q", c.claim, quote, c.want)
		}
	}
}

func TestAlign_ANumberThatStandsNowhereIsUnsupported(t *testing.T) {
	t.Parallel()
	got := checkOne(t, "The library, which has 3 floors, is open to visitors.", "The library is open to visitors.")
	if got.Verdict != rag.VerdictUnsupported || len(got.Mismatches) > 0 {
		t.Errorf("got %s, %+v, want unsupported without a mismatch", got.Verdict, got.Mismatches)
	}
}

func TestAlign_EmbedsASentenceOnce(t *testing.T) {
	t.Parallel()
	s, e := testService()
	for range 2 {
		if _, err := s.Check(t.Context(), []Check{{Claim: "One is odd.", Passage: "One is odd. Two is even."}}); err != nil {
			t.Fatal(err)
		}
	}
	if len(e.asked) > 3 {
		t.Errorf("the model was asked for %q; each sentence once was enough", e.asked)
	}
}

// half supports everything by half.
type half struct{}

func (half) Support(_ context.Context, bearings []Bearing) ([]float64, error) {
	out := make([]float64, len(bearings))
	for i := range out {
		out[i] = 1
	}
	return out, nil
}

func TestAlign_WhateverTheSupporterSays_AContradictedNumberIsNotSupported(t *testing.T) {
	t.Parallel()
	s := New(Options{Embedder: &termEmbedder{}, Supporter: half{}})
	got, err := s.Check(t.Context(), []Check{{Claim: "It has 12 rooms.", Passage: "It has 14 rooms."}, {Claim: "它有12个房间。", Passage: "它没有12个房间。"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range got {
		if g.Verdict != rag.VerdictContradicted || g.Support >= weakFrom {
			t.Errorf("got %s with %.2f", g.Verdict, g.Support)
		}
	}
}

func TestAlign_SpansLieInThePassageAndQuotesAreItsText(t *testing.T) {
	t.Parallel()
	part := rapid.SampledFrom([]string{"The ship sailed in 1588, ", "it did not return. ", "船沒有回來。", "共有一百二十人，", "🙂 ", "\n- item one\n", "However, Anna beat Berta; ", "百分之五。", "e.g. 3 km. ", "；", " ", "“Quoted.” ", "ｆｕｌｌ　ｗｉｄｔｈ１２ "})
	rapid.Check(t, func(t *rapid.T) {
		passage := strings.Join(rapid.SliceOfN(part, 0, 20).Draw(t, "passage"), "")
		claim := strings.Join(rapid.SliceOfN(part, 1, 3).Draw(t, "claim"), "")
		before := rapid.IntRange(0, 50).Draw(t, "before")
		s, _ := testService()
		n := text.Len(passage)
		p := rag.Passage{Hit: rag.Hit{Chunk: rag.Chunk{Text: passage, Span: rag.Span{Start: before, End: before + n}}}}
		got, err := s.align(context.Background(), []statement{{claim, rag.Span{Start: 7, End: 7 + text.Len(claim)}}}, []rag.Passage{p}, []pair{{}})
		if err != nil {
			t.Fatal(err)
		}
		a := got[0]
		if !p.Hit.Chunk.Span.Contains(a.Source) || a.Support < 0 || a.Support > 1 {
			t.Fatalf("got %+v", a)
		}
		quote := inChunk(p.Hit.Chunk, a.Source)
		if !strings.Contains(passage, quote) || strings.TrimFunc(quote, unicode.IsSpace) != quote && len(sentences(p.Hit.Chunk)) > 0 {
			t.Fatalf("%q is no quote of %q", quote, passage)
		}
		if (a.Verdict == rag.VerdictContradicted) != (len(a.Mismatches) > 0) {
			t.Fatalf("%s with %+v", a.Verdict, a.Mismatches)
		}
		for _, m := range a.Mismatches {
			if !m.SourceSpan.Empty() && inChunk(p.Hit.Chunk, m.SourceSpan) != m.Source || !m.ClaimSpan.Empty() && text.Slice(claim, m.ClaimSpan.Start-7, m.ClaimSpan.End-7) != m.Claim {
				t.Fatalf("%+v names words that do not stand there", m)
			}
		}
	})
}
