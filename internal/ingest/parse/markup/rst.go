package markup

import (
	"context"
	"regexp"
	"strings"
	"unicode/utf8"

	"footnote/internal/ingest/parse/document"
	"footnote/internal/rag"
	"footnote/internal/text"
)

var (
	rstItem      = regexp.MustCompile(`^(\s*)([-*+•]|\(?(?:\d+|#|[a-zA-Z])[.)])\s+(.*)$`)
	rstDirective = regexp.MustCompile(`^\.\.\s+(?:\|[^|]*\|\s+)?([\w-]+(?::[\w-]+)*)::\s*(.*)$`)
	rstField     = regexp.MustCompile(`^:([^:]+):\s*(.*)$`)
	rstRole      = regexp.MustCompile("(?::[\\w:+-]+:)?`([^`<]*?)(?:\\s*<[^>`]*>)?`(?:__?|:[\\w:+-]+:)?")
	rstStrong    = regexp.MustCompile(`\*\*([^*]+)\*\*|\*([^*\s][^*]*)\*|\|([^|\s][^|]*)\|_?`)
	rstReference = regexp.MustCompile(`\[(#?\w*|\*)\]_|(\w)__?\b(?:\s|$)`)
)

// ReStructuredText adds a document of docutils' format. Headings have the level in which their marks are met first; comments are left out, code and tables kept.
func ReStructuredText(ctx context.Context, b *document.Builder, content []byte) error {
	l := &lines{b: b, all: strings.Split(text.Normalise(document.Decode(content)), "\n")}
	levels := ""
	for l.more() {
		if l.at%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		line := strings.TrimRight(l.line(0), " \t")
		switch {
		case line == "":
			l.flush()
			l.at++
		case underline(line) && l.line(1) != "" && underline(l.line(2)) && l.line(2)[0] == line[0]: // over and under
			l.heading(&levels, "^"+line[:1], l.line(1))
			l.at += 3
		case underline(l.line(1)) && !strings.HasPrefix(line, " ") && len(strings.TrimRight(l.line(1), " ")) >= min(utf8.RuneCountInString(line), 3) && len(l.text) == 0 && !strings.HasPrefix(line, "+"):
			l.heading(&levels, l.line(1)[:1], line)
			l.at += 2
		case strings.HasPrefix(line, ".. ") || line == "..":
			l.directive(line)
		case strings.HasPrefix(line, "+-") || strings.HasPrefix(line, "+="):
			l.gridTable()
		case strings.HasPrefix(line, "==") && strings.Contains(line, " ="):
			l.simpleTable()
		case rstField.MatchString(line) && len(l.text) == 0:
			m := rstField.FindStringSubmatch(line)
			if l.at < 30 && m[2] != "" && utf8.RuneCountInString(m[1]) < 40 {
				b.Meta(strings.ToLower(m[1]), m[2])
			}
			l.text = append(l.text, m[1]+": "+rstInline(m[2]))
			l.at++
			l.flush()
		case rstItem.MatchString(line) && (len(l.text) == 0 || len(l.list) > 0):
			m := rstItem.FindStringSubmatch(line)
			mark := m[2]
			if strings.ContainsAny(mark, "-*+•") {
				mark = "-"
			}
			l.list = append(l.list, strings.Repeat("  ", min(len(m[1])/2, 8))+mark+" "+rstInline(m[3]))
			l.at++
			for strings.HasPrefix(l.line(0), " ") && !rstItem.MatchString(l.line(0)) {
				n := len(l.list) - 1
				l.list[n] += document.Space(l.list[n], strings.TrimSpace(l.line(0))) + rstInline(strings.TrimSpace(l.line(0)))
				l.at++
			}
			for next := 0; strings.TrimSpace(l.line(next)) == "" && l.at+next < len(l.all); next++ { // an empty line between items
				if rstItem.MatchString(l.line(next + 1)) {
					l.at += next + 1
					break
				}
			}
		default:
			code := strings.HasSuffix(line, "::")
			if code {
				line = strings.TrimSuffix(line, ":")
				if strings.TrimSpace(line) == ":" {
					line = ""
				}
			}
			if line != "" {
				l.text = append(l.text, rstInline(strings.TrimSpace(line)))
			}
			l.at++
			if code {
				l.flush()
				b.Add(rag.BlockCode, 0, strings.Join(l.indented(), "\n"))
			}
		}
	}
	l.flush()
	return nil
}

