package local

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"footnote/internal/embed/local/foldertest"
	"footnote/internal/evaldata"
	"footnote/internal/rag"
	"footnote/internal/simd"
)

// charsmapNFKC is the table nmt_nfkc, which XLM-RoBERTa's tokenizers carry.
func charsmapNFKC(tb testing.TB) []byte {
	tb.Helper()
	f, err := os.Open("testdata/nmt_nfkc.charsmap.gz")
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		tb.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// xlmRoberta is a copy of testdata/xlm-roberta with its charsmap: a small model that transformers made, with random weights.
func xlmRoberta(tb testing.TB) string {
	tb.Helper()
	dir := tb.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/xlm-roberta")); err != nil {
		tb.Fatal(err)
	}
	foldertest.Edit(tb, dir, "tokenizer.json", func(m map[string]any) {
		m["normalizer"].(map[string]any)["normalizers"].([]any)[0].(map[string]any)["precompiled_charsmap"] = charsmapNFKC(tb)
	})
	return dir
}

// TestOpenFolder_XLMRobertaEqualsTransformers holds ids and vectors to those of Hugging Face's tokenizers and of transformers, in float64: Unigram
// with a real charsmap and runs of unknown characters, positions from 2, one row of types, pooling by the first token, weights in F16.
func TestOpenFolder_XLMRobertaEqualsTransformers(t *testing.T) {
	dir := xlmRoberta(t)
	for _, c := range []struct {
		name      string
		precision Precision
		least     float64
	}{{"float32", Float32, 0.999999}, {"int8", Int8, 0.999}} {
		e, err := OpenFolder(dir, FolderOptions{Options: Options{Precision: c.precision}})
		if err != nil {
			t.Fatal(err)
		}
		if e.tokens != 64 || e.query != "ask: " || e.document != "" {
			t.Errorf("got %d tokens, prefixes %q and %q", e.tokens, e.query, e.document)
		}
		least, vectors := 1.0, 0
		for _, r := range evaldata.Lines[referenceText](t, "testdata/xlm-roberta.jsonl") {
			got := e.tokenizer.encode(r.Text)
			if !slices.Equal(got, r.IDs) {
				t.Errorf("%q:\ngot  %v\nwant %v", r.Text, got, r.IDs)
				continue
			}
			if r.Vector == nil {
				continue
			}
			v := make([]float32, e.Dimensions())
			if err := e.encoder.encode(t.Context(), [][]int32{got}, [][]float32{v}, 1, nil); err != nil {
				t.Fatal(err)
			}
			vectors++
			near := cosine(v, r.Vector)
			if least = min(least, near); near < c.least {
				t.Errorf("%s: %q: cosine %.7f", c.name, r.Text, near)
			}
		}
		t.Logf("%s (%s): cosine to transformers at least %.7f over %d texts", c.name, simd.Path(), least, vectors)
	}
}

var synthetic = []string{"Parental leave lasts sixteen weeks at full pay.", "育儿假为十六周，全薪。", "The servers are backed up at midnight."}

// open writes a synthetic model, lets change edit its folder, and opens it.
func open(t *testing.T, m foldertest.Model, change func(dir string)) (*Embedder, error) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "synthetic-model")
	foldertest.Write(t, dir, m, synthetic...)
	if change != nil {
		change(dir)
	}
	return OpenFolder(dir, FolderOptions{})
}

