package answer

import (
	"embed"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"text/template/parse"

	"footnote/internal/rag"
)

//go:embed prompts/*.tmpl
var defaults embed.FS

// The default template: its version rises with each change of its files that a release makes.
const (
	defaultPrompt        = "default"
	defaultPromptVersion = 1
)

// maxRendered bounds what a template may make of passages, question and itself, in bytes: the prompt of the largest window, roughly.
const maxRendered = 4 << 20

// promptData is all that a template sees: texts, no methods, nothing that reaches beyond the prompt.
type promptData struct {
	Passages    string // fenced, or empty when nothing was found
	Question    string
	Language    string // in English, such as "Traditional Chinese", or "the language of the question"
	LanguageTag string // BCP 47; empty when the question's language is not known
	Refusal     string // what the model is to say when the passages have no answer
}

// promptFields are the fields of promptData.
var promptFields = []string{"Passages", "Question", "Language", "LanguageTag", "Refusal"}

// promptFunctions are the functions of text/template that a template may use: they compare.
var promptFunctions = []string{"and", "or", "not", "eq", "ne", "len"}

// promptTemplate is a template that was checked and can be executed.
type promptTemplate struct {
	version      rag.PromptVersion
	system, user *template.Template
}

var defaultTemplate = func() promptTemplate {
	t, err := parsePrompt(rag.PromptTemplate{}, rag.PromptVersion{Name: defaultPrompt, Version: defaultPromptVersion})
	if err != nil {
		panic(err) // it is embedded, and tested
	}
	return t
}()

// CheckPrompt reports an Invalid error, with the line and the reason, unless p can be executed for every question.
func CheckPrompt(p rag.PromptTemplate) error {
	t, err := parsePrompt(p, rag.PromptVersion{})
	if err != nil {
		return err
	}
	return t.try()
}

// parsePrompt reads a template. Only what can neither run long nor reach anything is taken: fields, if, with, comparisons. Loops are left out: a prompt has one
// place for all passages, which are always fenced.
func parsePrompt(p rag.PromptTemplate, version rag.PromptVersion) (promptTemplate, error) {
	t := promptTemplate{version: version}
	if err := p.Validate(); err != nil {
		return t, err
	}
	for _, part := range []struct {
		name, text string
		into       **template.Template
	}{{"system", p.System, &t.system}, {"user", p.User, &t.user}} {
		source := part.text
		if source == "" {
			b, err := defaults.ReadFile("prompts/" + part.name + ".tmpl")
			if err != nil {
				return t, err
			}
			source = strings.TrimSuffix(string(b), "\n")
		}
		parsed, err := template.New(part.name).Option("missingkey=error").Parse(source)
		if err != nil {
			return t, templateError(part.name, err)
		}
		if others := parsed.Templates(); len(others) > 1 {
			return t, rag.FieldErrorf("/prompt/"+part.name, "prompt.%s defines templates of its own ({{define}} or {{block}}); write one text.", part.name)
		}
		if parsed.Tree != nil {
			if err := allowed(parsed.Tree.Root, parsed.Tree); err != nil {
				return t, templateError(part.name, err)
			}
		}
		*part.into = parsed
	}
	return t, nil
}

// try executes the template for every kind of question that makes a difference: each must have its passages and its question in the prompt.
func (t promptTemplate) try() error {
	for _, language := range append([]rag.AnswerLanguage{{Name: sameLanguage}}, rag.AnswerLanguages...) {
		const passages, question = "‹the passages›", "‹the question›"
		system, user, err := t.render(promptData{Passages: passages, Question: question, Language: language.Name, LanguageTag: language.Tag, Refusal: notThere})
		if err != nil {
			return err
		}
		for _, needed := range []struct{ field, text string }{{"Passages", passages}, {"Question", question}} {
			if !strings.Contains(system+user, needed.text) {
				return rag.FieldErrorf("/prompt", "The prompt must use {{.%s}}; with the language %q it does not.", needed.field, language.Name)
			}
		}
		if strings.TrimSpace(user) == "" {
			return rag.FieldErrorf("/prompt/user", "prompt.user is empty with the language %q; a model needs a message.", language.Name)
		}
	}
	return nil
}