// underline tells a line of one mark, three or more.
func underline(s string) bool {
	s = strings.TrimRight(s, " ")
	return len(s) >= 3 && strings.ContainsRune("=-`:'\"~^_*+#<>.", rune(s[0])) && strings.Trim(s, s[:1]) == ""
}

func (l *lines) heading(levels *string, mark, s string) {
	l.flush()
	i := strings.Index(*levels, mark+";")
	if i < 0 {
		i = len(*levels)
		*levels += mark + ";"
	}
	l.b.Add(rag.BlockHeading, min(strings.Count((*levels)[:i], ";")+1, 6), rstInline(strings.TrimSpace(s)))
}

func (l *lines) directive(line string) {
	l.flush()
	l.at++
	m := rstDirective.FindStringSubmatch(line)
	apart := strings.TrimSpace(l.line(0)) == ""
	body := l.indented()
	if m == nil {
		return // a comment, a target, a footnote's own line
	}
	for len(body) > 0 && rstField.MatchString(body[0]) {
		body = body[1:]
	}
	switch m[1] {
	case "code", "code-block", "sourcecode", "literalinclude", "parsed-literal":
		l.b.Add(rag.BlockCode, 0, strings.Join(body, "\n"))
	case "math":
		l.b.Add(rag.BlockParagraph, 0, strings.TrimSpace(m[2]+" "+strings.Join(body, " ")))
	case "image", "figure", "raw", "include", "toctree", "contents", "index", "highlight", "role", "default-role", "meta":
		if m[1] == "figure" {
			l.b.Add(rag.BlockParagraph, 0, rstInline(joined(trimmed(body))))
		}
	case "csv-table", "list-table":
		l.b.Add(rag.BlockParagraph, 0, rstInline(m[2]))
		l.b.Add(rag.BlockTable, 0, rstInline(strings.Join(body, "\n")))
	default: // a note, a warning, a function
		inner := &lines{b: l.b, text: nil}
		if m[2] != "" {
			inner.text = append(inner.text, rstInline(m[2]))
		}
		if apart {
			inner.flush()
		}
		for _, s := range body {
			if strings.TrimSpace(s) == "" {
				inner.flush()
				continue
			}
			inner.text = append(inner.text, rstInline(strings.TrimSpace(s)))
		}
		inner.flush()
	}
}

func trimmed(all []string) (out []string) {
	for _, s := range all {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

func (l *lines) gridTable() {
	l.flush()
	var rows [][]string
	var row []string
	head := 0
	for l.more() && (strings.HasPrefix(l.line(0), "+") || strings.HasPrefix(l.line(0), "|")) {
		s := l.line(0)
		l.at++
		if s[0] == '+' {
			if row != nil {
				rows = append(rows, row)
			}
			if strings.HasPrefix(s, "+=") {
				head = len(rows)
			}
			row = nil
			continue
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(s), "|"), "|")
		for i, c := range cells {
			if i >= len(row) {
				row = append(row, "")
			}
			row[i] = strings.TrimSpace(row[i] + " " + rstInline(strings.TrimSpace(c)))
		}
	}
	l.b.Table(rows, head)
}

func (l *lines) simpleTable() {
	l.flush()
	border := l.line(0)
	var columns []int
	for i := range border {
		if border[i] == '=' && (i == 0 || border[i-1] == ' ') {
			columns = append(columns, i)
		}
	}
	l.at++
	var rows [][]string
	head := 0
	for l.more() {
		s := l.line(0)
		l.at++
		if strings.HasPrefix(s, "==") {
			if next := strings.TrimSpace(l.line(0)); next == "" || head > 0 {
				break
			}
			head = len(rows)
			continue
		}
		if strings.TrimSpace(s) == "" {
			continue
		}
		var row []string
		for i, from := range columns {
			to := len(s)
			if i+1 < len(columns) {
				to = min(columns[i+1], len(s))
			}
			row = append(row, rstInline(strings.TrimSpace(strings.ToValidUTF8(s[min(from, to):to], ""))))
		}
		rows = append(rows, row)
	}
	l.b.Table(rows, head)
}

// rstInline drops inline markup.
func rstInline(s string) string {
	s = strings.ReplaceAll(s, "``", "\x00")
	s = rstRole.ReplaceAllString(s, "$1")
	s = rstStrong.ReplaceAllString(s, "$1$2$3")
	s = rstReference.ReplaceAllString(s, "$2 ")
	return strings.TrimSpace(strings.NewReplacer("\x00", "", "\\ ", "", "\\", "").Replace(s))
}
