package local

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"footnote/internal/rag"
)

// checkpoint is the weights of a folder's model: an encoder's source over safetensors files. The files are read, not mapped: one that is
// cut while the service runs is then an error, where a mapping would end the process.
type checkpoint struct {
	tensors map[string]stored
	prefix  string // before "embeddings.…" and "encoder.…"
	word    stored
	files   []*os.File
	failure atomic.Pointer[error] // of a wordRow
}

const wordTensor = "embeddings.word_embeddings.weight"

// openCheckpoint opens model.safetensors of dir, or the files that model.safetensors.index.json names.
func openCheckpoint(dir string) (_ *checkpoint, err error) {
	c := &checkpoint{tensors: map[string]stored{}}
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	names, err := checkpointFiles(dir)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		f, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			return nil, fmt.Errorf("%s cannot be opened; see that it is there and readable: %w", name, err)
		}
		c.files = append(c.files, f)
		info, err := f.Stat()
		if err != nil || !info.Mode().IsRegular() {
			return nil, fmt.Errorf("%s is not a file", name)
		}
		tensors, err := readSafetensors(f, info.Size())
		if err != nil {
			return nil, fmt.Errorf("%s: %w; fetch it again", name, err)
		}
		maps.Copy(c.tensors, tensors)
	}
	return c, c.findWords()
}

// checkpointFiles lists the files of weights, which may lie nowhere but in dir.
func checkpointFiles(dir string) ([]string, error) {
	if _, err := os.Stat(filepath.Join(dir, "model.safetensors")); err == nil {
		return []string{"model.safetensors"}, nil
	}
	var index struct {
		Files map[string]string `json:"weight_map"`
	}
	const indexFile = "model.safetensors.index.json"
	switch found, err := readJSON(dir, indexFile, &index); {
	case err != nil:
		return nil, err
	case found && len(index.Files) == 0:
		return nil, fmt.Errorf("%s lists no tensors; fetch it again", indexFile)
	case found:
		names := slices.Compact(slices.Sorted(maps.Values(index.Files)))
		for _, name := range names {
			if name != filepath.Base(name) || !strings.HasSuffix(name, ".safetensors") {
				return nil, fmt.Errorf("%s names %q, which is not a .safetensors file beside it", indexFile, name)
			}
		}
		return names, nil
	}
	if _, err := os.Stat(filepath.Join(dir, "pytorch_model.bin")); err == nil {
		return nil, errors.New("model.safetensors is missing, and pytorch_model.bin is a program as much as data: load the model with transformers and save it with safe_serialization=True")
	}
	return nil, errors.New("model.safetensors is missing; fetch the model's whole repository (ONNX and GGUF files are of no use here)")
}

// findWords finds the table of words, and with it the prefix of all names: checkpoints of a whole task have one, such as bert.
func (c *checkpoint) findWords() error {
	found := ""
	for name := range c.tensors {
		prefix, ok := strings.CutSuffix(name, wordTensor)
		if !ok || prefix != "" && !strings.HasSuffix(prefix, ".") {
			continue
		}
		if found != "" {
			return fmt.Errorf("the weights hold two models, %q and %q; fetch the encoder alone", found, name)
		}
		found, c.prefix, c.word = name, prefix, c.tensors[name]
	}
	if found == "" {
		return fmt.Errorf("the weights have no %s: they are not those of a BERT or XLM-RoBERTa encoder; only these can be run", wordTensor)
	}
	if len(c.word.shape) != 2 {
		return fmt.Errorf("tensor %s has shape %v, want two dimensions", found, c.word.shape)
	}
	return readable(found, c.word)
}

func readable(name string, t stored) error {
	if elementBytes(t.kind) == 0 {
		return fmt.Errorf("tensor %s has numbers of type %s: quantised weights cannot be read; fetch the model in F32, F16 or BF16", name, t.kind)
	}
	return nil
}

// tensorNames maps the built-in model's names to those of transformers' BertModel and XLMRobertaModel.
var tensorNames = map[string]string{
	"emb.pos": "embeddings.position_embeddings", "emb.type": "embeddings.token_type_embeddings", "emb.ln": "embeddings.LayerNorm",
	"q": "attention.self.query", "k": "attention.self.key", "v": "attention.self.value",
	"ao": "attention.output.dense", "aln": "attention.output.LayerNorm",
	"fi": "intermediate.dense", "fo": "output.dense", "oln": "output.LayerNorm",
}

// find returns the tensor that an encoder calls name.
func (c *checkpoint) find(name string) (string, stored, error) {
	full, suffix := c.prefix, ".weight"
	rest := name
	if layer, part, ok := strings.Cut(name, "."); ok && layer != "emb" {
		full += "encoder.layer." + strings.TrimPrefix(layer, "l") + "."
		rest = part
	}
	if base, ok := strings.CutSuffix(rest, ".b"); ok {
		rest, suffix = base, ".bias"
	}
	full += tensorNames[strings.TrimSuffix(rest, ".w")]
	t, ok := c.tensors[full+suffix]
	if old := map[string]string{".weight": ".gamma", ".bias": ".beta"}[suffix]; !ok && strings.HasSuffix(full, "LayerNorm") {
		if t, ok = c.tensors[full+old]; ok { // as TensorFlow's checkpoints had it
			suffix = old
		}
	}
	if !ok {
		return "", stored{}, fmt.Errorf("the weights lack tensor %s%s, which config.json calls for; fetch config.json and model.safetensors of one model", full, suffix)
	}
	return full + suffix, t, readable(full+suffix, t)
}

