package web

import (
	"strings"
	"unicode"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"footnote/internal/text"
)

// Shares of the main content's text that trim goes by.
const (
	mostlyLinks   = 0.8  // of a block that leads elsewhere
	mostTrimmed   = 0.2  // links that are more of a page are what the page is for, as in a list of links
	mostAbove     = 0.25 // what stands above the headline
	longestByline = 32
	leastOfProse  = 24 // half words: a sentence of twelve words, or of 24 Chinese characters
)

// leaf is an element of the main content that becomes one block, or a run of inline content between two.
type leaf struct {
	nodes  []*html.Node
	text   string
	weight int // of its text, in half words
	links  int // of that, in links
}

func (l leaf) linked() bool { return l.weight > 0 && float64(l.links) >= mostlyLinks*float64(l.weight) }

func (l leaf) prose() bool { return l.weight >= leastOfProse && !l.linked() }

func (l leaf) heading() int {
	if n := l.nodes[0]; len(l.nodes) == 1 && n.Type == html.ElementNode && len(n.Data) == 2 && n.Data[0] == 'h' && n.Data[1] >= '1' && n.Data[1] <= '6' {
		return int(n.Data[1] - '0')
	}
	return 0
}

func (l leaf) kept() bool { // what is never taken for a link to elsewhere
	switch l.nodes[0].DataAtom {
	case atom.Table, atom.Pre:
		return true
	}
	return false
}

// trim removes what extraction leaves round an article and in it: what stands above its headline, which is the title, and blocks that are links to other pages ("Read more: …"), with
// the headings that then have nothing below them. A page of which these would be a large part is left as it is: there the links are the content.
// Also the line that says by whom and when, which are metadata.
func trim(root *html.Node, title string, said []string) {
	leaves := leavesOf(root)
	total := 0
	for _, l := range leaves {
		total += l.weight
	}
	drop := make([]bool, len(leaves))
	above(leaves, drop, title, total)
	elsewhere(leaves, drop, total)
	byline(leaves, drop, said)
	for i := len(leaves) - 1; i >= 0; i-- {
		if level := leaves[i].heading(); level > 0 && !drop[i] {
			drop[i] = dangling(leaves, drop, i, level)
		}
	}
	for i, l := range leaves {
		if drop[i] {
			for _, n := range l.nodes {
				if n.Parent != nil {
					n.Parent.RemoveChild(n)
				}
			}
		}
	}
}

// above marks the headline that repeats the title, and what stands above it unless that is a text.
func above(leaves []leaf, drop []bool, title string, total int) {
	before := 0
	for i, l := range leaves {
		if l.heading() > 0 && same(l.text, title) {
			for j := range i + 1 {
				drop[j] = true
			}
			return
		}
		if before += l.weight; l.prose() && l.links == 0 || float64(before) > mostAbove*float64(total) {
			return
		}
	}
}

// same tells whether a headline is the title, or the title's part before the name of the site.
func same(headline, title string) bool {
	h, t := strings.ToLower(letters(headline)), strings.ToLower(letters(title))
	return h != "" && t != "" && (h == t || len(h) >= 12 && strings.HasPrefix(t, h) || len(t) >= 12 && strings.HasPrefix(h, t))
}

func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, s)
}

// elsewhere marks the blocks that are links, if together they are a small part.
func elsewhere(leaves []leaf, drop []bool, total int) {
	weight := 0
	var found []int
	for i, l := range leaves {
		if l.linked() && !l.kept() && l.heading() == 0 && !drop[i] {
			found = append(found, i)
			weight += l.weight
		}
	}
	if float64(weight) > mostTrimmed*float64(total) {
		return
	}
	for _, i := range found {
		drop[i] = true
	}
}

// byline marks the short lines before the first text that say what the metadata do: the author, the day.
func byline(leaves []leaf, drop []bool, said []string) {
	for i, l := range leaves {
		if l.prose() && !drop[i] && l.weight > longestByline {
			return
		}
		if l.weight > longestByline || l.heading() > 0 || l.kept() {
			continue
		}
		for _, s := range said {
			drop[i] = drop[i] || s != "" && strings.Contains(strings.ToLower(letters(l.text)), strings.ToLower(letters(s)))
		}
	}
}

// dangling tells whether a heading had something below it, all of which is dropped.
func dangling(leaves []leaf, drop []bool, at, level int) bool {
	lost := false
	for i := at + 1; i < len(leaves); i++ {
		if other := leaves[i].heading(); other > 0 && other <= level {
			break
		}
		if !drop[i] {
			return false
		}
		lost = true
	}
	return lost
}

// leavesOf lists what becomes blocks, in order.
func leavesOf(root *html.Node) (out []leaf) {
	var walk func(n *html.Node, depth int)
	walk = func(n *html.Node, depth int) {
		if depth > maxDepth {
			return
		}
		var run []*html.Node
		flush := func() {
			if len(run) > 0 {
				out = appendLeaf(out, run)
				run = nil
			}
		}
		for c := range n.ChildNodes() {
			switch {
			case c.Type == html.ElementNode && block(c) && hidden(c):
			case c.Type == html.ElementNode && block(c) && whole(c):
				flush()
				out = appendLeaf(out, []*html.Node{c})
			case c.Type == html.ElementNode && block(c):
				flush()
				walk(c, depth+1)
			default:
				run = append(run, c)
			}
		}
		flush()
	}
	walk(root, 0)
	return out
}

// whole tells the elements that become one block with all that is in them.
func whole(n *html.Node) bool {
	switch n.DataAtom {
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Ul, atom.Ol, atom.Table, atom.Pre, atom.Blockquote:
		return true
	}
	return false
}

func appendLeaf(out []leaf, nodes []*html.Node) []leaf {
	l := leaf{nodes: nodes}
	var all strings.Builder
	for _, n := range nodes {
		s := textOf(n)
		all.WriteString(s)
		l.weight += weigh(s)
		l.links += linkWeight(n)
	}
	if l.weight == 0 {
		return out
	}
	l.text = all.String()
	return append(out, l)
}

// linkWeight is the weight of the text in links that lead off the page's own text: those within it, as of a footnote, are text.
func linkWeight(n *html.Node) int {
	weight := 0
	count := func(a *html.Node) {
		if href := attributeText(a, "href"); href != "" && !strings.HasPrefix(href, "#") {
			weight += weigh(textOf(a))
		}
	}
	if n.DataAtom == atom.A {
		count(n)
		return weight
	}
	for d := range n.Descendants() {
		if d.DataAtom == atom.A {
			count(d)
		}
	}
	return weight
}

// weigh counts a text's words, twice, and its Chinese characters, once.
func weigh(s string) (weight int) {
	in := false
	for _, r := range s {
		switch {
		case text.IsHan(r):
			weight++
			in = false
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			if !in {
				weight += 2
			}
			in = true
		case r != '\'' && r != '’':
			in = false
		}
	}
	return weight
}
