package answer

import (
	"slices"
	"strings"

	"footnote/internal/rag"
	"footnote/internal/text"
)

// Window is how much a language model takes and how it counts. A Chat that is none is not bounded.
type Window interface {
	Window() int              // tokens of prompt and answer together
	CountTokens(s string) int // never less than the model would count, but for the error that its documentation names
	MessageTokens() int       // of a message beside its text
	Thinks() bool             // it writes thoughts before its answer
}

// turnShare is the part of the room that earlier turns may take from passages: a quarter. What passages leave is theirs, too.
const turnShare = 4

// build makes the prompt of a question for a model, nil for none: instructions, question, as many of the best passages as fit, as many of the last turns.
//
// The answer's tokens are set apart first. Passages go in by rank until one does not fit; that one and those after it are dropped, so that what the model may cite is always
// [1] to [k]. The first is cut where a sentence ends rather than dropped. Turns are left out from the oldest on.
// Errors: rag.Invalid where not a sentence fits, on /budget when the question set one.
func (s *Service) build(q rag.Question, passages []rag.Passage, t promptTemplate, chat Chat) (rag.Rendering, error) {
	window, _ := chat.(Window)
	if window == nil {
		window = s.o.Window
	}
	g := s.settings(q.Generation, window != nil && window.Thinks())
	p := &packer{question: q, template: t, window: window, passages: passages, fence: newFence(q.Text, passages)}
	r := rag.Rendering{Template: t.version, Fence: p.fence}
	if chat != nil {
		r.Model = chat.Model()
	}
	if window != nil {
		r.Window = window.Window()
		if q.Generation.MaxTokens == 0 {
			g.MaxTokens = min(g.MaxTokens, max(r.Window/3, 1))
		}
		p.budget = r.Window - g.MaxTokens
		if g.Budget > 0 {
			p.budget = min(p.budget, g.Budget)
		}
	}
	if err := p.pack(); err != nil {
		return r, err
	}
	if !p.fits() {
		if g.Budget > 0 && p.budget == g.Budget {
			return r, rag.FieldErrorf("/budget", "The instructions, the question and the beginning of the best passage have more than the %d tokens of budget; raise it, or ask a shorter question.", g.Budget)
		}
		return r, rag.Errorf(rag.Invalid, "The instructions, the question and the beginning of the best passage do not fit into the language model's window of %d tokens beside the %d kept for its answer; ask a shorter question or lower max_tokens. FOOTNOTE_LLM_CONTEXT sets the window.", r.Window, g.MaxTokens)
	}
	r.Prompt = rag.Prompt{System: p.system, Messages: p.messages, MaxTokens: g.MaxTokens, Temperature: g.Temperature, Seed: g.Seed, Stop: g.Stop}
	r.Tokens, r.Turns = p.tokens, p.turnsFrom
	for i, passage := range passages {
		if i < p.kept {
			r.Passages = append(r.Passages, passage.Number)
		} else {
			r.Dropped = append(r.Dropped, passage.Number)
		}
	}
	if p.sentences > 0 {
		r.Cut = passages[0].Number
	}
	return r, nil
}

// packer packs one prompt.
type packer struct {
	question rag.Question
	template promptTemplate
	window   Window // nil: everything fits
	passages []rag.Passage
	fence    string
	budget   int

	kept      int // passages
	sentences int // of the first one that are kept; 0: all
	turnsFrom int // the first turn that is kept

	system   string
	messages []rag.Message
	tokens   int
}

// render makes the prompt as it stands and counts it.
func (p *packer) render() error {
	var all strings.Builder
	for i, passage := range p.passages[:p.kept] {
		body := passageText(passage)
		if i == 0 && p.sentences > 0 {
			body = firstSentences(passage, p.sentences)
		}
		all.WriteString(fenced(p.fence, passage.Number, body))
	}
	name, tag := languageOf(p.question)
	system, user, err := p.template.render(promptData{Passages: all.String(), Question: p.question.Text, Language: name, LanguageTag: tag, Refusal: notThere})
	if err != nil {
		return err
	}
	p.system, p.messages = strings.TrimSpace(system), conversation(p.question.Messages[p.turnsFrom:], user)
	p.tokens = 0
	if p.window != nil {
		p.tokens = 3 + p.count(p.system) // OpenAI's answers are primed with 3
		for _, m := range p.messages {
			p.tokens += p.count(m.Content)
		}
	}
	return nil
}

