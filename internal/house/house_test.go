// Package house holds the law of the layout: rooms never import each other, they meet in the leaves.
package house

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "footnote/"

var leaves = []string{"rag", "text", "lexical", "simd"}

// forTests are what tests of any room may use, and nothing else may: the servers that they start beside them, and the labelled sets that they measure on. They know no room.
var forTests = []string{"servertest", "evaldata"}

// TestHouse_RoomsMeetOnlyInTheLeaves reads the imports of every Go file. Inside a room packages may import each other
// (ingest and ingest/chunk); e2e stands outside of the law, as cmd/server does: both introduce the rooms.
func TestHouse_RoomsMeetOnlyInTheLeaves(t *testing.T) {
	files := 0
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" {
			return err
		}
		files++
		rel, err := filepath.Rel("../..", path)
		if err != nil {
			return err
		}
		from := room(module + filepath.ToSlash(filepath.Dir(rel)))
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range f.Imports {
			target, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if slices.Contains(forTests, room(target)) && strings.HasSuffix(path, "_test.go") {
				continue
			}
			if forbidden(from, target) {
				t.Errorf("%s, of room %s, imports %s", rel, from, target)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 20 {
		t.Fatalf("only %d files were read: the walk is wrong", files)
	}
}

func TestHouse_TheLawFindsBreaches(t *testing.T) {
	for _, c := range []struct {
		from, target string
		want         bool
	}{
		{"search", "footnote/internal/catalog/sqlite", true},
		{"httpapi", "footnote/api", false},
		{"ingest", "footnote/api", true},
		{"ingest", "footnote/internal/ingest/parse", false},
		{"search", "footnote/internal/lexical", false},
		{"rag", "footnote/internal/text", true},
		{"rag", "github.com/google/uuid", true},
		{"rag", "crypto/sha256", false},
		{"text", "footnote/internal/rag", false},
		{"text", "footnote/internal/search", true},
		{"ingest", "footnote/internal/config", true},
		{"cmd", "footnote/internal/config", false},
		{"api", "footnote/internal/rag", true},
		{"cmd", "footnote/internal/servertest/qdrant", true},
		{"servertest", "footnote/internal/index/qdrant", true},
		{"servertest", "footnote/internal/servertest/postgres", false},
		{"eval", "footnote/internal/evaldata", true},
		{"cmd", "footnote/internal/evaldata", true},
		{"evaldata", "footnote/internal/rag", false},
	} {
		if got := forbidden(c.from, c.target); got != c.want {
			t.Errorf("%s importing %s: got %t, want %t", c.from, c.target, got, c.want)
		}
	}
}

// room is the room that an import path belongs to: the folder under internal, or the top-level folder.
func room(path string) string {
	path = strings.TrimPrefix(path, module)
	path = strings.TrimPrefix(path, "internal/")
	room, _, _ := strings.Cut(path, "/")
	return room
}

func forbidden(from, target string) bool {
	ours := strings.HasPrefix(target, module)
	if from == "rag" {
		// The vocabulary stands on the standard library alone, whose first path elements have no dot.
		first, _, _ := strings.Cut(target, "/")
		return ours || strings.Contains(first, ".")
	}
	to := room(target)
	if ours && slices.Contains(forTests, to) && from != to {
		return true // outside of tests
	}
	if !ours || from == "cmd" || from == "e2e" {
		return false
	}
	switch {
	case to == from:
		return false
	case from == "api":
		return true
	case to == "api":
		return from != "httpapi"
	}
	return !slices.Contains(leaves, to)
}
