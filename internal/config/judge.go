package config

import (
	"slices"
	"time"
)

// Kinds of judges; absent: a language model, when one is named.
const (
	JudgeModel    = "llm"
	JudgeEndpoint = "endpoint"
)

func (c Config) validateJudge(p *problems) {
	p.wantURL("FOOTNOTE_JUDGE_BASE_URL", c.JudgeBaseURL)
	switch {
	case !slices.Contains([]string{"", JudgeModel, JudgeEndpoint}, c.Judge):
		p.add("FOOTNOTE_JUDGE must be llm or endpoint, or absent for the language model that is named, got %q", c.Judge)
	case c.Judge == JudgeEndpoint && c.JudgeBaseURL == "":
		p.add("FOOTNOTE_JUDGE=endpoint needs FOOTNOTE_JUDGE_BASE_URL, to which /predict is added")
	case c.Judge == JudgeModel && c.JudgeBaseURL == "" && c.LLMBaseURL == "":
		p.add("FOOTNOTE_JUDGE=llm needs FOOTNOTE_JUDGE_BASE_URL and FOOTNOTE_JUDGE_MODEL, or those of FOOTNOTE_LLM")
	case c.Judge != JudgeEndpoint && c.JudgeBaseURL != "" && c.JudgeModel == "":
		p.add("FOOTNOTE_JUDGE_BASE_URL needs FOOTNOTE_JUDGE_MODEL, the model's name at that endpoint, or FOOTNOTE_JUDGE=endpoint")
	case c.JudgeBaseURL == "" && (c.JudgeAPIKey != "" || c.JudgeModel != "" && c.LLMBaseURL == ""):
		p.add("FOOTNOTE_JUDGE_MODEL and FOOTNOTE_JUDGE_API_KEY need FOOTNOTE_JUDGE_BASE_URL")
	}
	if c.JudgeTimeout < 10*time.Millisecond || c.JudgeTimeout > 10*time.Minute {
		p.add("FOOTNOTE_JUDGE_TIMEOUT must be between 10ms and 10m, got %s", c.JudgeTimeout)
	}
}
