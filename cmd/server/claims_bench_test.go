package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"footnote/internal/answer"
	"footnote/internal/embed/local"
	"footnote/internal/text"
)

// claimChecks are eight claims, each with a passage of five sentences that was never seen before.
func claimChecks(n int) []answer.Check {
	out := make([]answer.Check, 8)
	for i := range out {
		id := fmt.Sprintf("%d-%d", n, i)
		if i%2 == 0 {
			out[i] = answer.Check{
				Claim: "The reservoir of district " + id + " was enlarged in 1987 and now holds twelve million cubic metres.",
				Passage: "District " + id + " lies in the hills north of the river, where rain is frequent in spring and rare in autumn. The reservoir of district " + id + " was built in 1954 to supply the towns of the plain. " +
					"After a dry decade it was enlarged in 1987 and now holds twelve million cubic metres of water. Its dam, one of the oldest of its kind in district " + id + ", is inspected twice a year by engineers of the county. " +
					"Fishing is allowed from May to September, but boats of district " + id + " may not carry engines.",
			}
			continue
		}
		out[i] = answer.Check{
			Claim:   "第" + id + "区的水库于一九八七年扩建，现可蓄水一千二百万立方米。",
			Passage: "第" + id + "区位于河流以北的丘陵地带，春季多雨，秋季少雨。第" + id + "区的水库建于1954年，为平原上的城镇供水。经历十年干旱之后，水库于1987年扩建，现可蓄水1200万立方米。第" + id + "区的大坝是同类中最古老的之一，每年由县里的工程师检查两次。五月至九月允许在第" + id + "区钓鱼，但船只不得装发动机。",
		}
	}
	return out
}

// BenchmarkClaims measures what checking claims costs beside embedding the same sentences: "uncached/embed" is a ratio, "cached-ms" what is left when the vectors are there.
func BenchmarkClaims(b *testing.B) {
	e, err := local.New(local.Options{})
	if err != nil {
		b.Fatal(err)
	}
	s := answer.New(answer.Options{Embedder: e})
	var embed, uncached, cached time.Duration
	n := 0
	for b.Loop() {
		n++
		var sentences []string
		for _, c := range claimChecks(-n) { // as many tokens, but other texts
			sentences = append(sentences, c.Claim)
			for _, span := range text.Sentences(c.Passage) {
				sentences = append(sentences, strings.TrimSpace(text.Slice(c.Passage, span.Start, span.End)))
			}
		}
		started := time.Now()
		if _, err := e.EmbedDocuments(b.Context(), sentences); err != nil {
			b.Fatal(err)
		}
		embed += time.Since(started)
		checks := claimChecks(n)
		for _, spent := range []*time.Duration{&uncached, &cached} {
			started = time.Now()
			if _, err := s.Check(b.Context(), checks); err != nil {
				b.Fatal(err)
			}
			*spent += time.Since(started)
		}
	}
	b.ReportMetric(float64(uncached)/float64(embed), "uncached/embed")
	b.ReportMetric(cached.Seconds()*1e3/float64(n), "cached-ms")
}
