package main

import (
	"strings"
	"testing"

	"footnote/internal/ingest/parse/parsetest"
)

// A citation is on the page on which its quote starts, wherever its chunk begins: in answers, in what ground gives, and behind its link.
func TestCitation_IsOnThePageOfItsQuote(t *testing.T) { bothModes(t, testCitationPage) }

func testCitationPage(t *testing.T) {
	s := startService(t)
	s.call("POST", "/v1/collections", map[string]any{"name": "c"}, 201, nil)
	s.upload("c", map[string][]byte{
		"leave.pdf": parsetest.PDF("Leave",
			parsetest.Lines("F1", 11, 50, 700, "Parental leave lasts sixteen weeks at full pay. It may be taken in one piece or in several,"),
			parsetest.Lines("F1", 11, 50, 780, "as the department agrees. Sabbaticals are granted after seven years of service.")),
		"假期.pdf": parsetest.PDF("Leave",
			parsetest.Lines("F4", 11, 50, 700, "員工每年享有十五天帶薪年假。未休的年假可以順延到次年三月，"),
			parsetest.Lines("F4", 11, 50, 780, "逾期作廢。婚假為八天，須在登記後一年內休完。")),
	})
	for _, name := range []string{"leave.pdf", "假期.pdf"} {
		var got struct {
			Data []struct {
				Text string
				Page *int
			}
		}
		if s.call("GET", "/v1/collections/c/documents/"+name+"/chunks", nil, 200, &got); len(got.Data) != 1 || *got.Data[0].Page != 1 {
			t.Fatalf("%s: got %+v, want one chunk over both pages", name, got.Data)
		}
	}
	check := func(what, quote string, page *int, url string, want int) {
		t.Helper()
		if page == nil || *page != want {
			t.Errorf("%s: %q is on page %v, want %d", what, quote, page, want)
		}
		var link struct {
			Page    *int
			Current struct{ Page *int }
		}
		if s.call("GET", url, nil, 200, &link); link.Page == nil || *link.Page != want || link.Current.Page == nil || *link.Current.Page != want {
			t.Errorf("%s: behind its link %q is on page %v, now %v, want %d", what, quote, link.Page, link.Current.Page, want)
		}
	}
	for _, c := range []struct {
		question, quote string
		page            int
	}{
		{"How long does parental leave last?", "Parental leave lasts", 1},
		{"When are sabbaticals granted?", "Sabbaticals are granted", 2},
		{"員工每年有幾天年假？", "員工每年享有", 1},
		{"婚假有幾天？", "婚假為八天", 2},
	} {
		var answer answerJSON
		s.call("POST", "/v1/query", map[string]any{"query": c.question, "collections": []string{"c"}}, 200, &answer)
		found := false
		for _, cited := range answer.Citations {
			if strings.HasPrefix(cited.Quote, c.quote) {
				found = true
				check("answer", cited.Quote, cited.Page, cited.URL, c.page)
			}
		}
		if !found {
			t.Errorf("%s: %q is not cited in %+v", c.question, c.quote, answer)
		}
	}
	for claim, page := range map[string]int{"Sabbaticals are granted after seven years of service.": 2, "婚假為八天。": 2, "員工每年享有十五天帶薪年假。": 1} {
		var got struct {
			Citations []struct {
				Quote, URL string
				Page       *int
			}
		}
		s.call("POST", "/v1/ground", map[string]any{"text": claim, "collections": []string{"c"}}, 200, &got)
		if len(got.Citations) == 0 {
			t.Errorf("%q has no citation", claim)
			continue
		}
		check("ground", got.Citations[0].Quote, got.Citations[0].Page, got.Citations[0].URL, page)
	}
}
