package parse

import (
	"context"
	"path"
	"strings"

	"github.com/gabriel-vasile/mimetype"

	"footnote/internal/ingest/parse/archive"
	"footnote/internal/ingest/parse/code"
	"footnote/internal/ingest/parse/data"
	"footnote/internal/ingest/parse/document"
	"footnote/internal/ingest/parse/epub"
	"footnote/internal/ingest/parse/mail"
	"footnote/internal/ingest/parse/markdown"
	"footnote/internal/ingest/parse/markup"
	"footnote/internal/ingest/parse/notebook"
	"footnote/internal/ingest/parse/office"
	"footnote/internal/ingest/parse/opendocument"
	"footnote/internal/ingest/parse/pdf"
	"footnote/internal/ingest/parse/plain"
	"footnote/internal/ingest/parse/sheet"
	"footnote/internal/ingest/parse/subtitle"
	"footnote/internal/ingest/parse/web"
)

// format is a kind of file that can be read.
type format struct {
	name       string // for people
	mediaType  string
	extensions []string
	declared   []string // other media types that senders call it
	signatures []string // media types that its first bytes are detected as; none: it is text, which only its name or sender tells apart
	zipped     bool     // it is a zip file, which first bytes may not tell from another
	parse      func(ctx context.Context, b *document.Builder, content []byte) error
}

// The media types that other packages name.
const (
	PlainText = "text/plain"
	Markdown  = "text/markdown"
	HTML      = "text/html"
	PDF       = "application/pdf"

	Zip   = "application/zip"
	Tar   = "application/x-tar"
	Gzip  = "application/gzip"
	Bzip2 = "application/x-bzip2"
)

