// Package foldertest writes small models with random weights in Hugging Face's layout, for tests of what opens such folders. Their vectors mean
// little, but texts that share words are near each other.
package foldertest

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// Model says what to write; its zero value is a BERT with WordPiece, mean pooling and float32 weights, of two layers 64 wide with 64 positions.
type Model struct {
	XLMRoberta bool   // a Unigram tokenizer, and positions from 2
	CLS        bool   // pooling by the first token
	Type       string // F32, F16 or BF16; "" is F32
	Shards     int    // files of weights; 0 is one without an index
	Prefix     string // before the names of all tensors, such as "bert."
}

// Sizes of the models.
const (
	Hidden    = 64
	Layers    = 2
	Heads     = 2
	Inner     = 128
	Positions = 64
)

// specials are the tokens that a text must not be able to inject; the model's mark ids are their indices.
var specials = map[bool][]string{false: {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}, true: {"<s>", "<pad>", "</s>", "<unk>", "<mask>"}}

// Write writes the model into dir. Its vocabulary has the characters and words of texts.
func Write(tb testing.TB, dir string, m Model, texts ...string) {
	tb.Helper()
	words := vocabulary(texts)
	architecture := map[string]any{
		"model_type": "bert", "hidden_size": Hidden, "num_hidden_layers": Layers, "num_attention_heads": Heads, "intermediate_size": Inner,
		"max_position_embeddings": Positions, "hidden_act": "gelu", "layer_norm_eps": 1e-12, "pad_token_id": 0, "type_vocab_size": 2,
	}
	positions, types := Positions, 2
	marks := [2]string{"[CLS]", "[SEP]"}
	tokenizer := map[string]any{
		"version": "1.0", "truncation": nil, "padding": nil, "decoder": nil,
		"normalizer":    map[string]any{"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": nil, "lowercase": true},
		"pre_tokenizer": map[string]any{"type": "BertPreTokenizer"},
	}
	names := slices.Clone(specials[m.XLMRoberta])
	if m.XLMRoberta {
		positions, types = Positions+2, 1
		maps.Copy(architecture, map[string]any{"model_type": "xlm-roberta", "max_position_embeddings": positions, "pad_token_id": 1, "type_vocab_size": 1, "layer_norm_eps": 1e-5})
		marks = [2]string{"<s>", "</s>"}
		tokenizer["normalizer"] = map[string]any{"type": "Sequence", "normalizers": []any{map[string]any{"type": "NFKC"}, map[string]any{"type": "Lowercase"}}}
		tokenizer["pre_tokenizer"] = map[string]any{"type": "Sequence", "pretokenizers": []any{
			map[string]any{"type": "WhitespaceSplit"}, map[string]any{"type": "Metaspace", "replacement": "▁", "add_prefix_space": true},
		}}
		var pieces []any
		for _, s := range names {
			pieces = append(pieces, []any{s, 0.0})
		}
		add := func(piece string, score float64) {
			pieces = append(pieces, []any{piece, score})
			names = append(names, piece)
		}
		add("▁", -2)
		for i, w := range words {
			add("▁"+w, -5-float64(i)/100)
			if len([]rune(w)) == 1 {
				add(w, -12)
			}
		}
		tokenizer["model"] = map[string]any{"type": "Unigram", "unk_id": 3, "vocab": pieces}
	} else {
		vocab := map[string]int{}
		for _, w := range words {
			names = append(names, w)
			if len([]rune(w)) == 1 {
				names = append(names, "##"+w)
			}
		}
		for id, w := range names {
			vocab[w] = id
		}
		tokenizer["model"] = map[string]any{"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": vocab}
	}
	var added []any
	for id, s := range specials[m.XLMRoberta] {
		added = append(added, map[string]any{"id": id, "content": s, "special": true, "normalized": false})
	}
	tokenizer["added_tokens"] = added
	special := map[string]any{}
	for _, s := range marks {
		special[s] = map[string]any{"id": s, "ids": []int{slices.Index(names, s)}, "tokens": []string{s}}
	}
	tokenizer["post_processor"] = map[string]any{
		"type": "TemplateProcessing", "special_tokens": special, "pair": []any{},
		"single": []any{
			map[string]any{"SpecialToken": map[string]any{"id": marks[0], "type_id": 0}},
			map[string]any{"Sequence": map[string]any{"id": "A", "type_id": 0}},
			map[string]any{"SpecialToken": map[string]any{"id": marks[1], "type_id": 0}},
		},
	}
	architecture["vocab_size"] = len(names)
	writeJSON(tb, dir, "config.json", architecture)
	writeJSON(tb, dir, "tokenizer.json", tokenizer)
	writeJSON(tb, dir, "modules.json", []any{
		map[string]any{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
		map[string]any{"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
		map[string]any{"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
	})
	writeJSON(tb, dir, "1_Pooling/config.json", map[string]any{"word_embedding_dimension": Hidden, "pooling_mode_cls_token": m.CLS, "pooling_mode_mean_tokens": !m.CLS})
	writeWeights(tb, dir, m, len(names), positions, types)
}

// vocabulary lists the characters of texts, then their words, in lower case.
func vocabulary(texts []string) []string {
	characters, words := map[string]bool{}, map[string]bool{}
	for c := '!'; c <= '~'; c++ {
		characters[strings.ToLower(string(c))] = true
	}
	for _, text := range texts {
		for _, w := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
			words[w] = true
			for _, c := range w {
				characters[string(c)] = true
			}
		}
	}
	out := slices.Sorted(maps.Keys(characters))
	for _, w := range slices.Sorted(maps.Keys(words)) {
		if !characters[w] {
			out = append(out, w)
		}
	}
	return out
}

// Tensor is a tensor to be written.
type Tensor struct {
	Name   string
	Shape  []int
	Values []float32
}

func writeWeights(tb testing.TB, dir string, m Model, words, positions, types int) {
	tb.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	random := func(name string, middle, deviation float64, shape ...int) Tensor {
		n := 1
		for _, d := range shape {
			n *= d
		}
		t := Tensor{Name: m.Prefix + name, Shape: shape, Values: make([]float32, n)}
		for i := range t.Values {
			t.Values[i] = float32(middle + deviation*r.NormFloat64())
		}
		return t
	}
	tensors := []Tensor{
		random("embeddings.word_embeddings.weight", 0, 1, words, Hidden),
		random("embeddings.position_embeddings.weight", 0, 0.2, positions, Hidden),
		random("embeddings.token_type_embeddings.weight", 0, 0.2, types, Hidden),
		random("embeddings.LayerNorm.weight", 1, 0.1, Hidden), random("embeddings.LayerNorm.bias", 0, 0.1, Hidden),
	}
	for l := range Layers {
		at := fmt.Sprintf("encoder.layer.%d.", l)
		for _, d := range []struct {
			name    string
			out, in int
		}{
			{"attention.self.query", Hidden, Hidden}, {"attention.self.key", Hidden, Hidden}, {"attention.self.value", Hidden, Hidden}, {"attention.output.dense", Hidden, Hidden},
			{"intermediate.dense", Inner, Hidden}, {"output.dense", Hidden, Inner},
		} {
			tensors = append(tensors, random(at+d.name+".weight", 0, 0.7/math.Sqrt(float64(d.in)), d.out, d.in), random(at+d.name+".bias", 0, 0.1, d.out))
		}
		for _, name := range []string{"attention.output.LayerNorm", "output.LayerNorm"} {
			tensors = append(tensors, random(at+name+".weight", 1, 0.1, Hidden), random(at+name+".bias", 0, 0.1, Hidden))
		}
	}
	kind := m.Type
	if kind == "" {
		kind = "F32"
	}
	if m.Shards == 0 {
		WriteSafetensors(tb, filepath.Join(dir, "model.safetensors"), kind, tensors)
		return
	}
	files := map[string]string{}
	for i := range m.Shards {
		name := fmt.Sprintf("model-%05d-of-%05d.safetensors", i+1, m.Shards)
		part := tensors[i*len(tensors)/m.Shards : (i+1)*len(tensors)/m.Shards]
		for _, t := range part {
			files[t.Name] = name
		}
		WriteSafetensors(tb, filepath.Join(dir, name), kind, part)
	}
	writeJSON(tb, dir, "model.safetensors.index.json", map[string]any{"weight_map": files})
}

// WriteSafetensors writes tensors as numbers of type kind: F32, F16 or BF16, the latter two cut rather than rounded.
func WriteSafetensors(tb testing.TB, path, kind string, tensors []Tensor) {
	tb.Helper()
	directory, body := map[string]any{"__metadata__": map[string]string{"format": "pt"}}, []byte{}
	for _, t := range tensors {
		from := len(body)
		for _, v := range t.Values {
			bits := math.Float32bits(v)
			switch kind {
			case "F16":
				body = binary.LittleEndian.AppendUint16(body, binary16(bits))
			case "BF16":
				body = binary.LittleEndian.AppendUint16(body, uint16(bits>>16))
			default:
				body = binary.LittleEndian.AppendUint32(body, bits)
			}
		}
		directory[t.Name] = map[string]any{"dtype": kind, "shape": t.Shape, "data_offsets": []int{from, len(body)}}
	}
	head, err := json.Marshal(directory)
	if err != nil {
		tb.Fatal(err)
	}
	write(tb, path, slices.Concat(binary.LittleEndian.AppendUint64(nil, uint64(len(head))), head, body))
}

// binary16 cuts a float32 of ordinary size.
func binary16(bits uint32) uint16 {
	sign, exponent := uint16(bits>>16&0x8000), int(bits>>23&0xff)-127+15
	if exponent <= 0 {
		return sign
	}
	return sign | uint16(exponent)<<10 | uint16(bits>>13&0x3ff)
}

// Edit changes a JSON file of the folder, whose value is an object; a file that is not there begins empty.
func Edit(tb testing.TB, dir, name string, change func(map[string]any)) {
	tb.Helper()
	value := map[string]any{}
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err == nil {
		err = json.Unmarshal(b, &value)
	} else if os.IsNotExist(err) {
		err = nil
	}
	if err != nil {
		tb.Fatal(err)
	}
	change(value)
	writeJSON(tb, dir, name, value)
}

func writeJSON(tb testing.TB, dir, name string, value any) {
	tb.Helper()
	b, err := json.Marshal(value)
	if err != nil {
		tb.Fatal(err)
	}
	write(tb, filepath.Join(dir, name), b)
}

func write(tb testing.TB, path string, b []byte) {
	tb.Helper()
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		err = os.WriteFile(path, b, 0o600)
	}
	if err != nil {
		tb.Fatal(err)
	}
}
