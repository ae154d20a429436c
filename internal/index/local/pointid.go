package local

import (
	"encoding/hex"

	"footnote/internal/rag"
)

// pointID is a chunk's id, a UUID, in its 16 bytes. Its order is that of the text: both go digit by digit.
type pointID [16]byte

// parseID reads a canonical lower-case UUID; ok is false for anything else.
func parseID(s rag.ChunkID) (id pointID, ok bool) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return id, false
	}
	var digits [32]byte
	n := 0
	for i := range len(s) {
		switch c := s[i]; {
		case i == 8 || i == 13 || i == 18 || i == 23:
		case c >= '0' && c <= '9' || c >= 'a' && c <= 'f':
			digits[n] = c
			n++
		default:
			return id, false
		}
	}
	_, err := hex.Decode(id[:], digits[:])
	return id, err == nil
}

func (id pointID) chunk() rag.ChunkID {
	var b [36]byte
	hex.Encode(b[:8], id[:4])
	hex.Encode(b[9:13], id[4:6])
	hex.Encode(b[14:18], id[6:8])
	hex.Encode(b[19:23], id[8:10])
	hex.Encode(b[24:], id[10:])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return rag.ChunkID(b[:])
}
