package config

import (
	"fmt"
)

// Bounds of what is set for language models, in tokens.
const (
	minContext   = 512
	maxContext   = 10_000_000
	maxMaxTokens = 8192
)

// LLMs lists the chat endpoints in the order in which they are asked, with the settings' common beginning.
func (c Config) LLMs() (settings []string, endpoints []LLM) {
	for i, e := range []LLM{{c.LLMBaseURL, c.LLMModel, c.LLMAPIKey, c.LLMContext}, c.LLM2, c.LLM3, c.LLM4} {
		if e.BaseURL == "" {
			continue
		}
		name := prefix + "LLM"
		if i > 0 {
			name = fmt.Sprintf("%s_%d", name, i+1)
		}
		settings, endpoints = append(settings, name), append(endpoints, e)
	}
	return settings, endpoints
}

func (c Config) validateLLM(p *problems) {
	before := true // the one before is named
	for i, e := range []LLM{{c.LLMBaseURL, c.LLMModel, c.LLMAPIKey, c.LLMContext}, c.LLM2, c.LLM3, c.LLM4} {
		name, without := prefix+"LLM", "answers are extractive"
		if i > 0 {
			name, without = fmt.Sprintf("%sLLM_%d", prefix, i+1), "nobody is asked in its place"
		}
		named := e.BaseURL != "" || e.Model != ""
		switch {
		case (e.BaseURL == "") != (e.Model == ""):
			p.add("%s_BASE_URL and %[1]s_MODEL go together; without both, %s", name, without)
		case !named && i > 0 && (e.APIKey != "" || e.Context != 0):
			p.add("%s_API_KEY and %[1]s_CONTEXT need %[1]s_BASE_URL and %[1]s_MODEL", name)
		case named && !before:
			p.add("%s names a language model, and the one before it is not named: they are asked in order, without a gap", name)
		}
		p.wantURL(name+"_BASE_URL", e.BaseURL)
		if e.Context != 0 && (e.Context < minContext || e.Context > maxContext) {
			p.add("%s_CONTEXT must be between %d and %d tokens, or absent for what is known of the model, got %d", name, minContext, maxContext, e.Context)
		}
		before = named
	}
	if c.LLMTemperature < 0 || c.LLMTemperature > 2 {
		p.add("FOOTNOTE_LLM_TEMPERATURE must be between 0 and 2, got %g", c.LLMTemperature)
	}
	if c.LLMMaxTokens < 0 || c.LLMMaxTokens > maxMaxTokens {
		p.add("FOOTNOTE_LLM_MAX_TOKENS must be between 1 and %d, or absent, got %d", maxMaxTokens, c.LLMMaxTokens)
	}
}
