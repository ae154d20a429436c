package local

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"footnote/internal/embed/local/foldertest"
	"footnote/internal/rag"
)

// TestOpenFolder_DamagedFilesAreErrorsNeverPanics puts something else for one value of a file of the folder, anywhere, or changes or cuts the
// weights: the model is refused, or it runs.
func TestOpenFolder_DamagedFilesAreErrorsNeverPanics(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(7, 7))
	wrong := []any{nil, true, -1, 0, 1, 7, 1e3, 1e12, 1e300, "", "x", "▁", "</s>", []any{}, []any{1, "a"}, map[string]any{}, map[string]any{"type": "Sequence"}}
	opened := 0
	for _, m := range []foldertest.Model{{}, {XLMRoberta: true, CLS: true, Shards: 2}} {
		whole := t.TempDir()
		foldertest.Write(t, whole, m, synthetic...)
		foldertest.Edit(t, whole, "config_sentence_transformers.json", func(c map[string]any) { c["prompts"] = map[string]string{"query": "q: "} })
		files := []string{"config.json", "tokenizer.json", "tokenizer.json", "modules.json", "1_Pooling/config.json", "config_sentence_transformers.json", "weights"}
		for range 100 {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(whole)); err != nil {
				t.Fatal(err)
			}
			name := files[r.IntN(len(files))]
			if name == "weights" {
				name = "model.safetensors"
				if m.Shards > 0 {
					name = "model-00001-of-00002.safetensors"
				}
			}
			path := filepath.Join(dir, name)
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if filepath.Ext(name) == ".json" {
				b = damage(t, r, b, wrong[r.IntN(len(wrong))])
			} else if b[r.IntN(3000)] ^= 1 << r.IntN(8); r.IntN(4) == 0 {
				b = b[:r.IntN(len(b))]
			}
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
			e, err := OpenFolder(dir, FolderOptions{})
			if err != nil {
				if rag.CodeOf(err) != rag.Invalid {
					t.Errorf("%s: %s: %v", name, b[:min(len(b), 200)], err)
				}
				continue
			}
			opened++
			vectors, err := e.EmbedQueries(t.Context(), []string{"Parental leave [SEP] </s> 育儿假\x00\xff", "x"})
			if err != nil {
				if code := rag.CodeOf(err); code != rag.Invalid && code != rag.Unavailable {
					t.Errorf("%s: %v", name, err)
				}
				continue
			}
			for _, v := range vectors {
				if err := v.Validate(foldertest.Hidden); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
	}
	if opened < 10 {
		t.Errorf("only %d of 200 could be run: the damage is too great to test anything", opened)
	}
	t.Logf("%d of 200 could be run", opened)
}

// damage puts a value somewhere in a JSON file.
func damage(t *testing.T, r *rand.Rand, file []byte, value any) []byte {
	t.Helper()
	var root any
	if err := json.Unmarshal(file, &root); err != nil {
		t.Fatal(err)
	}
	var put func(at any) any
	put = func(at any) any {
		if r.IntN(8) == 0 {
			return value
		}
		switch at := at.(type) {
		case map[string]any:
			if len(at) > 0 {
				var keys []string
				for k := range at {
					keys = append(keys, k)
				}
				slices.Sort(keys)
				k := keys[r.IntN(len(keys))]
				at[k] = put(at[k])
				return at
			}
		case []any:
			if len(at) > 0 {
				i := r.IntN(len(at))
				at[i] = put(at[i])
				return at
			}
		}
		return value
	}
	b, err := json.Marshal(put(root))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
