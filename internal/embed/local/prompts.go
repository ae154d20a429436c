package local

import (
	"path/filepath"
	"regexp"
	"strings"
)

// family is a published line of models whose files do not tell the prompts that they were trained with.
type family struct {
	name            *regexp.Regexp
	query, document string
}

// families are matched in order against a model's names; see the models' own pages for the prompts.
var families = []family{
	{regexp.MustCompile(`(^|[-_/])e5-(small|base|large)-instruct`), "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery: ", ""},
	{regexp.MustCompile(`(^|[-_/])e5-(small|base|large)`), "query: ", "passage: "},
	{regexp.MustCompile(`(^|[-_/])bge-(small|base|large)-en`), "Represent this sentence for searching relevant passages: ", ""},
	{regexp.MustCompile(`(^|[-_/])bge-(small|base|large)-zh`), "为这个句子生成表示以用于检索相关文章：", ""},
}

// prefixes are what goes before queries and documents: the model's own prompts when its files have any that are not empty,
// else those of its family, known by its names, else none.
func (s sentence) prefixes(names []string) (query, document string) {
	first := func(keys ...string) string {
		for _, key := range keys {
			if p, ok := s.prompts[key]; ok {
				return p
			}
		}
		return s.prompts[s.prompt]
	}
	query, document = first("query"), first("document", "passage", "corpus")
	if query != "" || document != "" {
		return query, document
	}
	for _, name := range names {
		for _, f := range families {
			if f.name.MatchString(strings.ToLower(name)) {
				return f.query, f.document
			}
		}
	}
	return "", ""
}

// anonymous are names of folders that say nothing of the model in them, and those of commits in a cache of Hugging Face's.
var anonymous = regexp.MustCompile(`^(models?|snapshots?|main|checkpoint.*|output|data|[0-9a-f]{40}|[./\\]*)$`)

// modelNames are a model's names, the most telling first. A folder is named by who fetched it; config.json often has the name of the
// checkpoint that training began with, so that it counts when the folder's name says nothing.
func modelNames(dir, config string) []string {
	if absolute, err := filepath.Abs(dir); err == nil {
		dir = absolute
	}
	var names []string
	// Hugging Face's cache: models--ORGANISATION--NAME/snapshots/COMMIT.
	for _, part := range strings.Split(filepath.ToSlash(dir), "/") {
		if rest, ok := strings.CutPrefix(part, "models--"); ok {
			parts := strings.Split(rest, "--")
			names = append(names, parts[len(parts)-1])
		}
	}
	base := filepath.Base(dir)
	if !anonymous.MatchString(base) {
		names = append(names, base)
	}
	if published := config[strings.LastIndexAny(config, `/\`)+1:]; published != "" && !anonymous.MatchString(published) {
		names = append(names, published)
	}
	return append(names, base)
}