func TestOpenFolder_EveryLayoutGivesTheSameVectors(t *testing.T) {
	t.Parallel()
	for _, xlm := range []bool{false, true} {
		var want []rag.Embedding
		fingerprints := map[string]bool{}
		models := []foldertest.Model{{}, {Type: "F16"}, {Type: "BF16"}, {Shards: 3}, {Prefix: "bert."}}
		for _, m := range models {
			m.XLMRoberta = xlm
			e, err := open(t, m, nil)
			if err != nil {
				t.Fatalf("%+v: %v", m, err)
			}
			got, err := e.EmbedDocuments(t.Context(), synthetic)
			if err != nil {
				t.Fatal(err)
			}
			if want == nil {
				want = got
			}
			for i := range got {
				if near := simd.Dot(got[i], want[i]); near < 0.999 {
					t.Errorf("%+v: cosine %.5f to the plain layout", m, near)
				}
			}
			fingerprints[e.Fingerprint()] = true
			if e.Model() != "synthetic-model" || e.Dimensions() != foldertest.Hidden || e.MaxTokens() != foldertest.Positions-2 {
				t.Errorf("%+v: got %s, %d dimensions, %d tokens", m, e.Model(), e.Dimensions(), e.MaxTokens())
			}
			fits := strings.TrimSpace(strings.Repeat("leave ", e.MaxTokens()))
			if _, err := e.EmbedQueries(t.Context(), []string{fits}); err != nil || e.CountTokens(fits) != e.MaxTokens() {
				t.Errorf("%+v: a text of MaxTokens, %d counted: %v", m, e.CountTokens(fits), err)
			}
			if _, err := e.EmbedQueries(t.Context(), []string{fits + " leave"}); rag.CodeOf(err) != rag.Invalid {
				t.Errorf("%+v: a longer text: %v", m, err)
			}
		}
		if len(fingerprints) != len(models) {
			t.Errorf("got %d fingerprints of %d files", len(fingerprints), len(models))
		}
	}
}

