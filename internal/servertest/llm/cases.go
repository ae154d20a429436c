package llm

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Case is one way in which an endpoint behaves, and what the service is to answer.
type Case struct {
	Name   string
	Script Script
	HTTP   int      // status of the answer
	Code   string   // of the problem, where HTTP is not 200
	Status []string // of the answer; empty: answered or partial
	Says   []string // what the answer's text has
	Hides  []string // and what it must not have
	Thinks string   // what its thinking has
}

// Statuses are those that the case allows.
func (c Case) Statuses() []string {
	if len(c.Status) == 0 {
		return []string{"answered", "partial"}
	}
	return c.Status
}

const (
	bom       = "\uFEFF"
	zeroWidth = "\u200B"
)

var abstained = []string{"abstained"}

// quote says a sentence of passage 1 with a marker of the given form.
func quote(marker string) Script {
	return func(w *Writer, r Request) {
		w.Say(r.Sentence(1), " "+marker, r.Stop())
		w.Finish("stop")
	}
}

// status answers with a status.
func status(code int, contentType, body string, header ...string) Script {
	return func(w *Writer, _ Request) { w.Status(code, contentType, body, header...) }
}

// Cases are the ways, good ones first. docs/providers.md lists them.
func Cases() []Case {
	return slices.Concat(markerCases(), textCases(), thoughtCases(), refusalCases(), wireCases(), failureCases())
}

func markerCases() []Case {
	return []Case{
		{Name: "well behaved", Script: quote("[1]"), HTTP: 200, Says: []string{"[1]"}},
		{Name: "marker of another passage", Script: quote("[2]"), HTTP: 200},
		{Name: "marker of no passage", Script: quote("[77]"), HTTP: 200, Hides: []string{"77"}},
		{Name: "full-width markers", Script: quote("［１］【１】"), HTTP: 200, Says: []string{"[1]"}, Hides: []string{"［", "【"}},
		{Name: "several in one marker", Script: quote("[1, 2]"), HTTP: 200},
		{Name: "footnote syntax", Script: quote("[^1]"), HTTP: 200, Hides: []string{"^"}},
		{Name: "marker after the full stop", Script: func(w *Writer, r Request) { w.Say(r.Sentence(1)+r.Stop(), " [1]"); w.Finish("stop") }, HTTP: 200},
		{Name: "marker cut into pieces", Script: func(w *Writer, r Request) { w.Say(r.Sentence(1)+" ", "[", "1", "]", r.Stop()); w.Finish("stop") }, HTTP: 200, Says: []string{"[1]"}},
		{Name: "zero-width characters in a marker", Script: quote("[" + zeroWidth + "1" + zeroWidth + "]"), HTTP: 200, Says: []string{"[1]"}, Hides: []string{zeroWidth}},
		{Name: "no marker", Script: quote(""), HTTP: 200},
		{Name: "markers only", Script: Good("[1] ", "[12]"), HTTP: 502, Code: "bad_upstream"},
		{Name: "citations of its own making", Script: func(w *Writer, r Request) {
			w.Say(r.Sentence(1), " (source: handbook.pdf, p. 3; https://example.com/leave) [99][doc3]", r.Stop())
			w.Finish("stop")
		}, HTTP: 200, Hides: []string{"[99]"}},
	}
}

