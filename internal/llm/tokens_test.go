package llm

import (
	"strings"
	"testing"

	"footnote/internal/evaldata"
)

func TestLookUp(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]model{
		"gpt-4o-mini-2024-07-18":                known["gpt-4o"],
		"gpt-4":                                 known["gpt-4"],
		"gpt-4-0613":                            known["gpt-4"],
		"gpt-4-turbo-preview":                   known["gpt-4-turbo"],
		"gpt-4.1-nano":                          known["gpt-4.1"],
		"gpt-4.5-preview":                       {window: DefaultWindow},
		"openai/gpt-5-chat-latest":              known["gpt-5-chat"],
		"o1-mini":                               known["o1-mini"],
		"o3":                                    known["o3"],
		"o30":                                   {window: DefaultWindow},
		"qwen3:8b":                              known["qwen3"],
		"Qwen/Qwen2.5-7B-Instruct":              known["qwen2.5"],
		"Qwen/Qwen3-4B-Thinking-2507":           {window: 32_768, vocabulary: chinese, thinks: true, opened: true},
		"meta-llama/Meta-Llama-3.1-8B-Instruct": known["llama-3.1"],
		"llama3:latest":                         known["llama3"],
		"deepseek-ai/DeepSeek-R1-Distill-Llama-70B": known["deepseek-r1"],
		"glm-4-flash":          known["glm-4"],
		"chatglm3-6b":          known["chatglm3"],
		"THUDM/chatglm-6b":     known["chatglm"],
		"gemma-3-270m":         known["gemma-3"],
		"mistral-small-latest": known["mistral-sm"],
		"my-own-model":         {window: DefaultWindow},
		"":                     {window: DefaultWindow},
	} {
		if got := lookUp(name); got != want {
			t.Errorf("%q: got %+v, want %+v", name, got, want)
		}
	}
	for name, m := range known {
		if m.window < 2048 || name != strings.ToLower(name) {
			t.Errorf("%q is known as %+v", name, m)
		}
	}
	if got := New(Options{Model: "gpt-4", Window: 777}).Window(); got != 777 {
		t.Errorf("got the window %d, want that of the options", got)
	}
}

// Counts as OpenAI's own tokenizers give them.
func TestCountTokens_CountsAsTheModelDoes(t *testing.T) {
	t.Parallel()
	for s, want := range map[string][2]int{ // cl100k_base, o200k_base
		"":                             {0, 0},
		"hello world":                  {2, 2},
		"tiktoken is great!":           {6, 6},
		"antidisestablishmentarianism": {6, 6},
		"2 + 2 = 4":                    {7, 7},
		"お誕生日おめでとう":                    {9, 8},
	} {
		if got := [2]int{countTokens(cl100k, s), countTokens(o200k, s)}; got != want {
			t.Errorf("%q: got %v, want %v", s, got, want)
		}
	}
	long := strings.Repeat("长", 20000)
	if n := countTokens(o200k, long); n < 10000 || n > 21000 {
		t.Errorf("20,000 times one character: %d tokens", n)
	}
}

func TestEstimate_IsHardlyEverTooLow(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]string{
		"English":     "Parental leave lasts sixteen weeks at full pay. It may be taken within two years of the birth, according to the handbook's third chapter.",
		"simplified":  "员工每年享有十五天带薪年假。未休的年假可以顺延到次年三月底。病假超过三天须提交医院证明。",
		"traditional": "出差住宿每晚以三千元為上限，超過部分須經主管核准。機票一律搭乘經濟艙。",
		"mixed":       "GPT-4o 的上下文为 128,000 tokens，约 96,000 个英文单词（2024年5月）。",
		"numbers":     "2024-05-13T10:00:00Z 3.14159265 1,234,567.89 +86 139 1234 5678",
		"emoji":       "👩‍💻🌴😀 ok",
		"code":        "func main() {\n\tfmt.Println(\"hello\")\n}\n",
		"German":      "Die Elternzeit beträgt sechzehn Wochen bei vollem Gehalt und muß schriftlich beantragt werden.",
	} {
		// Families that know Chinese have a token for a character at most, as o200k_base has; cl100k_base has up to 1.6.
		for v, estimated := range map[vocabulary]int{o200k: countTokens(chinese, s), cl100k: countTokens(unknownVocabulary, s)} {
			if real := countTokens(v, s); estimated < real || estimated > 3*real {
				t.Errorf("%s: estimated at %d tokens, and has %d", name, estimated, real)
			}
		}
	}
}

// How far the estimates are off on real passages, against the two vocabularies that can be counted here.
func TestEstimate_OnRealText(t *testing.T) {
	t.Parallel()
	for _, set := range []string{"xquad-en", "xquad-zh", "drcd-dev", "scifact"} {
		passages := evaldata.Lines[struct{ Text string }](t, evaldata.Path(t, "retrieval", set, "corpus.jsonl"))
		passages = passages[:min(400, len(passages))]
		total, low := map[string]int{}, map[string]int{}
		for _, p := range passages {
			for name, v := range map[string][2]vocabulary{"rich/o200k": {chinese, o200k}, "poor/cl100k": {unknownVocabulary, cl100k}} {
				estimated, real := countTokens(v[0], p.Text), countTokens(v[1], p.Text)
				total[name+" estimated"] += estimated
				total[name+" real"] += real
				if estimated < real {
					low[name]++
				}
			}
		}
		for _, name := range []string{"rich/o200k", "poor/cl100k"} {
			ratio := float64(total[name+" estimated"]) / float64(total[name+" real"])
			t.Logf("%s, %s: %.2f times the real count, too low for %d of %d passages", set, name, ratio, low[name], len(passages))
			if ratio < 1 || ratio > 2.5 || low[name]*20 > len(passages) {
				t.Errorf("%s, %s: the estimate is %.2f times the real count and too low for %d of %d passages", set, name, ratio, low[name], len(passages))
			}
		}
	}
}
