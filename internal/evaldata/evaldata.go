// Package evaldata finds and reads the labelled sets that tests measure on, below the folder that EVAL_DATA names. Without it a test says so and is skipped.
//
// It serves the tests of any room and knows none: what a set's lines mean is for its caller to say. Commands that measure take their sets from flags, by way of eval.
package evaldata

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// Path joins the elements to the folder of EVAL_DATA, and skips the test where that is not set. Whether there is such a file it leaves to the reader.
func Path(t testing.TB, elements ...string) string {
	t.Helper()
	dir := os.Getenv("EVAL_DATA")
	if dir == "" {
		t.Skipf("EVAL_DATA is not set: there is no %s to measure on", filepath.Join(elements...))
	}
	return filepath.Join(append([]string{dir}, elements...)...)
}

// Lines reads a file of JSON lines, compressed if its name ends in .gz, and returns one T a line, in their order. The test fails when the file cannot be read, is empty or cut short, or has a line that is no T.
func Lines[T any](t testing.TB, path string) []T {
	t.Helper()
	out, err := readLines[T](path)
	if err != nil {
		t.Fatalf("%s: after %d lines: %v", path, len(out), err)
	}
	return out
}

func readLines[T any](path string) (out []T, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var r io.Reader = f
	if filepath.Ext(path) == ".gz" {
		if r, err = gzip.NewReader(f); err != nil {
			return nil, err
		}
	}
	for d := json.NewDecoder(r); ; {
		var line T
		if err := d.Decode(&line); errors.Is(err, io.EOF) && len(out) > 0 {
			return out, nil
		} else if err != nil {
			return out, err
		}
		out = append(out, line)
	}
}
