package main

import (
	"fmt"
	"io"
	"slices"

	"footnote/internal/answer"
	"footnote/internal/fit"
)

// traitRidge keeps the weights of the traits small where the data says little; a set weighs a thousand.
const traitRidge = 3.0

// traitsOf gives the traits of a sentence in one way of reading.
type traitsOf func(s answer.SentenceFeatures) []float64

func withStates(s answer.SentenceFeatures) []float64    { return s.States }
func withoutStates(s answer.SentenceFeatures) []float64 { return s.Alone }

// choice is what a question has to choose from, when one of the sentences is gold and all are on one side.
func choice(l line, across bool, of traitsOf) (c fit.Choice, ok bool) {
	for i, s := range l.Sentences {
		if s.Across != across {
			return c, false
		}
		if t := of(s); t != nil {
			c.Features, c.Right = append(c.Features, t), append(c.Right, l.Answers[i])
		}
	}
	return c, slices.Contains(c.Right, true)
}

// fitTraits fits the weights under which a gold sentence is likeliest, each set weighing the same.
func fitTraits(lines []line, across bool, of traitsOf) []float64 {
	var choices []fit.Choice
	var sets []string
	size := map[string]float64{}
	for _, l := range lines {
		if c, ok := choice(l, across, of); ok && l.forTraits() {
			choices, sets = append(choices, c), append(sets, l.Set+l.Language)
			size[l.Set+l.Language]++
		}
	}
	if len(choices) == 0 {
		return nil
	}
	for i, set := range sets {
		choices[i].Weight = 1000 / size[set]
	}
	return rounded(fit.Choices(choices, traitRidge))
}

// reportTraits tells how often a gold sentence comes first, of the questions that were not fitted on and have one to choose.
func reportTraits(w io.Writer, lines []line, weights answer.Weights) {
	fmt.Fprintln(w, "The gold sentence first, of those that were read\n| set | questions | with token states | without |\n| --- | --- | --- | --- |")
	var names []string
	name := func(l line) string { return l.Set + ", asked in " + l.Language }
	for _, l := range lines {
		if !slices.Contains(names, name(l)) {
			names = append(names, name(l))
		}
	}
	for _, of := range names {
		var n, states, plain float64
		for _, l := range lines {
			if name(l) != of || l.forTraits() {
				continue
			}
			for _, across := range []bool{false, true} {
				with, ok := choice(l, across, withStates)
				without, _ := choice(l, across, withoutStates)
				if !ok {
					continue
				}
				n++
				if across {
					states, plain = states+first(weights.StatesAcross, with), plain+first(weights.AloneAcross, without)
				} else {
					states, plain = states+first(weights.States, with), plain+first(weights.Alone, without)
				}
			}
		}
		if n > 0 {
			fmt.Fprintf(w, "| %s | %.0f | %.3f | %.3f |\n", of, n, states/n, plain/n)
		}
	}
}

// first is 1 when the likeliest is right.
func first(w []float64, c fit.Choice) float64 {
	if len(c.Features) == 0 {
		return 0
	}
	best := 0
	for k := range c.Features {
		if fit.Dot(w, c.Features[k]) > fit.Dot(w, c.Features[best]) {
			best = k
		}
	}
	return oneIf(c.Right[best])
}
