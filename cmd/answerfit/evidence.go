package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"

	"footnote/internal/answer"
	"footnote/internal/eval"
	"footnote/internal/fit"
)

// Bounds of the fit of the evidence.
const (
	evidenceRidge  = 3.0 // on weights of standardised signs, of groups that weigh a thousand each
	withoutShare   = .5  // of a group of questions whose gold passages were taken out, beside a group of foreign ones
	answeredSame   = .95 // of the answerable questions in the passages' language; the bias is put where so many are answered,
	answeredAcross = .9  // and across languages, where the two kinds overlap more
)

// way is how the signs were read.
type way func(s answer.SideFeatures) []float64

func byStates(s answer.SideFeatures) []float64 { return s.States }
func alone(s answer.SideFeatures) []float64    { return s.Alone }

// fitEvidence fits each language for itself, and both directions across languages together.
func fitEvidence(lines []line, of way) answer.EvidenceModel {
	m := answer.EvidenceModel{}
	fitPairs(m, lines, of, false, "en")
	fitPairs(m, lines, of, false, "zh")
	fitPairs(m, lines, of, true, "en", "zh")
	return m
}

func pair(language string, across bool) string {
	if across {
		return language + " across"
	}
	return language
}

// fitPairs fits the weights of questions of the languages, and a bias for each. Every group of questions, by collection, language and kind, weighs the same, and the answerable ones weigh as much
// as the others. Without questions of both kinds nothing is fitted.
func fitPairs(m answer.EvidenceModel, lines []line, of way, across bool, languages ...string) {
	var mine []line // where both sides were read, nobody knows which one answers
	size := map[string]float64{}
	for _, l := range lines {
		if l.forEvidence() && slices.Contains(languages, l.Language) && only(l, across) {
			mine = append(mine, l)
			size[group(l)]++
		}
	}
	var yes, no float64
	weight := func(l line) float64 {
		w := 1000 / size[group(l)]
		if l.Kind == "without" {
			w *= withoutShare
		}
		return w
	}
	for _, l := range mine {
		if l.Kind == "own" {
			yes += weight(l)
		} else {
			no += weight(l)
		}
	}
	if yes == 0 || no == 0 {
		return
	}
	mean, deviation := standard(mine, of)
	examples := make([]fit.Example, len(mine))
	for i, l := range mine {
		var x []float64
		for _, language := range languages {
			x = append(x, oneIf(l.Language == language))
		}
		for k, v := range signs(l, of) {
			x = append(x, (v-mean[k])/deviation[k])
		}
		examples[i] = fit.Example{Features: x, True: l.Kind == "own", Weight: weight(l)}
		if l.Kind == "own" {
			examples[i].Weight *= no / yes
		}
	}
	w := fit.Logistic(examples, len(languages), evidenceRidge)[len(languages):]
	for k := range w {
		w[k] /= deviation[k]
	}
	w = rounded(w)
	wanted := answeredSame
	if across {
		wanted = answeredAcross
	}
	for _, language := range languages {
		var own []line
		for _, l := range lines {
			if l.forBias() && l.Language == language && only(l, across) {
				own = append(own, l)
			}
		}
		m[pair(language, across)] = answer.Regression{Bias: biasFor(wanted, own, of, w), Signs: w}
	}
}

// only tells whether all that was read for a question is on one side.
func only(l line, across bool) bool { return len(l.Sides) == 1 && l.Sides[0].Across == across }

// signs are those of a line that has one side.
func signs(l line, of way) []float64 { return of(l.Sides[0]) }

func group(l line) string { return l.Set + " " + l.Language + " " + l.Kind }

// standard are the mean and the deviation of each sign; a sign that is always the same has the deviation 1.
func standard(lines []line, of way) (mean, deviation []float64) {
	n := len(signs(lines[0], of))
	mean, deviation = make([]float64, n), make([]float64, n)
	for _, l := range lines {
		for k, x := range signs(l, of) {
			mean[k] += x / float64(len(lines))
		}
	}
	for _, l := range lines {
		for k, x := range signs(l, of) {
			deviation[k] += (x - mean[k]) * (x - mean[k]) / float64(len(lines))
		}
	}
	for k, x := range deviation {
		if deviation[k] = math.Sqrt(x); x < 1e-12 {
			deviation[k] = 1
		}
	}
	return mean, deviation
}