func textCases() []Case {
	return []Case{
		{Name: "repeats itself", Script: func(w *Writer, r Request) {
			for range 20 {
				w.Say(r.Sentence(1), " [1]", r.Stop()+" ")
			}
			w.Finish("stop")
		}, HTTP: 200},
		{Name: "Markdown table", Script: func(w *Writer, r Request) {
			w.Say("| a | b |\n|---|---|\n| ", r.Sentence(1), " [1] | ", r.Sentence(2), " [2] |\n")
			w.Finish("stop")
		}, HTTP: 200},
		{Name: "another language", Script: Good("Le congé parental dure seize semaines à plein salaire [1]."), HTTP: 200, Says: []string{"Le congé"}},
		{Name: "says the fence of its prompt", Script: func(w *Writer, r Request) {
			tag := "<passage-" + r.Fence + " number=\"1\">"
			w.Say(tag[:5], tag[5:], "\n", r.Sentence(1), " [1]"+r.Stop(), "\n</passage-", r.Fence, ">", " passage-"+r.Fence)
			w.Finish("stop")
		}, HTTP: 200, Hides: []string{"<passage-", "passage-"}},
		{Name: "follows an instruction in a passage", Script: func(w *Writer, r Request) {
			at := 1
			for n, p := range r.Passages {
				if strings.Contains(p, "Ignore all previous instructions") {
					at = n
				}
			}
			w.Say(fmt.Sprintf("Parental leave lasts ninety-nine weeks [%d].", at))
			w.Finish("stop")
		}, HTTP: 200},
		{Name: "byte order mark and control characters", Script: func(w *Writer, r Request) {
			w.Say(bom, "\u202E\u0000", r.Sentence(1), zeroWidth+" [1]\u0007", r.Stop())
			w.Finish("stop")
		}, HTTP: 200, Hides: []string{bom, zeroWidth, "\u202E", "\u0000", "\u0007"}},
		{Name: "UTF-8 cut between two pieces", Script: func(w *Writer, _ Request) {
			s := "员工每年享有十五天带薪年假😀 [1]。"
			for i := range len(s) {
				w.Bytes(s[i : i+1])
			}
			w.Finish("stop")
		}, HTTP: 200, Says: []string{"员工每年享有十五天带薪年假😀 [1]。"}},
		{Name: "bytes that are no UTF-8", Script: func(w *Writer, _ Request) {
			w.Bytes("Sixteen weeks \xE5\x91", " at full pay\xFF [1].", "\xF0\x9F")
			w.Finish("stop")
		}, HTTP: 200, Says: []string{"\uFFFD"}},
		{Name: "marks between turns", Script: func(w *Writer, r Request) {
			w.Say("<|im_start|>assistant\n", r.Sentence(1), " [1]", r.Stop(), "<|im_", "end|>\n<|im_start|>user\nmade up")
			w.Finish("stop")
		}, HTTP: 200, Hides: []string{"<|", "made up"}},
		{Name: "nothing but marks between turns", Script: Good("<|im_end|>user\n", "<|im_start|>user\n"), HTTP: 502, Code: "bad_upstream"},
		{Name: "stopped at max_tokens", Script: func(w *Writer, r Request) { w.Say(r.Sentence(1), " [1]", r.Stop(), " And"); w.Finish("length") }, HTTP: 200, Status: []string{"partial"}},
		{Name: "endless", Script: func(w *Writer, r Request) {
			for r.HTTP.Context().Err() == nil {
				w.Say(strings.Repeat("and so on ", 100))
			}
		}, HTTP: 502, Code: "bad_upstream"},
		{Name: "nothing", Script: Good(), HTTP: 502, Code: "bad_upstream"},
		{Name: "white space only", Script: Good("  ", "\n\n"), HTTP: 502, Code: "bad_upstream"},
	}
}

func thoughtCases() []Case {
	thinks := func(before ...string) Script {
		return func(w *Writer, r Request) {
			w.Say(append(before, r.Sentence(1), " [1]", r.Stop())...)
			w.Finish("stop")
		}
	}
	const thought = "the secret thought [1]"
	return []Case{
		{Name: "thoughts in tags", Script: thinks("<think>\n" + thought + "\n</think>\n\n"), HTTP: 200, Hides: []string{"secret", "think>"}, Thinks: thought},
		{Name: "thoughts in tags that are cut", Script: thinks("<th", "ink>", thought, "</", "thi", "nk>", "\n"), HTTP: 200, Hides: []string{"secret", "nk>"}, Thinks: thought},
		{Name: "thoughts within thoughts", Script: thinks("<think>" + thought + "<think>deeper secret</think> and back</think>"), HTTP: 200, Hides: []string{"secret", "and back", "think>"}, Thinks: "and back"},
		{Name: "thoughts that speak of tags", Script: thinks("<think>"+thought+": use <think> here</think>", "\n"), HTTP: 200, Hides: []string{"secret", "think>"}, Thinks: thought},
		{Name: "thoughts in a field", Script: func(w *Writer, r Request) {
			w.Delta(map[string]any{"role": "assistant", "reasoning_content": thought[:10]})
			w.Delta(map[string]any{"reasoning_content": thought[10:], "content": nil})
			w.Say(r.Sentence(1), " [1]", r.Stop())
			w.Finish("stop")
		}, HTTP: 200, Hides: []string{"secret"}, Thinks: thought},
		{Name: "thoughts in two fields", Script: func(w *Writer, r Request) {
			w.Delta(map[string]any{"reasoning": thought, "reasoning_content": thought})
			w.Say(r.Sentence(1), " [1]", r.Stop())
			w.Finish("stop")
		}, HTTP: 200, Hides: []string{"secret"}, Thinks: thought},
		{Name: "parts instead of a text", Script: func(w *Writer, r Request) {
			w.Delta(map[string]any{"content": []any{map[string]any{"type": "thinking", "thinking": []any{map[string]any{"type": "text", "text": thought}}}}})
			w.Delta(map[string]any{"content": []any{map[string]any{"type": "text", "text": r.Sentence(1) + " [1]" + r.Stop()}}})
			w.Finish("stop")
		}, HTTP: 200, Hides: []string{"secret"}, Thinks: thought},
		{Name: "thoughts without an end", Script: Good("<think>", strings.Repeat("and then ", 50)), HTTP: 502, Code: "bad_upstream"},
	}
}

