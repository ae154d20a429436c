package answer

import (
	"regexp"
	"strings"
	"unicode"

	"footnote/internal/lexical"
	"footnote/internal/text"
)

// asked is what a question wants to be told, as far as its words say.
type asked string

// The kinds. A question that asks for none of them, for a place for one, is askedOther: what places look like told sentences apart no better than chance.
const (
	askedNumber asked = "number" // how many, how much, what share
	askedDate   asked = "date"
	askedPerson asked = "person"
	askedReason asked = "reason"
	askedOther  asked = "other"
)

// questionWords name what is asked for, in the order in which they are tried: "how many years" asks for a number, "since which year" for a date.
var questionWords = []struct {
	kind  asked
	words *regexp.Regexp
}{
	{askedReason, regexp.MustCompile(`(?i)\bwhy\b|\bwhat (?:is|was|are|were) the (?:main |primary )?(?:reasons?|causes?)\b|\bwhat (?:caused|causes|led)\b|为什么|为何|因何|何故|原因|缘何|怎么会|缘故`)},
	{askedDate, regexp.MustCompile(`(?i)\bwhen\b|\b(?:what|which) (?:\w+ )?(?:year|years|date|day|month|century|decade|time|era|period)\b|\bhow (?:recently|early|late)\b|何时|哪年|哪一年|几年(?:几月|的?时候)|哪一天|哪天|几月|几号|什么时候|什么时间|什么时期|什么年代|哪个(?:年代|世纪|时期|朝代|月)|哪一?(?:时期|朝代)|时间是|日期|年份|于?何年|何月|何日`)},
	{askedNumber, regexp.MustCompile(`(?i)\bhow (?:many|much|old|long|far|tall|high|big|large|often|fast|deep|wide|heavy)\b|\b(?:what|which) (?:\w+ )?(?:percent|percentage|number|amount|proportion|fraction|share|age|rate|population|size|distance|height|length|cost|price|score)\b|多少|几(?:个|次|种|年|天|名|位|人|所|条|座|部|岁|级|届|分|层|支|款|首|集|月|项|类|家|艘|架|场)|多大|多长|多高|多远|多久|多重|多宽|多深|比例|百分之几|数量|人数|占比`)},
	{askedPerson, regexp.MustCompile(`(?i)\bwho(?:m|se)?\b|\b(?:what|which) (?:\w+ )?(?:person|man|woman|people|author|actor|actress|player|king|queen|president|scientist|director|singer|leader|team|company|group|organization|organisation)\b|谁|何人|哪(?:位|个人|些人|几位|名)|什么人|人物|作者|创始人|导演|主演`)},
}

// askedFor is what the question asks for.
func askedFor(question string) asked {
	folded := lexical.Fold(question)
	for _, q := range questionWords {
		if q.words.MatchString(folded) {
			return q.kind
		}
	}
	return askedOther
}

// What the kinds look like in a sentence, folded. They are signs, not proofs: a weight says how much each is worth.
var (
	digits      = regexp.MustCompile(`[0-9]+(?:[.,][0-9]+)*`)
	numberWords = regexp.MustCompile(`(?i)\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|million|billion|half|quarter|third|dozen|once|twice|one|zero|couple)s?\b|[零一二三四五六七八九十百千万亿两半][零一二三四五六七八九十百千万亿两多余]*(?:个|次|种|年|天|名|位|人|所|条|座|部|岁|级|届|分|层|支|款|首|集|项|类|家|艘|架|场|倍|成|米|公里|平方|元|吨|只|头|匹|枚|张|本|册|篇|卷|万|亿)`)
	dates       = regexp.MustCompile(`(?i)\b[12][0-9]{3}s?\b|\b[0-9]{1,4} ?(?:bc|ad|bce|ce)\b|\b(?:january|february|march|april|may|june|july|august|september|october|november|december)\b|\bcentur(?:y|ies)\b|\bdecades?\b|\b(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday)\b|\b(?:today|yesterday|spring|summer|autumn|winter|during|since|until)\b|[0-9〇零一二三四五六七八九十]+ ?(?:年|月|日|世纪|时|点)|年代|时代|时期|[元明清唐宋秦汉晋隋周]代|朝|初年|末年|次年|同年|翌年|当年|期间|公元`)
	reasons     = regexp.MustCompile(`(?i)\bbecause\b|\bdue to\b|\bsince\b|\bso that\b|\bin order to\b|\bas a result\b|\bcaused?\b|\breasons?\b|\btherefore\b|\bthus\b|\bowing to\b|\bleads? to\b|\bled to\b|\bresult(?:s|ed)? in\b|\bto (?:avoid|prevent|protect|reduce|make|allow|help|keep|get)\b|因为|由于|因此|所以|为了|原因|导致|使得|以便|以致|因而|从而|鉴于|因|故|以免`)
	marks       = regexp.MustCompile(`[·•]|《[^》]+》|「[^」]+」|“[^”]+”`)
	latinName   = regexp.MustCompile(`(?:^|[\s(“"'‘])((?:[A-ZÀ-Þ][\p{L}'’-]+|[A-Z]\.)(?:\s+(?:of|the|de|la|von|van|and|[A-ZÀ-Þ][\p{L}'’.-]*))*)`)
)

