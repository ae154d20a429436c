package counterfactual

import (
	"math/rand/v2"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// notNames are capitalised words that name nothing.
var notNames = func() map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(`The A An In On At By For From With To As If When While Where After Before Since Until Although Though Because However Therefore Thus Hence Moreover This That These Those It Its
		He She They We I His Her Their Our My And But Or So There Here What Who How Why Which Both Each All Some Many Most Several One Two Three Four Five Not No Other During Under Over Between Among Despite According Also
		Background Methods Results Conclusion Conclusions Objective Design Setting Data RESULTS METHODS BACKGROUND CONCLUSION CONCLUSIONS OBJECTIVE Using Compared Such Only Once Then Recent Finally`) {
		m[w] = true
	}
	for _, w := range months {
		m[w] = true
	}
	return m
}()

// englishNames lists runs of capitalised words that do not begin a sentence, each once.
func englishNames(s string) []string {
	var out []string
	var run []string
	flush := func() {
		if len(run) > 0 {
			if name := strings.Join(run, " "); len(name) > 2 {
				out = append(out, name)
			}
		}
		run = nil
	}
	begin := true
	for _, w := range strings.Fields(s) {
		core := strings.Trim(w, `.,;:()"'“”‘’`)
		r := []rune(core)
		capital := len(r) > 1 && unicode.IsUpper(r[0]) && strings.IndexFunc(core, func(c rune) bool { return !unicode.IsLetter(c) && c != '-' }) < 0 && !notNames[core]
		if capital && !begin && strings.HasPrefix(w, core) {
			run = append(run, core)
			if w != core {
				flush()
			}
		} else {
			flush()
		}
		begin = strings.HasSuffix(w, ".") || strings.HasSuffix(w, "?") || strings.HasSuffix(w, ":")
	}
	flush()
	return out
}

// chineseNames lists what stands in 《》 or 「」, transcribed names with a dot, foreign words, and places by their last character.
func chineseNames(s string) []string {
	var out []string
	for _, marks := range []string{"《》", "「」", "『』", "“”"} {
		r := []rune(marks)
		for rest := s; ; {
			i := strings.IndexRune(rest, r[0])
			if i < 0 {
				break
			}
			rest = rest[i+len(string(r[0])):]
			j := strings.IndexRune(rest, r[1])
			if j < 0 {
				break
			}
			if n := len([]rune(rest[:j])); n >= 2 && n <= 12 {
				out = append(out, rest[:j])
			}
			rest = rest[j:]
		}
	}
	runes := []rune(s)
	for i := 0; i < len(runes); i++ {
		switch {
		case strings.ContainsRune(transcription, runes[i]):
			j := i
			for j < len(runes) && (strings.ContainsRune(transcription, runes[j]) || runes[j] == '·') {
				j++
			}
			if j-i >= 3 {
				out = append(out, strings.Trim(string(runes[i:j]), "·"))
			}
			i = j - 1
		case unicode.IsUpper(runes[i]):
			j := i
			for j < len(runes) && (unicode.IsLetter(runes[j]) && !isHan(runes[j])) {
				j++
			}
			if j-i >= 2 {
				out = append(out, string(runes[i:j]))
			}
			i = max(i, j-1)
		}
	}
	for _, place := range places {
		if strings.Contains(s, place) {
			out = append(out, place)
		}
	}
	return out
}

// transcription holds characters that foreign names are mostly written with, in both scripts.
const transcription = "斯克爾尔特拉阿德里亞亚尼巴伊羅罗埃瓦萊莱卡姆普洛奧奥維维科薩萨布迪馬马菲納纳塔貝贝弗諾诺蘭兰澤泽倫伦魯鲁戈費费赫霍蒙森頓顿遜逊娜莎麗丽妮琳坎達达隆漢汉珀佩穆"

var places = strings.Fields(`中國 中国 日本 美國 美国 英國 英国 法國 法国 德國 德国 俄羅斯 俄罗斯 印度 台灣 台湾 香港 北京 上海 廣東 广东 四川 浙江 江蘇 江苏 山東 山东 河南 湖北 湖南 雲南 云南 福建 義大利 意大利 西班牙 加拿大 澳洲 韓國 韩国 越南 泰國
	東京 东京 倫敦 伦敦 巴黎 紐約 纽约 南京 廣州 广州 天津 重慶 重庆 蘇聯 苏联 波蘭 波兰 荷蘭 荷兰 埃及 希臘 希腊 羅馬 罗马 歐洲 欧洲 亞洲 亚洲 非洲 美洲`)

// changeName puts another name of the passage, of the same make, in the place of one.
func changeName(s, passage string, chinese bool, rng *rand.Rand) string {
	find := englishNames
	if chinese {
		find = chineseNames
	}
	own, others := find(s), find(passage)
	for range 8 {
		if len(own) == 0 || len(others) == 0 {
			return ""
		}
		a, b := own[rng.IntN(len(own))], others[rng.IntN(len(others))]
		if strings.Contains(s, b) || strings.Contains(b, a) || strings.Contains(a, b) || strings.Count(s, a) != 1 || manner(a) != manner(b) || sharesWord(a, b) {
			continue
		}
		return strings.Replace(s, a, b, 1)
	}
	return ""
}

// manner tells names that may stand for one another: places for places, words for words.
func manner(name string) string {
	if slices.Contains(places, name) {
		return "place"
	}
	if first, _ := utf8.DecodeRuneInString(name); isHan(first) {
		return "han"
	}
	if strings.ToUpper(name) == name {
		return "letters"
	}
	return "word"
}

func sharesWord(a, b string) bool {
	for _, w := range strings.Fields(a) {
		if strings.Contains(b, w) {
			return true
		}
	}
	return false
}

// changeRole makes two names of a sentence change places, unless they only stand beside each other.
func changeRole(s, _ string, chinese bool, rng *rand.Rand) string {
	find := englishNames
	if chinese {
		find = chineseNames
	}
	names := find(s)
	for range 8 {
		if len(names) < 2 {
			return ""
		}
		a, b := names[rng.IntN(len(names))], names[rng.IntN(len(names))]
		i, j := strings.Index(s, a), strings.Index(s, b)
		if i >= j || strings.Count(s, a) != 1 || strings.Count(s, b) != 1 || i+len(a) > j || manner(a) != manner(b) || sharesWord(a, b) {
			continue
		}
		between := s[i+len(a) : j]
		if listed(between, chinese) {
			continue
		}
		return s[:i] + b + between + a + s[j+len(b):]
	}
	return ""
}

// listed tells whether what stands between two names only lists them, in which their order says nothing.
func listed(between string, chinese bool) bool {
	if chinese {
		return len([]rune(between)) < 3 || strings.ContainsAny(between, "和與与及、或跟") || strings.ContainsAny(between, "（(")
	}
	f := strings.Fields(between)
	for _, w := range f {
		switch strings.Trim(w, ",") {
		case "and", "or", "&", "as", "between":
			return true
		}
	}
	return len(f) < 1 || strings.ContainsAny(between, ",;(")
}
