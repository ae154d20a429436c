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

func TestMarkers_AllFormsHoweverTheyAreCut(t *testing.T) {
	for _, c := range []struct {
		in, want string
		passages []int
	}{
		{"Sixteen weeks [1].", "Sixteen weeks [1].", []int{1}},
		{"A [2], B [2].", "A [1], B [2].", []int{2, 2}},
		{"A [1, 3].", "A [1][2].", []int{1, 3}},
		{"A [1-3].", "A [1][2][3].", []int{1, 2, 3}},
		{"A [^2].", "A [1].", []int{2}},
		{"十六周【1】，全薪［２］。", "十六周[1]，全薪[2]。", []int{1, 2}},
		{"十六周【1、2】。", "十六周[1][2]。", []int{1, 2}},
		{"Unknown [9].", "Unknown.", nil},
		{"Half known [9, 1].", "Half known [1].", []int{1}},
		{"An array a[i] and [link](x).", "An array a[i] and [link](x).", nil},
		{"An [ open bracket", "An [ open bracket", nil},
		{"Cut off [1", "Cut off", nil},
		{"【注】 emoji 👩‍👧 [3]", "【注】 emoji 👩‍👧 [1]", []int{3}},
	} {
		for try := range 20 {
			cut := func(rest int) int { return rest }
			if try > 0 {
				cut = func(int) int { return 1 + rand.IntN(try) }
			}
			got, passages := rewrite(t, c.in, cut)
			if got != c.want || fmt.Sprint(passages) != fmt.Sprint(c.passages) {
				t.Fatalf("%q: got %q citing %v, want %q citing %v", c.in, got, passages, c.want, c.passages)
			}
		}
	}
}

func TestClaims_MarkersAfterTheStopBelongToTheSentenceBefore(t *testing.T) {
	answer := "First one. [1] Second one [2]. 第三句。[3] 第四句[4]。"
	want := []string{"First one. [1]", "Second one [2].", "第三句。[3]", "第四句[4]。"}
	var got []string
	runes := []rune(answer)
	for _, s := range claims(answer) {
		got = append(got, string(runes[s.Start:s.End]))
	}
	if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
		t.Fatalf("got %q, want %q", got, want)
	}
}
