package web

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"

	"footnote/internal/ingest/parse/document"
	"footnote/internal/rag"
)

func parse(t *testing.T, s string) *document.Builder {
	t.Helper()
	var b document.Builder
	if err := Parse(&b, []byte(s)); err != nil {
		t.Fatal(err)
	}
	return &b
}

func holds(t *testing.T, b *document.Builder, wanted ...string) {
	t.Helper()
	for _, w := range wanted {
		if !strings.Contains(b.Text(), w) {
			t.Errorf("%q is lost from:\n%s", w, b.Text())
		}
	}
}

func lacks(t *testing.T, b *document.Builder, unwanted ...string) {
	t.Helper()
	for _, w := range unwanted {
		if strings.Contains(b.Text(), w) {
			t.Errorf("%q stands in:\n%s", w, b.Text())
		}
	}
}

const english = "<p>The river rose by four metres in a single night, which nobody in the valley had seen before, and the mill stood in water up to its first floor.</p>" +
	"<p>Engineers measured the flow every hour, compared it with the records of sixty years, and opened the lower gates at dawn, when the crest had passed the bridge.</p>"

func TestParse_ArticleWithoutWhatStandsRoundIt(t *testing.T) {
	t.Parallel()
	b := parse(t, `<html lang="en-GB"><head><title>A flood in the valley | The Valley Post</title>
	  <meta property="og:site_name" content="The Valley Post"><meta name="author" content="Ada Mill"><meta property="article:published_time" content="2024-03-05T08:00:00Z">
	  <meta property="article:modified_time" content="2024-03-06T08:00:00Z"><meta name="description" content="What the night brought."></head><body>
	  <nav><a href="/">Home</a> <a href="/news">News</a></nav><div><ul><li><a href="/sign-in">Sign in</a></li></ul><h2>A flood in the valley</h2><p>By Ada Mill, 5 March 2024</p>`+english+
		`<p>Read more: <a href="/other">How the mill was built by two brothers</a></p><table><tr><th>hour</th><th>metres</th></tr><tr><td>4</td><td>3.9</td></tr></table>`+english+
		`<h3>More from the valley</h3><ul><li><a href="/a">The bridge will close</a></li><li><a href="/b">A school opens again</a></li></ul></div><footer>© The Valley Post</footer></body></html>`)
	holds(t, b, "four metres", "hour | metres\n4 | 3.9")
	lacks(t, b, "Sign in", "Ada Mill", "Read more", "More from the valley", "school opens", "©")
	if b.Title != "A flood in the valley" && b.Title != "A flood in the valley | The Valley Post" {
		t.Errorf("title %q", b.Title)
	}
	want := rag.Metadata{"author": "Ada Mill", "created": "2024-03-05T08:00:00Z", "modified": "2024-03-06T08:00:00Z", "description": "What the night brought.", "site": "The Valley Post", "language": "en-GB"}
	if diff := cmp.Diff(want, b.Metadata); diff != "" {
		t.Error(diff)
	}
}

func TestParse_LinkedDataSaysWhoAndWhen(t *testing.T) {
	t.Parallel()
	b := parse(t, `<html lang="zh-Hant"><head><title>山谷洪水</title><script type="application/ld+json">{"@context":"https://schema.org","@type":"NewsArticle","headline":"山谷洪水",
	  "author":{"@type":"Person","name":"林小河"},"datePublished":"2024-03-05T16:00:00+08:00","publisher":{"@type":"Organization","name":"山谷日報"}}</script></head><body><article>`+english+`</article></body></html>`)
	want := rag.Metadata{"author": "林小河", "created": "2024-03-05T16:00:00+08:00", "site": "山谷日報", "language": "zh-Hant"}
	delete(b.Metadata, "description") // the first sentences, where the page has none
	if diff := cmp.Diff(want, b.Metadata); diff != "" {
		t.Error(diff)
	}
}

// Every post of a thread is content, though none is an article.
func TestParse_ThreadKeepsEveryPost(t *testing.T) {
	t.Parallel()
	var page strings.Builder
	page.WriteString("<html><head><title>Gates stuck after the flood</title></head><body><nav><a href='/'>Forum</a></nav>")
	var wanted []string
	for i := range 12 {
		long := ""
		if i == 3 {
			long = strings.Repeat("<p>One post is much longer, since it quotes the manual of the gates, which has commas, clauses, and many words in every sentence.</p>", 5)
		}
		fmt.Fprintf(&page, "<div class='row'><div class='who'><b>user%d</b></div><div class='cell'><div class='message'><p>Answer number %d says, after some thought, that gate %d opens only when the pressure falls under the mark on its dial, "+
			"which takes about %d minutes in dry weather and longer when it rains.</p>%s</div></div></div>", i, i, i, i+20, long)
		wanted = append(wanted, fmt.Sprintf("Answer number %d ", i))
	}
	page.WriteString("<footer>All rights reserved</footer></body></html>")
	holds(t, parse(t, page.String()), wanted...)
}