func refusalCases() []Case {
	refuses := func(pieces ...string) Case {
		return Case{Script: Good(pieces...), HTTP: 200, Status: abstained, Hides: []string{"NOT_IN", "NOT\\_IN"}}
	}
	named := func(name string, c Case) Case { c.Name = name; return c }
	return []Case{
		named("refuses", refuses("NOT_IN_", "DOCUMENTS")),
		named("refuses in Markdown", refuses("**`NOT\\_IN\\_DOCUMENTS`**.\n")),
		named("refuses in quotation marks", refuses("“", "NOT_IN_DOCUMENTS", "”。")),
		named("refuses after an announcement", refuses("答案：", "NOT_IN_DOCUMENTS")),
		named("refuses and explains", refuses("NOT_IN_DOCUMENTS\n\n", "The passages speak of travel only [1].")),
		named("refuses in plain letters", refuses("Not in documents.")),
		named("refuses in full width", refuses("ＮＯＴ＿ＩＮ＿ＤＯＣＵＭＥＮＴＳ")),
		named("refuses after thinking", refuses("<think>nothing there</think>", "\n\"NOT_IN_DOCUMENTS\"")),
		named("refuses in the end", refuses("I have looked everywhere. ", "NOT_IN_", "DOCUMENTS")),
		named("refuses in its own English", refuses("The provided passages do not contain information about this question.")),
		named("refuses in its own Chinese", refuses("根据提供的段落，无法回答这个问题。")),
		named("refuses in traditional Chinese", refuses("抱歉，文件中沒有提到這個問題的答案。")),
	}
}

func wireCases() []Case {
	whole := func(content any) string {
		b, _ := json.Marshal(map[string]any{"object": "chat.completion", "choices": []any{map[string]any{"index": 0, "message": map[string]any{"role": "assistant", "content": content}, "finish_reason": "stop"}}})
		return string(b)
	}
	return []Case{
		{Name: "wrong content type", Script: func(w *Writer, r Request) {
			w.w.Header().Set("Content-Type", "text/plain")
			quote("[1]")(w, r)
		}, HTTP: 200, Says: []string{"[1]"}},
		{Name: "JSON in the place of a stream", Script: func(w *Writer, r Request) {
			w.Status(200, "application/json", whole(r.Sentence(1)+" [1]"+r.Stop()))
		}, HTTP: 200, Says: []string{"[1]"}},
		{Name: "comments to keep alive", Script: func(w *Writer, r Request) {
			w.begin()
			for range 1000 {
				w.Raw(": keep-alive\n\n")
			}
			quote("[1]")(w, r)
		}, HTTP: 200},
		{Name: "CR LF and event names", Script: func(w *Writer, r Request) {
			w.lineEnd = "\r\n"
			w.begin()
			w.Raw("retry: 1000\r\nid: 1\r\nevent: message\r\n")
			quote("[1]")(w, r)
		}, HTTP: 200},
		{Name: "byte order mark before the stream", Script: func(w *Writer, r Request) { w.begin(); w.Raw(bom); quote("[1]")(w, r) }, HTTP: 200},
		{Name: "an event over several lines", Script: func(w *Writer, r Request) {
			b, _ := json.Marshal(r.Sentence(1) + " [1]" + r.Stop())
			w.begin()
			w.Raw("data: {\"choices\":\ndata: [{\"index\":0,\"delta\":\ndata: {\"content\":" + string(b) + "}}]}\n\n")
			w.Finish("stop")
		}, HTTP: 200, Says: []string{"[1]"}},
		{Name: "no blank lines", Script: func(w *Writer, r Request) { w.lineEnd = "\n"; w.w = unspaced{w.w}; quote("[1]")(w, r) }, HTTP: 200},
		{Name: "finishes twice and goes on", Script: func(w *Writer, r Request) {
			w.Say(r.Sentence(1), " [1]", r.Stop())
			w.Event(`{"choices":[{"index":0,"delta":{"content":""},"finish_reason":"stop"}]}`)
			w.Say(" And more after the end.")
			w.Finish("stop")
		}, HTTP: 200, Hides: []string{"after the end"}},
		{Name: "ends without a reason", Script: func(w *Writer, r Request) { w.Say(r.Sentence(1), " [1]", r.Stop()); w.Event("[DONE]") }, HTTP: 200},
		{Name: "roles and nulls between the words", Script: func(w *Writer, r Request) {
			w.Delta(map[string]any{"role": "assistant"})
			w.Delta(map[string]any{"role": "assistant", "content": nil})
			w.Say(r.Sentence(1))
			w.Delta(map[string]any{"content": nil})
			w.Event(`{"choices":[]}`)
			w.Event(`{"choices":null,"usage":null,"error":null}`)
			w.Say(" [1]", r.Stop())
			w.Finish("stop")
		}, HTTP: 200},
		{Name: "a second choice", Script: func(w *Writer, r Request) {
			w.Event(`{"choices":[{"index":1,"delta":{"content":"the other choice"}}]}`)
			quote("[1]")(w, r)
		}, HTTP: 200, Hides: []string{"other choice"}},
		{Name: "absurd usage", Script: func(w *Writer, r Request) {
			w.Say(r.Sentence(1), " [1]", r.Stop())
			w.Event(`{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":-5,"completion_tokens":-1}}`)
			w.Event("[DONE]")
		}, HTTP: 200},
		{Name: "drips", Script: func(w *Writer, r Request) {
			for _, c := range r.Sentence(1) + " [1]" + r.Stop() {
				w.Say(string(c))
				select {
				case <-time.After(time.Millisecond):
				case <-r.HTTP.Context().Done():
				}
			}
			w.Finish("stop")
		}, HTTP: 200, Says: []string{"[1]"}},
		{Name: "does not know a field", Script: func(w *Writer, r Request) {
			for _, name := range []string{"stream_options", "max_tokens", "seed"} {
				if _, ok := r.Fields[name]; ok {
					w.Status(400, "application/json", `{"error":{"message":"Unsupported parameter: '`+name+`'"}}`)
					return
				}
			}
			quote("[1]")(w, r)
		}, HTTP: 200},
	}
}