// bears tells whether the sentence has something of the kind that the question does not have already.
func bears(kind asked, sentence, question string) bool {
	folded, known := lexical.Fold(sentence), lexical.Fold(question)
	fresh := func(pattern *regexp.Regexp) bool {
		for _, m := range pattern.FindAllString(folded, -1) {
			if !strings.Contains(known, m) {
				return true
			}
		}
		return false
	}
	switch kind {
	case askedNumber:
		return fresh(digits) || fresh(numberWords)
	case askedDate:
		return fresh(dates)
	case askedReason:
		return reasons.MatchString(folded)
	case askedPerson:
		return freshName(sentence, known) || fresh(marks)
	}
	return false
}

// freshName tells whether the sentence has a name in Latin letters, beyond its first word, that the folded question lacks.
func freshName(sentence, known string) bool {
	for _, m := range latinName.FindAllStringSubmatchIndex(sentence, -1) {
		name := sentence[m[2]:m[3]]
		if m[2] == 0 && !strings.Contains(name, " ") {
			continue // any word that opens a sentence has a capital
		}
		for _, w := range strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) }) {
			if r := []rune(w)[0]; unicode.IsUpper(r) && !strings.Contains(known, lexical.Fold(w)) {
				return true
			}
		}
	}
	return false
}

// asking are words that make a question and say nothing of what it is about.
var asking = regexp.MustCompile(`(?i)\bhow (?:long|old|far|tall|high|big|large|often|fast|deep|wide|heavy)\b|\b(?:who|whom|whose|what|which|when|where|why|how|many|much|do|does|did|was|were|is|are|be|been|has|have|had|can|could|would|should|will|of|the|a|an|in|on|at|to|for|by|from|there|name|please|tell|me|i|you)\b|为什么|什么|怎么样|怎么|怎样|如何|多少|哪些|哪个|哪里|哪儿|哪位|哪年|哪一|哪|谁|吗|呢|是|的|了|有|在|被|和|与|几|何时|何|这|那|请问|于|由|为|以`)

// subject is the question, folded, with a space in the place of each word that only asks.
func subject(question string) string {
	return asking.ReplaceAllString(lexical.Fold(question), " ")
}

// withoutAsking is the question as it is written with spaces in the place of the words that only ask, in either script.
func withoutAsking(question string) string {
	plain := strings.Map(lexical.FoldRune, question) // rune by rune, so that places hold
	runes := []rune(question)
	for _, m := range asking.FindAllStringIndex(plain, -1) {
		from := text.Len(plain[:m[0]])
		for i := range text.Len(plain[m[0]:m[1]]) {
			runes[from+i] = ' '
		}
	}
	return string(runes)
}

// questionTerms are the terms of what the question is about.
func questionTerms(question string) map[string]bool {
	if terms := termSet(subject(question)); len(terms) > 0 {
		return terms
	}
	return termSet(question) // it only asks: "what is it?"
}
