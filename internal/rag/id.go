package rag

import (
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"strconv"
	"strings"
)

// Identities have types, so that one kind cannot pass for another.
type (
	CollectionID string // col_…
	DocumentID   string // doc_…
	ChunkID      string // a canonical lower-case UUID: vector stores take no other form
	JobID        string // job_…
	AnswerID     string // ans_…
	CitationID   string // cit_…
)

var idAlphabet = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

func newID(prefix string) string {
	var b [16]byte // 128 random bits: not guessable, though an id is never an authorisation
	rand.Read(b[:])
	return prefix + idAlphabet.EncodeToString(b[:])
}

// NewCollectionID makes a fresh collection identity, of 128 random bits.
func NewCollectionID() CollectionID { return CollectionID(newID("col_")) }

// NewDocumentID makes a fresh document identity.
func NewDocumentID() DocumentID { return DocumentID(newID("doc_")) }

// NewJobID makes a fresh job identity.
func NewJobID() JobID { return JobID(newID("job_")) }

// NewAnswerID makes a fresh answer identity.
func NewAnswerID() AnswerID { return AnswerID(newID("ans_")) }

// NewCitationID makes a fresh citation identity.
func NewCitationID() CitationID { return CitationID(newID("cit_")) }

// NewInstallationID makes a name for an installation: what it shares a server with others under.
func NewInstallationID() string { return newID("")[:13] } // 65 bits: unique among those that share a server

// chunkNamespace is the UUIDv5 name space of chunk ids; it must never change.
var chunkNamespace = [16]byte{0x6f, 0x2a, 0x1c, 0x5e, 0x90, 0x3b, 0x4d, 0x77, 0x8e, 0x11, 0xf0, 0x07, 0x4e, 0x07, 0xe0, 0x01}

// TextHash names an embedded text by its content: texts with the same one have the same vector under the same model.
//
// It is the first 16 bytes of the text's SHA-256. Among 10¹² texts the odds that any two share one are below 2·10⁻¹⁵. Whoever wanted a text of somebody else's to find a vector of
// another text needs a second preimage, 2¹²⁸ tries; two texts of one's own that collide take 2⁶⁴, and hurt nobody else. Sixteen more bytes, in the row and in its index, would buy nothing.
type TextHash [16]byte

// HashText is the hash of an embedded text (EmbeddedText).
func HashText(embeddedText string) TextHash {
	sum := sha256.Sum256([]byte(embeddedText))
	return TextHash(sum[:16])
}

// NewChunkID is the UUIDv5 (RFC 9562) of document, the SHA-256 of the embedded text, and nth, the count of earlier chunks of
// the same version with the same embedded text. The same text therefore keeps its id from version to version.
func NewChunkID(document DocumentID, embeddedText string, nth int) ChunkID {
	sum := sha256.Sum256([]byte(embeddedText))
	h := sha1.New()
	h.Write(chunkNamespace[:])
	h.Write([]byte(string(document) + "\x00" + hex.EncodeToString(sum[:]) + "\x00" + strconv.Itoa(nth)))
	var u [16]byte
	copy(u[:], h.Sum(nil))
	u[6] = u[6]&0x0f | 0x50
	u[8] = u[8]&0x3f | 0x80
	s := hex.EncodeToString(u[:])
	return ChunkID(strings.Join([]string{s[:8], s[8:12], s[12:16], s[16:20], s[20:]}, "-"))
}
