package llm

import "strings"

// turn is what a model writes in its own turn. A server whose template does not fit its model passes on the marks between turns as text, and what the model makes up behind
// them: the turn ends there. A mark that opens the assistant's own turn at the beginning is left out.
type turn struct {
	held  string
	said  bool
	ended bool
}

var (
	turnEnds   = []string{"<|im_end|>", "<|im_start|>", "<|endoftext|>", "<|eot_id|>", "<|start_header_id|>", "<|end|>", "<|user|>", "<|return|>", "<end_of_turn>", "<start_of_turn>", "</s>", "<｜end▁of▁sentence｜>"}
	turnStarts = []string{"<|im_start|>assistant", "<start_of_turn>model", "<|start_header_id|>assistant<|end_header_id|>", "<|assistant|>"}
)

// write returns what of the next piece is the model's.
func (t *turn) write(piece string) string {
	if t.ended {
		return ""
	}
	t.held += piece
	var out strings.Builder
	pass := func(n int) {
		t.said = t.said || strings.TrimSpace(t.held[:n]) != ""
		out.WriteString(t.held[:n])
		t.held = t.held[n:]
	}
	for t.held != "" {
		i := strings.IndexByte(t.held, '<')
		if i < 0 {
			pass(len(t.held))
			break
		}
		pass(i)
		if !t.said {
			n, partial := markAt(t.held, turnStarts)
			if n > 0 {
				t.held = t.held[n:]
				continue
			}
			if partial {
				break
			}
		}
		n, partial := markAt(t.held, turnEnds)
		if n > 0 {
			t.ended, t.held = true, ""
			break
		}
		if partial {
			break
		}
		pass(1)
	}
	return out.String()
}

// end returns what was held back.
func (t *turn) end() string {
	if t.ended {
		return ""
	}
	s := t.held
	t.held = ""
	if n, _ := markAt(s, turnEnds); n > 0 {
		return ""
	}
	return s
}

// markAt finds the mark that s begins with. partial: s may become one.
func markAt(s string, marks []string) (length int, partial bool) {
	for _, m := range marks {
		if strings.HasPrefix(s, m) {
			return len(m), false
		}
		partial = partial || strings.HasPrefix(m, s)
	}
	return 0, partial
}
