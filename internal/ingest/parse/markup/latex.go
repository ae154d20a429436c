package markup

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"footnote/internal/ingest/parse/document"
	"footnote/internal/rag"
	"footnote/internal/text"
)

var (
	texComment = regexp.MustCompile(`(?m)(^|[^\\])%.*$`)
	texSection = regexp.MustCompile(`^\\(part|chapter|section|subsection|subsubsection|paragraph|subparagraph)\*?(?:\[[^\]]*\])?\{`)
	texBegin   = regexp.MustCompile(`^\\(begin|end)\{([^}]*)\}`)
	texCommand = regexp.MustCompile(`\\(?:[a-zA-Z@]+\*?|.)`)
	texAccent  = regexp.MustCompile("\\\\(?:([`'^\"~=.])\\s*\\{?\\\\?([a-zA-Z])\\}?|([cvuHk])(?:\\{\\\\?([a-zA-Z])\\}| +([a-zA-Z])\\b))")
)

var texLevels = []string{"part", "chapter", "section", "subsection", "subsubsection", "paragraph", "subparagraph"}

// Commands whose arguments say nothing, and those that stand for a sign.
var (
	texSilent = map[string]bool{"label": true, "ref": true, "eqref": true, "pageref": true, "cite": true, "citep": true, "citet": true, "bibliography": true, "bibliographystyle": true, "includegraphics": true, "vspace": true, "hspace": true,
		"usepackage": true, "documentclass": true, "input": true, "include": true, "newcommand": true, "renewcommand": true, "setlength": true, "pagestyle": true, "thispagestyle": true, "index": true, "begin": true, "end": true, "hypersetup": true}
	texSigns = strings.NewReplacer(`\%`, "%", `\&`, "&", `\$`, "$", `\#`, "#", `\_`, "_", `\{`, "\x01", `\}`, "\x02", "~", " ", "``", "“", "''", "”", "---", "—", "--", "–", `\ldots`, "…", `\dots`, "…", `\,`, " ", `\ `, " ", `\;`, " ", `\-`, "", `\/`, "", `\LaTeX`, "LaTeX", `\TeX`, "TeX", `\textbackslash`, `\`)
)

// LaTeX adds a document as readable text: sections, paragraphs, lists, tables and verbatim code; formulas stay as they are written. The preamble gives the title and the author. Macros are not expanded:
// the arguments of those that are not known are kept.
func LaTeX(ctx context.Context, b *document.Builder, content []byte) error {
	s := texComment.ReplaceAllString(text.Normalise(document.Decode(content)), "$1")
	for key, into := range map[string]func(string){"title": func(v string) { b.Title = v }, "author": func(v string) { b.Meta("author", v) }, "date": func(v string) { b.Meta("created", v) }} {
		if i := strings.Index(s, `\`+key+"{"); i >= 0 {
			into(texInline(argument(s[i+len(key)+1:])))
		}
	}
	if _, body, ok := strings.Cut(s, `\begin{document}`); ok {
		s, _, _ = strings.Cut(body, `\end{document}`)
	}
	l := &lines{b: b, all: strings.Split(s, "\n")}
	used := map[int]bool{}
	for _, line := range l.all {
		if m := texSection.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
			used[slices.Index(texLevels, m[1])] = true
		}
	}
	depth := 0
	for l.more() {
		if l.at%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		line := strings.TrimSpace(l.line(0))
		l.at++
		section, environment := texSection.FindStringSubmatch(line), texBegin.FindStringSubmatch(line)
		switch {
		case line == "":
			if depth == 0 {
				l.flush()
			} else if len(l.text) > 0 {
				l.text = append(l.text, "")
			}
		case section != nil:
			l.flush()
			level := 1
			for i := range slices.Index(texLevels, section[1]) {
				if used[i] {
					level++
				}
			}
			rest := line[len(section[0])-1:]
			for !closed(rest) && l.more() { // a title over several lines
				rest += " " + strings.TrimSpace(l.line(0))
				l.at++
			}
			b.Add(rag.BlockHeading, min(level, 6), texInline(argument(rest)))
			if after := rest[min(len(argument(rest))+2, len(rest)):]; strings.TrimSpace(after) != "" {
				l.text = append(l.text, texInline(after))
			}
		case environment != nil && environment[1] == "begin" && (strings.HasPrefix(environment[2], "verbatim") || environment[2] == "lstlisting" || environment[2] == "minted"):
			l.flush()
			b.Add(rag.BlockCode, 0, strings.Join(l.until(`\end{`+environment[2]+`}`), "\n"))
		case environment != nil && (environment[2] == "tabular" || environment[2] == "tabularx" || environment[2] == "longtable" || environment[2] == "tabular*") && environment[1] == "begin":
			l.flush()
			b.Table(texTable(l.until(`\end{`+environment[2]+`}`)), 1)
		case environment != nil && (environment[2] == "itemize" || environment[2] == "enumerate" || environment[2] == "description"):
			if environment[1] == "begin" {
				if depth == 0 {
					l.b.Add(rag.BlockParagraph, 0, joined(l.text))
					l.text = nil
				}
				depth++
			} else if depth--; depth <= 0 {
				depth = 0
				l.flush()
			}
		case strings.HasPrefix(line, `\item`):
			s := strings.TrimPrefix(line, `\item`)
			if strings.HasPrefix(s, "[") {
				if i := strings.IndexByte(s, ']'); i > 0 {
					s = s[1:i] + ": " + s[i+1:]
				}
			}
			l.list = append(l.list, strings.Repeat("  ", min(max(depth-1, 0), 8))+"- "+texInline(s))
		case depth > 0 && len(l.list) > 0:
			n := len(l.list) - 1
			if s := texInline(line); s != "" {
				l.list[n] += document.Space(l.list[n], s) + s
			}
		case environment != nil:
			l.flush()
			if rest := texInline(line[len(environment[0]):]); rest != "" {
				l.text = append(l.text, rest)
			}
		default:
			if s := texInline(line); s != "" {
				l.text = append(l.text, s)
			}
		}
	}
	l.flush()
	return nil
}

// argument is what stands in the braces that s begins with; everything, where they are not closed.
func argument(s string) string {
	depth := 0
	for i := range len(s) {
		switch s[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return s[1:i]
			}
		}
	}
	return strings.TrimPrefix(s, "{")
}

func closed(s string) bool { return strings.Count(s, "{") <= strings.Count(s, "}") }

func texTable(body []string) (rows [][]string) {
	for _, row := range strings.Split(strings.Join(body, " "), `\\`) {
		row = strings.NewReplacer(`\hline`, "", `\toprule`, "", `\midrule`, "", `\bottomrule`, "").Replace(row)
		if strings.TrimSpace(row) == "" {
			continue
		}
		var cells []string
		for _, c := range strings.Split(strings.ReplaceAll(row, `\&`, "\x03"), "&") {
			cells = append(cells, strings.ReplaceAll(texInline(c), "\x03", "&"))
		}
		rows = append(rows, cells)
	}
	return rows
}

// texInline drops commands and braces and keeps what they are about; formulas between dollars stay.
func texInline(s string) string {
	var b strings.Builder
	for i, part := range strings.Split(strings.ReplaceAll(s, `\$`, "\x04"), "$") {
		if i%2 == 1 {
			b.WriteString("$" + part + "$")
			continue
		}
		b.WriteString(texWords(part))
	}
	return strings.Join(strings.Fields(strings.NewReplacer("\x01", "{", "\x02", "}", "\x04", "$").Replace(b.String())), " ")
}

func texWords(s string) string {
	s = texSigns.Replace(s)
	s = texAccent.ReplaceAllStringFunc(s, func(m string) string {
		p := texAccent.FindStringSubmatch(m)
		p = []string{m, p[1] + p[3], p[2] + p[4] + p[5]}
		if mark, ok := map[string]string{"`": "\u0300", "'": "\u0301", "^": "\u0302", "~": "\u0303", "\"": "\u0308", "c": "\u0327", "v": "\u030c", "u": "\u0306", "=": "\u0304", ".": "\u0307", "H": "\u030b", "k": "\u0328"}[p[1]]; ok {
			return p[2] + mark
		}
		return p[2]
	})
	var b strings.Builder
	for s != "" {
		at := texCommand.FindStringIndex(s)
		if at == nil {
			b.WriteString(s)
			break
		}
		b.WriteString(s[:at[0]])
		name := strings.TrimSuffix(strings.TrimPrefix(s[at[0]:at[1]], `\`), "*")
		s = s[at[1]:]
		if !texSilent[name] {
			b.WriteByte(' ')
			continue
		}
		for strings.HasPrefix(s, "[") || strings.HasPrefix(s, "{") {
			end := strings.IndexAny(s, "]")
			if s[0] == '{' {
				end = len(argument(s)) + 1
			}
			if end < 0 || end >= len(s) {
				s = ""
				break
			}
			s = s[end+1:]
		}
	}
	return strings.NewReplacer("{", "", "}", "").Replace(b.String())
}
