package counterfactual

import (
	"math/rand/v2"
	"strings"
)

// denyEnglish puts a not behind an auxiliary, or takes one away.
func denyEnglish(s string, rng *rand.Rand) string {
	for _, w := range [][2]string{{" did not ", " did "}, {" was not ", " was "}, {" were not ", " were "}, {" is not ", " is "}, {" are not ", " are "}, {" could not ", " could "}, {" cannot ", " can "}} {
		if strings.Count(s, w[0]) == 1 && rng.IntN(2) == 0 {
			return strings.Replace(s, w[0], w[1], 1)
		}
	}
	var places []int
	for _, w := range []string{" is ", " are ", " was ", " were ", " has been ", " have been ", " can ", " could ", " will ", " would ", " should ", " may "} {
		for from := 0; ; {
			i := strings.Index(s[from:], w)
			if i < 0 {
				break
			}
			i += from
			from = i + len(w)
			rest := s[from:]
			if hasPrefix(rest, "not ", "no ", "never ", "n't", "neither ", "nothing ", "only ", "none ") || strings.Contains(w, "been") {
				continue
			}
			places = append(places, from)
		}
	}
	if len(places) == 0 {
		return ""
	}
	at := places[rng.IntN(len(places))]
	return s[:at] + "not " + s[at:]
}

// denyChinese denies the verb of a sentence.
func denyChinese(s string, rng *rand.Rand) string {
	type swap struct{ from, to string }
	swaps := []swap{
		{"並沒有", "有"}, {"并没有", "有"}, {"没有", "有"}, {"沒有", "有"}, {"並不是", "是"}, {"不是", "是"}, {"不能", "能"}, {"不會", "會"}, {"不会", "会"}, {"未能", "能"},
		{"是由", "不是由"}, {"被稱為", "不被稱為"}, {"被称为", "不被称为"}, {"位於", "不位於"}, {"位于", "不位于"}, {"可以", "不可以"}, {"會在", "不會在"}, {"具有", "不具有"}, {"屬於", "不屬於"}, {"属于", "不属于"},
		{"認為", "不認為"}, {"认为", "不认为"}, {"包括", "不包括"}, {"成為", "沒有成為"}, {"成为", "没有成为"}, {"獲得", "沒有獲得"}, {"获得", "没有获得"}, {"是一", "不是一"}, {"為了", "不是為了"}, {"進行", "沒有進行"}, {"进行", "没有进行"},
		{"開始", "沒有開始"}, {"发现", "没有发现"}, {"發現", "沒有發現"}, {"需要", "不需要"}, {"使用", "不使用"}, {"建立", "沒有建立"}, {"擁有", "沒有擁有"}, {"拥有", "没有拥有"},
	}
	var fit []swap
	for _, w := range swaps {
		i := strings.Index(s, w.from)
		if i < 0 || strings.Count(s, w.from) != 1 {
			continue
		}
		if r := []rune(s[:i]); len(r) > 0 && strings.ContainsRune("不沒没未無无非並并別别而只但凡都还還总總若就或既要即又便乃正才更最也", r[len(r)-1]) {
			continue
		}
		fit = append(fit, w)
	}
	if len(fit) == 0 {
		return ""
	}
	w := fit[rng.IntN(len(fit))]
	return strings.Replace(s, w.from, w.to, 1)
}

func hasPrefix(s string, prefixes ...string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}
