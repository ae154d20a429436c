package llm

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"footnote/internal/rag"
)

// PredictOptions configures a Predictor. BaseURL is needed.
type PredictOptions struct {
	BaseURL string // to which /predict is added
	Model   string // sent along when it is not empty; text-embeddings-inference has one model and no such field
	APIKey  string
	Timeout time.Duration // for all cases together; 0: 30 s
	HTTP    *http.Client  // nil: one of its own
}

// Predictor judges claims with a model of natural language inference behind an endpoint of the kind of Hugging Face's text-embeddings-inference:
// {inputs: [[premise, hypothesis], …]} → [[{label, score}, …], …]. The source is the premise, the claim the hypothesis. Any number of goroutines may use it.
type Predictor struct {
	o        PredictOptions
	endpoint endpoint
}

// Bounds of the talk with an endpoint.
const (
	predictBatch    = 8 // pairs a request
	predictsAtOnce  = 2
	maxPredictBytes = 1 << 20
)

// NewPredictor makes a Predictor; nothing is sent yet.
func NewPredictor(o PredictOptions) *Predictor {
	if o.HTTP == nil {
		o.HTTP = &http.Client{}
	}
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	return &Predictor{o, endpoint{
		name: "The judge's endpoint", setting: "FOOTNOTE_JUDGE", baseURL: strings.TrimSuffix(strings.TrimSuffix(o.BaseURL, "/"), "/predict"), apiKey: o.APIKey, http: o.HTTP,
	}}
}

// Judge returns one judgement a case, in their order, with the score of the likeliest label as its confidence and no quote. When a request fails its cases have none, and
// the error of the first such is returned beside the others: rag.Unavailable when the endpoint cannot be reached, fails or limits its rate; rag.Timeout after Options.Timeout;
// rag.BadUpstream for an answer that gives not every pair its labels, for labels of another task, and for a refused key or request.
func (p *Predictor) Judge(ctx context.Context, cases []rag.JudgeCase) ([]rag.Judgement, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, p.o.Timeout, errTooSlow)
	defer cancel()
	out := make([]rag.Judgement, len(cases))
	failed := make([]error, (len(cases)+predictBatch-1)/predictBatch)
	var g errgroup.Group
	g.SetLimit(predictsAtOnce)
	for i := range failed {
		from, to := i*predictBatch, min((i+1)*predictBatch, len(cases))
		g.Go(func() error {
			got, err := p.predict(ctx, cases[from:to])
			if failed[i] = err; err == nil {
				copy(out[from:to], got)
			}
			return nil
		})
	}
	_ = g.Wait() // no member returns an error: the other batches go on
	for _, err := range failed {
		if err != nil {
			if errors.Is(context.Cause(ctx), errTooSlow) {
				return out, rag.Errorf(rag.Timeout, "The judge's endpoint did not finish within %s (FOOTNOTE_JUDGE_TIMEOUT): %w", p.o.Timeout, err)
			}
			return out, err
		}
	}
	return out, nil
}

func (p *Predictor) predict(ctx context.Context, cases []rag.JudgeCase) ([]rag.Judgement, error) {
	inputs := make([][2]string, len(cases))
	for i, c := range cases {
		inputs[i] = [2]string{c.Source, c.Claim}
	}
	in := map[string]any{"inputs": inputs, "truncate": true}
	if p.o.Model != "" {
		in["model"] = p.o.Model
	}
	body, err := p.endpoint.ask(ctx, "/predict", in, maxPredictBytes)
	if err != nil {
		return nil, err
	}
	return readPredictions(body, len(cases))
}

type prediction struct {
	Label string
	Score *float64
}

// relations are the labels that models of inference and of verification give, in lower case.
var relations = map[string]rag.Relation{
	"entailment": rag.Entailed, "entailed": rag.Entailed, "supports": rag.Entailed, "supported": rag.Entailed, "consistent": rag.Entailed,
	"contradiction": rag.Denied, "contradicted": rag.Denied, "refutes": rag.Denied, "refuted": rag.Denied,
	"neutral": rag.NotStated, "not_entailment": rag.NotStated, "not enough info": rag.NotStated, "not_enough_info": rag.NotStated, "unsupported": rag.NotStated, "hallucinated": rag.NotStated, "inconsistent": rag.NotStated,
}

// readPredictions reads the labels of n pairs. One pair may come without the outer list.
func readPredictions(body []byte, n int) ([]rag.Judgement, error) {
	var lists [][]prediction
	if err := json.Unmarshal(body, &lists); err != nil {
		var one []prediction
		if n != 1 || json.Unmarshal(body, &one) != nil {
			return nil, rag.Errorf(rag.BadUpstream, "The judge's endpoint answered with something that is not a list of labels: %w", err)
		}
		lists = [][]prediction{one}
	}
	if len(lists) != n {
		return nil, rag.Errorf(rag.BadUpstream, "The judge's endpoint gave labels for %d of %d pairs.", len(lists), n)
	}
	out := make([]rag.Judgement, n)
	for i, labels := range lists {
		for _, l := range labels {
			relation, ok := relations[strings.ToLower(l.Label)]
			switch {
			case !ok:
				return nil, rag.Errorf(rag.BadUpstream, "The judge's endpoint gave the label %q; a model with the labels entailment, neutral and contradiction is needed.", rag.Clip(l.Label, 40))
			case l.Score == nil || *l.Score < 0 || *l.Score > 1:
				return nil, rag.Errorf(rag.BadUpstream, "The judge's endpoint gave the label %q no score between 0 and 1.", rag.Clip(l.Label, 40))
			case out[i].Relation == "" || *l.Score > out[i].Confidence:
				out[i] = rag.Judgement{Relation: relation, Confidence: *l.Score}
			}
		}
		if out[i].Relation == "" {
			return nil, rag.Errorf(rag.BadUpstream, "The judge's endpoint gave a pair no label.")
		}
	}
	return out, nil
}
