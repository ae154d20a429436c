package rag

import (
	"strings"
	"unicode/utf8"
)

// PromptTemplate is how a collection has a language model asked: Go's text/template, in two parts. An empty part is the default's; with both empty the template is the
// default. Version counts the changes from 0, also those back to the default, so that an answer's PromptVersion names one text for good.
type PromptTemplate struct {
	System  string
	User    string
	Version int
}

// MaxPromptTemplate bounds each part of a PromptTemplate, in code points.
const MaxPromptTemplate = 8000

// IsDefault tells whether the template changes nothing.
func (p PromptTemplate) IsDefault() bool { return p.System == "" && p.User == "" }

// Validate reports an Invalid error about the parts' length and characters. Whether they can be executed is for those to tell who do it.
func (p PromptTemplate) Validate() error {
	for _, part := range []struct{ name, text string }{{"system", p.System}, {"user", p.User}} {
		pointer := "/prompt/" + part.name
		switch n := utf8.RuneCountInString(part.text); {
		case n > MaxPromptTemplate:
			return FieldErrorf(pointer, "prompt.%s has %d characters; at most %d are allowed.", part.name, n, MaxPromptTemplate)
		case !utf8.ValidString(part.text) || strings.ContainsRune(part.text, 0):
			return FieldErrorf(pointer, "prompt.%s must be valid UTF-8 without the character U+0000.", part.name)
		case part.text != "" && strings.TrimSpace(part.text) == "":
			return FieldErrorf(pointer, "prompt.%s is blank; leave it out to keep the default's.", part.name)
		}
	}
	return nil
}

// CollectionPatch changes a collection; what is nil stays.
type CollectionPatch struct {
	Description *string
	Prompt      *PromptTemplate // its Version is ignored: the catalog counts
}

// Rendering is a prompt as a language model would get it.
type Rendering struct {
	Template PromptVersion // version 0: a template that was given along and is nobody's
	Prompt   Prompt
	Model    string // empty: the service has no language model
	Tokens   int    // of the prompt, as the model counts
	Window   int    // tokens that prompt and answer may have together
	Passages []int  // numbers of those that are in the prompt
	Dropped  []int  // and of those that did not fit
	Cut      int    // number of the passage that stands in the prompt without its end; 0: none
	Fence    string // the mark of the passages' beginnings and ends; no passage has it
	Turns    int    // earlier turns that were left out, the oldest
}
