package document

import (
	"bytes"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
)

// Decode returns text of an undeclared character set as UTF-8: by its byte order mark, as UTF-8 when it is that, else as GB18030, Big5 or
// Windows-1252 (of which Latin-1 is a part), whichever its bytes look most like.
func Decode(content []byte) string {
	switch {
	case bytes.HasPrefix(content, []byte{0xef, 0xbb, 0xbf}):
		return string(content[3:])
	case HasUTF16Mark(content):
		return as(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), content)
	case utf8.Valid(content):
		return string(content)
	}
	return as(guess(content), content)
}

func as(e encoding.Encoding, content []byte) string {
	out, err := e.NewDecoder().Bytes(content)
	if err != nil {
		return string(bytes.ToValidUTF8(content, []byte("\ufffd")))
	}
	return string(out)
}

// guess tells the encodings apart by where their frequent characters lie. GB2312's 3,755 common characters have lead bytes B0–D7 and trail bytes from
// A1; Big5's 5,401 have lead bytes A4–C6 and trail bytes from 40, four in ten of them below 7F, which in GB18030 are rare characters. European
// text has single high bytes between letters, which pair with ASCII.
func guess(content []byte) encoding.Encoding {
	var pairs, gb, big5, high int
	for i := 0; i < len(content); i++ {
		c := content[i]
		if c < 0x80 {
			continue
		}
		high++
		if i+1 == len(content) {
			break
		}
		t := content[i+1]
		pairs++
		if c >= 0xb0 && c <= 0xd7 && t >= 0xa1 || c >= 0xa1 && c <= 0xa3 && t >= 0xa1 || c >= 0xd8 && c <= 0xf7 && t >= 0xa1 {
			gb++
			if c >= 0xd8 {
				gb-- // the second level: possible, but no sign
			}
		}
		if c >= 0xa4 && c <= 0xc6 && (t >= 0x40 && t <= 0x7e || t >= 0xa1) || c >= 0xa1 && c <= 0xa3 && (t >= 0x40 && t <= 0x7e || t >= 0xa1) {
			big5++
		}
		if t >= 0x80 || t >= 0x40 && c >= 0xa1 {
			if t >= 0x80 {
				high++
			}
			i++
		}
	}
	switch {
	case pairs == 0 || max(gb, big5)*10 < pairs*6:
		return charmap.Windows1252
	case european(content):
		return charmap.Windows1252
	case gb >= big5:
		return simplifiedchinese.GB18030
	}
	return traditionalchinese.Big5
}

// european tells whether high bytes stand alone among letters, as in "café", more often than in runs of pairs.
func european(content []byte) bool {
	alone, runs := 0, 0
	for i := 0; i < len(content); {
		if content[i] < 0x80 {
			i++
			continue
		}
		j := i
		for j < len(content) && content[j] >= 0x80 {
			j++
		}
		if j-i == 1 {
			alone++
		} else {
			runs += j - i
		}
		i = j
	}
	return alone > runs
}

// HasUTF16Mark tells whether b starts with a byte order mark of UTF-16.
func HasUTF16Mark(b []byte) bool {
	return bytes.HasPrefix(b, []byte{0xff, 0xfe}) || bytes.HasPrefix(b, []byte{0xfe, 0xff})
}
