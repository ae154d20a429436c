package markup

import (
	"context"
	"regexp"
	"strings"

	"footnote/internal/ingest/parse/document"
	"footnote/internal/rag"
	"footnote/internal/text"
)

var (
	adocItem   = regexp.MustCompile(`^\s*(\*{1,5}|-|\.{1,5}|\d+[.)])\s+(.*)$`)
	adocTerm   = regexp.MustCompile(`^(\S.*?)(?::{2,4}|;;)(?:\s+(.*))?$`)
	adocAttr   = regexp.MustCompile(`^:!?([\w-]+)!?:\s*(.*)$`)
	adocLink   = regexp.MustCompile(`(?:link:|xref:|mailto:|https?://)[^\s\[\]]*\[([^\]]*)\]|<<[^>,]*,?([^>]*)>>`)
	adocMarks  = regexp.MustCompile("\\*\\*([^*]+)\\*\\*|\\*([^*\\s][^*]*)\\*|__([^_]+)__|\\b_([^_]+)_\\b|`([^`]+)`|\\+\\+([^+]+)\\+\\+|##?([^#]+)##?")
	adocMacro  = regexp.MustCompile(`^(?:image|video|audio|include|toc|ifdef|ifndef|endif|ifeval)::`)
	adocColumn = regexp.MustCompile(`(?:^|\s)(?:\d*[.+*]*\d*[<^>.]*[a-z]?)?\|`)
)

// AsciiDoc adds a document of Asciidoctor's format.
func AsciiDoc(ctx context.Context, b *document.Builder, content []byte) error {
	l := &lines{b: b, all: strings.Split(text.Normalise(document.Decode(content)), "\n")}
	title, leading := "", true // attributes of the document stand before its first paragraph
	for l.more() {
		if l.at%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		line := strings.TrimRight(l.line(0), " \t")
		l.at++
		switch {
		case line == "":
			if len(l.list) > 0 && adocItem.MatchString(l.line(0)) {
				continue // one list
			}
			l.flush()
		case strings.HasPrefix(line, "////"):
			l.until(line)
		case strings.HasPrefix(line, "//"):
		case leading && adocAttr.MatchString(line):
			m := adocAttr.FindStringSubmatch(line)
			switch m[1] {
			case "author", "description", "keywords", "revdate":
				b.Meta(m[1], m[2])
			}
		case line == "----" || strings.HasPrefix(line, "-----") || strings.HasPrefix(line, "....") || strings.HasPrefix(line, "```"):
			l.flush()
			end := line
			if strings.HasPrefix(line, "```") {
				end = "```"
			}
			l.captioned(&title)
			b.Add(rag.BlockCode, 0, strings.Join(l.until(end), "\n"))
		case strings.HasPrefix(line, "|==="):
			l.flush()
			l.captioned(&title)
			l.adocTable(l.until(line))
		case strings.HasPrefix(line, "____"):
			l.flush()
			b.Add(rag.BlockQuote, 0, adocInline(joined(trimmed(l.until(line)))))
		case strings.HasPrefix(line, "====") && strings.Trim(line, "=") == "" || line == "--" || strings.HasPrefix(line, "****") && strings.Trim(line, "*") == "":
			l.flush() // what is between two of them is as what is around
		case strings.HasPrefix(line, "=") && strings.HasPrefix(strings.TrimLeft(line, "="), " "):
			l.flush()
			n := len(line) - len(strings.TrimLeft(line, "="))
			b.Add(rag.BlockHeading, min(n, 6), adocInline(strings.TrimSpace(line[n:])))
		case strings.HasPrefix(line, "[") && strings.HasSuffix(line, "]"), adocMacro.MatchString(line), line == "'''", line == "<<<":
			l.flush()
		case strings.HasPrefix(line, ".") && len(line) > 1 && line[1] != '.' && line[1] != ' ':
			l.flush()
			title = adocInline(line[1:])
		case adocItem.MatchString(line) && (len(l.text) == 0 || len(l.list) > 0):
			leading = false
			m := adocItem.FindStringSubmatch(line)
			mark, depth := "-", 0
			switch {
			case m[1][0] == '*':
				depth = len(m[1]) - 1
			case m[1][0] == '.':
				mark, depth = "1.", len(m[1])-1
			case m[1] != "-":
				mark = m[1]
			}
			if indent := len(line) - len(strings.TrimLeft(line, " ")); depth == 0 {
				depth = indent / 2
			}
			l.list = append(l.list, strings.Repeat("  ", min(depth, 8))+mark+" "+adocInline(m[2]))
		case adocTerm.MatchString(line) && len(l.text) == 0 && !strings.Contains(line, "://"):
			m := adocTerm.FindStringSubmatch(line)
			l.list = append(l.list, "- "+adocInline(m[1])+": "+adocInline(m[2]))
		case line == "+" && len(l.list) > 0:
		case len(l.list) > 0:
			n := len(l.list) - 1
			s := adocInline(strings.TrimSpace(line))
			l.list[n] += document.Space(l.list[n], s) + s
		default:
			leading = false
			l.captioned(&title)
			l.text = append(l.text, adocInline(strings.TrimSuffix(strings.TrimSpace(line), " +")))
		}
	}
	l.flush()
	return nil
}

// captioned adds a block's title before it.
func (l *lines) captioned(title *string) {
	if *title != "" {
		l.b.Add(rag.BlockParagraph, 0, *title)
	}
	*title = ""
}

// until takes the lines up to one that is end, which is passed over.
func (l *lines) until(end string) (out []string) {
	for l.more() && strings.TrimRight(l.line(0), " \t") != end {
		out = append(out, l.line(0))
		l.at++
	}
	l.at++
	return out
}

// adocTable adds a table whose cells begin with a bar: several on a line are a row, else as many as the first row has.
func (l *lines) adocTable(body []string) {
	var rows [][]string
	var cells []string
	columns, head := 0, 0
	for i, s := range body {
		if strings.TrimSpace(s) == "" {
			if len(rows) == 1 && head == 0 && i <= 2 || columns == 0 && len(cells) > 0 {
				head = 1
			}
			if columns == 0 {
				columns = len(cells)
			}
			continue
		}
		marks := adocColumn.FindAllStringIndex(s, -1)
		if marks == nil {
			if len(cells) > 0 {
				cells[len(cells)-1] += " " + adocInline(strings.TrimSpace(s))
			}
			continue
		}
		if columns == 0 && len(marks) > 1 {
			columns = len(marks)
		}
		for j, m := range marks {
			to := len(s)
			if j+1 < len(marks) {
				to = marks[j+1][0]
			}
			cells = append(cells, adocInline(strings.TrimSpace(s[m[1]:to])))
		}
		for columns > 0 && len(cells) >= columns {
			rows = append(rows, cells[:columns:columns])
			cells = cells[columns:]
		}
	}
	if len(cells) > 0 {
		rows = append(rows, cells)
	}
	l.b.Table(rows, head)
}

func adocInline(s string) string {
	s = adocLink.ReplaceAllString(s, "$1$2")
	return adocMarks.ReplaceAllString(s, "$1$2$3$4$5$6$7")
}
