package sample

import (
	"bufio"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// Texts are the sentences of real passages, and real questions.
type Texts struct {
	passages [][][]string // of each set: passages, as sentences
	Queries  []string
}

// ReadTexts reads sets in the BEIR layout below dir.
func ReadTexts(dir string, sets ...string) (*Texts, error) {
	t := &Texts{}
	for _, set := range sets {
		var passages [][]string
		if err := lines(filepath.Join(dir, set, "corpus.jsonl"), func(title, text string) {
			if s := sentences(strings.TrimSpace(title + "\n" + text)); len(s) > 0 {
				passages = append(passages, s)
			}
		}); err != nil {
			return nil, err
		}
		t.passages = append(t.passages, passages)
		if err := lines(filepath.Join(dir, set, "queries.jsonl"), func(_, text string) { t.Queries = append(t.Queries, text) }); err != nil {
			return nil, err
		}
	}
	r := rand.New(rand.NewPCG(3, 12))
	r.Shuffle(len(t.Queries), func(i, j int) { t.Queries[i], t.Queries[j] = t.Queries[j], t.Queries[i] })
	return t, nil
}

func lines(path string, f func(title, text string)) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	s := bufio.NewScanner(file)
	s.Buffer(nil, 1<<24)
	for s.Scan() {
		var record struct{ Title, Text string }
		if err := json.Unmarshal(s.Bytes(), &record); err != nil {
			return err
		}
		f(record.Title, record.Text)
	}
	return s.Err()
}

// sentences cuts roughly: nothing depends on where.
func sentences(s string) (out []string) {
	from := 0
	for i, r := range s {
		end := i + utf8.RuneLen(r)
		if r == '。' || r == '！' || r == '？' || r == '\n' || r == '.' && (end == len(s) || s[end] == ' ') {
			if end-from > 8 {
				out, from = append(out, s[from:end]), end
			}
		}
	}
	if from < len(s) {
		out = append(out, s[from:])
	}
	return out
}

// Passage makes the i-th text of about a chunk's size, 1,100 bytes: sentences in a row from two passages of one set.
func (t *Texts) Passage(i int) string {
	r := rand.New(rand.NewPCG(uint64(i), 13))
	total := 0
	for _, p := range t.passages {
		total += len(p)
	}
	at, set := r.IntN(total), 0 // sets count by their size
	for at >= len(t.passages[set]) {
		at -= len(t.passages[set])
		set++
	}
	var b strings.Builder
	for _, limit := range []int{550, 1100} {
		p := t.passages[set][r.IntN(len(t.passages[set]))]
		for j := r.IntN(len(p)); j < len(p) && b.Len() < limit; j++ {
			b.WriteString(p[j])
			b.WriteByte(' ')
		}
	}
	return b.String()
}
