package web

import (
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Bounds of what is taken for a thread.
const (
	fewestPeers = 2 // posts besides the one that was taken for an article
	postLevels  = 6 // of elements round a post's text up to the one that is a post
)

// thread tells whether what was taken for a page's article is only one of several things that are alike, as posts are: whether an element round it has others of its tag and class, with
// more to read than it has.
func thread(page, article *html.Node) bool {
	var first, last string
	for _, l := range leavesOf(article) {
		if l.prose() {
			if first == "" {
				first = letters(l.text)
			}
			last = letters(l.text)
		}
	}
	var from, to *html.Node
	for _, l := range leavesOf(page) {
		s := letters(l.text)
		if from == nil && s == first {
			from = l.nodes[0]
		}
		if from != nil && s == last {
			to = l.nodes[0]
		}
	}
	if first == "" || from == nil || to == nil {
		return false
	}
	above := map[*html.Node]bool{}
	for n := from.Parent; n != nil; n = n.Parent {
		above[n] = true
	}
	post := to.Parent
	for post != nil && !above[post] {
		post = post.Parent
	}
	for range postLevels {
		if post == nil || post.DataAtom == atom.Body {
			return false
		}
		if peers, weight := alike(page, post); peers >= fewestPeers && weight > proseOf(post) {
			return true
		}
		post = post.Parent
	}
	return false
}

// alike counts the elements of a page with a post's tag and class that have something to read, and weighs that.
func alike(page, post *html.Node) (peers, weight int) {
	class := attributeText(post, "class")
	if class == "" {
		return 0, 0
	}
	var walk func(n *html.Node, depth int)
	walk = func(n *html.Node, depth int) {
		if n == post || depth > maxDepth {
			return
		}
		if n.DataAtom == post.DataAtom && attributeText(n, "class") == class && !around(n, post) {
			if w := proseOf(n); w > 0 {
				peers++
				weight += w
			}
			return
		}
		for c := range n.ChildNodes() {
			walk(c, depth+1)
		}
	}
	walk(page, 0)
	return peers, weight
}

func around(n, inner *html.Node) bool {
	for inner = inner.Parent; inner != nil; inner = inner.Parent {
		if inner == n {
			return true
		}
	}
	return false
}
