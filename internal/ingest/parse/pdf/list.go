package pdf

import (
	"strings"
	"unicode/utf8"
)

// bullet tells whether a line begins an item of a list.
func bullet(s string) bool {
	r, n := utf8.DecodeRuneInString(s)
	if strings.ContainsRune("•▪◦‣●○■□►➢➤✓✔❖·∙", r) {
		return len(s) > n
	}
	if (r == '-' || r == '–' || r == '—' || r == '*') && len(s) > n+1 && s[n] == ' ' {
		return true
	}
	rest := strings.TrimLeft(s, "0123456789")
	if n := len(s) - len(rest); n > 0 && n <= 2 && (strings.HasPrefix(rest, ". ") || strings.HasPrefix(rest, ") ")) {
		return true
	}
	return false
}

// listItem writes an item with a dash in the place of its sign.
func listItem(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if strings.ContainsRune("•▪◦‣●○■□►➢➤✓✔❖·∙–—*", r) {
		return "- " + strings.TrimSpace(s[n:])
	}
	return s
}
