package main

import (
	"fmt"
	"hash/fnv"
	"path/filepath"
	"slices"
	"strings"

	"footnote/internal/answer"
	"footnote/internal/eval"
)

// line is a question as footnote eval features writes it.
type line struct {
	Set, Asked, Question string
	Kind                 string // own, none, foreign or without
	answer.Features
	Answers []bool // by sentence
}

// What is fitted on: half of the questions of these sets, by hash. Of CMRC 2018 only the trial part is, so that its development part says how good the fit is.
var (
	// evidenceCollections are the collections that questions are asked of, to tell whether there is an answer.
	evidenceCollections = []string{"xquad-en", "xquad-zh", "drcd-dev", "chroma-chunking", "cranfield"}
	// evidenceQuestions are the sets that the questions are of.
	evidenceQuestions = []string{"xquad-en", "xquad-zh", "drcd-dev", "chroma-chunking", "cranfield", "cmrc2018", "dureader-robust-dev-half"}
	// traitSets are those whose sentences are fitted on.
	traitSets = []string{"xquad-en", "xquad-zh", "drcd-dev", "chroma-chunking", "cmrc2018"}
	// notAnswered are sets whose documents often do not answer their own questions.
	notAnswered = []string{"cranfield"}
)

// half tells whether a question is of the half that may be fitted on.
func (l line) half() bool {
	h := fnv.New32a()
	h.Write([]byte(l.Question))
	return h.Sum32()%2 == 0
}

// forEvidence tells whether the evidence is fitted on the question.
func (l line) forEvidence() bool {
	known := l.Kind == "foreign" && slices.Contains(evidenceQuestions, l.Asked) && slices.Contains(evidenceCollections, l.Set)
	return l.half() && (known || l.Kind == "without" && l.ownOfCollection() || l.forBias())
}

// forBias tells whether the biases, a number for each pair of languages, are fitted on the question: halves would leave them too few.
func (l line) forBias() bool { return l.Kind == "own" && l.ownOfCollection() }

func (l line) ownOfCollection() bool {
	return slices.Contains(evidenceCollections, l.Set) && !slices.Contains(notAnswered, l.Set)
}

// forTraits tells whether the sentences' traits are fitted on the question.
func (l line) forTraits() bool {
	return l.half() && slices.Contains(traitSets, l.Set) && (l.Set != "cmrc2018" || strings.HasPrefix(l.Question, "TRIAL_"))
}

// read reads all files of the folder, in the order of their names; lines are sorted, for they were written as they came.
func read(folder string) (out []line, err error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.jsonl"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s has no .jsonl file; footnote eval features writes them", folder)
	}
	for _, path := range files {
		lines, err := eval.ReadLines[line](path)
		if err != nil {
			return nil, err
		}
		out = append(out, lines...)
	}
	slices.SortStableFunc(out, func(a, b line) int {
		return strings.Compare(a.Set+"\x00"+a.Asked+"\x00"+a.Kind+"\x00"+a.Question, b.Set+"\x00"+b.Asked+"\x00"+b.Kind+"\x00"+b.Question)
	})
	return out, nil
}
