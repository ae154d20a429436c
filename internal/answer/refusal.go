package answer

import (
	"regexp"
	"strings"
	"unicode"

	"footnote/internal/text"
)

// refusalKeys are the forms that a refusal may begin with, by their letters and digits: models put quotation marks, stars and full stops around it, spaces in the place of underscores, and
// announce it.
var refusalKeys = func() []string {
	word := key(notThere)
	keys := []string{word}
	for _, lead := range []string{"answer", "the answer is", "final answer", "response", "a", "答案", "答案是", "回答", "答", "最终答案", "最終答案"} {
		keys = append(keys, key(lead)+word)
	}
	return keys
}()

// key is the letters and digits of s, in lower case and of common width.
func key(s string) string {
	return strings.Map(func(r rune) rune {
		if r = text.FoldRuneWidth(r); unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}

// mayRefuse tells whether an answer that begins like this may be a refusal yet. The very word is one whatever follows, for models explain themselves; the same letters in plain
// words only where nothing follows ("Not in documents before 1990, but …" is an answer).
func mayRefuse(opening string) bool {
	if len(opening) > 4096 {
		return refusalWord.MatchString(text.FoldWidth(opening[:4096]))
	}
	k := key(opening)
	for _, whole := range refusalKeys {
		if strings.HasPrefix(whole, k) || strings.HasPrefix(k, whole) && refusalWord.MatchString(text.FoldWidth(opening)) {
			return true
		}
	}
	return false
}

// refusalOnly tells whether an answer that was held back to its end is a refusal.
func refusalOnly(opening string) bool {
	k := key(opening)
	for _, whole := range refusalKeys {
		if k == whole || strings.HasPrefix(k, whole) && refusalWord.MatchString(text.FoldWidth(opening)) {
			return true
		}
	}
	return false
}

// plainRefusal is how models say in their own words that the passages have no answer, in English and Chinese.
var plainRefusal = regexp.MustCompile(`(?is)^\W*(?:` +
	`(?:(?:sorry|unfortunately|i apologi[sz]e|based on|according to|from)\b[^.!?]{0,80}?[,;:]?\s*)?` +
	`(?:(?:the|these|those|any|none of the|no)\s+)?(?:(?:provided|given|available|above|supplied|numbered)\s+)*(?:passages?|documents?|sources?|texts?|context|information|excerpts?)\b[^.!?]{0,60}?` +
	`(?:(?:do|does|did)(?:\s+not|n['’]t)|cannot|can['’]t|(?:is|are)\s+(?:not|insufficient)|(?:has|have|contains?|provides?)\s+no|lacks?)\b.{0,200}` +
	`|none of the\s+(?:\w+\s+){0,2}(?:passages?|documents?|sources?|texts?|excerpts?)\b.{0,200}` +
	`|(?:(?:sorry|unfortunately|based on|according to|from)\b[^.!?]{0,80}?[,;:]?\s*)?(?:i\s+(?:am|['’]m)\s+(?:sorry|unable|not able)|i\s+(?:cannot|can['’]t|can not|could not|couldn['’]t|do not|don['’]t)\s+(?:answer|find|know|determine|tell|have)|i['’]m\s+(?:sorry|unable|not able)|there\s+is\s+(?:no|not enough|insufficient)\s+(?:information|mention|answer|data)|it\s+is\s+(?:not\s+(?:possible|stated|mentioned|specified|clear)|impossible)|(?:unable|not possible)\s+to\s+(?:answer|determine)|no\s+(?:answer|information|relevant))\b.{0,200}` +
	`)$`)

var plainRefusalZH = regexp.MustCompile(`(?s)^[\s\p{P}]*(?:很?抱歉[，,、]?|对不起[，,]?|對不起[，,]?|不好意思[，,]?)?\s*(?:` +
	`(?:根据|根據|依据|依據|在|从|從)?(?:您|你)?(?:所)?(?:提供|给定|給定|给出|給出|上述|以上|这些|這些|现有|現有)?的?(?:文档|文檔|文件|段落|资料|資料|上下文|文中|原文|材料|内容|內容|信息|資訊|来源|來源|文章)[^。！？]{0,30}?(?:没有|沒有|并未|並未|未|无法|無法|不能|不包含|不足以|不含|找不到|查不到)` +
	`|(?:我)?(?:无法|無法|不能|没法|沒法)(?:从|從|根据|根據|回答|确定|確定|得知|判断|判斷|找到)` +
	`|(?:没有|沒有|未)(?:找到|提供|提到|提及|说明|說明|相关|相關|足够|足夠|任何)` +
	`|(?:我)?不知道).{0,150}$`)

// refuses tells whether a whole answer that cites nothing says no more than that there is no answer: at most two sentences, the first of which says so.
func refuses(answer string) bool {
	sentences := text.Sentences(answer)
	if len(sentences) == 0 || len(sentences) > 2 {
		return false
	}
	first := text.Slice(answer, sentences[0].Start, sentences[0].End)
	return plainRefusal.MatchString(first) || plainRefusalZH.MatchString(first)
}
