package config

import (
	"os"
	"slices"
)

// BuiltIn names the built-in model where a setting must name one.
const BuiltIn = "built-in"

// Precisions of the arithmetic of a model that runs in this process; absent: Int8 for the built-in one, Float32 for one in a folder.
const (
	Int8    = "int8"
	Float32 = "float32"
)

// NoPrefix stands for an empty prefix where an absent one means the model's own.
const NoPrefix = "none"

// Folder names a model in a folder and how to run it.
type Folder struct{ Path, Query, Document, Precision string }

// EmbedFolder is the folder of the model; its Path is empty when the model is the built-in one or at an endpoint.
func (c Config) EmbedFolder() Folder {
	return Folder{folder(c.EmbedBaseURL, c.EmbedModel), c.EmbedQuery, c.EmbedDocument, c.EmbedPrecision}
}

// OtherFolder is the same of the other model.
func (c Config) OtherFolder() Folder {
	return Folder{folder(c.OtherBaseURL, c.OtherModel), c.OtherQuery, c.OtherDocument, c.OtherPrecision}
}

func folder(baseURL, model string) string {
	if baseURL != "" || model == BuiltIn {
		return ""
	}
	return model
}

func (c Config) validateEmbed(p *problems) {
	for _, e := range []struct {
		name, baseURL, model string
		folder               Folder
		dimensions           int
	}{
		{"FOOTNOTE_EMBED", c.EmbedBaseURL, c.EmbedModel, c.EmbedFolder(), c.EmbedDimensions},
		{"FOOTNOTE_OTHER_EMBED", c.OtherBaseURL, c.OtherModel, c.OtherFolder(), c.OtherDimensions},
	} {
		p.wantURL(e.name+"_BASE_URL", e.baseURL)
		if e.baseURL != "" && e.model == "" {
			p.add("%s_BASE_URL needs %[1]s_MODEL: the model's name at that endpoint", e.name)
		}
		if e.folder.Path != "" {
			if info, err := os.Stat(e.folder.Path); err != nil || !info.IsDir() {
				p.add("%[1]s_MODEL %[2]q is no folder. Without %[1]s_BASE_URL it names %[3]q, or a folder with config.json, tokenizer.json, model.safetensors, modules.json and 1_Pooling/config.json of a model (docs/models.md); with it, the model at that endpoint", e.name, e.folder.Path, BuiltIn)
			}
		} else if e.folder.Query != "" || e.folder.Document != "" {
			p.add("%s_QUERY_PREFIX and _DOCUMENT_PREFIX are for a model in a folder, named by %[1]s_MODEL without %[1]s_BASE_URL", e.name)
		}
		if e.baseURL != "" && e.folder.Precision != "" {
			p.add("%s_PRECISION is for a model that runs in this process, and %[1]s_BASE_URL names an endpoint", e.name)
		}
		if !slices.Contains([]string{"", Int8, Float32}, e.folder.Precision) {
			p.add("%s_PRECISION must be int8, or float32 for the exact arithmetic, several times slower; got %q", e.name, e.folder.Precision)
		}
		if e.dimensions < 0 || e.dimensions > 8192 {
			p.add("%s_DIMENSIONS must be between 1 and 8192, or absent", e.name)
		}
	}
	if c.EmbedCache < 0 || c.EmbedCache > 1_000_000 {
		p.add("FOOTNOTE_EMBED_CACHE must be a number of queries up to 1000000, or 0 for no cache, got %d", c.EmbedCache)
	}
}