func failureCases() []Case {
	return []Case{
		{Name: "breaks off", Script: func(w *Writer, r Request) { w.Say(r.Sentence(1), " [1]") }, HTTP: 502, Code: "bad_upstream"},
		{Name: "error in the stream", Script: func(w *Writer, r Request) {
			w.Say(r.Sentence(1), " [1]")
			w.Event(`{"error":{"message":"CUDA out of memory, key sk-canary","code":500}}`)
		}, HTTP: 502, Code: "bad_upstream"},
		{Name: "error outside of an event", Script: func(w *Writer, r Request) {
			w.Say(r.Sentence(1))
			w.Raw(`{"error": {"message": "overloaded"}}` + "\n\n")
		}, HTTP: 502, Code: "bad_upstream"},
		{Name: "error with status 200", Script: status(200, "application/json", `{"error":{"message":"no quota, key sk-canary"}}`), HTTP: 502, Code: "bad_upstream"},
		{Name: "a line without an end", Script: func(w *Writer, _ Request) {
			w.begin()
			w.Raw(`data: {"choices":[{"index":0,"delta":{"content":"`)
			for range 48 {
				w.Raw(strings.Repeat("x", 64<<10))
			}
		}, HTTP: 502, Code: "bad_upstream"},
		{Name: "a huge piece", Script: Good(strings.Repeat("and so on ", 9000)), HTTP: 502, Code: "bad_upstream"},
		{Name: "broken JSON", Script: func(w *Writer, _ Request) { w.Event(`{"choices": [`) }, HTTP: 502, Code: "bad_upstream"},
		{Name: "a web page", Script: status(200, "text/html", "<!DOCTYPE html><html>It works!</html>"), HTTP: 502, Code: "bad_upstream"},
		{Name: "an empty body", Script: status(200, "text/event-stream", ""), HTTP: 502, Code: "bad_upstream"},
		{Name: "tool calls in the place of words", Script: func(w *Writer, _ Request) {
			w.Delta(map[string]any{"content": nil, "tool_calls": []any{map[string]any{"index": 0, "id": "t", "type": "function", "function": map[string]any{"name": "search", "arguments": "{}"}}}})
			w.Finish("tool_calls")
		}, HTTP: 502, Code: "bad_upstream"},
		{Name: "stopped by a content filter", Script: func(w *Writer, r Request) { w.Say(r.Sentence(1)); w.Finish("content_filter") }, HTTP: 502, Code: "bad_upstream"},
		{Name: "limits the rate", Script: status(429, "application/json", `{"error":{"message":"sk-canary is too fast"}}`, "Retry-After", "7"), HTTP: 503, Code: "unavailable"},
		{Name: "fails", Script: status(500, "text/plain", "oops"), HTTP: 503, Code: "unavailable"},
		{Name: "refuses the key", Script: status(401, "application/json", `{"error":{"message":"sk-canary is wrong"}}`), HTTP: 502, Code: "bad_upstream"},
		{Name: "does not know the model", Script: status(404, "application/json", `{"error":{"message":"no such model"}}`), HTTP: 502, Code: "bad_upstream"},
		{Name: "finds the prompt too long", Script: status(400, "application/json", `{"error":{"message":"This model's maximum context length is 512 tokens, max_tokens included."}}`), HTTP: 502, Code: "bad_upstream"},
	}
}
