package config

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
