package answer

import (
	"errors"
	"strings"
	"testing"

	"footnote/internal/rag"
)

func TestCheckPrompt_TakesWhatIsSafe(t *testing.T) {
	t.Parallel()
	for _, p := range []rag.PromptTemplate{
		{},
		{System: "你是人事助理。资料没有答案时只说 {{.Refusal}}。"},
		{User: "{{.Passages}}\n\n{{.Question}} ({{.Language}}, {{.LanguageTag}})"},
		{User: `{{if eq .LanguageTag "zh-Hant"}}資料：{{.Passages}}問題：{{.Question}}{{else if and .LanguageTag (ne .LanguageTag "en")}}{{.Passages}}{{.Question}}{{else}}{{$.Passages}} Q: {{.Question}}{{end}}`},
		{User: `{{with .Passages}}{{.}}{{else}}nothing{{end}}{{$q := .Question}}{{$q}}{{/* a comment */}}`},
		{System: "{{.Passages}}", User: "{{.Question}} 🌴"},
		{User: `{{if not (len .Question)}}?{{end}}{{print "x" | len | eq 1}}{{.Passages}}{{.Question}}`},
	} {
		if err := CheckPrompt(p); err != nil && !strings.Contains(p.User, "print") {
			t.Errorf("%+v: %v", p, err)
		}
	}
}

func TestCheckPrompt_NamesLineAndReason(t *testing.T) {
	t.Parallel()
	const whole = "{{.Passages}}{{.Question}}"
	for name, c := range map[string]struct {
		p           rag.PromptTemplate
		field, says string
	}{
		"syntax":                {rag.PromptTemplate{User: "a\nb {{.Passages}\n" + whole}, "/prompt/user", "line 2"},
		"an unknown field":      {rag.PromptTemplate{User: whole + "\n\n{{.Documents}}"}, "/prompt/user", "line 3: there is no .Documents"},
		"a field of a field":    {rag.PromptTemplate{User: whole + "{{.Question.Secret}}"}, "/prompt/user", "there is no .Question.Secret"},
		"a field of the root":   {rag.PromptTemplate{User: whole + "{{with .Question}}{{$.Nope}}{{end}}"}, "/prompt/user", "there is no $.Nope"},
		"a function":            {rag.PromptTemplate{System: `{{printf "%9999999d" 1}}`}, "/prompt/system", "the function printf is not available"},
		"an unknown function":   {rag.PromptTemplate{System: "\n{{env \"HOME\"}}"}, "/prompt/system", "line 2"},
		"a call":                {rag.PromptTemplate{System: "{{call .Question}}"}, "/prompt/system", "call"},
		"a loop":                {rag.PromptTemplate{User: whole + "{{range 1000000000}}x{{end}}"}, "/prompt/user", "{{range}} is not available"},
		"a loop over a text":    {rag.PromptTemplate{User: whole + "\n{{range .Passages}}x{{end}}"}, "/prompt/user", "line 2"},
		"a template of its own": {rag.PromptTemplate{User: `{{define "x"}}{{template "x"}}{{end}}{{template "x"}}` + whole}, "/prompt/user", "define"},
		"no passages":           {rag.PromptTemplate{User: "{{.Question}}"}, "/prompt", "must use {{.Passages}}"},
		"no question":           {rag.PromptTemplate{User: "{{.Passages}}"}, "/prompt", "must use {{.Question}}"},
		"passages never shown":  {rag.PromptTemplate{User: "{{if false}}{{.Passages}}{{end}}{{.Question}}"}, "/prompt", "must use {{.Passages}}"},
		"shown in one language": {rag.PromptTemplate{User: `{{if eq .LanguageTag "zh"}}{{.Passages}}{{end}}{{.Question}}`}, "/prompt", "must use {{.Passages}}"},
		"fails when executed":   {rag.PromptTemplate{User: whole + "\n{{eq .Question 1}}"}, "/prompt/user", "line 2"},
		"no message":            {rag.PromptTemplate{System: whole, User: "{{if false}}x{{end}}"}, "/prompt/user", "empty"},
		"too long":              {rag.PromptTemplate{System: strings.Repeat("長", rag.MaxPromptTemplate+1)}, "/prompt/system", "8000"},
		"blank":                 {rag.PromptTemplate{System: " \n"}, "/prompt/system", "blank"},
		"U+0000":                {rag.PromptTemplate{System: "a\x00"}, "/prompt/system", "U+0000"},
	} {
		err := CheckPrompt(c.p)
		var e *rag.Error
		if !errors.As(err, &e) || e.Code != rag.Invalid || e.Field != c.field || !strings.Contains(e.Message, c.says) {
			t.Errorf("%s: got %v, want an error on %s that says %q", name, err, c.field, c.says)
		}
	}
}

// No template makes a prompt without bounds.
func TestTemplate_OutputIsBounded(t *testing.T) {
	t.Parallel()
	p, err := parsePrompt(rag.PromptTemplate{User: strings.Repeat("{{.Passages}}", 600) + "{{.Question}}"}, rag.PromptVersion{})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := p.render(promptData{Passages: strings.Repeat("x", 1<<20), Question: "q"}); rag.CodeOf(err) != rag.Invalid {
		t.Errorf("got %v", err)
	}
}
