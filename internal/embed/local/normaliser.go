package local

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// appendNormaliser adds the steps of a normaliser of a tokenizer.json.
func appendNormaliser(steps []func(string) string, c component, depth int) ([]func(string) string, error) {
	switch c.Type {
	case "Sequence":
		if depth == maxNesting || len(c.Normalizers) > 32 {
			return nil, fmt.Errorf("normalizer has a sequence of %d, %d deep; fetch the file again", len(c.Normalizers), depth)
		}
		for _, part := range c.Normalizers {
			var err error
			if steps, err = appendNormaliser(steps, part, depth+1); err != nil {
				return nil, err
			}
		}
		return steps, nil
	case "BertNormalizer":
		return append(steps, newBERTNormaliser(c).normalise), nil
	case "Precompiled":
		m, err := openCharsmap(c.Charsmap)
		if err != nil {
			return nil, err
		}
		return append(steps, m.normalise), nil
	case "Replace":
		f, err := newReplacement(c)
		return append(steps, f), err
	case "NFC":
		return append(steps, norm.NFC.String), nil
	case "NFD":
		return append(steps, norm.NFD.String), nil
	case "NFKC":
		return append(steps, norm.NFKC.String), nil
	case "NFKD":
		return append(steps, norm.NFKD.String), nil
	case "Lowercase":
		return append(steps, lowercaseAll), nil
	case "StripAccents":
		return append(steps, func(s string) string { return drop(s, unicode.IsMark) }), nil
	case "Strip":
		return append(steps, func(s string) string {
			if c.Left {
				s = strings.TrimLeftFunc(s, unicode.IsSpace)
			}
			if c.Right {
				s = strings.TrimRightFunc(s, unicode.IsSpace)
			}
			return s
		}), nil
	case "Prepend":
		return append(steps, func(s string) string {
			if s == "" {
				return s
			}
			return c.Prepend + s
		}), nil
	}
	return nil, fmt.Errorf("normalizer %q is not understood; choose another model, or serve it behind an endpoint", c.Type)
}

// newReplacement replaces a string, or a pattern of the simple kind that such files have (" {2,}"): literal characters with counts, which
// Go's expressions and those of the library that writes the files read alike.
func newReplacement(c component) (func(string) string, error) {
	switch {
	case c.Pattern.String != nil && *c.Pattern.String != "":
		from, to := *c.Pattern.String, c.Content
		return func(s string) string { return strings.ReplaceAll(s, from, to) }, nil
	case c.Pattern.Regex != nil && *c.Pattern.Regex != "":
		if strings.ContainsAny(*c.Pattern.Regex, `\^$.()[]|?*`) {
			break
		}
		pattern, err := regexp.Compile(*c.Pattern.Regex)
		if err != nil || pattern.MatchString("") {
			break
		}
		to := c.Content
		return func(s string) string { return pattern.ReplaceAllLiteralString(s, to) }, nil
	default:
		return nil, errors.New("normalizer Replace has no pattern; fetch the file again")
	}
	return nil, fmt.Errorf("normalizer Replace has the pattern %q, which is not understood; choose another model, or serve it behind an endpoint", *c.Pattern.Regex)
}

// lowercaseAll maps each character by itself, as the library does: no final sigma, and İ becomes two characters.
func lowercaseAll(s string) string {
	if !strings.ContainsRune(s, 'İ') {
		return strings.Map(unicode.ToLower, s)
	}
	return strings.Map(unicode.ToLower, strings.ReplaceAll(s, "İ", "i\u0307"))
}

// drop removes the characters for which unwanted holds.
func drop(s string, unwanted func(rune) bool) string {
	return strings.Map(func(r rune) rune {
		if unwanted(r) {
			return -1
		}
		return r
	}, s)
}