func TestParse_ListOfLinksIsContent(t *testing.T) {
	t.Parallel()
	var page strings.Builder
	page.WriteString("<html><head><title>Guides</title></head><body><main><h1>All guides</h1><p>What there is to read.</p><ul>")
	var wanted []string
	for i := range 40 {
		fmt.Fprintf(&page, "<li><a href='/guide/%d'>How to set up gate number %d of the mill</a></li>", i, i)
		wanted = append(wanted, fmt.Sprintf("gate number %d of", i))
	}
	page.WriteString("</ul></main></body></html>")
	holds(t, parse(t, page.String()), wanted...)
}

func TestParse_DocumentationKeepsCodeTablesAndHeadings(t *testing.T) {
	t.Parallel()
	var page strings.Builder
	page.WriteString("<html><head><title>Settings — Gatekeeper 2.1 documentation</title></head><body><div class='sidebar'><ul><li><a href='/a'>Install</a></li><li><a href='/b'>Settings</a></li></ul></div>" +
		"<div class='document'><h1>Settings</h1><p>The server reads its settings from the environment, or from a file that a flag names, in this order.</p>")
	for i := range 6 {
		fmt.Fprintf(&page, "<h2>Section %d</h2><p>What this one does, when to change it, and what it costs.</p><pre>GATE_%d=on\nLEVEL=%d</pre><table><tr><th>name</th><th>default</th></tr><tr><td>GATE_%d</td><td>off</td></tr></table>", i, i, i, i)
	}
	page.WriteString("</div><div class='related'><a href='/next'>next</a></div></body></html>")
	b := parse(t, page.String())
	for i := range 6 {
		holds(t, b, fmt.Sprintf("Section %d", i), fmt.Sprintf("GATE_%d=on\nLEVEL=%d", i, i), fmt.Sprintf("name | default\nGATE_%d | off", i))
	}
	lacks(t, b, "Install", "next")
}

func TestParse_ChineseOfOlderCharacterSets(t *testing.T) {
	t.Parallel()
	simplified := strings.Repeat("<p>一夜之间河水上涨了四米，山谷里没有人见过这样的情形，磨坊的一楼全都泡在水里。</p><p>工程师每小时测量一次流量，与六十年来的记录对照，等洪峰过了桥，才在黎明时打开下游的闸门。</p>", 3)
	traditional := strings.Repeat("<p>一夜之間河水上漲了四米，山谷裡沒有人見過這樣的情形，磨坊的一樓全都泡在水裡。</p><p>工程師每小時測量一次流量，與六十年來的記錄對照，等洪峰過了橋，才在黎明時打開下游的閘門。</p>", 3)
	for name, c := range map[string]struct {
		e          encoding.Encoding
		meta, body string
		want       string
	}{
		"gb18030 declared": {simplifiedchinese.GB18030, `<meta charset="gb2312">`, simplified, "等洪峰过了桥，才在黎明时打开下游的闸门。"},
		"gbk undeclared":   {simplifiedchinese.GBK, ``, simplified, "等洪峰过了桥，才在黎明时打开下游的闸门。"},
		"big5 declared":    {traditionalchinese.Big5, `<meta http-equiv="Content-Type" content="text/html; charset=big5">`, traditional, "等洪峰過了橋，才在黎明時打開下游的閘門。"},
		"big5 undeclared":  {traditionalchinese.Big5, ``, traditional, "等洪峰過了橋，才在黎明時打開下游的閘門。"},
	} {
		page, err := c.e.NewEncoder().String("<html><head>" + c.meta + "<title>洪水</title></head><body><ul><li><a href='/'>上一篇</a></li></ul><div>" + c.body + "</div></body></html>")
		if err != nil {
			t.Fatal(err)
		}
		b := parse(t, page)
		if n := strings.Count(b.Text(), c.want); n != 3 || b.Title != "洪水" {
			t.Errorf("%s: %d of 3 under %q in %q", name, n, b.Title, b.Text())
		}
	}
}