// biasFor is the bias with which the wanted share of the answerable questions is answered, each set weighing the same.
func biasFor(wanted float64, own []line, of way, w []float64) float64 {
	type scored struct{ score, weight float64 }
	size := map[string]float64{}
	var all []scored
	for _, l := range own {
		size[l.Set]++
	}
	for _, l := range own {
		all = append(all, scored{fit.Dot(w, signs(l, of)), 1 / size[l.Set] / float64(len(size))})
	}
	slices.SortFunc(all, func(a, b scored) int { return cmp.Compare(b.score, a.score) })
	answered := 0.0
	for _, s := range all {
		if answered += s.weight; answered >= wanted {
			return math.Ceil(-s.score*1000) / 1000
		}
	}
	return 0
}

func oneIf(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// reportEvidence tells, for each collection and each set whose questions were asked of it, how far its own questions are told from those, of questions that were not fitted on. "left out" is the
// AUC of a fit without the collection, so that no text of it was seen.
func reportEvidence(w io.Writer, title string, lines []line, of way, m answer.EvidenceModel) {
	fmt.Fprintf(w, "\nIs it there at all, %s\n", title)
	fmt.Fprintln(w, "| collection | questions | number | own answered | refused | AUC | refused at 95 / 90 / 80 % answered | AUC, left out |\n| --- | --- | --- | --- | --- | --- | --- | --- |")
	type key struct{ set, language string }
	own, others := map[key][]line{}, map[key]map[string][]line{}
	for _, l := range lines {
		if l.forEvidence() {
			continue
		}
		k := key{l.Set, l.Language}
		if l.Kind == "own" {
			own[k] = append(own[k], l)
			continue
		}
		if others[k] == nil {
			others[k] = map[string][]line{}
		}
		name := l.Asked
		if l.Kind != "foreign" {
			name = map[string]string{"none": "own ones without an answer", "without": "own ones, gold passages taken out"}[l.Kind]
		}
		others[k][name] = append(others[k][name], l)
	}
	without := map[string]answer.EvidenceModel{}
	for _, k := range slices.SortedFunc(maps.Keys(others), func(a, b key) int { return cmp.Compare(a.set+a.language, b.set+b.language) }) {
		if _, ok := without[k.set]; !ok {
			without[k.set] = fitEvidence(slices.DeleteFunc(slices.Clone(lines), func(l line) bool { return l.Set == k.set }), of)
		}
		yes, yesOut := evidenceOf(m, own[k], of), evidenceOf(without[k.set], own[k], of)
		for _, name := range slices.Sorted(maps.Keys(others[k])) {
			no := evidenceOf(m, others[k][name], of)
			fmt.Fprintf(w, "| %s, asked in %s | %s | %d | ", k.set, k.language, name, len(no))
			if len(yes) == 0 { // it has none in that language
				fmt.Fprintf(w, "– | %.3f | – | – | – |\n", 1-eval.ShareFrom(no, 0))
				continue
			}
			fmt.Fprintf(w, "%.3f of %d | %.3f | %.3f | %.2f / %.2f / %.2f | %.3f |\n", eval.ShareFrom(yes, 0), len(yes), 1-eval.ShareFrom(no, 0),
				eval.AUC(yes, no), eval.RefusedAt(.95, yes, no), eval.RefusedAt(.9, yes, no), eval.RefusedAt(.8, yes, no), eval.AUC(yesOut, evidenceOf(without[k.set], others[k][name], of)))
		}
	}
}

func evidenceOf(m answer.EvidenceModel, lines []line, of way) []float64 {
	out := make([]float64, len(lines))
	for i, l := range lines {
		out[i] = math.Inf(-1)
		for _, s := range l.Sides {
			if _, ok := m[pair(l.Language, s.Across)]; ok { // else the files had nothing of that side to fit on
				out[i] = max(out[i], m.Weigh(l.Language, s.Across, of(s)))
			}
		}
	}
	return out
}