// formats lists every kind. Of those with one extension or one signature, the first.
var formats = []format{
	{
		name: "plain text", mediaType: PlainText, extensions: []string{".txt", ".text", ".log"},
		parse: func(_ context.Context, b *document.Builder, content []byte) error {
			plain.Parse(b, document.Decode(content))
			return nil
		},
	},
	{
		name: "Markdown", mediaType: Markdown, extensions: []string{".md", ".markdown"}, declared: []string{"text/x-markdown"},
		parse: func(_ context.Context, b *document.Builder, content []byte) error {
			markdown.Parse(b, document.Decode(content))
			return nil
		},
	},
	{
		name: "PDF", mediaType: PDF, extensions: []string{".pdf"}, declared: []string{"application/x-pdf"}, signatures: []string{PDF}, parse: pdf.Parse,
	},
	{
		name: "Word", mediaType: "application/vnd.openxmlformats-officedocument.wordprocessingml.document", extensions: []string{".docx", ".docm", ".dotx"},
		signatures: []string{"application/vnd.openxmlformats-officedocument.wordprocessingml.document"}, zipped: true, parse: office.Document,
	},
	{
		name: "PowerPoint", mediaType: "application/vnd.openxmlformats-officedocument.presentationml.presentation", extensions: []string{".pptx", ".pptm", ".ppsx", ".potx"},
		signatures: []string{"application/vnd.openxmlformats-officedocument.presentationml.presentation"}, zipped: true, parse: office.Presentation,
	},
	{
		name: "Excel", mediaType: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", extensions: []string{".xlsx", ".xlsm", ".xltx"},
		signatures: []string{"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}, zipped: true, parse: office.Workbook,
	},
	{
		name: "comma-separated values", mediaType: "text/csv", extensions: []string{".csv", ".tsv"}, declared: []string{"text/tab-separated-values", "application/csv"}, parse: sheet.CSV,
	},
	{
		name: "OpenDocument text", mediaType: "application/vnd.oasis.opendocument.text", extensions: []string{".odt", ".ott"},
		signatures: []string{"application/vnd.oasis.opendocument.text"}, zipped: true, parse: opendocument.Parse,
	},
	{
		name: "OpenDocument spreadsheet", mediaType: "application/vnd.oasis.opendocument.spreadsheet", extensions: []string{".ods", ".ots"},
		signatures: []string{"application/vnd.oasis.opendocument.spreadsheet"}, zipped: true, parse: opendocument.Parse,
	},
	{
		name: "OpenDocument presentation", mediaType: "application/vnd.oasis.opendocument.presentation", extensions: []string{".odp", ".otp"},
		signatures: []string{"application/vnd.oasis.opendocument.presentation"}, zipped: true, parse: opendocument.Parse,
	},
	{
		name: "EPUB", mediaType: "application/epub+zip", extensions: []string{".epub"}, signatures: []string{"application/epub+zip"}, zipped: true, parse: epub.Parse,
	},
	{
		name: "HTML", mediaType: HTML, extensions: []string{".html", ".htm", ".xhtml"}, declared: []string{"application/xhtml+xml"},
		parse: func(_ context.Context, b *document.Builder, content []byte) error { return web.Parse(b, content) },
	},
	{
		name: "mail", mediaType: "message/rfc822", extensions: []string{".eml"}, parse: mail.Message,
	},
	{
		name: "a mailbox", mediaType: "application/mbox", extensions: []string{".mbox"}, parse: mail.Mailbox,
	},
	{
		name: "Outlook", mediaType: "application/vnd.ms-outlook", extensions: []string{".msg"}, signatures: []string{"application/vnd.ms-outlook"}, parse: mail.Outlook,
	},
	{
		name: "JSON", mediaType: "application/json", extensions: []string{".json", ".jsonl", ".ndjson", ".geojson"}, declared: []string{"application/jsonl", "application/x-ndjson", "application/ld+json"}, parse: data.JSON,
	},
	{
		name: "YAML", mediaType: "application/yaml", extensions: []string{".yaml", ".yml"}, declared: []string{"text/yaml", "application/x-yaml"}, parse: data.YAML,
	},
	{
		name: "Jupyter notebooks", mediaType: "application/x-ipynb+json", extensions: []string{".ipynb"}, parse: notebook.Parse,
	},
	{
		name: "reStructuredText", mediaType: "text/x-rst", extensions: []string{".rst", ".rest"}, declared: []string{"text/prs.fallenstein.rst"}, parse: markup.ReStructuredText,
	},
	{
		name: "AsciiDoc", mediaType: "text/asciidoc", extensions: []string{".adoc", ".asciidoc", ".asc"}, parse: markup.AsciiDoc,
	},
	{
		name: "LaTeX", mediaType: "application/x-tex", extensions: []string{".tex", ".latex"}, declared: []string{"text/x-tex", "application/x-latex"}, parse: markup.LaTeX,
	},
	{
		name: "XML", mediaType: "application/xml", extensions: []string{".xml", ".nxml", ".dbk"}, declared: []string{"text/xml"}, parse: markup.XML,
	},
	{
		name: "subtitles", mediaType: "text/vtt", extensions: []string{".vtt", ".srt"}, declared: []string{"application/x-subrip"}, parse: subtitle.Parse,
	},
	{
		name: "source code", mediaType: "text/x-source", extensions: []string{
			".go", ".py", ".js", ".mjs", ".ts", ".tsx", ".jsx", ".java", ".kt", ".kts", ".scala", ".c", ".h", ".cc", ".cpp", ".hpp", ".cs", ".rs", ".rb", ".php", ".swift", ".m", ".sql", ".sh", ".bash", ".ps1", ".lua", ".pl", ".r", ".jl",
			".ex", ".exs", ".erl", ".hs", ".clj", ".dart", ".vue", ".svelte", ".css", ".scss", ".proto", ".graphql", ".tf", ".toml", ".ini", ".cfg", ".conf", ".properties",
		},
		declared: []string{"text/x-go", "text/x-python", "text/javascript", "application/javascript", "text/css"}, parse: code.Parse,
	},
	{
		name: "zip archives", mediaType: Zip, extensions: []string{".zip"}, declared: []string{"application/x-zip-compressed"}, signatures: []string{Zip}, parse: archive.Parse,
	},
	{
		name: "tar archives", mediaType: Tar, extensions: []string{".tar"}, signatures: []string{Tar}, parse: archive.Parse,
	},
	{
		name: "gzip", mediaType: Gzip, extensions: []string{".gz", ".tgz"}, declared: []string{"application/x-gzip"}, signatures: []string{Gzip}, parse: archive.Parse,
	},
	{
		name: "bzip2", mediaType: Bzip2, extensions: []string{".bz2", ".tbz2"}, declared: []string{"application/x-bzip"}, signatures: []string{Bzip2}, parse: archive.Parse,
	},
}

var byMediaType, byExtension, byDeclared, signatures = index()

func index() (types, extensions, declared, signatures map[string]*format) {
	types, extensions, declared, signatures = map[string]*format{}, map[string]*format{}, map[string]*format{}, map[string]*format{}
	put := func(m map[string]*format, key string, f *format) {
		if m[key] == nil {
			m[key] = f
		}
	}
	for i := range formats {
		f := &formats[i]
		put(types, f.mediaType, f)
		put(declared, f.mediaType, f)
		for _, e := range f.extensions {
			put(extensions, e, f)
		}
		for _, d := range f.declared {
			put(declared, d, f)
		}
		for _, s := range f.signatures {
			put(signatures, s, f)
		}
	}
	return types, extensions, declared, signatures
}

// bySignature is the format that content gives away, or nil: text never does.
func bySignature(found *mimetype.MIME) *format {
	for m := found; m != nil; m = m.Parent() {
		t, _, _ := strings.Cut(m.String(), ";")
		if f := signatures[t]; f != nil {
			return f
		}
	}
	return nil
}

// Readable tells whether a file's name has an ending that is read.
func Readable(name string) bool { return byExtension[strings.ToLower(path.Ext(name))] != nil }

// Formats lists the formats, each with its endings, as people read them.
func Formats() []string {
	out := make([]string, len(formats))
	for i, f := range formats {
		out[i] = f.name + " (" + strings.Join(f.extensions, " ") + ")"
	}
	return out
}

// readable lists the formats for an error's text.
func readable() string {
	var b strings.Builder
	for i, f := range formats {
		switch {
		case i == 0:
		case i == len(formats)-1:
			b.WriteString(" and ")
		default:
			b.WriteString(", ")
		}
		b.WriteString(f.name)
		if len(f.extensions) > 0 {
			b.WriteString(" (" + f.extensions[0] + ")")
		}
	}
	return b.String() + " can be read"
}