// vector returns the first n elements of a tensor, in memory of their own. The table of types may have more rows; others have n elements.
func (c *checkpoint) vector(name string, n int) ([]float32, error) {
	full, t, err := c.find(name)
	if err != nil {
		return nil, err
	}
	elements := t.rows * t.width
	if elements < n || elements != n && name != "emb.type" || name == "emb.type" && t.width != n {
		return nil, fmt.Errorf("tensor %s has shape %v, want %d elements by config.json; fetch both of one model", full, t.shape, n)
	}
	out := make([]float32, n)
	if err := t.read(0, out); err != nil {
		return nil, fmt.Errorf("read tensor %s: %w", full, err)
	}
	return out, finite(full, out)
}

// matrix reads a tensor of n rows of k elements whole: a row at a time would be as many calls of the system.
func (c *checkpoint) matrix(name string, n, k int) (func(i int, dst []float32), error) {
	full, t, err := c.find(name)
	if err != nil {
		return nil, err
	}
	if len(t.shape) != 2 || t.rows != n || t.width != k {
		return nil, fmt.Errorf("tensor %s has shape %v, want [%d %d] by config.json; fetch both of one model", full, t.shape, n, k)
	}
	all := make([]float32, n*k)
	if err := t.read(0, all); err != nil {
		return nil, fmt.Errorf("read tensor %s: %w", full, err)
	}
	return func(i int, dst []float32) { copy(dst[:k], all[i*k:]) }, finite(full, all)
}

// finite refuses numbers that would make every vector useless.
func finite(name string, v []float32) error {
	for _, x := range v {
		if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
			return fmt.Errorf("tensor %s holds numbers that are not finite: the file is damaged; fetch it again", name)
		}
	}
	return nil
}

// wordRow writes the embedding of token id. What cannot be read becomes zeros, and check says so from then on.
func (c *checkpoint) wordRow(id int, dst []float32) {
	dst = dst[:c.word.width]
	err := c.word.row(id, dst)
	if err == nil {
		err = finite(wordTensor, dst)
	}
	if err != nil {
		clear(dst)
		c.failure.CompareAndSwap(nil, &err)
	}
}

// check tells whether vectors may be used: every word was read, and every number is finite, which damaged weights may not give.
// Errors: rag.Unavailable when a word could not be read; rag.Invalid.
func (c *checkpoint) check(vectors [][]float32) error {
	if err := c.failure.Load(); err != nil {
		return rag.Errorf(rag.Unavailable, "The model's weights can no longer be read; see that its folder is whole, and start the service again: %w", *err)
	}
	for _, v := range vectors {
		if err := rag.Embedding(v).Validate(len(v)); err != nil {
			return rag.Errorf(rag.Invalid, "The model gives no proper vector: its weights are damaged; fetch them again: %w", err)
		}
	}
	return nil
}

// digest is the SHA-256 of the files, one after another.
func (c *checkpoint) digest() (string, error) {
	h := sha256.New()
	for _, f := range c.files {
		info, err := f.Stat()
		if err == nil {
			_, err = io.Copy(h, io.NewSectionReader(f, 0, info.Size()))
		}
		if err != nil {
			return "", fmt.Errorf("read the weights: %w", err)
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func (c *checkpoint) close() {
	for _, f := range c.files {
		f.Close()
	}
}

// maxJSONBytes bounds a folder's JSON files; the largest tokenizer.json of the models that can be run has 17 MB.
const maxJSONBytes = 256 << 20

// readBytes reads a file of the folder; found is false when there is none.
func readBytes(dir, name string) (b []byte, found bool, err error) {
	f, err := os.Open(filepath.Join(dir, name))
	if os.IsNotExist(err) {
		return nil, false, nil
	}
	if err == nil {
		defer f.Close()
		b, err = io.ReadAll(io.LimitReader(f, maxJSONBytes+1))
	}
	if err == nil && len(b) > maxJSONBytes {
		err = fmt.Errorf("it has more than %d bytes", maxJSONBytes)
	}
	if err != nil {
		return nil, false, fmt.Errorf("%s cannot be read: %w", name, err)
	}
	return b, true, nil
}

// readJSON decodes a JSON file of the folder; found is false when there is none.
func readJSON(dir, name string, into any) (found bool, err error) {
	b, found, err := readBytes(dir, name)
	if !found || err != nil {
		return false, err
	}
	if err := json.Unmarshal(b, into); err != nil {
		return false, fmt.Errorf("%s is not what it should be; fetch it again: %w", name, err)
	}
	return true, nil
}
