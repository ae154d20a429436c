package httpapi

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"footnote/internal/rag"
)

// prompt is a collection's template.
type prompt struct {
	System  *string `json:"system"`
	User    *string `json:"user"`
	Version int     `json:"version"`
}

// wirePrompt is null for the default.
func wirePrompt(p rag.PromptTemplate) *prompt {
	if p.IsDefault() {
		return nil
	}
	return &prompt{wirePart(p.System), wirePart(p.User), p.Version}
}

func wirePart(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// promptPatch is a template that a request gives, or null for the default, or not.
type promptPatch struct {
	given bool
	raw   json.RawMessage
}

func (p *promptPatch) UnmarshalJSON(b []byte) error {
	p.given, p.raw = true, append(json.RawMessage(nil), b...)
	return nil
}

// template reads what was given; null is the default.
func (p promptPatch) template() (rag.PromptTemplate, error) {
	var in *struct {
		System *string `json:"system"`
		User   *string `json:"user"`
	}
	if err := decodeBytes(p.raw, &in); err != nil {
		return rag.PromptTemplate{}, below("/prompt", err)
	}
	var t rag.PromptTemplate
	if in == nil {
		return t, nil
	}
	for _, part := range []struct {
		name  string
		given *string
		into  *string
	}{{"system", in.System, &t.System}, {"user", in.User, &t.User}} {
		if part.given == nil {
			continue
		}
		if *part.into = *part.given; *part.given == "" {
			return t, rag.FieldErrorf("/prompt/"+part.name, "prompt.%s is empty; leave it out, or give null, to keep the default's.", part.name)
		}
	}
	if t.IsDefault() {
		return t, rag.FieldErrorf("/prompt", "prompt needs system or user, or both; null goes back to the default.")
	}
	return t, nil
}

// below puts the pointer of an error about a part of the body below that part's own.
func below(pointer string, err error) error {
	if e, ok := errors.AsType[*rag.Error](err); ok {
		e.Field = pointer + e.Field
		e.Message = strings.Replace(e.Message, "The body", strings.TrimPrefix(pointer, "/"), 1)
	}
	return err
}

func languageTags() string {
	tags := make([]string, len(rag.AnswerLanguages))
	for i, l := range rag.AnswerLanguages {
		tags[i] = l.Tag
	}
	return strings.Join(tags, ", ")
}

type promptRendering struct {
	Prompt   promptVersion `json:"prompt"`
	System   string        `json:"system"`
	Messages []turn        `json:"messages"`
	Model    *string       `json:"model"`
	Tokens   int           `json:"tokens"`
	Window   int           `json:"window"`
	Passages []int         `json:"passages"`
	Dropped  []int         `json:"dropped"`
	Cut      *int          `json:"cut"`
	Turns    int           `json:"turns_dropped"`
}

func wireRendering(r rag.Rendering) promptRendering {
	out := promptRendering{Prompt: promptVersion{r.Template.Name, r.Template.Version}, System: r.Prompt.System, Messages: []turn{}, Model: wirePart(r.Model),
		Tokens: r.Tokens, Window: r.Window, Passages: append([]int{}, r.Passages...), Dropped: append([]int{}, r.Dropped...), Cut: wirePage(r.Cut), Turns: r.Turns}
	for _, m := range r.Prompt.Messages {
		out.Messages = append(out.Messages, turn(m))
	}
	return out
}

// renderPrompt shows what a language model would be asked.
func (s *server) renderPrompt(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		queryRequest
		Prompt promptPatch `json:"prompt"`
	}
	if err := decode(w, r, maxJSON, &in); err != nil {
		return err
	}
	q, err := in.question()
	if err != nil {
		return err
	}
	if err := seesAll(r, q.Collections); err != nil {
		return err
	}
	var given *rag.PromptTemplate
	if in.Prompt.given {
		template, err := in.Prompt.template()
		if err != nil {
			return err
		}
		given = &template
	}
	rendered, err := s.o.Prompts.Render(r.Context(), q, given)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, wireRendering(rendered))
}
