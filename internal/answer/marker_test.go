package answer

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// rewrite sends text through markers in pieces of the given lengths and returns what is said and which passages were cited.
func rewrite(t *testing.T, s string, cut func(rest int) int) (string, []int) {
	t.Helper()
	var said strings.Builder
	var passages []int
	m := &markers{passages: 3, say: func(p string) error { said.WriteString(p); return nil }}
	m.footnote = func(marker, passage int) error {
		passages = append(passages, passage)
		if marker != len(passages) {
			t.Errorf("got marker %d, want %d", marker, len(passages))
		}
		return nil
	}
	for s != "" {
		n := min(max(cut(len(s)), 1), len(s))
		if err := m.write(s[:n]); err != nil {
			t.Fatal(err)
		}
		s = s[n:]
	}
	if err := m.close(); err != nil {
		t.Fatal(err)
	}
	return said.String(), passages
}

var markerCases = []struct {
	in, want string
	passages []int
}{
	{"Sixteen weeks [1].", "Sixteen weeks [1].", []int{1}},
	{"Sixteen weeks[1].", "Sixteen weeks[1].", []int{1}},
	{"After the stop.[1] Next.", "After the stop.[1] Next.", []int{1}},
	{"A [2], B [2].", "A [1], B [2].", []int{2, 2}},
	{"A [1, 3].", "A [1][2].", []int{1, 3}},
	{"A [1][3].", "A [1][2].", []int{1, 3}},
	{"A [1; 3] and [1 & 2] and [1 and 2].", "A [1][2] and [3][4] and [5][6].", []int{1, 3, 1, 2, 1, 2}},
	{"A [1-3].", "A [1][2][3].", []int{1, 2, 3}},
	{"A [1–2, 3].", "A [1][2][3].", []int{1, 2, 3}},
	{"A [^2].", "A [1].", []int{2}},
	{"A [[2]] B [[3]](https://made.up/3).", "A [1] B [2].", []int{2, 3}},
	{"A [2](https://made.up/2) B [3](see there).", "A [1] B [2](see there).", []int{2, 3}},
	{`A \[2\].`, "A [1].", []int{2}},
	{"Twice the same [1][1] [1, 1].", "Twice the same [1].", []int{1}},
	{"十六周【1】，全薪［２］。", "十六周[1]，全薪[2]。", []int{1, 2}},
	{"十六周【1、2】。", "十六周[1][2]。", []int{1, 2}},
	{"十六周【1†source】【3†L5-L9】。", "十六周[1][2]。", []int{1, 3}},
	{"十六周【4:0†source】。", "十六周。", nil},
	{"十六周[文献1]，全薪[段落 2、3]。", "十六周[1]，全薪[2][3]。", []int{1, 2, 3}},
	{"十六週【來源：1】，全薪[第2段]。", "十六週[1]，全薪[2]。", []int{1, 2}},
	{"A [Passage 1], B [passage 2, 3], C [citation:1], D [Source 2; Source 3].", "A [1], B [2][3], C [4], D [5][6].", []int{1, 2, 3, 1, 2, 3}},
	{"| a [1] | bb[2] |", "| a [1] | bb[2] |", []int{1, 2}},
	{"- one [1]\n- two.[2]\n", "- one [1]\n- two.[2]", []int{1, 2}},
	{"Unknown [9].", "Unknown.", nil},
	{"Half known [9, 1].", "Half known [1].", []int{1}},
	{"Line.\n[9] Next [77777777777777777777777].", "Line.\nNext.", nil},
	{"An array a[i] and [link](x).", "An array a[i] and [link](x).", nil},
	{"Code `a[1]` and x[1] and my_list[2] and data[0] and grid[0][1].", "Code `a[1]` and x[1] and my_list[2] and data[0] and grid[0][1].", nil},
	{"```go\nx := a[1] // [2]\n```\nDone [2].", "```go\nx := a[1] // [2]\n```\nDone [1].", []int{2}},
	{"~~~\n[1]\n~~~\n[2]", "~~~\n[1]\n~~~\n[1]", []int{2}},
	{"Maths $x_{[1]}$ and \\([1]\\) and $$\n[2]\n$$ but [3].", "Maths $x_{[1]}$ and \\([1]\\) and $$\n[2]\n$$ but [1].", []int{3}},
	{"It costs $5 [1] and 7$ [2].", "It costs $5 [1] and 7$ [2].", []int{1, 2}},
	{"It costs $5 [1] or $6 [2].", "It costs $5 [1] or $6 [2].", []int{1, 2}},
	{"An unclosed `tick [1].", "An unclosed `tick [1].", []int{1}},
	{"A probability in [0, 1] and [10-100].", "A probability in [0, 1] and [10-100].", nil},
	{"An [ open bracket", "An [ open bracket", nil},
	{"Cut off [1", "Cut off", nil},
	{"Known [^1].\n\n[^1]: The handbook, page 3.\n    and more of it\n", "Known [1].", []int{1}},
	{"Known [1].\n\n[^1]: The handbook.\n[^2]: Another.\nAnd text [2].", "Known [1].\n\nAnd text [2].", []int{1, 2}},
	{"Known [1].\n\n[1]: https://made.up/1\n", "Known [1].", []int{1}},
	{"[1]: sixteen weeks.", "[1]: sixteen weeks.", []int{1}},
	{"[3] says sixteen.", "[1] says sixteen.", []int{3}},
	{"【注】 emoji 👩‍👧 [3]", "【注】 emoji 👩‍👧 [1]", []int{3}},
	{"(1) is no marker, nor (see 2).", "(1) is no marker, nor (see 2).", nil},
	{"Nor is [see 1], [1.5] or [p. 3].", "Nor is [see 1], [1.5] or [p. 3].", nil},
}