// count counts a message.
func (p *packer) count(s string) int {
	if s == "" {
		return 0
	}
	return p.window.CountTokens(s) + p.window.MessageTokens()
}

func (p *packer) fits() bool { return p.window == nil || p.tokens <= p.budget }

// conversation puts the user's message after the earlier turns. Models' templates want user and assistant in turn: messages of one after the other become one.
func conversation(turns []rag.Message, user string) []rag.Message {
	var out []rag.Message
	for _, m := range append(slices.Clone(turns), rag.Message{Role: "user", Content: user}) {
		if n := len(out); n > 0 && out[n-1].Role == m.Role {
			out[n-1].Content += "\n\n" + m.Content
			continue
		}
		out = append(out, m)
	}
	return out
}

// pack chooses what stays. The parts' tokens are added up to find how much fits; then the whole prompt is counted, for a template may use what it is given twice or not at all.
func (p *packer) pack() error {
	turns := p.question.Messages
	if p.window == nil {
		p.kept = len(p.passages)
		return p.render()
	}
	p.turnsFrom = len(turns)
	if err := p.render(); err != nil {
		return err
	}
	room := p.budget - p.tokens
	if room < 0 {
		return nil
	}
	p.takeTurns(room / turnShare)
	spent := p.turnTokens()
	for _, passage := range p.passages {
		n := p.window.CountTokens(fenced(p.fence, passage.Number, passageText(passage)))
		if spent+n > room {
			break
		}
		spent += n
		p.kept++
	}
	if p.kept == 0 && len(p.passages) > 0 {
		p.kept, p.sentences = 1, sentenceCount(p.passages[0])
		for p.sentences > 1 && spent+p.window.CountTokens(fenced(p.fence, 1, firstSentences(p.passages[0], p.sentences))) > room {
			p.sentences--
		}
	}
	if p.sentences == 0 && p.kept == len(p.passages) {
		p.takeTurns(room - spent + p.turnTokens())
	}
	for {
		if err := p.render(); err != nil {
			return err
		}
		switch {
		case p.fits():
			return nil
		case p.turnsFrom < len(turns):
			p.turnsFrom++
		case p.kept > 1:
			p.kept--
		case p.kept == 1 && p.sentences == 0 && sentenceCount(p.passages[0]) > 1:
			p.sentences = sentenceCount(p.passages[0]) - 1
		case p.kept == 1 && p.sentences > 1:
			p.sentences--
		default:
			return nil
		}
	}
}

// takeTurns keeps the last turns that have at most so many tokens. A conversation that was cut does not begin with an answer.
func (p *packer) takeTurns(tokens int) {
	turns := p.question.Messages
	for p.turnsFrom = len(turns); p.turnsFrom > 0; p.turnsFrom-- {
		if tokens -= p.count(turns[p.turnsFrom-1].Content); tokens < 0 {
			break
		}
	}
	for p.turnsFrom > 0 && p.turnsFrom < len(turns) && turns[p.turnsFrom].Role == "assistant" {
		p.turnsFrom++
	}
}

func (p *packer) turnTokens() (n int) {
	for _, m := range p.question.Messages[p.turnsFrom:] {
		n += p.count(m.Content)
	}
	return n
}

func sentenceCount(p rag.Passage) int { return len(text.Sentences(p.Hit.Chunk.Text)) }

// firstSentences is a passage's text up to the end of its nth sentence.
func firstSentences(p rag.Passage, n int) string {
	chunk := p.Hit.Chunk
	if spans := text.Sentences(chunk.Text); n <= len(spans) {
		chunk.Text = text.Slice(chunk.Text, 0, spans[n-1].End)
	}
	return chunk.Embedded(p.Hit.Document.Title)
}
