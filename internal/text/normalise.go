package text

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const byteOrderMark = '\uFEFF'

// Normalise returns the form of s in which documents are stored and to which all spans refer: valid UTF-8 (an invalid byte
// becomes U+FFFD), lines ended by \n alone, Unicode NFC, and no control character but \n and \t. A carriage return, vertical
// tab or form feed becomes \n, so that words on either side stay apart; other C0 controls, DEL and U+FEFF (the byte order mark)
// are dropped. White space is never collapsed. Normalise is idempotent.
func Normalise(s string) string {
	if !needsCleaning(s) {
		return compose(s)
	}
	var b strings.Builder
	b.Grow(len(s))
	afterReturn := false // the last kept character was a carriage return
	for _, r := range s {
		switch {
		case r == '\n':
			if !afterReturn {
				b.WriteByte('\n')
			}
			afterReturn = false
		case r == '\r', r == '\v', r == '\f':
			b.WriteByte('\n')
			afterReturn = r == '\r'
		case r == '\t', r >= ' ' && r != 0x7f && r != byteOrderMark:
			b.WriteRune(r) // the range loop yields U+FFFD for an invalid byte
			afterReturn = false
		}
	}
	return compose(b.String())
}

// compose is NFC until nothing changes. norm cuts runs of more than 30 combining marks with U+034F (Unicode's stream-safe
// format), and composing the cut text may differ once more; real text never loops.
func compose(s string) string {
	for range 4 {
		t := norm.NFC.String(s)
		if t == s {
			break
		}
		s = t
	}
	return s
}

func needsCleaning(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\n' && c != '\t' || c == 0x7f {
			return true
		}
	}
	return !utf8.ValidString(s) || strings.ContainsRune(s, byteOrderMark)
}
