package local

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"footnote/internal/embed/local/foldertest"
	"footnote/internal/evaldata"
)

// builtInFile is a tokenizer.json of the built-in model's vocabulary, as Hugging Face's of XLM-RoBERTa is.
func builtInFile(tb testing.TB) []byte {
	tb.Helper()
	w := listed()
	vocab := make([][2]any, len(w.pieces))
	for i, p := range w.pieces {
		vocab[i] = [2]any{string(p), float64(w.scores[i])} // as such files have them: exactly the float32
	}
	var added []any
	for id, token := range map[int]string{0: "<s>", 1: "<pad>", 2: "</s>", 3: "<unk>", len(vocab) - 1: "<mask>"} {
		added = append(added, map[string]any{"id": id, "content": token, "special": true, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false})
		vocab[id][0] = token
	}
	b, err := json.Marshal(map[string]any{
		"version": "1.0", "added_tokens": added,
		"normalizer": map[string]any{"type": "Precompiled", "precompiled_charsmap": charsmapNFKC(tb)},
		"pre_tokenizer": map[string]any{"type": "Sequence", "pretokenizers": []any{
			map[string]any{"type": "WhitespaceSplit"}, map[string]any{"type": "Metaspace", "replacement": "▁", "add_prefix_space": true},
		}},
		"post_processor": map[string]any{"type": "RobertaProcessing", "sep": []any{"</s>", 2}, "cls": []any{"<s>", 0}, "trim_offsets": true, "add_prefix_space": true},
		"model":          map[string]any{"type": "Unigram", "unk_id": 3, "vocab": vocab},
	})
	if err != nil {
		tb.Fatal(err)
	}
	if path := os.Getenv("WRITE_TOKENIZER"); path != "" { // for comparisons with other programs
		if err := os.WriteFile(path, b, 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	return b
}

// TestFileTokenizer_UnigramEqualsTheBuiltInReference: the built-in model's vocabulary by way of a tokenizer.json gives the ids of the
// independent reference. SentencePiece, which that follows, and Hugging Face's tokenizers, which wrote testdata/unigram.jsonl, differ on nine
// texts: in spaces at the end, runs of unknown characters, and joiners.
func TestFileTokenizer_UnigramEqualsTheBuiltInReference(t *testing.T) {
	tok, err := parseTokenizer(builtInFile(t), 250037, sentence{})
	if err != nil {
		t.Fatal(err)
	}
	others := map[string][]int32{}
	for _, r := range evaldata.Lines[referenceText](t, "testdata/unigram.jsonl") {
		others[r.Text] = r.IDs
	}
	for _, r := range reference(t) {
		got, want := tok.encode(r.Prefix+r.Text), r.IDs
		if ids, ok := others[r.Prefix+r.Text]; ok {
			want = ids
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q:\ngot  %v\nwant %v", r.Prefix+r.Text, got, want)
		}
		if n := tok.count(r.Prefix + r.Text); n != len(got)-2 {
			t.Errorf("%q: counted %d, want %d", r.Text, n, len(got)-2)
		}
	}
}

// TestFileTokenizer_SpecialsInATextAreText: a document cannot write the model's marks.
func TestFileTokenizer_SpecialsInATextAreText(t *testing.T) {
	for _, xlm := range []bool{false, true} {
		dir := t.TempDir()
		foldertest.Write(t, dir, foldertest.Model{XLMRoberta: xlm}, synthetic...)
		e, err := OpenFolder(dir, FolderOptions{})
		if err != nil {
			t.Fatal(err)
		}
		ids := e.tokenizer.encode("[CLS] a [SEP] b [MASK] [PAD] <s> </s> <mask> <pad> <unk>")
		special := []int32{0, 2, 3, 4} // of WordPiece, where 1 is [UNK]
		if xlm {
			special = []int32{0, 1, 2, 4} // of Unigram, where 3 is <unk>
		}
		for _, id := range ids[1 : len(ids)-1] {
			if slices.Contains(special, id) {
				t.Errorf("XLM-RoBERTa %t: %d is inside %v", xlm, id, ids)
			}
		}
	}
}

func TestWordPiece_LongestPiecesFromTheLeft(t *testing.T) {
	id := func(i int) *int { return &i }
	w, err := newWordPiece(tokenizerModel{
		Unknown: "[UNK]", MaxRunes: id(12), Vocabulary: json.RawMessage(`{"[UNK]":0,"un":1,"##aff":2,"##able":3,"unaff":4,"##a":5,"长":6,"##城":7,"a":8}`),
	}, nil, 9)
	if err != nil {
		t.Fatal(err)
	}
	for word, want := range map[string][]int32{
		"unaffable": {4, 3}, "unable": {1, 3}, "una": {1, 5}, "unx": {0}, "长城": {6, 7}, "城": {0}, "aaaaaaaaaaaa": {8, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5}, "aaaaaaaaaaaaa": {0},
	} {
		var got []int32
		w.each(word, func(id int32) { got = append(got, id) })
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", word, got, want)
		}
	}
}

// TestUnigram_APieceOfAnyLengthEndsTheSearch: a single piece has as many nodes as bytes, the most that a vocabulary can have.
func TestUnigram_APieceOfAnyLengthEndsTheSearch(t *testing.T) {
	unknown := 0
	u, err := newUnigram(tokenizerModel{UnknownID: &unknown, Vocabulary: json.RawMessage(`[["",0],["` + strings.Repeat("a", 1<<16) + `",-1]]`)}, nil, 2)
	if err != nil {
		t.Fatal(err)
	}
	var got []int32
	u.each("ab", func(id int32) { got = append(got, id) })
	if !slices.Equal(got, []int32{0}) {
		t.Errorf("got %v, want one unknown piece", got)
	}
	for _, wrong := range []string{`{}`, `null`, `[["a"]]`, `[["a","b"]]`, `[[1,2]]`, `[["a",1e9]]`, `["a",1]`, `[["a",1],]`} {
		if _, err := newUnigram(tokenizerModel{UnknownID: &unknown, Vocabulary: json.RawMessage(wrong)}, nil, 2); err == nil {
			t.Errorf("%s was taken for a vocabulary", wrong)
		}
	}
}

func TestMetaspace_CutsBeforeEachMark(t *testing.T) {
	never, whole := "never", false
	for _, c := range []struct {
		c    component
		text string
		want []string
	}{
		{component{Replacement: "▁"}, "a  b", []string{"▁a", "▁", "▁b"}},
		{component{Replacement: "▁"}, " a ", []string{"▁a", "▁"}},
		{component{Replacement: "▁"}, "", nil},
		{component{Replacement: "▁", PrependScheme: never}, "a b", []string{"a", "▁b"}},
		{component{Replacement: "▁", Split: &whole}, "a b", []string{"▁a▁b"}},
	} {
		split, err := newMetaspace(c.c)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		split(c.text, func(w string) { got = append(got, w) })
		if !slices.Equal(got, c.want) {
			t.Errorf("%q: got %q, want %q", c.text, got, c.want)
		}
	}
}

// TestCharsmap_ReplacesAsTheModelsTokenizersDo: the values are those of Hugging Face's tokenizers on the same table.
func TestCharsmap_ReplacesAsTheModelsTokenizersDo(t *testing.T) {
	m, err := openCharsmap(charsmapNFKC(t))
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"plain": "plain", "ｆｕｌｌ　ｗｉｄｔｈ": "full width", "①½㌔ﬁ": "11⁄2キロfi", "e\u0301E\u0301": "éÉ", "a\r\nb\tc": "a b c", "x\u200by\ufeffz": "x y z",
		"a\x00b\x01c\x7fd": "a\x00bcd", "～": "～", "각": "각", "": "", "👩‍💻": "👩‍💻", "ｅ\u0301": "e", "©\ufe0f": "©\ufe0f",
	} {
		if got := m.normalise(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	for _, n := range []int{0, 3, 4, 100, 1 << 17} {
		if _, err := openCharsmap(charsmapNFKC(t)[:n]); err == nil {
			t.Errorf("a table cut to %d bytes was opened", n)
		}
	}
}

func FuzzReadSafetensors(f *testing.F) {
	path := filepath.Join(f.TempDir(), "x")
	foldertest.WriteSafetensors(f, path, "F16", []foldertest.Tensor{{Name: "a", Shape: []int{2, 3}, Values: make([]float32, 6)}, {Name: "b", Shape: []int{1}, Values: make([]float32, 1)}})
	b, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte("\x40\x00\x00\x00\x00\x00\x00\x00" + `{"a":{"dtype":"F32","shape":[9223372036854775807,4],"data_offsets":[0,4]}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		tensors, err := readSafetensors(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		for name, s := range tensors {
			if readable(name, s) != nil {
				continue
			}
			if s.rows <= 0 || s.width <= 0 || s.rows*s.width > len(b) {
				t.Fatalf("%q has %d rows of %d in a file of %d bytes", name, s.rows, s.width, len(b))
			}
			for _, i := range []int{0, s.rows - 1} {
				if err := s.row(i, make([]float32, s.width)); err != nil {
					t.Fatalf("row %d of %q: %v", i, name, err)
				}
			}
		}
	})
}

func FuzzParseTokenizer(f *testing.F) {
	for _, xlm := range []bool{false, true} {
		dir := f.TempDir()
		foldertest.Write(f, dir, foldertest.Model{XLMRoberta: xlm})
		b, err := os.ReadFile(filepath.Join(dir, "tokenizer.json"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, "[CLS] a<s>\xff 你好\x00 e\u0301 İ")
	}
	f.Fuzz(func(t *testing.T, file []byte, text string) {
		tok, err := parseTokenizer(file, 1000, sentence{})
		if err != nil {
			return
		}
		ids := tok.encode(text[:min(len(text), 1000)])
		if len(ids) == 0 {
			t.Fatal("no marks")
		}
		for _, id := range ids {
			if id < 0 || id >= 1000 {
				t.Fatalf("id %d", id)
			}
		}
	})
}

func FuzzCharsmap(f *testing.F) {
	whole := sync.OnceValue(func() []byte { return charsmapNFKC(f) })()
	f.Add(uint32(4), uint32(7), uint32(0), "ｆｕｌｌ e\u0301 ½")
	f.Add(uint32(0), uint32(0xffffffff), uint32(100), "a")
	f.Fuzz(func(t *testing.T, at, value, cut uint32, text string) {
		// A changed word somewhere, and a cut: an error or valid text, never a panic.
		b := slices.Clone(whole[:max(0, len(whole)-int(cut))])
		if int(at) < len(b)-4 {
			b[at], b[at+1], b[at+2], b[at+3] = byte(value), byte(value>>8), byte(value>>16), byte(value>>24)
		}
		m, err := openCharsmap(b)
		if err != nil {
			return
		}
		text = strings.ToValidUTF8(text, "\uFFFD")
		if got := m.normalise(text); !strings.Contains(got, "\uFFFD") && strings.ToValidUTF8(got, "") != got {
			t.Fatalf("%q became %q", text, got)
		}
	})
}
