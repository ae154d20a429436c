package llm

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	openai "github.com/sashabaranov/go-openai"

	"footnote/internal/rag"
)

// request is what goes over the wire. The embedded one leaves a temperature of 0 out, which endpoints take for their default.
type request struct {
	openai.ChatCompletionRequest
	Temperature *float32 `json:"temperature,omitempty"`
}

// fields remembers which fields of a request an endpoint does not take: one that refuses a request and names a field of it is asked once more without that field. What helped is
// left out from then on; what did not is not tried again, so that an endpoint that refuses everything is not asked twice for ever. Whoever asks must not be able to take a
// field away from everybody else, so a value that only some send counts for itself.
type fields struct {
	mu    sync.Mutex
	tried map[string]bool // by keys of sent; true: left out
}

// maxFields bounds what is remembered: temperatures are the callers' own.
const maxFields = 64

// sent lists the optional fields of a request, by the name on the wire, with the key under which they are remembered.
func sent(r request) map[string]string {
	out := map[string]string{}
	if r.StreamOptions != nil {
		out["stream_options"] = "stream_options"
	}
	//lint:ignore SA1019 most compatible servers know max_tokens only
	if r.MaxTokens > 0 {
		out["max_tokens"] = "max_tokens"
	}
	if r.MaxCompletionTokens > 0 {
		out["max_completion_tokens"] = "max_completion_tokens"
	}
	if r.Seed != nil {
		out["seed"] = fmt.Sprintf("seed, negative %t", *r.Seed < 0)
	}
	if r.Temperature != nil {
		out["temperature"] = fmt.Sprintf("temperature %g", *r.Temperature)
	}
	if len(r.Stop) > 0 {
		out["stop"] = fmt.Sprintf("%d stops", len(r.Stop))
	}
	return out
}

// without makes the request of a prompt, less the fields that are left out by name. The two names of the bound of an answer stand for one another.
func (c *Client) request(p rag.Prompt, without map[string]bool) request {
	r := request{ChatCompletionRequest: openai.ChatCompletionRequest{Model: c.o.Model, Stream: true, Stop: p.Stop, Seed: p.Seed}, Temperature: p.Temperature}
	if p.System != "" {
		r.Messages = append(r.Messages, openai.ChatCompletionMessage{Role: openai.ChatMessageRoleSystem, Content: p.System})
	}
	for _, m := range p.Messages {
		r.Messages = append(r.Messages, openai.ChatCompletionMessage{Role: m.Role, Content: m.Content})
	}
	if !without["stream_options"] {
		r.StreamOptions = &openai.StreamOptions{IncludeUsage: true}
	}
	completion := c.model.completion
	if without["max_completion_tokens"] != without["max_tokens"] {
		completion = without["max_tokens"]
	}
	switch {
	case without["max_completion_tokens"] && without["max_tokens"]:
	case completion:
		r.MaxCompletionTokens = p.MaxTokens
	default:
		//lint:ignore SA1019 most compatible servers know max_tokens only
		r.MaxTokens = p.MaxTokens
	}
	if without["seed"] {
		r.Seed = nil
	}
	if without["temperature"] {
		r.Temperature = nil
	}
	if without["stop"] {
		r.Stop = nil
	}
	return r
}

// left lists the fields that experience says to leave out of a prompt's request.
func (c *Client) left(p rag.Prompt) map[string]bool {
	c.fields.mu.Lock()
	defer c.fields.mu.Unlock()
	out := map[string]bool{}
	for range 2 { // without max_tokens there is max_completion_tokens, which may be left out as well
		for name, key := range sent(c.request(p, out)) {
			if c.fields.tried[key] {
				out[name] = true
			}
		}
	}
	return out
}

// unknownField is how endpoints say that they do not know a field, rather than that its value is wrong.
var unknownField = regexp.MustCompile(`(?i)unsupported|not supported|unknown|unrecogni[sz]ed|not permitted|unexpected|does not support|not allowed|max_completion_tokens|不支持|未知`)

var aboutWindow = regexp.MustCompile(`(?i)context.{0,3}(length|window|size)|exceed_context|maximum context|prompt is too long|n_ctx|上下文`)

// suspects are the fields of a refused request that the endpoint complains of and that have not been tried without.
func (f *fields) suspects(r request, complaint string) []string {
	if aboutWindow.MatchString(complaint) {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []string
	for name, key := range sent(r) {
		if helps, tried := f.tried[key]; tried && !helps || !tried && len(f.tried) >= maxFields {
			continue // what another request has just learned helps this one, too
		}
		mention := name
		if name == "stop" || name == "seed" {
			mention = `[^a-z_]` + name + `[^a-z_]`
		}
		if ok, _ := regexp.MatchString(mention, " "+strings.ToLower(complaint)+" "); ok && (!strings.HasPrefix(name, "max_") || unknownField.MatchString(complaint)) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// learn keeps what came of asking without fields: keys by name.
func (f *fields) learn(keys map[string]string, helped bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, key := range slices.Sorted(maps.Values(keys)) {
		if !f.tried[key] {
			f.tried[key] = helped
		}
	}
}
