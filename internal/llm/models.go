package llm

import (
	"strings"
)

// vocabulary names the tokens that a model reads.
type vocabulary int

const (
	unknownVocabulary vocabulary = iota // estimated
	chinese                             // of a family whose vocabulary was made for Chinese, too; estimated
	cl100k
	o200k
)

// model is what is known of a model by its name.
type model struct {
	window     int // tokens of prompt and answer together
	vocabulary vocabulary
	thinks     bool // it writes thoughts before its answer, which count among what it may write
	completion bool // it wants max_completion_tokens in the place of max_tokens
	opened     bool // its chat template opens the thoughts, so that its text starts inside of them
}

// DefaultWindow is the window of a model that is not known, in tokens.
const DefaultWindow = 8192

// known has the models by the beginning of their names; the longest one counts. Windows are the makers' own figures, the least one where the members of a family differ. A server
// may give a model less than that, which only FOOTNOTE_LLM_CONTEXT can tell.
var known = map[string]model{
	"gpt-5":         {window: 272_000, vocabulary: o200k, thinks: true, completion: true}, // of the prompt alone
	"gpt-5-chat":    {window: 128_000, vocabulary: o200k},
	"gpt-4.1":       {window: 1_047_576, vocabulary: o200k},
	"gpt-4o":        {window: 128_000, vocabulary: o200k},
	"chatgpt-4o":    {window: 128_000, vocabulary: o200k},
	"gpt-oss":       {window: 131_072, vocabulary: o200k, thinks: true},
	"o1":            {window: 200_000, vocabulary: o200k, thinks: true, completion: true},
	"o1-mini":       {window: 128_000, vocabulary: o200k, thinks: true, completion: true},
	"o1-preview":    {window: 128_000, vocabulary: o200k, thinks: true, completion: true},
	"o3":            {window: 200_000, vocabulary: o200k, thinks: true, completion: true},
	"o4-mini":       {window: 200_000, vocabulary: o200k, thinks: true, completion: true},
	"gpt-4-turbo":   {window: 128_000, vocabulary: cl100k},
	"gpt-4-32k":     {window: 32_768, vocabulary: cl100k},
	"gpt-4":         {window: 8_192, vocabulary: cl100k},
	"gpt-3.5-turbo": {window: 16_385, vocabulary: cl100k},

	"deepseek-chat":     {window: 64_000, vocabulary: chinese},
	"deepseek-reasoner": {window: 64_000, vocabulary: chinese, thinks: true},
	"deepseek-r1":       {window: 64_000, vocabulary: chinese, thinks: true, opened: true},
	"deepseek-v3":       {window: 64_000, vocabulary: chinese},

	"qwen1.5":    {window: 32_768, vocabulary: chinese},
	"qwen2":      {window: 32_768, vocabulary: chinese},
	"qwen2.5":    {window: 32_768, vocabulary: chinese},
	"qwen3":      {window: 32_768, vocabulary: chinese, thinks: true},
	"qwen-max":   {window: 32_768, vocabulary: chinese},
	"qwen-plus":  {window: 131_072, vocabulary: chinese},
	"qwen-turbo": {window: 131_072, vocabulary: chinese},
	"qwq":        {window: 32_768, vocabulary: chinese, thinks: true, opened: true},

	"llama2":    {window: 4_096},
	"llama-2":   {window: 4_096},
	"llama3":    {window: 8_192, vocabulary: chinese},
	"llama-3":   {window: 8_192, vocabulary: chinese},
	"llama3.1":  {window: 131_072, vocabulary: chinese},
	"llama-3.1": {window: 131_072, vocabulary: chinese},
	"llama3.2":  {window: 131_072, vocabulary: chinese},
	"llama-3.2": {window: 131_072, vocabulary: chinese},
	"llama3.3":  {window: 131_072, vocabulary: chinese},
	"llama-3.3": {window: 131_072, vocabulary: chinese},

	"chatglm":     {window: 2_048, vocabulary: chinese},
	"chatglm2":    {window: 8_192, vocabulary: chinese},
	"chatglm3":    {window: 8_192, vocabulary: chinese},
	"glm-4":       {window: 131_072, vocabulary: chinese},
	"glm-4.5":     {window: 131_072, vocabulary: chinese, thinks: true},
	"gemma":       {window: 8_192, vocabulary: chinese},
	"gemma3":      {window: 32_768, vocabulary: chinese},
	"gemma-3":     {window: 32_768, vocabulary: chinese},
	"mistral":     {window: 8_192},
	"mistral-sm":  {window: 32_768},
	"mistral-la":  {window: 32_768},
	"mistral-nem": {window: 131_072},
	"mixtral":     {window: 32_768},
	"phi-4":       {window: 16_384},

	"moonshot-v1-8k":   {window: 8_192, vocabulary: chinese},
	"moonshot-v1-32k":  {window: 32_768, vocabulary: chinese},
	"moonshot-v1-128k": {window: 131_072, vocabulary: chinese},
	"claude-":          {window: 200_000},
	"gemini-1.5":       {window: 1_048_576},
	"gemini-2":         {window: 1_048_576},
}

// lookUp tells what is known of a model: "meta-llama/Llama-3.1-8B-Instruct" is llama-3.1, "qwen3:8b" is qwen3.
func lookUp(name string) model {
	name = strings.ToLower(name)
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		name = name[i+1:]
	}
	name = strings.TrimPrefix(name, "meta-")
	best, found := "", model{window: DefaultWindow}
	for prefix, m := range known {
		if len(prefix) > len(best) && strings.HasPrefix(name, prefix) && !followed(name, prefix) {
			best, found = prefix, m
		}
	}
	if strings.Contains(name, "-thinking") || strings.Contains(name, "deepseek-r1") {
		found.thinks, found.opened = true, true
	}
	return found
}

// followed tells a name that only begins like a known one: gpt-4.5 is no gpt-4, o30 no o3.
func followed(name, prefix string) bool {
	if len(name) == len(prefix) {
		return false
	}
	last, next := prefix[len(prefix)-1], name[len(prefix)]
	return last >= '0' && last <= '9' && (next >= '0' && next <= '9' || next == '.')
}