// render executes both parts.
func (t promptTemplate) render(d promptData) (system, user string, err error) {
	for _, part := range []struct {
		t    *template.Template
		into *string
	}{{t.system, &system}, {t.user, &user}} {
		out := &boundedText{}
		if err := part.t.Execute(out, d); err != nil {
			if errors.Is(err, errTooMuch) {
				return "", "", rag.FieldErrorf("/prompt/"+part.t.Name(), "prompt.%s makes more than %d bytes.", part.t.Name(), maxRendered)
			}
			return "", "", templateError(part.t.Name(), err)
		}
		*part.into = out.String()
	}
	return system, user, nil
}

var errTooMuch = errors.New("too much")

// boundedText takes maxRendered bytes.
type boundedText struct{ strings.Builder }

func (b *boundedText) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxRendered {
		return 0, errTooMuch
	}
	return b.Builder.Write(p)
}

// errAt is an error at a node of a template.
type errAt struct {
	line int
	why  string
}

func (e errAt) Error() string { return fmt.Sprintf("line %d: %s", e.line, e.why) }

// allowed walks a template and reports the first thing that no prompt's template may have.
func allowed(n parse.Node, tree *parse.Tree) error {
	refuse := func(why string, args ...any) error {
		where, _ := tree.ErrorContext(n)
		line := 0
		if parts := strings.Split(where, ":"); len(parts) > 1 {
			line, _ = strconv.Atoi(parts[1]) // the form of where is text/template's
		}
		return errAt{line, fmt.Sprintf(why, args...)}
	}
	each := func(nodes ...parse.Node) error {
		for _, n := range nodes {
			if err := allowed(n, tree); err != nil {
				return err
			}
		}
		return nil
	}
	switch n := n.(type) {
	case *parse.ListNode:
		if n == nil {
			return nil
		}
		return each(n.Nodes...)
	case *parse.TextNode, *parse.CommentNode, *parse.DotNode, *parse.BoolNode, *parse.NumberNode, *parse.StringNode, *parse.NilNode:
		return nil
	case *parse.ActionNode:
		return each(n.Pipe)
	case *parse.IfNode:
		return each(n.Pipe, n.List, n.ElseList)
	case *parse.WithNode:
		return each(n.Pipe, n.List, n.ElseList)
	case *parse.PipeNode:
		for _, c := range n.Cmds {
			if err := each(c.Args...); err != nil {
				return err
			}
		}
		return nil
	case *parse.VariableNode:
		if len(n.Ident) == 2 && n.Ident[0] == "$" && !slices.Contains(promptFields, n.Ident[1]) {
			return refuse("there is no $.%s; a template has .%s", n.Ident[1], strings.Join(promptFields, ", ."))
		}
		return nil
	case *parse.FieldNode:
		if len(n.Ident) != 1 || !slices.Contains(promptFields, n.Ident[0]) {
			return refuse("there is no .%s; a template has .%s", strings.Join(n.Ident, "."), strings.Join(promptFields, ", ."))
		}
		return nil
	case *parse.IdentifierNode:
		if !slices.Contains(promptFunctions, n.Ident) {
			return refuse("the function %s is not available; there are %s", n.Ident, strings.Join(promptFunctions, ", "))
		}
		return nil
	case *parse.RangeNode:
		return refuse("{{range}} is not available: {{.Passages}} stands for all passages, fenced and numbered")
	}
	return refuse("%s is not available; a template has fields, if, with and comparisons", rag.Clip(n.String(), 60))
}

var templatePosition = regexp.MustCompile(`^template: ?(?:system|user):([0-9]+)(?::[0-9]+)?: (?s:(.*))$`)

// templateError says where and why a template fails.
func templateError(part string, err error) error {
	line, why := "", err.Error()
	if at, ok := errors.AsType[errAt](err); ok {
		line, why = strconv.Itoa(at.line), at.why
	} else if m := templatePosition.FindStringSubmatch(why); m != nil {
		line, why = m[1], m[2]
	}
	if line == "" {
		return rag.FieldErrorf("/prompt/"+part, "prompt.%s: %s.", part, rag.Clip(why, 300))
	}
	return rag.FieldErrorf("/prompt/"+part, "prompt.%s, line %s: %s.", part, line, rag.Clip(why, 300))
}
