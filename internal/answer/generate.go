package answer

import (
	"context"
	"errors"
	"strings"
	"time"

	"footnote/internal/rag"
)

// footnote is a marker that the model set: which passage, and where in the answer it stands.
type footnote struct {
	marker, passage int
	at              int // code point of the answer
}

var errLate = errors.New("the language model took too long")

// generate has a model write, passes its words on with markers that resolve, and then ties each claim to its source. While a model has not said a word, those that follow it are
// asked in its place, in order, each once.
func (w *writer) generate() error {
	t := w.template(w.ctx, w.question.Collections)
	w.answer.Prompt = &t.version
	chats := append([]Chat{w.o.Chat}, w.o.Others...)
	ctx := w.ctx
	if w.o.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, w.o.Timeout, errLate)
		defer cancel()
	}
	var err error
	for i, chat := range chats {
		var r rag.Rendering
		if r, err = w.build(w.question, w.answer.Passages, t, chat); err != nil {
			if i+1 < len(chats) {
				continue // a smaller window than another's
			}
			return err
		}
		w.answer.Model, w.answer.Dropped = chat.Model(), r.Dropped
		var begun bool
		begun, err = w.attempt(ctx, chat, r, len(chats)-i)
		if code := rag.CodeOf(err); err == nil || begun || w.ctx.Err() != nil || code != rag.Unavailable && code != rag.Timeout && code != rag.BadUpstream {
			return err
		}
		if i+1 < len(chats) {
			w.o.Logger.Warn("a language model failed before its first word, asking the next", "model", chat.Model(), "error", err)
		}
	}
	return err
}

// attempt has one model write. begun: it has written something. A model that others follow gets its share of the time that is left to begin in.
func (w *writer) attempt(ctx context.Context, chat Chat, r rag.Rendering, left int) (begun bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if deadline, ok := ctx.Deadline(); ok && left > 1 {
		late := time.AfterFunc(time.Until(deadline)/time.Duration(left), func() { cancel(errLate) })
		defer late.Stop()
		alive := chat
		chat = chatFunc{alive, func(ctx context.Context, p rag.Prompt, emit func(rag.Delta) error) error {
			pieces := 0
			return alive.Generate(ctx, p, func(d rag.Delta) error {
				// The first piece often comes at once and says nothing but who speaks.
				if pieces++; pieces > 1 || d.Text != "" || d.Thinking != "" {
					late.Stop()
				}
				return emit(d)
			})
		}}
	}
	text := newWritten(w, len(r.Passages), r.Fence)
	err = chat.Generate(ctx, r.Prompt, text.take)
	switch {
	case errors.Is(err, errTooLong):
		return true, rag.Errorf(rag.BadUpstream, "The language model wrote more than %d bytes and was stopped.", maxAnswerBytes)
	case err != nil && w.ctx.Err() == nil && errors.Is(context.Cause(ctx), errLate):
		return text.begun, rag.Errorf(rag.Timeout, "The language model %s did not answer in time (FOOTNOTE_LLM_TIMEOUT): %w", chat.Model(), err)
	case err != nil:
		return text.begun, err
	}
	if err := text.end(); err != nil {
		return text.begun, err
	}
	said := strings.TrimSpace(w.answer.Text)
	if key(blank(w.answer.Text, spansOf(text.notes))) == "" {
		said = "" // markers and punctuation say nothing
	}
	switch {
	case text.refused && len(text.notes) == 0, said != "" && len(text.notes) == 0 && refuses(said):
		return true, w.abstain("The language model found no answer in the passages.")
	case said == "" && text.size > 0:
		return true, rag.Errorf(rag.BadUpstream, "The language model %s answered with markers only.", chat.Model())
	case said == "" && w.answer.Thinking != "":
		return true, rag.Errorf(rag.BadUpstream, "The language model %s thought and did not answer; give it more tokens (max_tokens, FOOTNOTE_LLM_MAX_TOKENS).", chat.Model())
	case said == "":
		return false, rag.Errorf(rag.BadUpstream, "The language model %s answered with nothing.", chat.Model())
	}
	if err := w.timed("verify", func() error { return w.ground(text.notes) }); err != nil {
		return true, err
	}
	if text.cut {
		if w.answer.Status == rag.Answered {
			w.answer.Status = rag.Partial
		}
		w.answer.Reason = strings.TrimSpace(w.answer.Reason + " The language model was stopped where it had written as much as it may (max_tokens).")
	}
	return true, nil
}

// chatFunc is a Chat whose Generate is another's.
type chatFunc struct {
	Chat
	generate func(ctx context.Context, p rag.Prompt, emit func(rag.Delta) error) error
}

func (c chatFunc) Generate(ctx context.Context, p rag.Prompt, emit func(rag.Delta) error) error {
	return c.generate(ctx, p, emit)
}
