package local

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// vocabulary turns texts into a model's tokens. Any number of goroutines may use one.
type vocabulary interface {
	// encode returns the ids of text between the model's marks. It is never empty.
	encode(text string) []int32
	// count is the number of tokens of text, without marks.
	count(text string) int
}

// pieces is the model of a tokenizer: it splits one word.
type pieces interface {
	each(word string, yield func(id int32))
}

// splitter cuts a text into words, in order.
type splitter func(text string, yield func(word string))

// fileTokenizer is the tokenizer that a tokenizer.json describes: normalise, cut into words, split words into pieces, put marks around.
// Special tokens in a text are plain text, unlike in the library that writes such files: a document cannot inject them.
type fileTokenizer struct {
	normalise     []func(string) string
	words         splitter
	pieces        pieces
	before, after []int32
}

func (t *fileTokenizer) encode(text string) []int32 {
	ids := append(make([]int32, 0, len(text)/3+4), t.before...)
	t.each(text, func(id int32) { ids = append(ids, id) })
	return append(ids, t.after...)
}

func (t *fileTokenizer) count(text string) int {
	n := 0
	t.each(text, func(int32) { n++ })
	return n
}

func (t *fileTokenizer) each(text string, yield func(id int32)) {
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	for _, f := range t.normalise {
		text = f(text)
	}
	t.words(text, func(word string) { t.pieces.each(word, yield) })
}

// component is a normaliser, a pre-tokenizer or a post-processor of a tokenizer.json: the fields of all kinds.
type component struct {
	Type          string
	Normalizers   []component
	PreTokenizers []component `json:"pretokenizers"`
	Processors    []component

	CleanText    *bool `json:"clean_text"`
	Chinese      *bool `json:"handle_chinese_chars"`
	StripAccents *bool `json:"strip_accents"`
	Lowercase    *bool
	Charsmap     []byte `json:"precompiled_charsmap"`
	Pattern      struct{ String, Regex *string }
	Content      string
	Left         bool `json:"strip_left"`
	Right        bool `json:"strip_right"`
	Prepend      string

	Replacement    string
	PrependScheme  string `json:"prepend_scheme"`
	AddPrefixSpace *bool  `json:"add_prefix_space"`
	Split          *bool

	Single []struct {
		SpecialToken *struct{ ID string }
		Sequence     *struct{ ID string }
	}
	SpecialTokens map[string]struct{ IDs []int32 } `json:"special_tokens"`
	Begin         []any                            `json:"cls"` // [token, id]
	End           []any                            `json:"sep"`
}

// tokenizerModel is the model of a tokenizer.json: the fields of all kinds. Files of old have no type.
type tokenizerModel struct {
	Type         string
	Vocabulary   json.RawMessage `json:"vocab"`
	Merges       json.RawMessage
	Unknown      string  `json:"unk_token"`
	Continuation *string `json:"continuing_subword_prefix"`
	MaxRunes     *int    `json:"max_input_chars_per_word"`
	UnknownID    *int    `json:"unk_id"`
	ByteFallback bool    `json:"byte_fallback"`
}

