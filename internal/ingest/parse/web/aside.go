package web

import (
	"regexp"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// besides matches the classes and ids by which pages call what is not their content.
var besides = regexp.MustCompile(`(?i)comment|disqus|sidebar|related|recommend|cookie|consent|newsletter|subscri|share|social|breadcrumb|promo|advert|sponsor|banner|footer|menu|navbar|popup|modal`)

var undisplayed = regexp.MustCompile(`(?i)display:\s*none`)

// aside tells an element that stands beside a page's content: navigation, footers, comments, what else there is to read.
func aside(n *html.Node) bool {
	switch n.DataAtom {
	case atom.Nav, atom.Aside, atom.Footer, atom.Form, atom.Dialog:
		return true
	case atom.Html, atom.Body, atom.Main, atom.Article:
		return false
	}
	switch attributeText(n, "role") {
	case "navigation", "complementary", "contentinfo", "dialog", "search":
		return true
	}
	for _, a := range n.Attr {
		if a.Key == "hidden" || a.Key == "style" && undisplayed.MatchString(a.Val) {
			return true
		}
	}
	return besides.MatchString(attributeText(n, "class")) || besides.MatchString(attributeText(n, "id"))
}

// withoutAsides is a copy of a page's body without what stands beside the content.
func withoutAsides(body *html.Node) *html.Node {
	var copied func(n *html.Node, depth int) *html.Node
	copied = func(n *html.Node, depth int) *html.Node {
		c := &html.Node{Type: n.Type, DataAtom: n.DataAtom, Data: n.Data, Namespace: n.Namespace, Attr: n.Attr}
		for child := range n.ChildNodes() {
			if depth < maxDepth && (child.Type == html.TextNode || child.Type == html.ElementNode && !hidden(child) && !aside(child)) {
				c.AppendChild(copied(child, depth+1))
			}
		}
		return c
	}
	return copied(body, 0)
}

// proseOf weighs the text, outside of links, of the blocks that are text.
func proseOf(n *html.Node) (weight int) {
	for _, l := range leavesOf(n) {
		if l.prose() {
			weight += l.weight - l.links
		}
	}
	return weight
}
