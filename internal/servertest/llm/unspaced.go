package llm

import (
	"bytes"
	"net/http"
)

// unspaced leaves out the blank lines between events, as some servers do.
type unspaced struct{ http.ResponseWriter }

func (u unspaced) Write(b []byte) (int, error) {
	_, err := u.ResponseWriter.Write(bytes.ReplaceAll(b, []byte("\n\n"), []byte("\n")))
	return len(b), err
}