func TestOpenFolder_RefusalsNameWhatIsMissing(t *testing.T) {
	t.Parallel()
	set := func(file, key string, value any) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			foldertest.Edit(t, dir, file, func(m map[string]any) { m[key] = value })
		}
	}
	within := func(file, part, key string, value any) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			foldertest.Edit(t, dir, file, func(m map[string]any) { m[part].(map[string]any)[key] = value })
		}
	}
	without := func(files ...string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			for _, f := range files {
				if err := os.RemoveAll(filepath.Join(dir, f)); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	content := func(file, text string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	modules := func(types ...string) func(*testing.T, string) {
		var list []map[string]string
		for i, kind := range types {
			path := map[bool]string{true: "1_Pooling"}[i == 1]
			list = append(list, map[string]string{"type": "sentence_transformers.models." + kind, "path": path})
		}
		b, err := json.Marshal(list)
		if err != nil {
			t.Fatal(err)
		}
		return content("modules.json", string(b))
	}
	both := func(first, second func(*testing.T, string)) func(*testing.T, string) {
		return func(t *testing.T, dir string) { first(t, dir); second(t, dir) }
	}
	weights := func(change func([]byte) []byte) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			path := filepath.Join(dir, "model.safetensors")
			b, err := os.ReadFile(path)
			if err == nil {
				err = os.WriteFile(path, change(b), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	swap := func(from, to string) func(*testing.T, string) { // of one length, so that the directory stays one
		return weights(func(b []byte) []byte { return bytes.ReplaceAll(b, []byte(from), []byte(to)) })
	}
	for name, c := range map[string]struct {
		change func(*testing.T, string)
		want   string
	}{
		"another architecture":       {set("config.json", "model_type", "mpnet"), `model_type "mpnet"`},
		"code of its own":            {set("config.json", "auto_map", map[string]string{"AutoModel": "x"}), "auto_map"},
		"relative positions":         {set("config.json", "position_embedding_type", "relative_key"), "relative_key"},
		"another activation":         {set("config.json", "hidden_act", "gelu_new"), "gelu_new"},
		"a decoder":                  {set("config.json", "is_decoder", true), "is_decoder"},
		"quantised by configuration": {set("config.json", "quantization_config", map[string]int{"bits": 4}), "quantised"},
		"narrow heads":               {set("config.json", "num_attention_heads", 4), "multiples of 32"},
		"absurd sizes":               {set("config.json", "hidden_size", 1<<40), "more than any model"},
		"sizes of a wrong type":      {set("config.json", "hidden_size", "many"), "config.json is not what it should be"},
		"more layers than weights":   {set("config.json", "num_hidden_layers", 3), "lack tensor encoder.layer.2."},
		"another width":              {set("config.json", "hidden_size", 128), "hidden_size 128"},
		"more positions":             {set("config.json", "max_position_embeddings", 128), "position_embeddings"},
		"no configuration":           {without("config.json"), "config.json is missing"},
		"no modules":                 {without("modules.json"), "modules.json is missing"},
		"no pooling":                 {without("1_Pooling"), "config.json is missing"},
		"no tokenizer":               {without("tokenizer.json"), "tokenizer.json is missing"},
		"no weights":                 {without("model.safetensors"), "model.safetensors is missing"},
		"weights of PyTorch":         {both(without("model.safetensors"), content("pytorch_model.bin", "x")), "safe_serialization"},
		"pooling by the maximum":     {set("1_Pooling/config.json", "pooling_mode_max_tokens", true), `["max" "mean"]`},
		"pooling by the last token":  {both(set("1_Pooling/config.json", "pooling_mode", "lasttoken"), set("1_Pooling/config.json", "pooling_mode_mean_tokens", false)), "lasttoken"},
		"a mean without the prompt":  {set("1_Pooling/config.json", "include_prompt", false), "include_prompt"},
		"a dense layer":              {modules("Transformer", "Pooling", "Dense"), "models.Dense"},
		"no pooling module":          {modules("Transformer"), "want Transformer, Pooling"},
		"a path out of the folder":   {content("modules.json", `[{"type": "Transformer", "path": ""}, {"type": "Pooling", "path": "../../etc"}]`), "not in the folder"},
		"another similarity":         {both(modules("Transformer", "Pooling"), set("config_sentence_transformers.json", "similarity_fn_name", "dot")), `"dot"`},
		"BPE":                        {within("tokenizer.json", "model", "type", "BPE"), `kind "BPE"`},
		"another normaliser":         {set("tokenizer.json", "normalizer", map[string]string{"type": "Nmt"}), `"Nmt"`},
		"an expression":              {set("tokenizer.json", "normalizer", map[string]any{"type": "Replace", "pattern": map[string]string{"Regex": `\s+`}}), `\\s+`},
		"another pre-tokenizer":      {set("tokenizer.json", "pre_tokenizer", map[string]string{"type": "ByteLevel"}), `"ByteLevel"`},
		"no pre-tokenizer":           {set("tokenizer.json", "pre_tokenizer", nil), "no pre_tokenizer"},
		"no post-processor":          {set("tokenizer.json", "post_processor", nil), "no post_processor"},
		"an added word":              {set("tokenizer.json", "added_tokens", []any{map[string]any{"id": 9, "content": "zzz"}}), `"zzz"`},
		"an id beyond the words":     {within("tokenizer.json", "model", "vocab", map[string]int{"[UNK]": 1, "x": 1 << 20}), "beyond the model's"},
		"a damaged tokenizer":        {content("tokenizer.json", "{"), "tokenizer.json"},
		"lower case contradicted":    {set("tokenizer_config.json", "do_lower_case", false), "do_lower_case"},
		"a pointer of Git LFS":       {content("model.safetensors", "version https://git-lfs.github.com/spec/v1\n"), "git lfs pull"},
		"weights cut short":          {weights(func(b []byte) []byte { return b[:len(b)-1] }), "cut or damaged"},
		"weights gone on":            {weights(func(b []byte) []byte { return append(b, 0) }), "damaged"},
		"no weights in the file":     {content("model.safetensors", "x"), "shorter than"},
		"weights in 8 bits":          {swap(`"dtype":"F32"`, `"dtype":"I8" `), "quantised"},
		"weights of another model":   {swap("word_embeddings", "wordx_embedding"), "not those of a BERT"},
		"infinite weights": {weights(func(b []byte) []byte {
			for i := 2000; i > 0; i -= 4 {
				binary.LittleEndian.PutUint32(b[len(b)-i:], 0x7f800000)
			}
			return b
		}), "not finite"},
		"an index out of the folder": {both(without("model.safetensors"), content("model.safetensors.index.json", `{"weight_map": {"x": "../model.safetensors"}}`)), "not a .safetensors file beside it"},
		"an index without its files": {both(without("model.safetensors"), content("model.safetensors.index.json", `{"weight_map": {"x": "a.safetensors"}}`)), "a.safetensors cannot be opened"},
	} {
		_, err := open(t, foldertest.Model{}, func(dir string) { c.change(t, dir) })
		if rag.CodeOf(err) != rag.Invalid || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want it to say %q", name, err, c.want)
		}
	}
	if _, err := OpenFolder(filepath.Join(t.TempDir(), "absent"), FolderOptions{}); rag.CodeOf(err) != rag.Invalid || !strings.Contains(err.Error(), FolderFiles) {
		t.Errorf("a folder that is not there: %v", err)
	}
}

func TestOpenFolder_FingerprintFollowsWhatMakesVectors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	foldertest.Write(t, dir, foldertest.Model{}, synthetic...)
	seen := map[string]string{}
	look := func(what string, o FolderOptions) {
		t.Helper()
		e, err := OpenFolder(dir, o)
		if err != nil {
			t.Fatal(err)
		}
		if other, ok := seen[e.Fingerprint()]; ok {
			t.Errorf("%s has the fingerprint of %s", what, other)
		}
		seen[e.Fingerprint()] = what
	}
	look("the model", FolderOptions{})
	prefix := "q: "
	look("a query prefix", FolderOptions{QueryPrefix: &prefix})
	look("a document prefix", FolderOptions{DocumentPrefix: &prefix})
	look("float32", FolderOptions{Options: Options{Precision: Float32}})
	foldertest.Edit(t, dir, "config_sentence_transformers.json", func(m map[string]any) { m["prompts"] = map[string]string{"query": "find: "} })
	look("prompts of its own", FolderOptions{})
	foldertest.Edit(t, dir, "1_Pooling/config.json", func(m map[string]any) { m["pooling_mode_cls_token"], m["pooling_mode_mean_tokens"] = true, false })
	look("another pooling", FolderOptions{})
	foldertest.Edit(t, dir, "tokenizer.json", func(m map[string]any) { m["normalizer"].(map[string]any)["strip_accents"] = false })
	look("another tokenizer", FolderOptions{})
	foldertest.Edit(t, dir, "config.json", func(m map[string]any) { m["layer_norm_eps"] = 1e-6 })
	look("another epsilon", FolderOptions{})
	path := filepath.Join(dir, "model.safetensors")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)-1] ^= 1
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	look("another weight", FolderOptions{})
}

