// Package web reads HTML: the main content of a page, as blocks.
package web

import (
	"bytes"
	"io"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	readability "codeberg.org/readeck/go-readability/v2"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
	"golang.org/x/net/html/charset"

	"footnote/internal/ingest/parse/document"
)

// Main-content extraction that keeps less than leastShare of what a page has to read has mistaken it.
const (
	leastShare = 0.25
	shortPage  = 2000 // code points
	maxDepth   = 512  // of elements; deeper ones are passed over

	// Of a page with more elements all is taken: no article has so many, and extraction takes time that grows faster than their number.
	maxElements = 100000
)

// Parse adds the main content of an HTML page, in the character set that its mark, its meta element or its bytes tell, and what the page says of itself: title, author,
// description, site, language, when it was published and changed.
func Parse(b *document.Builder, content []byte) error {
	doc, err := html.Parse(strings.NewReader(decodeHTML(content)))
	if err != nil {
		return err
	}
	b.Title = titleOf(doc)
	body := find(doc, atom.Body)
	if body == nil {
		return nil
	}
	parser := readability.NewParser()
	parser.MaxElemsToParse = maxElements
	article, err := parser.ParseDocument(doc, &url.URL{})
	if err == nil {
		about(b, article, doc)
	}
	b.Append(contentOf(b, body, article))
	return nil
}

// contentOf are the blocks of a page's main content: what Readability takes for the article, or, where that is a small part of what the page has to read or one of the posts of a thread,
// everything but what stands beside the content. go-trafilatura was measured, too: with its best settings for the article extraction benchmark's pages it has an F1 of .961
// there and .925 on Readability's, where this has .957 and .991 (docs/parsers.md).
func contentOf(b *document.Builder, body *html.Node, article readability.Article) *document.Builder {
	all := withoutAsides(body)
	if article.Node != nil && float64(proseOf(article.Node)) >= leastShare*float64(proseOf(all)) && !thread(all, article.Node) {
		trim(article.Node, b.Title, said(article))
		main := blocksOf(b.Limits, article.Node)
		if whole := blocksOf(b.Limits, body); !main.Empty() && (whole.Len() >= shortPage || float64(main.Len()) >= leastShare*float64(whole.Len())) {
			return main
		}
		return blocksOf(b.Limits, body)
	}
	trim(all, b.Title, said(article))
	if main := blocksOf(b.Limits, all); !main.Empty() {
		return main
	}
	return blocksOf(b.Limits, body)
}

func blocksOf(limits document.Limits, n *html.Node) *document.Builder {
	b := document.Builder{Limits: limits}
	domWalker{&b}.children(n, 0)
	return &b
}

// about takes what the page says of itself, in JSON-LD, Open Graph and other meta elements.
func about(b *document.Builder, article readability.Article, doc *html.Node) {
	if t := strings.TrimSpace(article.Title()); t != "" {
		b.Title = t
	}
	b.Meta("author", strings.Join(strings.Fields(article.Byline()), " "))
	b.Meta("description", article.Excerpt())
	b.Meta("site", article.SiteName())
	language := article.Language()
	if root := find(doc, atom.Html); language == "" && root != nil {
		language = attributeText(root, "lang")
	}
	b.Meta("language", language)
	if t, err := article.PublishedTime(); err == nil {
		b.Meta("created", t.Format(time.RFC3339))
	}
	if t, err := article.ModifiedTime(); err == nil {
		b.Meta("modified", t.Format(time.RFC3339))
	}
}

func attributeText(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func decodeHTML(content []byte) string {
	if e, _, certain := charset.DetermineEncoding(content, ""); certain {
		if out, err := io.ReadAll(e.NewDecoder().Reader(bytes.NewReader(content))); err == nil {
			return string(out)
		}
	}
	if utf8.Valid(content) {
		return string(content)
	}
	return document.Decode(content)
}

func titleOf(doc *html.Node) string {
	if t := find(doc, atom.Title); t != nil {
		return strings.TrimSpace(textOf(t))
	}
	return ""
}

func find(n *html.Node, a atom.Atom) *html.Node {
	for d := range n.Descendants() {
		if d.Type == html.ElementNode && d.DataAtom == a {
			return d
		}
	}
	return nil
}

func textOf(n *html.Node) string {
	var b strings.Builder
	inlineText(&b, n, 0)
	return b.String()
}

// Whole adds everything that an HTML text shows, not only its main content: for pages that are nothing else, as in books and mail.
func Whole(b *document.Builder, content []byte) error {
	doc, err := html.Parse(strings.NewReader(decodeHTML(content)))
	if err != nil {
		return err
	}
	if body := find(doc, atom.Body); body != nil {
		domWalker{b}.children(body, 0)
	}
	return nil
}

// StripTags is the text of a piece of HTML.
func StripTags(s string) string {
	nodes, err := html.ParseFragment(strings.NewReader(s), &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div})
	if err != nil {
		return s
	}
	var b document.Builder
	for _, n := range nodes {
		root := &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div}
		root.AppendChild(n)
		domWalker{&b}.children(root, 0)
	}
	return b.Text()
}

// said lists what a byline of the page would say: the author, the year.
func said(article readability.Article) []string {
	out := []string{article.Byline()}
	for _, when := range []func() (time.Time, error){article.PublishedTime, article.ModifiedTime} {
		if t, err := when(); err == nil {
			out = append(out, t.Format("2006"))
		}
	}
	return out
}
