package llm

import (
	"strings"
	"testing"
)

func TestThoughts_AreKeptApartHoweverTheyAreCut(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		opened        bool
		in            string
		text, thought string
	}{
		"none":                      {false, "An answer [1].", "An answer [1].", ""},
		"tags":                      {false, "<think>hm 嗯</think>\n答案 [1]。", "\n答案 [1]。", "hm 嗯"},
		"another tag":               {false, "<reasoning>hm</reasoning>yes", "yes", "hm"},
		"white space before":        {false, "\n  <think>hm</think>yes", "\n  yes", "hm"},
		"nested":                    {false, "<think>a<think>b</think>c</think>yes", "yes", "a<think>b</think>c"},
		"unbalanced":                {false, "<think>is <think> a tag?</think>yes", "yes", "is <think> a tag?</think>"},
		"without an end":            {false, "<think>hm", "", "hm"},
		"on a later line":           {false, "First [1].\n<think>hm</think>\nSecond [2].", "First [1].\n\nSecond [2].", "hm"},
		"in the middle of a line":   {false, "The tag <think> opens thoughts [1].", "The tag <think> opens thoughts [1].", ""},
		"other tags":                {false, "a < b and <b>c</b> <thin", "a < b and <b>c</b> <thin", ""},
		"a closing tag alone":       {false, "yes</think> and no", "yes and no", ""},
		"opened by the template":    {true, "hm\n</think>\n\nyes", "\n\nyes", "hm"},
		"opened twice":              {true, "<think>hm</think>yes", "yes", "hm"},
		"opened and never closed":   {true, "An answer at once [1].", "An answer at once [1].", ""},
		"an emoji beside the tags":  {false, "<think>🤔</think>👍", "👍", "🤔"},
		"nothing but an empty pair": {false, "<think>\n\n</think>\n\n四十 [1]。", "\n\n四十 [1]。", ""},
	} {
		for size := range 9 {
			var text strings.Builder
			th := &thoughts{opened: c.opened, text: func(s string) error { text.WriteString(s); return nil }}
			for rest := c.in; rest != ""; {
				n := size
				if n == 0 || n > len(rest) {
					n = len(rest)
				}
				if err := th.write(rest[:n]); err != nil {
					t.Fatal(err)
				}
				rest = rest[n:]
			}
			thought, err := th.end()
			if err != nil || text.String() != c.text || thought != c.thought {
				t.Errorf("%s, in pieces of %d: got %q and the thought %q, want %q and %q", name, size, text.String(), thought, c.text, c.thought)
			}
		}
	}
}

func TestThoughts_AreBounded(t *testing.T) {
	t.Parallel()
	th := &thoughts{text: func(string) error { return nil }}
	for range 40 {
		if err := th.write("<think>" + strings.Repeat("x", 1<<16)); err != nil {
			t.Fatal(err)
		}
	}
	if thought, err := th.end(); err != nil || len(thought) > maxThoughtBytes+1<<17 {
		t.Errorf("kept %d bytes, %v", len(thought), err)
	}
}

func TestWholeRunes_JoinsWhatWasCut(t *testing.T) {
	t.Parallel()
	const s = "é 中文 😀 ok"
	for size := 1; size < 6; size++ {
		w, out := &wholeRunes{}, ""
		for rest := s; rest != ""; {
			n := min(size, len(rest))
			out += w.write(rest[:n])
			rest = rest[n:]
		}
		if out += w.end(); out != s {
			t.Errorf("in pieces of %d: got %q", size, out)
		}
	}
	for in, want := range map[string]string{"a\xFFb": "a\uFFFDb", "\x80": "\uFFFD", "\xE4\xB8": "\uFFFD", "\xF0\x9F\x98": "\uFFFD", "\xC3(": "\uFFFD(", "": ""} {
		w := &wholeRunes{}
		if got := w.write(in) + w.end(); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