// TestOpenFolder_WeightsCutWhileInUseAreAnError: no vector is made of words that cannot be read, and the process goes on.
func TestOpenFolder_WeightsCutWhileInUseAreAnError(t *testing.T) {
	t.Parallel()
	var path string
	e, err := open(t, foldertest.Model{}, func(dir string) { path = filepath.Join(dir, "model.safetensors") })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.EmbedDocuments(t.Context(), synthetic); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 1000); err != nil {
		t.Fatal(err)
	}
	if _, err := e.EmbedDocuments(t.Context(), synthetic); rag.CodeOf(err) != rag.Unavailable {
		t.Errorf("got %v", err)
	}
}

func TestOpenFolder_PrefixesOfFilesFamiliesAndSettings(t *testing.T) {
	t.Parallel()
	const english, chinese = "Represent this sentence for searching relevant passages: ", "为这个句子生成表示以用于检索相关文章："
	own := "own: "
	none := ""
	for _, c := range []struct {
		folder, config  string
		prompts         map[string]string
		options         FolderOptions
		model           string
		query, document string
	}{
		{folder: "all-MiniLM-L6-v2", config: "nreimers/MiniLM-L6-H384-uncased", model: "all-MiniLM-L6-v2"},
		{folder: "e5-small-v2", model: "e5-small-v2", query: "query: ", document: "passage: "},
		{folder: "intfloat_multilingual-e5-base", model: "intfloat_multilingual-e5-base", query: "query: ", document: "passage: "},
		{folder: "multilingual-e5-large-instruct", model: "multilingual-e5-large-instruct", query: "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery: "},
		{folder: "BGE-small-en-v1.5", model: "BGE-small-en-v1.5", query: english},
		{folder: "bge-base-zh", model: "bge-base-zh", query: chinese},
		{folder: "bge-m3", model: "bge-m3"},
		{folder: "gte-small", model: "gte-small"},
		{folder: "model", config: "BAAI/bge-small-zh-v1.5", model: "bge-small-zh-v1.5", query: chinese},
		{folder: "ours", config: "intfloat/e5-base", model: "ours", query: "query: ", document: "passage: "},
		{folder: "models--BAAI--bge-small-en-v1.5/snapshots/0123456789012345678901234567890123456789", model: "bge-small-en-v1.5", query: english},
		{folder: "e5-tuned", prompts: map[string]string{"query": "q: ", "passage": "p: "}, model: "e5-tuned", query: "q: ", document: "p: "},
		{folder: "e5-small", prompts: map[string]string{"query": "", "document": ""}, model: "e5-small", query: "query: ", document: "passage: "},
		{folder: "e5-base", options: FolderOptions{QueryPrefix: &own, DocumentPrefix: &none}, model: "e5-base", query: "own: "},
	} {
		dir := filepath.Join(t.TempDir(), c.folder)
		foldertest.Write(t, dir, foldertest.Model{}, synthetic...)
		foldertest.Edit(t, dir, "config.json", func(m map[string]any) { m["_name_or_path"] = c.config })
		if c.prompts != nil {
			foldertest.Edit(t, dir, "config_sentence_transformers.json", func(m map[string]any) { m["prompts"] = c.prompts })
		}
		e, err := OpenFolder(dir, c.options)
		if err != nil {
			if strings.Contains(c.folder, "instruct") && strings.Contains(err.Error(), "no room") {
				continue // the prompt fills the synthetic model's 64 positions
			}
			t.Fatal(err)
		}
		if e.Model() != c.model || e.query != c.query || e.document != c.document {
			t.Errorf("%s: got %s, %q, %q", c.folder, e.Model(), e.query, e.document)
		}
	}
}

func TestOpenFolder_MaxSeqLengthBoundsATextWithItsPrefix(t *testing.T) {
	t.Parallel()
	e, err := open(t, foldertest.Model{}, func(dir string) {
		foldertest.Edit(t, dir, "sentence_bert_config.json", func(m map[string]any) { m["max_seq_length"] = 16 })
		foldertest.Edit(t, dir, "config_sentence_transformers.json", func(m map[string]any) { m["prompts"] = map[string]string{"query": "weeks weeks: "} })
	})
	if err != nil {
		t.Fatal(err)
	}
	fits := strings.TrimSpace(strings.Repeat("leave ", e.MaxTokens()))
	if _, err := e.EmbedQueries(t.Context(), []string{fits}); err != nil || e.MaxTokens() < 9 || e.MaxTokens() > 11 {
		t.Errorf("MaxTokens %d: %v", e.MaxTokens(), err)
	}
	if _, err := e.EmbedQueries(t.Context(), []string{fits + " leave leave leave"}); rag.CodeOf(err) != rag.Invalid {
		t.Errorf("a longer text: %v", err)
	}
}
