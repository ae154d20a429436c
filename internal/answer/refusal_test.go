package answer

import (
	"strings"
	"testing"
)

// heldBack writes an answer in pieces and tells whether it is taken for a refusal, and what would have been said before that was clear.
func heldBack(answer string, size int) (refused bool, said string) {
	opening := ""
	for rest := []rune(answer); len(rest) > 0; {
		n := min(size, len(rest))
		opening += string(rest[:n])
		rest = rest[n:]
		if !mayRefuse(opening) {
			return false, opening
		}
	}
	return refusalOnly(opening), ""
}

func TestRefusal_IsRecognisedInEveryForm(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"NOT_IN_DOCUMENTS", " NOT_IN_DOCUMENTS.\n", "**NOT_IN_DOCUMENTS**", "`NOT_IN_DOCUMENTS`", "> NOT_IN_DOCUMENTS", "\"NOT_IN_DOCUMENTS\"", "“NOT_IN_DOCUMENTS”。", "「NOT_IN_DOCUMENTS」", "【NOT_IN_DOCUMENTS】",
		"NOT\\_IN\\_DOCUMENTS", "Not in documents.", "not_in_documents", "NOT IN DOCUMENTS!", "ＮＯＴ＿ＩＮ＿ＤＯＣＵＭＥＮＴＳ", "Answer: NOT_IN_DOCUMENTS", "**Answer:** NOT_IN_DOCUMENTS", "答案：NOT_IN_DOCUMENTS", "回答是：", "答：NOT_IN_DOCUMENTS。",
		"NOT_IN_DOCUMENTS\n\nThe passages speak of travel.", "NOT_IN_DOCUMENTS。段落中没有提到。",
	} {
		for _, size := range []int{1, 3, 1000} {
			refused, said := heldBack(s, size)
			if want := s != "回答是："; refused != want || refused && said != "" {
				t.Errorf("%q in pieces of %d: refused %t, said %q", s, size, refused, said)
			}
		}
	}
}

func TestRefusal_AnswersAreNone(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"Parental leave lasts sixteen weeks [1].", "Not in documents from before 1990, but in later ones [1].", "No [1].", "Notes are needed from the fourth day on [1].", "A doctor's note [1].", "十五天 [1]。", "答案是十五天 [1]。", "42", "- item [1]",
	} {
		if refused, _ := heldBack(s, 2); refused {
			t.Errorf("%q is taken for a refusal", s)
		}
	}
}

func TestRefuses_InAModelsOwnWords(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"The passages do not contain the answer.", "The provided documents don't mention parental leave for contractors.", "I'm sorry, but I cannot answer this question.", "Unfortunately, the passages do not say who painted it.",
		"Based on the provided passages, there is no information about this.", "I don't know.", "There is no information about aspirin in the passages.", "It is not stated in the text.", "None of the passages provides an answer to this. Please ask something else.",
		"根据提供的段落，无法回答这个问题。", "文中没有提到这一点。", "抱歉，资料中找不到相关信息。", "無法從文件中得知答案。", "提供的文件沒有說明這個問題。", "没有相关信息。", "我不知道。", "在上述段落中未提及。",
	} {
		if !refuses(s) {
			t.Errorf("%q is not taken for a refusal", s)
		}
	}
	for _, s := range []string{
		"Parental leave lasts sixteen weeks.", "The document describes sick leave. It needs a note. The note comes from a doctor.", "Employees cannot carry leave over after March.", "The contract has no fixed end; it ends with three months' notice. It is renewed. Twice.",
		"员工不能顺延年假。", "十五天。", "公司没有为合同工提供年假。", "",
	} {
		if refuses(s) {
			t.Errorf("%q is taken for a refusal", s)
		}
	}
}

func TestSieve_LeavesOutFenceAndRefusal(t *testing.T) {
	t.Parallel()
	const fence = "0123456789abcdef"
	for in, want := range map[string]string{
		"plain 文本 [1] 😀": "plain 文本 [1] 😀",
		"<passage-" + fence + " number=\"1\">\ntext\n</passage-" + fence + ">": "\ntext\n",
		"see passage-" + fence + " here, and there":                            "see  here, and there",
		"see </passage-" + fence + " here, and there":                          "see  here, and there",
		"cut in the mark <passage-" + fence[:5]:                                "cut in the mark ",
		"a passage- and a <passage":                                            "a passage- and a <passage",
		"a <passage-other> stays, so does < and </":                            "a <passage-other> stays, so does < and </",
		"yes. NOT_IN_DOCUMENTS":                                                "yes. ",
		"NOT_IN_THE_DOCUMENTS, N":                                              "NOT_IN_THE_DOCUMENTS, N",
		"答案 NOT\\_IN\\_DOCUMENTS。":                                             "答案 。",
		"cut <passage-" + fence + " number=\"1":                                "cut ",
	} {
		for size := 1; size < 20; size++ {
			s, got := sieve{fence: fence}, ""
			for rest := in; rest != ""; {
				n := min(size, len(rest))
				got += s.write(rest[:n])
				rest = rest[n:]
			}
			if got += s.end(); got != want || s.refused != strings.Contains(strings.ReplaceAll(in, `\`, ""), notThere) {
				t.Errorf("%q in pieces of %d: got %q, refused %t, want %q", in, size, got, s.refused, want)
			}
		}
	}
}

func TestVisible(t *testing.T) {
	t.Parallel()
	if got := visible("\uFEFFa\u200Bb\u2060\x00\x1B\u202E\tc\n\u0085\U000E0041"); got != "ab\tc\n" {
		t.Errorf("got %q", got)
	}
	if family := "👩‍👩‍👧 می\u200cخواهم ﬁ　全角"; visible(family) != family {
		t.Errorf("got %q", visible(family))
	}
}
