package httpapi

import "testing"

func TestPreferred_TakesTheMostExactRangeAndTheBestQuality(t *testing.T) {
	t.Parallel()
	for accept, want := range map[string]string{
		"":                 "text/plain",
		"*/*":              "text/plain",
		"application/json": "application/json",
		"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8": "text/html",
		"text/*":                            "text/plain",
		"text/*;q=0.5, application/*":       "application/json",
		"text/html;q=0, text/*":             "text/plain",
		"text/plain;q=0, */*;q=0.1":         "application/json",
		"image/png":                         "text/plain",
		"text/html;q=x":                     "text/html",
		"text/html;q=2;=, APPLICATION/JSON": "application/json",
	} {
		if got := preferred(accept, "text/plain", "application/json", "text/html"); got != want {
			t.Errorf("%q: got %s, want %s", accept, got, want)
		}
	}
}

func TestAttachment_NamesNoFolderAndBreaksNoHeader(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		"a/b/leave.md":        `attachment; filename="leave.md"; filename*=UTF-8''leave.md`,
		`c:\x\休假 "1" 100%.md`: `attachment; filename="__ _1_ 100_.md"; filename*=UTF-8''%E4%BC%91%E5%81%87%20%221%22%20100%25.md`,
		"../..":               `attachment; filename="document"; filename*=UTF-8''document`,
		"/":                   `attachment; filename="document"; filename*=UTF-8''document`,
	} {
		if got := attachment(id); got != want {
			t.Errorf("%q: got %s, want %s", id, got, want)
		}
	}
}
