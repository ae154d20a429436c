// Package text holds what every room needs to know of plain text: its normal form, positions in Unicode code points, where
// sentences end in English and Chinese, and which of the two a text is written in.
//
// All functions are pure and may be called concurrently. A position is a code point of the text it was made for; an invalid
// byte counts as one code point, as in a range loop, though Normalise leaves none. Terms and stems are lexical's.
package text
