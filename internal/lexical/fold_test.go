package lexical

import (
	"testing"
	"testing/quick"
)

func TestFold(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"  The\tQuick \n Fox ": "the quick fox",
		"ＦＯＸ，１２％":              "fox,12%",
		"員工\n請假　三天":            "员工请假三天",
		"使用 Qdrant 向量":         "使用qdrant向量",
		"don’t — “stop”":       "don't - \"stop\"",
		"ﬁne 🎉  Ready":         "fine 🎉 ready",
		"e\u0301":              "é",
		"":                     "",
	} {
		if got := Fold(s); got != want {
			t.Errorf("%q: got %q, want %q", s, got, want)
		}
	}
	if err := quick.Check(func(s string) bool { return Fold(Fold(s)) == Fold(s) }, nil); err != nil {
		t.Error(err)
	}
}
