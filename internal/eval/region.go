package eval

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// What stands between these lines of a document is written by WriteRegion; the rest is people's.
const (
	regionBegin = "<!-- footnote eval writes from here -->\n"
	regionEnd   = "<!-- footnote eval writes to here -->\n"
)

// WriteRegion puts text into the region of the Markdown file at path, which must have one. The file is replaced whole or not at all.
func WriteRegion(path, text string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(b), regionBegin)
	_, after, closed := strings.Cut(rest, regionEnd)
	if !ok || !closed {
		return errors.New(path + " has no region for the report; write these two lines where it belongs:\n" + regionBegin + regionEnd)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".report-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(before + regionBegin + text + regionEnd + after)
	info, statErr := os.Stat(path)
	if err := errors.Join(err, f.Close(), statErr); err != nil {
		return err
	}
	return errors.Join(os.Chmod(f.Name(), info.Mode()), os.Rename(f.Name(), path))
}
