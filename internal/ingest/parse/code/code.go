// Package code reads source code: by declarations, the comment before each with it.
package code

import (
	"context"
	"regexp"
	"strings"

	"footnote/internal/ingest/parse/document"
	"footnote/internal/rag"
)

// declaration is how a line begins that declares something at the outermost level, or a member of a class one level below, in the languages that are common. It need not be right:
// a line that is taken for a declaration wrongly only ends a block early.
var declaration = regexp.MustCompile(`^(?: {0,4}|\t)(?:@\w|#\[|(?:(?:export|default|public|private|protected|internal|static|final|abstract|async|virtual|override|inline|extern|const|unsafe|pub(?:\([^)]*\))?|sealed|partial|open|data|suspend|case)\s+)*` +
	`(?:func|function|fn|def|class|interface|struct|enum|union|trait|impl|type|module|namespace|object|record|protocol|extension|macro_rules!|sub|proc|procedure|package|CREATE|create|INSERT|insert|ALTER|alter|let|var|const)\b)`)

// Parse adds a source file: a block a declaration. Lines stay as they are.
func Parse(ctx context.Context, b *document.Builder, content []byte) error {
	lines := strings.Split(strings.ReplaceAll(document.Decode(content), "\r\n", "\n"), "\n")
	from := 0
	for i := 1; i < len(lines); i++ {
		if i%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if begins(lines, i) {
			b.Add(rag.BlockCode, 0, strings.Join(lines[from:i], "\n"))
			from = i
		}
	}
	b.Add(rag.BlockCode, 0, strings.Join(lines[from:], "\n"))
	return nil
}

// begins tells whether a block begins with a line: an empty one stands before it, and it is a declaration or the comment of one.
func begins(lines []string, i int) bool {
	if strings.TrimSpace(lines[i-1]) != "" || strings.TrimSpace(lines[i]) == "" {
		return false
	}
	for j := i; j < min(len(lines), i+200); j++ {
		line := strings.TrimSpace(lines[j])
		switch {
		case line == "":
			return false
		case declaration.MatchString(lines[j]):
			return true
		case !comment(line):
			return false
		}
	}
	return false
}

func comment(line string) bool {
	for _, mark := range []string{"//", "#", "/*", "*", "--", ";", "\"\"\"", "'''", "%", "<!--", "@"} {
		if strings.HasPrefix(line, mark) {
			return true
		}
	}
	return false
}
