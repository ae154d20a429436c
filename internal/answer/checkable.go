package answer

import (
	"regexp"
	"strings"
	"unicode"

	"footnote/internal/lexical"
	"footnote/internal/text"
)

// checkable tells whether a sentence, an item or a cell says something that a source could bear out. What is not sure to say nothing does: only questions, what has no
// letter and no digit, and sentences that are made of nothing but the phrases below are left out. A sentence with a digit always says something, unless it is a question.
func checkable(s string) bool {
	s = strings.TrimSpace(emphasis.ReplaceAllString(s, ""))
	if !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }) {
		return false
	}
	end := strings.TrimRightFunc(s, func(r rune) bool { return strings.ContainsRune(`"'”’」』)）*_ `, r) || unicode.IsSpace(r) })
	if strings.HasSuffix(end, "?") || strings.HasSuffix(end, "？") {
		return false
	}
	if strings.ContainsFunc(s, unicode.IsNumber) {
		return true
	}
	return !filler(s) && !silent(s)
}

// filler tells a sentence that only greets, offers or introduces.
func filler(s string) bool {
	if text.Language(s) == "zh" {
		return chineseFiller.MatchString(bare(s))
	}
	words := strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) && r != '\'' && r != '’' })
	if len(words) == 0 || len(words) > 24 {
		return false
	}
	joined := strings.ReplaceAll(strings.Join(words, " "), "’", "'")
	if englishCourtesy.MatchString(joined) {
		return true
	}
	if !englishOpening.MatchString(joined) {
		return false
	}
	for _, w := range words {
		if !idleWords[w] {
			return false
		}
	}
	return true
}

// silent tells a sentence that says of the sources themselves that they have nothing.
func silent(s string) bool {
	if text.Language(s) == "zh" {
		return chineseSilence.MatchString(bare(s))
	}
	return englishSilence.MatchString(strings.ReplaceAll(strings.ToLower(s), "’", "'"))
}

// bare is Chinese text in simplified characters, without white space and marks.
func bare(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsNumber(r) {
			return -1
		}
		return r
	}, lexical.Fold(s))
}

var (
	englishCourtesy = regexp.MustCompile(`^(?:sure|certainly|of course|absolutely|hello|hi|hello there|hi there|good (?:morning|afternoon|evening)|thanks|thank you|thank you for (?:your|the) question|you're welcome|great question|good question|` +
		`i'm happy to help|i'd be happy to help(?: you)?(?: with that)?|happy to help|i hope (?:this|that|it) (?:helps|answers your question)|hope this helps|` +
		`let me know if (?:you|there|anything)(?: [a-z']+){0,14}|please let me know if you(?: [a-z']+){0,14}|feel free to ask(?: [a-z']+){0,8}|if you have (?:any )?(?:more|other|further)? ?questions(?: [a-z']+){0,8})$`)
	englishOpening = regexp.MustCompile(`^(?:sure |certainly |of course |okay |ok )?(?:here is|here are|here's|below is|below are|the following|based on|according to|in summary|to summarise|to summarize|in short|in conclusion|summary|answer|the answer|sources|references|note)\b`)
	idleWords      = wordSet(`sure certainly of course okay ok here is are here's below the following based on according to in summary summarise summarize short conclusion answer answers
		sources source references note what i i've found find you asked your question questions for about a an brief quick overview information details relevant main key points
		from this that these those it documents document passages passage provided given retrieved available context text texts collection and as follows list steps result results response above`)
	englishSilence = regexp.MustCompile(`^\W*(?:however,? |but |unfortunately,? |note that )*(?:the|these|those|your|none of the)?\s*(?:provided |given |available |retrieved |supplied |cited )*(?:documents?|passages?|sources?|texts?|context|excerpts?|materials?|information)(?: provided| given| above)?\s+` +
		`(?:(?:do|does|did) not|don't|doesn't|didn't)\s+(?:\w+ )?(?:say|mention|state|specify|contain|provide|include|give|indicate|answer|cover|address|discuss|explain|describe)\b`)
	chineseFiller = regexp.MustCompile(`^(?:您好|你好|当然|当然可以|好的|没问题|不客气|谢谢|谢谢您的提问|感谢您的提问|希望(?:以上|这些|这)?(?:内容|信息|回答|解答)?(?:能)?(?:对您|对你)?(?:有所|有)?帮助(?:到您|到你)?|` +
		`(?:好的)?(?:以下|下面|如下)(?:是|为)(?:我)?(?:为您|为你)?(?:找到|查到|整理|总结)?的?(?:相关)?(?:内容|信息|答案|结果|总结|要点|资料|回答)|(?:总结|答案|回答|要点|结果|内容)如下|综上所述|综上|总之|` +
		`根据(?:提供的|上述|以上|所给|给定的|现有|检索到的)?(?:文档|资料|段落|文献|内容|信息|材料)|(?:如果|如|若)(?:您|你)?(?:还)?有(?:任何|其他|更多)?(?:疑问|问题|需要|其他问题)(?:请|欢迎)?(?:随时)?(?:告诉我|联系我|提问|问我|与我联系)?)$`)
	chineseSilence = regexp.MustCompile(`^(?:但是?|不过|然而|很抱歉|抱歉|对不起)?(?:提供的|上述|以上|所给|给定的|现有的?|检索到的|这些|该|相关)*(?:文档|资料|段落|文献|内容|信息|材料|文本|文件)(?:中|里|内)?(?:并)?(?:没有|未|没|不曾|未曾)(?:有)?(?:明确)?(?:提到|提及|说明|指出|包含|提供|给出|涉及|记载|回答|描述|介绍)`)
)

func wordSet(words string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(words) {
		set[w] = true
	}
	return set
}
