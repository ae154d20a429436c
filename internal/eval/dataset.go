// Package eval measures retrieval on labelled sets: it reads them, asks a system, and reports metrics with intervals.
//
// It owns data sets, metrics and reports, and leaves it to its caller what the system is.
package eval

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Document is one of a set's corpus.
type Document struct {
	ID    string `json:"_id"`
	Title string `json:"title"`
	Text  string `json:"text"`
}

// Query is one of a set's questions.
type Query struct {
	ID   string `json:"_id"`
	Text string `json:"text"`
}

// Dataset is a labelled retrieval set. Judgments[query][document] is the grade; only queries with a positive grade are in Queries.
type Dataset struct {
	Name      string
	Documents []Document
	Queries   []Query
	Judgments map[string]map[string]float64
}

// Read reads a set in the BEIR layout (Thakur et al., NeurIPS 2021): corpus.jsonl, queries.jsonl, and qrels.tsv (or qrels/test.tsv) with a
// header line and the columns query, document, grade.
func Read(dir string) (Dataset, error) {
	d := Dataset{Name: filepath.Base(filepath.Clean(dir)), Judgments: map[string]map[string]float64{}}
	if err := readLines(filepath.Join(dir, "corpus.jsonl"), &d.Documents); err != nil {
		return d, err
	}
	var queries []Query
	if err := readLines(filepath.Join(dir, "queries.jsonl"), &queries); err != nil {
		return d, err
	}
	if err := d.readJudgments(dir); err != nil {
		return d, err
	}
	for _, q := range queries {
		for _, grade := range d.Judgments[q.ID] {
			if grade > 0 {
				d.Queries = append(d.Queries, q)
				break
			}
		}
	}
	if len(d.Documents) == 0 || len(d.Queries) == 0 {
		return d, fmt.Errorf("%s has %d documents and %d judged queries; both are needed", dir, len(d.Documents), len(d.Queries))
	}
	return d, nil
}

// Folders lists the folders below dir that hold a set, by name.
func Folders(dir string) ([]string, error) {
	corpora, err := filepath.Glob(filepath.Join(dir, "*", "corpus.jsonl"))
	if err != nil {
		return nil, err
	}
	if len(corpora) == 0 {
		return nil, fmt.Errorf("no folder in %s has a corpus.jsonl", dir)
	}
	for i, path := range corpora {
		corpora[i] = filepath.Dir(path)
	}
	return corpora, nil
}

// Split leaves only the questions whose ids begin with the split's name and an underscore. A set without such questions stays whole.
func (d *Dataset) Split(name string) {
	var in []Query
	for _, q := range d.Queries {
		if name != "" && strings.HasPrefix(q.ID, name+"_") {
			in = append(in, q)
		}
	}
	if len(in) > 0 {
		d.Queries = in
	}
}

func readLines[T any](path string, into *[]T) (err error) {
	*into, err = ReadLines[T](path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w (a set needs corpus.jsonl, queries.jsonl and qrels.tsv)", err)
	}
	return err
}

func (d *Dataset) readJudgments(dir string) error {
	path := filepath.Join(dir, "qrels.tsv")
	if _, err := os.Stat(path); err != nil {
		path = filepath.Join(dir, "qrels", "test.tsv")
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("%w (a set needs corpus.jsonl, queries.jsonl and qrels.tsv)", err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comma, r.LazyQuotes, r.FieldsPerRecord = '\t', true, -1
	rows, err := r.ReadAll()
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	for n, row := range rows {
		if len(row) < 3 {
			return fmt.Errorf("%s, line %d: want query, document and grade", path, n+1)
		}
		query, document, value := row[0], row[len(row)-2], row[len(row)-1]
		grade, err := strconv.ParseFloat(value, 64)
		if err != nil {
			if n == 0 {
				continue // the header
			}
			return fmt.Errorf("%s, line %d: grade %q is no number", path, n+1, value)
		}
		if d.Judgments[query] == nil {
			d.Judgments[query] = map[string]float64{}
		}
		d.Judgments[query][document] = grade
	}
	return nil
}
