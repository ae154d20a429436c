package main

import (
	"context"
	"log/slog"

	"footnote/internal/answer"
	"footnote/internal/config"
	"footnote/internal/llm"
	"footnote/internal/rag"
)

// openJudge is what judges claims: an endpoint, a language model of its own, or the one that writes; nil when none is named.
func openJudge(c config.Config, log *slog.Logger) answer.Judge {
	if c.Judge == config.JudgeEndpoint {
		return llm.NewPredictor(llm.PredictOptions{BaseURL: c.JudgeBaseURL, Model: c.JudgeModel, APIKey: c.JudgeAPIKey.Reveal(), Timeout: c.JudgeTimeout})
	}
	o := llm.Options{BaseURL: c.JudgeBaseURL, Model: c.JudgeModel, APIKey: c.JudgeAPIKey.Reveal(), Timeout: c.JudgeTimeout, Logger: log}
	if o.BaseURL == "" {
		if c.LLMBaseURL == "" {
			return nil
		}
		o.BaseURL, o.APIKey = c.LLMBaseURL, c.LLMAPIKey.Reveal()
		if o.Model == "" {
			o.Model = c.LLMModel
		}
	}
	return answer.ModelJudge{Chat: llm.New(o), Timeout: c.JudgeTimeout}
}

func examineJudge(ctx context.Context, c config.Config, log *slog.Logger) finding {
	j := openJudge(c, log)
	if j == nil {
		return finding{Check: "judge", OK: true, Found: "none named: verify=judge is refused"}
	}
	got, err := j.Judge(ctx, []rag.JudgeCase{{Claim: "The sky is blue.", Source: "On a clear day the sky is blue."}})
	switch {
	case err != nil:
		return finding{Check: "judge", Found: message(err), Remedy: "Correct FOOTNOTE_JUDGE and FOOTNOTE_JUDGE_BASE_URL, _MODEL and _API_KEY; until then verify=judge scores as fast does."}
	case got[0].Relation != rag.Entailed:
		return finding{Check: "judge", OK: true, Found: "it answers, but does not see that “On a clear day the sky is blue.” bears “The sky is blue.” out", Remedy: "A stronger model judges better."}
	}
	return finding{Check: "judge", OK: true, Found: "it judges"}
}