func TestMarkers_AllFormsHoweverTheyAreCut(t *testing.T) {
	t.Parallel()
	for _, c := range markerCases {
		whole, passages := rewrite(t, c.in, func(rest int) int { return rest })
		if whole != c.want || fmt.Sprint(passages) != fmt.Sprint(c.passages) {
			t.Errorf("%q: got %q citing %v, want %q citing %v", c.in, whole, passages, c.want, c.passages)
			continue
		}
		// In two at every byte, and byte by byte.
		for at := 1; at <= len(c.in); at++ {
			if got, cited := rewrite(t, c.in, func(rest int) int { return at - (len(c.in) - rest) }); got != whole || fmt.Sprint(cited) != fmt.Sprint(passages) {
				t.Fatalf("%q cut at %d: got %q citing %v, want %q citing %v", c.in, at, got, cited, whole, passages)
			}
		}
		if got, cited := rewrite(t, c.in, func(int) int { return 1 }); got != whole || fmt.Sprint(cited) != fmt.Sprint(passages) {
			t.Fatalf("%q byte by byte: got %q citing %v, want %q citing %v", c.in, got, cited, whole, passages)
		}
	}
}

// Whatever a model writes, what is said does not depend on how it was cut: texts are made of what is hard to cut.
func TestMarkers_RandomTextsHoweverTheyAreCut(t *testing.T) {
	t.Parallel()
	bits := []string{"[", "]", "【", "】", "［", "］", "[[", "]]", "1", "2", "9", "0", ",", "、", "-", "^", "†", ":", "：", "(", ")", "http://x", "`", "``", "```", "~~~", "$", "$$", "\\", "\\[", "\\]", "\\(", "\\)", "\n", "\n\n", " ", "  ",
		"a", "x_y", "Passage ", "文献", "word", "句。", "👩‍👧", ".", "[1]", "[^1]:", "[^2]", "[1]:", "\t"}
	for try := range 4000 {
		r := rand.New(rand.NewPCG(7, uint64(try)))
		var b strings.Builder
		for range 1 + r.IntN(24) {
			b.WriteString(bits[r.IntN(len(bits))])
		}
		in := b.String()
		want, passages := rewrite(t, in, func(rest int) int { return rest })
		for _, most := range []int{1, 2, 5} {
			got, cited := rewrite(t, in, func(int) int { return 1 + r.IntN(most) })
			if got != want || fmt.Sprint(cited) != fmt.Sprint(passages) {
				t.Fatalf("%q in pieces of up to %d: got %q citing %v, whole %q citing %v", in, most, got, cited, want, passages)
			}
		}
		if again, _ := rewrite(t, in, func(rest int) int { return rest }); again != want || strings.TrimSpace(want) == "" != (want == "") {
			t.Fatalf("%q: got %q", in, again)
		}
	}
}

func TestMarkerSpans_FindWhatTheyMaskAndNothingElse(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Sixteen weeks [1, 2].":             "Sixteen weeks       .",
		"十六周【1†source】。 a[1]":               "十六周          。 a[1]",
		"Known.[^1]\n\n[^1]: The handbook.": "Known.    \n\n                   ",
		"Smith [2024] found 3 `x[1]`.":      "Smith        found 3 `x[1]`.",
	} {
		if got := blank(in, markerSpans(in)); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
