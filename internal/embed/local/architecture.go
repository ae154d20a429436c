package local

import (
	"errors"
	"fmt"
	"slices"
)

// Bounds on what config.json may ask for, well beyond the models that exist: they keep a damaged file from asking for all memory.
const (
	maxWidth     = 1 << 14
	maxLayers    = 1 << 9
	maxPositions = 1 << 17
)

// architecture is what a folder's config.json says of the encoder.
type architecture struct {
	Name         string           `json:"_name_or_path"`
	Type         string           `json:"model_type"`
	Hidden       int              `json:"hidden_size"`
	Layers       int              `json:"num_hidden_layers"`
	Heads        int              `json:"num_attention_heads"`
	Inner        int              `json:"intermediate_size"`
	Positions    int              `json:"max_position_embeddings"`
	Padding      *int             `json:"pad_token_id"`
	Eps          *float64         `json:"layer_norm_eps"`
	Activation   string           `json:"hidden_act"`
	PositionType string           `json:"position_embedding_type"`
	Decoder      bool             `json:"is_decoder"`
	CrossAttends bool             `json:"add_cross_attention"`
	Code         map[string]any   `json:"auto_map"`
	Quantisation map[string]any   `json:"quantization_config"`
	Pruned       map[string][]int `json:"pruned_heads"`
}

// readArchitecture reads config.json of dir and refuses what the encoder cannot compute.
func readArchitecture(dir string) (architecture, error) {
	var a architecture
	found, err := readJSON(dir, "config.json", &a)
	if err != nil {
		return a, err
	}
	if !found {
		return a, errors.New("config.json is missing; fetch the model's whole repository")
	}
	return a, a.check()
}

func (a architecture) check() error {
	switch {
	case !slices.Contains([]string{"bert", "roberta", "xlm-roberta"}, a.Type):
		return fmt.Errorf("config.json says model_type %q; only bert, roberta and xlm-roberta encoders can be run: serve this model behind an endpoint and set FOOTNOTE_EMBED_BASE_URL", a.Type)
	case len(a.Code) > 0:
		return errors.New("config.json has an auto_map: the model brings a program of its own, which is not run; serve it behind an endpoint and set FOOTNOTE_EMBED_BASE_URL")
	case a.Decoder || a.CrossAttends:
		return errors.New("config.json describes a decoder (is_decoder or add_cross_attention); choose an encoder")
	case len(a.Quantisation) > 0:
		return errors.New("config.json has a quantization_config: quantised weights cannot be read; fetch the model in F32, F16 or BF16")
	case len(a.Pruned) > 0:
		return errors.New("config.json has pruned_heads, which the encoder lacks; choose the unpruned model")
	case a.PositionType != "" && a.PositionType != "absolute":
		return fmt.Errorf("config.json says position_embedding_type %q; only absolute positions can be computed: choose another model, or serve it behind an endpoint", a.PositionType)
	case a.Activation != "" && a.Activation != "gelu" && a.Activation != "gelu_python":
		return fmt.Errorf("config.json says hidden_act %q; only gelu (with erf) can be computed: choose another model, or serve it behind an endpoint", a.Activation)
	case a.Hidden <= 0 || a.Layers <= 0 || a.Heads <= 0 || a.Inner <= 0 || a.Positions <= 0:
		return errors.New("config.json lacks one of hidden_size, num_hidden_layers, num_attention_heads, intermediate_size and max_position_embeddings; fetch it again")
	case a.Hidden > maxWidth || a.Inner > 4*maxWidth || a.Layers > maxLayers || a.Positions > maxPositions:
		return fmt.Errorf("config.json asks for %d layers of %d and %d with %d positions, more than any model that can be run; fetch it again", a.Layers, a.Hidden, a.Inner, a.Positions)
	case a.Padding != nil && (*a.Padding < 0 || *a.Padding > 1<<16):
		return fmt.Errorf("config.json says pad_token_id %d; fetch it again", *a.Padding)
	case a.Eps != nil && !(*a.Eps > 0 && *a.Eps < 1):
		return fmt.Errorf("config.json says layer_norm_eps %g; fetch it again", *a.Eps)
	}
	if err := a.shape().validate(); err != nil {
		return fmt.Errorf("config.json: %w: the kernels work on panels of 32; choose another model, or serve it behind an endpoint", err)
	}
	if a.shape().tokens() < 8 {
		return fmt.Errorf("config.json leaves room for %d tokens; fetch it again", a.shape().tokens())
	}
	return nil
}

// shape is the encoder's, but for the pooling, of which config.json says nothing.
func (a architecture) shape() shape {
	s := shape{hidden: a.Hidden, layers: a.Layers, heads: a.Heads, ffn: a.Inner, positions: a.Positions, eps: 1e-12}
	if a.Eps != nil {
		s.eps = float32(*a.Eps)
	}
	if a.Type != "bert" {
		// RoBERTa counts positions from the one after the padding token's id, 1.
		s.firstPosition = 2
		if a.Padding != nil {
			s.firstPosition = *a.Padding + 1
		}
	}
	return s
}
