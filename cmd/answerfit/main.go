// Command answerfit fits the weights that tell whether passages answer a question and which of their sentences do, and writes internal/answer/weights.json.
//
//	for set in xquad-en …; do footnote eval features --traits --dataset DIR/$set --foreign … --out features/$set.jsonl; done
//	go run ./cmd/answerfit -features features -out internal/answer/weights.json
//
// docs/quality.md has the commands in full. What is fitted on, files.go says; all else in the files is only reported on. The same files give the same weights. What is learned is some eighty
// numbers; no text is kept.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"strings"

	"footnote/internal/answer"
)

func main() {
	features := flag.String("features", "", "folder of the files that footnote eval features wrote")
	out := flag.String("out", "internal/answer/weights.json", "file to write")
	model := flag.String("model", "multilingual-e5-small", "whose token states and cosines they are")
	flag.Parse()
	if err := run(*features, *out, *model, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(features, out, model string, report io.Writer) error {
	lines, err := read(features)
	if err != nil {
		return err
	}
	evidence := answer.EvidenceWeights{States: fitEvidence(lines, byStates), Alone: fitEvidence(lines, alone)}
	w := answer.Weights{
		States: fitTraits(lines, false, withStates), Alone: fitTraits(lines, false, withoutStates),
		StatesAcross: fitTraits(lines, true, withStates), AloneAcross: fitTraits(lines, true, withoutStates),
		Evidence: map[string]answer.EvidenceWeights{model: evidence},
	}
	reportTraits(report, lines, w)
	reportEvidence(report, "with token states", lines, byStates, evidence.States)
	reportEvidence(report, "without", lines, alone, evidence.Alone)
	b, err := json.Marshal(w)
	if err != nil {
		return err
	}
	if err := os.WriteFile(out, []byte(readable(string(b))), 0o644); err != nil {
		return fmt.Errorf("write the weights: %w", err)
	}
	return nil
}

// readable breaks the JSON before each name, so that a change of the weights shows where it is.
func readable(s string) string {
	var b strings.Builder
	depth := 0
	indent := func() { b.WriteString("\n" + strings.Repeat("  ", depth)) }
	for i, r := range s {
		switch {
		case r == '{':
			depth++
			b.WriteRune(r)
			indent()
		case r == '}':
			depth--
			indent()
			b.WriteRune(r)
		case r == ',' && s[i+1] == '"':
			b.WriteRune(r)
			indent()
		case r == ',' || r == ':':
			b.WriteRune(r)
			b.WriteByte(' ')
		default:
			b.WriteRune(r)
		}
	}
	return b.String() + "\n"
}

// rounded are weights as they are written.
func rounded(w []float64) []float64 {
	for i, x := range w {
		w[i] = math.Round(x*1000)/1000 + 0 // no −0
	}
	return w
}
