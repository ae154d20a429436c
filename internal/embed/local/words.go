package local

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxNesting bounds sequences within sequences in a tokenizer.json; real files have one.
const maxNesting = 4

// newSplitter builds a pre-tokenizer.
func newSplitter(c component, depth int) (splitter, error) {
	switch c.Type {
	case "BertPreTokenizer":
		return splitBERT, nil
	case "WhitespaceSplit":
		return splitSpace, nil
	case "Metaspace":
		return newMetaspace(c)
	case "Sequence":
		if depth == maxNesting || len(c.PreTokenizers) == 0 || len(c.PreTokenizers) > 8 {
			return nil, fmt.Errorf("pre_tokenizer has a sequence of %d, %d deep; fetch the file again", len(c.PreTokenizers), depth)
		}
		var all splitter
		for _, part := range c.PreTokenizers {
			next, err := newSplitter(part, depth+1)
			if err != nil {
				return nil, err
			}
			if first := all; first == nil {
				all = next
			} else {
				all = func(text string, yield func(string)) {
					first(text, func(word string) { next(word, yield) })
				}
			}
		}
		return all, nil
	}
	return nil, fmt.Errorf("pre_tokenizer %q is not understood; want BertPreTokenizer, WhitespaceSplit or Metaspace: choose another model, or serve it behind an endpoint", c.Type)
}

// splitSpace yields what stands between white space.
func splitSpace(text string, yield func(string)) {
	for word := range strings.FieldsFuncSeq(text, unicode.IsSpace) {
		yield(word)
	}
}

// splitBERT yields words and, each alone, marks of punctuation.
func splitBERT(text string, yield func(string)) {
	start := 0
	for i, r := range text {
		space := unicode.IsSpace(r)
		if !space && !punctuation(r) {
			continue
		}
		if start < i {
			yield(text[start:i])
		}
		start = i + utf8.RuneLen(r)
		if !space {
			yield(text[i:start])
		}
	}
	if start < len(text) {
		yield(text[start:])
	}
}

// punctuation is BERT's: all of ASCII that is neither letter, digit, space nor control, and Unicode's P.
func punctuation(r rune) bool {
	if r < utf8.RuneSelf {
		return r >= '!' && r <= '/' || r >= ':' && r <= '@' || r >= '[' && r <= '`' || r >= '{' && r <= '~'
	}
	return unicode.IsPunct(r)
}

// newMetaspace marks spaces, and the beginning if asked to, with a replacement, and cuts before each.
func newMetaspace(c component) (splitter, error) {
	mark := c.Replacement
	if utf8.RuneCountInString(mark) != 1 {
		return nil, fmt.Errorf("pre_tokenizer Metaspace has replacement %q, want one character; fetch the file again", mark)
	}
	scheme := c.PrependScheme
	if scheme == "" {
		scheme = "always"
		if c.AddPrefixSpace != nil && !*c.AddPrefixSpace {
			scheme = "never"
		}
	}
	if scheme != "always" && scheme != "never" {
		return nil, fmt.Errorf("pre_tokenizer Metaspace has prepend_scheme %q; want always or never: choose another model, or serve it behind an endpoint", scheme)
	}
	whole := c.Split != nil && !*c.Split
	return func(text string, yield func(string)) {
		if text == "" {
			return
		}
		text = strings.ReplaceAll(text, " ", mark)
		if scheme == "always" && !strings.HasPrefix(text, mark) {
			text = mark + text
		}
		for !whole {
			i := strings.Index(text[1:], mark) + 1 // a mark at 0 begins the first word
			if i == 0 {
				break
			}
			yield(text[:i])
			text = text[i:]
		}
		yield(text)
	}, nil
}
