package llm

import "testing"

func TestTurn_EndsWhereTheModelsTurnDoes(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"An answer [1].": "An answer [1].",
		"An answer [1].<|im_end|>\n<|im_start|>user\nmore": "An answer [1].",
		"答案 [1]。<end_of_turn>\n<start_of_turn>user\n":      "答案 [1]。",
		"<|im_start|>assistant\nAn answer [1].<|im_end|>":  "\nAn answer [1].",
		"<start_of_turn>model\n答案 [1]。":                    "\n答案 [1]。",
		"<|im_end|>user\n<|im_start|>user":                 "",
		"a < b, a <| b and <b>c</b> 😀 <":                   "a < b, a <| b and <b>c</b> 😀 <",
		"<|im_start|>user\nWho are you?":                   "",
		"yes<|im_star":                                     "yes<|im_star",
	} {
		for size := 1; size < 12; size++ {
			turn, got := &turn{}, ""
			for rest := in; rest != ""; {
				n := min(size, len(rest))
				got += turn.write(rest[:n])
				rest = rest[n:]
			}
			if got += turn.end(); got != want {
				t.Errorf("%q in pieces of %d: got %q, want %q", in, size, got, want)
			}
		}
	}
}
