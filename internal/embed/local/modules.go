package local

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// sentence is what sentence-transformers' files say of a model: how token states become one vector, and what goes before a text.
type sentence struct {
	clsPooling        bool
	maxTokens         int   // of a sequence with marks and prefix; 0: as the encoder's
	lowercase         bool  // before the tokenizer
	declaredLowercase *bool // what tokenizer_config.json says that the tokenizer does
	prompts           map[string]string
	prompt            string // the name of the one for texts of no named kind; "" for none
}

// readSentence reads modules.json and the files that it names.
func readSentence(dir string) (sentence, error) {
	var s sentence
	var modules []struct{ Type, Path string }
	found, err := readJSON(dir, "modules.json", &modules)
	if err != nil {
		return s, err
	}
	if !found {
		return s, errors.New("modules.json is missing, so that it is not known how token states become a vector; fetch the whole repository of a sentence-transformers model, with 1_Pooling/config.json")
	}
	var kinds []string
	normalised := false
	for _, m := range modules {
		if m.Path != "" && !filepath.IsLocal(m.Path) {
			return s, fmt.Errorf("modules.json names %q, which is not in the folder", m.Path)
		}
		kind := m.Type[strings.LastIndexByte(m.Type, '.')+1:]
		kinds = append(kinds, kind)
		switch kind {
		case "Transformer":
			if m.Path != "" && m.Path != "." {
				return s, fmt.Errorf("modules.json has the encoder in %q; put its files (config.json, tokenizer.json, model.safetensors) beside modules.json and set the path to \"\"", m.Path)
			}
			err = s.readTransformer(dir)
		case "Pooling":
			err = s.readPooling(dir, path.Join(m.Path, "config.json"))
		case "Normalize":
			normalised = true
		default:
			err = fmt.Errorf("modules.json has a module %s, which cannot be computed; only Transformer, Pooling and Normalize can: choose another model, or serve it behind an endpoint", m.Type)
		}
		if err != nil {
			return s, err
		}
	}
	if !slices.Equal(kinds, []string{"Transformer", "Pooling"}) && !slices.Equal(kinds, []string{"Transformer", "Pooling", "Normalize"}) {
		return s, fmt.Errorf("modules.json has the modules %s; want Transformer, Pooling and, or not, Normalize", strings.Join(kinds, ", "))
	}
	return s, s.readPrompts(dir, normalised)
}

func (s *sentence) readTransformer(dir string) error {
	var c struct {
		MaxTokens *int `json:"max_seq_length"`
		Lowercase bool `json:"do_lower_case"`
	}
	if _, err := readJSON(dir, "sentence_bert_config.json", &c); err != nil {
		return err
	}
	s.lowercase = c.Lowercase
	var t struct {
		MaxTokens float64 `json:"model_max_length"` // some files have 1e30 for no limit
		Lowercase *bool   `json:"do_lower_case"`
	}
	if _, err := readJSON(dir, "tokenizer_config.json", &t); err != nil {
		return err
	}
	s.declaredLowercase = t.Lowercase
	if c.MaxTokens != nil {
		if s.maxTokens = *c.MaxTokens; s.maxTokens < 8 {
			return fmt.Errorf("sentence_bert_config.json says max_seq_length %d; want at least 8", s.maxTokens)
		}
		return nil
	}
	if t.MaxTokens >= 8 && t.MaxTokens <= maxPositions {
		s.maxTokens = int(t.MaxTokens)
	}
	return nil
}

// readPooling reads either form of the file: a flag for each mode, or the name of one.
func (s *sentence) readPooling(dir, name string) error {
	var c map[string]any
	found, err := readJSON(dir, name, &c)
	if err != nil {
		return err
	}
	if !found {
		return fmt.Errorf("%s is missing, so that it is not known how token states become a vector; fetch the whole repository", name)
	}
	if c["include_prompt"] == false {
		return fmt.Errorf("%s leaves the prompt out of the mean (include_prompt: false), which cannot be computed; choose another model, or serve it behind an endpoint", name)
	}
	var modes []string
	for key, value := range c {
		if mode, ok := strings.CutPrefix(key, "pooling_mode_"); ok && value == true {
			modes = append(modes, strings.TrimSuffix(strings.TrimSuffix(mode, "_tokens"), "_token"))
		}
	}
	switch mode := c["pooling_mode"].(type) {
	case string:
		modes = append(modes, mode)
	case []any:
		for _, m := range mode {
			modes = append(modes, fmt.Sprint(m))
		}
	}
	slices.Sort(modes)
	switch {
	case slices.Equal(modes, []string{"mean"}):
	case slices.Equal(modes, []string{"cls"}):
		s.clsPooling = true
	default:
		return fmt.Errorf("%s asks for pooling by %q; only mean or cls alone can be computed: choose another model, or serve it behind an endpoint", name, modes)
	}
	return nil
}

func (s *sentence) readPrompts(dir string, normalised bool) error {
	var c struct {
		Prompts    map[string]string `json:"prompts"`
		Default    *string           `json:"default_prompt_name"`
		Similarity *string           `json:"similarity_fn_name"`
	}
	if _, err := readJSON(dir, "config_sentence_transformers.json", &c); err != nil {
		return err
	}
	if c.Similarity != nil && *c.Similarity != "cosine" && !normalised {
		return fmt.Errorf("config_sentence_transformers.json says similarity_fn_name %q; vectors are compared by cosine here: choose a model made for it", *c.Similarity)
	}
	s.prompts = c.Prompts
	if c.Default != nil {
		s.prompt = *c.Default
	}
	return nil
}