// parseTokenizer builds the tokenizer of a tokenizer.json whose ids must be below rows, the model's words.
func parseTokenizer(file []byte, rows int, s sentence) (*fileTokenizer, error) {
	var f struct {
		Added []struct {
			ID      int
			Content string
			Special bool
		} `json:"added_tokens"`
		Normalizer    *component
		PreTokenizer  *component `json:"pre_tokenizer"`
		PostProcessor *component `json:"post_processor"`
		Model         tokenizerModel
	}
	if err := json.Unmarshal(file, &f); err != nil {
		return nil, fmt.Errorf("it is not what it should be; fetch it again: %w", err)
	}
	special := map[string]bool{}
	for _, a := range f.Added {
		if !a.Special {
			return nil, fmt.Errorf("token %q was added to the vocabulary and is not special, which is not understood; choose another model, or serve it behind an endpoint", a.Content)
		}
		special[a.Content] = true
	}
	t := &fileTokenizer{}
	if s.lowercase {
		t.normalise = append(t.normalise, lowercaseAll)
	}
	var err error
	if f.Normalizer != nil {
		if says := f.Normalizer.Lowercase; s.declaredLowercase != nil && says != nil && *says != *s.declaredLowercase {
			// Programs differ in which of the two they follow.
			return nil, fmt.Errorf("it says lowercase %t and tokenizer_config.json do_lower_case %t; make them say what the model was trained with", *says, *s.declaredLowercase)
		}
		if t.normalise, err = appendNormaliser(t.normalise, *f.Normalizer, 0); err != nil {
			return nil, err
		}
	}
	if f.PreTokenizer == nil {
		return nil, errors.New("it has no pre_tokenizer; want BertPreTokenizer, Metaspace or WhitespaceSplit: choose another model, or serve it behind an endpoint")
	}
	if t.words, err = newSplitter(*f.PreTokenizer, 0); err != nil {
		return nil, err
	}
	if f.PostProcessor == nil {
		return nil, errors.New("it has no post_processor, so that the marks around a text are not known; save the tokenizer anew with its fast class in transformers")
	}
	if t.before, t.after, err = marks(*f.PostProcessor); err != nil {
		return nil, err
	}
	for _, id := range slices.Concat(t.before, t.after) {
		if id < 0 || int(id) >= rows {
			return nil, fmt.Errorf("mark %d is beyond the model's %d words; fetch tokenizer.json and model.safetensors of one model", id, rows)
		}
	}
	t.pieces, err = newPieces(f.Model, special, rows)
	return t, err
}

func newPieces(m tokenizerModel, special map[string]bool, rows int) (pieces, error) {
	kind := m.Type
	if kind == "" {
		switch {
		case m.Merges != nil:
			kind = "BPE"
		case m.Continuation != nil:
			kind = "WordPiece"
		case m.UnknownID != nil:
			kind = "Unigram"
		}
	}
	switch kind {
	case "WordPiece":
		return newWordPiece(m, special, rows)
	case "Unigram":
		return newUnigram(m, special, rows)
	}
	return nil, fmt.Errorf("it is of kind %q; only WordPiece and Unigram can be run: choose another model, or serve it behind an endpoint", kind)
}

// marks are the ids before and after a single text.
func marks(c component) (before, after []int32, err error) {
	wrong := fmt.Errorf("post_processor %s does not say which marks go around a text; fetch the file again", c.Type)
	switch c.Type {
	case "BertProcessing", "RobertaProcessing":
		mark := func(pair []any) (int32, bool) {
			if len(pair) != 2 {
				return 0, false
			}
			id, ok := pair[1].(float64)
			return int32(id), ok && id == float64(int32(id))
		}
		begin, ok := mark(c.Begin)
		end, also := mark(c.End)
		if !ok || !also {
			return nil, nil, wrong
		}
		return []int32{begin}, []int32{end}, nil
	case "TemplateProcessing":
		texts := 0
		for _, s := range c.Single {
			switch {
			case s.Sequence != nil:
				texts++
			case s.SpecialToken != nil && len(c.SpecialTokens[s.SpecialToken.ID].IDs) > 0:
				ids := c.SpecialTokens[s.SpecialToken.ID].IDs
				if texts == 0 {
					before = append(before, ids...)
				} else {
					after = append(after, ids...)
				}
			default:
				return nil, nil, wrong
			}
		}
		if texts != 1 || len(before) == 0 || len(after) == 0 || len(before)+len(after) > 8 {
			return nil, nil, wrong
		}
		return before, after, nil
	case "Sequence":
		if len(c.Processors) == 1 && c.Processors[0].Type != "Sequence" {
			return marks(c.Processors[0])
		}
	}
	return nil, nil, fmt.Errorf("post_processor %q is not understood; want TemplateProcessing, BertProcessing or RobertaProcessing: choose another model, or serve it behind an endpoint", c.Type)
}
